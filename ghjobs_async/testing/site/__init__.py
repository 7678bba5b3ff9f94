"""What GitHub answers: the API and the log storage, from a request to an answer, no socket."""
