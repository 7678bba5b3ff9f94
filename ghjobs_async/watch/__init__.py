"""Wait for runs and jobs, and report their changes."""
