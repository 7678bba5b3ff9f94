"""Collect runs, jobs and logs into the database: only what is new or not settled."""
