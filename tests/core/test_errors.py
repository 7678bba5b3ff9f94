"""The error tree: it survives pickling, and tells its data in attributes."""

from __future__ import annotations

import inspect
import pickle
from datetime import UTC, datetime

import pytest

from ghjobs_async import (
    ApiVersionError,
    AuthError,
    ConfigurationError,
    DecodeError,
    ForbiddenError,
    GHJobsError,
    LogTruncatedError,
    LogUnavailableError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ResponseError,
    ServerError,
    TransportError,
    Undecodable,
    errors,
)

ASKED = {"method": "GET", "url": "https://api.github.com/x", "request_id": "C0DE"}
SAID = {"message": "no", "documentation_url": "https://docs.github.com"}
WHEN = datetime(2026, 10, 1, tzinfo=UTC)


def examples() -> list[GHJobsError]:
    response = (ResponseError, AuthError, ForbiddenError, NotFoundError, ServerError)
    made: list[GHJobsError] = [
        cls("no", status=418, **ASKED, **SAID) for cls in (*response, ApiVersionError)
    ]
    made += [cls("no", **ASKED, retryable=False) for cls in (TransportError, RequestTimeoutError)]
    return [
        *made,
        RateLimitError("no", scope="primary", retry_at=WHEN, status=429, **ASKED, **SAID),
        ConfigurationError("no"),
        LogUnavailableError("no", reason="expired"),
        LogTruncatedError("no", expected=10, received=3),
        DecodeError("no", problems=(Undecodable("jobs[3].id", "expected int", "x"),), **ASKED),
        GHJobsError("no"),
    ]


@pytest.mark.parametrize("error", examples(), ids=lambda error: type(error).__name__)
def test_errors_pickle(error: GHJobsError) -> None:
    """An error comes back from another process whole: class, text and data."""
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


def test_every_error_is_tried() -> None:
    """The examples above hold every class of the tree."""
    tree = {cls for _, cls in inspect.getmembers(errors, inspect.isclass)}
    tree = {cls for cls in tree if issubclass(cls, GHJobsError)}
    assert tree == {type(error) for error in examples()}


def test_no_error_shadows_a_builtin() -> None:
    """A timeout here is not Python's own, and every name ends in Error."""
    names = {type(error).__name__ for error in examples()}
    assert all(name.endswith("Error") for name in names)
    assert names & set(dir(__builtins__)) == set()


def test_what_a_server_wants_is_kept() -> None:
    """A server error holds in how many seconds it wants to be asked again."""
    error = ServerError("no", status=503)
    assert error.retry_after is None
    error.retry_after = 7.0
    assert pickle.loads(pickle.dumps(error)).retry_after == 7.0
