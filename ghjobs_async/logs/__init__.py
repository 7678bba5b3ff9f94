"""Download and read the log of one job, or search the logs of many."""
