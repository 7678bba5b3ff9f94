"""The error tree: errors survive pickling, and their data is in attributes."""

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
    """An error keeps its class, text and data on the way from another process."""
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


def test_every_error_is_tried() -> None:
    """The examples above contain every public class of the tree."""
    tree = {cls for name, cls in inspect.getmembers(errors, inspect.isclass) if name[0] != "_"}
    tree = {cls for cls in tree if issubclass(cls, GHJobsError)}
    assert tree == {type(error) for error in examples()}


def test_no_error_shadows_a_builtin() -> None:
    """No name is that of a built-in exception, and every name ends in Error."""
    names = {type(error).__name__ for error in examples()}
    assert all(name.endswith("Error") for name in names)
    assert names & set(dir(__builtins__)) == set()


def test_a_limit_may_be_hit_without_an_answer() -> None:
    """A request that was not sent has no status; the error is still a ResponseError."""
    error = RateLimitError("no", status=None, scope="primary", retry_at=WHEN)
    assert isinstance(error, ResponseError)
    assert pickle.loads(pickle.dumps(error)).status is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain words", "plain words"),
        (" a\r\n b\t\x1b[31mc\x00 ", "a b [31mc"),
        ("\u202eevil", "evil"),
        ("x" * 301, "x" * 297 + "..."),
        ("x" * 300, "x" * 300),
        ("", ""),
    ],
)
def test_a_servers_message_fits_one_line(text: str, line: str) -> None:
    """Neither line ends nor escape sequences nor long texts of a server reach a terminal."""
    assert errors.one_line(text) == line


@pytest.mark.parametrize("kept", ["user:secret", "?sig=secret", "#secret"])
def test_a_shown_value_has_no_secret(kept: str) -> None:
    """Of a URL in an error, credentials, query and fragment are left out."""
    url = f"https://{kept}@h/x" if ":" in kept else f"https://h/x{kept}"
    assert "secret" not in errors.shown(url)
    assert "h" in errors.shown(url)


def test_a_servers_delay_is_kept() -> None:
    """A server error keeps after how many seconds to send the request again."""
    error = ServerError("no", status=503)
    assert error.retry_after is None
    error.retry_after = 7.0
    assert pickle.loads(pickle.dumps(error)).retry_after == 7.0
