"""What is asked of GitHub, and what an answer means. Pure: no network, no clock, no tasks."""
