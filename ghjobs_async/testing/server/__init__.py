"""HTTP on 127.0.0.1: requests and answers as values, listening and sending."""
