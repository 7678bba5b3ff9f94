"""Requests to GitHub and the decoding of its answers. Pure: no network, no clock, no tasks."""
