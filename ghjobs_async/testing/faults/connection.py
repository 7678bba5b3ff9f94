"""Faults of the connection: the answer is right, but it is sent wrong or not at all."""

from __future__ import annotations

from ghjobs_async.testing.faults.script import Fault
from ghjobs_async.testing.server.answers import Answer, Handler
from ghjobs_async.testing.server.calls import Call
from ghjobs_async.testing.site.site import Site


def _delivered(name: str, **changes: object) -> Fault:
    """Make a fault of the line only: the answer is right and comes wrong."""

    def apply(_site: Site, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        for key, value in changes.items():
            setattr(answer, key, value)
        return answer

    return Fault(name, apply)


def stall_headers() -> Fault:
    """Take the request and never answer."""
    return _delivered("stall_headers", stall_after=-1)


def stall_body(after: int = 0) -> Fault:
    """Send the headers and *after* bytes of the body, and then nothing more."""
    return _delivered("stall_body", stall_after=after)


def reset() -> Fault:
    """
    Reset the connection (RST) in place of an answer.

    Clients built on aiohttp replay a GET once by themselves: only the second time is seen.
    """
    return _delivered("reset", hang_up="reset")


def disconnect() -> Fault:
    """Close the connection in place of an answer; see `reset` for what aiohttp does then."""
    return _delivered("disconnect", hang_up="close")


def break_body(after: int = 0) -> Fault:
    """Promise the whole body and close the connection after *after* bytes of it."""
    return _delivered("break_body", cut_after=after)


def lying_length(delta: int) -> Fault:
    """Claim a Content-Length that is *delta* bytes off; too little cuts the body."""
    return _delivered("lying_length", lie=delta)
