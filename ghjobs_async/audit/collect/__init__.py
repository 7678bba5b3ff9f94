"""Find runs, and list their jobs: into the database, as a stream, or as an estimate."""
