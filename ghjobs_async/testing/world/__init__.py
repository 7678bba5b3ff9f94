"""What the fake GitHub holds, as data: repositories, runs, attempts, jobs and their logs."""
