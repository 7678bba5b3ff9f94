"""Requests over the network: sessions, credentials, limits, redirects and retries."""
