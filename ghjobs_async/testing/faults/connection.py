"""Faults of the connection: the answer is right, but it is sent wrong or not at all."""

from __future__ import annotations

from ghjobs_async.testing.faults.script import Fault
from ghjobs_async.testing.server.messages import Answer, Call, Handler
from ghjobs_async.testing.site.site import Site


def _delivered(name: str, **changes: object) -> Fault:
    """Make a fault that changes only how the right answer is sent."""

    def apply(_site: Site, call: Call, normal: Handler) -> Answer:
        answer = normal(call)
        for key, value in changes.items():
            setattr(answer, key, value)
        return answer

    return Fault(name, apply)


def stall_headers() -> Fault:
    """Accept the request and never answer."""
    return _delivered("stall_headers", stall_after=-1)


def stall_body(after: int = 0) -> Fault:
    """Send the headers and *after* bytes of the body, then nothing more."""
    return _delivered("stall_body", stall_after=after)


def reset() -> Fault:
    """
    Reset the connection (RST) in place of an answer.

    aiohttp repeats a GET once by itself, so its clients see only the second reset.
    """
    return _delivered("reset", hang_up="reset")


def disconnect() -> Fault:
    """Close the connection in place of an answer; see `reset` about aiohttp."""
    return _delivered("disconnect", hang_up="close")


def break_body(after: int = 0) -> Fault:
    """Promise the whole body and close the connection after *after* bytes of it."""
    return _delivered("break_body", cut_after=after)


def lying_length(delta: int) -> Fault:
    """Send a Content-Length that is wrong by *delta* bytes; a negative one cuts the body."""
    return _delivered("lying_length", lie=delta)
