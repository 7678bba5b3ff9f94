"""One job's log, whole; and a search over many."""
