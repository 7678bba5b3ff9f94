"""The timeline of a run: a chart of its jobs, and how it is drawn. Pure."""
