"""What limit headers say: whether a limit was hit, how long to wait, who may leave."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from ghjobs_async.transport.budget import Budget, Turn
from ghjobs_async.wire.limits import Limited, find_limit, retry_after

NOW = 1_800_000_000.0
YEAR = 366 * 86400.0
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try."
ABUSE = "You have triggered an abuse detection mechanism. Please wait a few minutes."
PRIMARY = "API rate limit exceeded for user ID 1."
DOCS = (
    "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary"
)
RESET = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOW + 90:.0f}"}


def said(message: str = "Forbidden", docs: str = "https://docs.github.com/rest") -> bytes:
    return json.dumps({"message": message, "documentation_url": docs}).encode()


def judged(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Limited | None:
    return find_limit(status, CIMultiDict(headers or {}), body, NOW)


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"Retry-After": "60"}, said(SECONDARY, DOCS), Limited("secondary", 60.0)),
        ({"retry-after": "7"}, b"", Limited("secondary", 7.0)),
        ({"Retry-After": "60", **RESET}, said(PRIMARY), Limited("primary", 60.0)),
        ({"Retry-After": "60", **RESET}, said(SECONDARY), Limited("secondary", 60.0)),
        (RESET, said(PRIMARY), Limited("primary", 90.0)),
        ({"X-RateLimit-Remaining": "0"}, said(PRIMARY), Limited("primary", None)),
        ({}, said(PRIMARY), Limited("primary", None)),
        ({}, said(SECONDARY), Limited("secondary", None)),
        ({}, said(ABUSE), Limited("secondary", None)),
        ({}, said("Too many requests have been made, slow down"), Limited("secondary", None)),
        ({}, said("Forbidden", DOCS), Limited("secondary", None)),
        ({}, f"<html><p>{SECONDARY}</p></html>".encode(), Limited("secondary", None)),
        ({"X-RateLimit-Remaining": "12"}, said(SECONDARY), Limited("secondary", None)),
        ({"Retry-After": "soon", **RESET}, said(PRIMARY), Limited("primary", 90.0)),
    ],
)
def test_limits_are_told_in_many_forms(
    status: int, headers: dict[str, str], body: bytes, expected: Limited
) -> None:
    """A header, a spent budget, a message, a link to the docs, or HTML: each one alone is enough.

    Peers that look for Retry-After only, or for one wording, miss the others.
    """
    assert judged(status, body, headers) == expected


def test_every_429_is_a_limit() -> None:
    """There is no other reason for that status, whatever the body says."""
    assert judged(429, b"slow down") == Limited("secondary", None)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {}, said("Resource not accessible by integration")),
        (403, {"X-RateLimit-Remaining": "4000"}, said("Must have admin rights to Repository.")),
        (403, {}, b""),
        (200, {"X-RateLimit-Remaining": "0"}, b"{}"),
        (404, RESET, said("Not Found")),
        (500, {"Retry-After": "5"}, b"rate limit"),
    ],
)
def test_other_answers_are_no_limit(status: int, headers: dict[str, str], body: bytes) -> None:
    """A missing permission, a last answer, or a failing server is nothing to wait for here."""
    assert judged(status, body, headers) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60.0),
        (" 60 ", 60.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("999999999999", YEAR),
        (formatdate(NOW + 30, usegmt=True), 30.0),
        (formatdate(NOW - 30, usegmt=True), 0.0),
        *[
            (text, None)
            for text in ("-1", "soon", "", "1e3", "0x10", "nan", "inf", "\u0661", "9" * 99)
        ],
    ],
)
def test_retry_after_is_read_or_ignored(text: str, seconds: float | None) -> None:
    """Seconds or a date, never negative, never longer than a year; anything else is not there."""
    assert retry_after({"Retry-After": text}, NOW) == seconds


def test_a_date_is_measured_by_the_server_s_clock() -> None:
    """Where the server tells the time, our own clock does not matter."""
    headers = {
        "Retry-After": formatdate(NOW + 30, usegmt=True),
        "Date": formatdate(NOW, usegmt=True),
    }
    assert retry_after(headers, NOW + 10_000) == 30.0
    limit = find_limit(403, {**RESET, "Date": formatdate(NOW, usegmt=True)}, b"", NOW + 10_000)
    assert limit == Limited("primary", 90.0)


@pytest.mark.parametrize(
    ("reset", "wait"),
    [
        (NOW + 90, 90.0),
        ((NOW + 90) * 1000, 90.0),
        (NOW - 90, 0.0),
        (NOW + 86400, 86400.0),
        (NOW + 86401, None),
        (NOW + YEAR, None),
        ((NOW + YEAR) * 1000, None),
        (1e14, None),
    ],
)
def test_a_reset_is_within_a_day(reset: float, wait: float | None) -> None:
    """Milliseconds are recognised; a time that no hourly budget has is as good as none."""
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{reset:.0f}"}
    assert judged(403, said(PRIMARY), headers) == Limited("primary", wait)
    budget = Budget()
    budget.learn(headers, NOW)
    expected = (Turn.LIMIT, NOW + wait) if wait else (Turn.GO, NOW)
    assert budget.turn(NOW) == expected


@pytest.mark.parametrize(
    ("resource", "counts"),
    [("core", True), (" Core", True), ("search", False), ("graphql", False), ("", False)],
)
def test_only_the_core_budget_counts(resource: str, *, counts: bool) -> None:
    """What is left of another budget changes nothing, and its last answer is no limit."""
    headers = {**RESET, "X-RateLimit-Resource": resource}
    budget = Budget()
    budget.learn(headers, NOW)
    assert budget.turn(NOW)[0] is (Turn.LIMIT if counts else Turn.GO)
    expected = Limited("primary", 90.0) if counts else None
    assert judged(403, said("Must have admin rights to Repository."), headers) == expected


def test_a_limit_of_another_budget_is_still_a_limit() -> None:
    """The message says so; its reset belongs to the other budget."""
    headers = {**RESET, "X-RateLimit-Resource": "search"}
    assert judged(403, said(PRIMARY), headers) == Limited("primary", None)


HEADERS = (
    *("Retry-After", "Date", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Resource"),
)
values = (
    st.text()
    | st.integers().map(str)
    | st.floats().map(str)
    | st.integers(-(2**40), 2**40).map(lambda n: formatdate(NOW + n % 2**33))
    | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{1,9} \S{0,6}")
)


@given(st.dictionaries(st.sampled_from(HEADERS), values), st.binary(max_size=50))
def test_any_headers_are_survived(headers: dict[str, str], body: bytes) -> None:
    """Absent, negative, huge or nonsense: a wait is unknown or a sane number, never an error."""
    for status in (200, 403, 429):
        limit = find_limit(status, headers, body, NOW)
        if limit is not None and limit.wait is not None:
            assert 0 <= limit.wait <= YEAR
    budget = Budget(60.0)
    budget.learn(headers, NOW)
    turn, until = budget.turn(NOW)
    assert turn is Turn.GO or math.isfinite(until)


# The budget.


def left(remaining: int, reset_in: float = 100, now: float = NOW) -> dict[str, str]:
    return {
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": f"{now + reset_in:.0f}",
    }


def test_no_more_leave_than_remain() -> None:
    """With two remaining, two leave; the next one waits for an answer, not for the reset."""
    budget = Budget()
    budget.learn(left(2), NOW)
    for _ in range(2):
        assert budget.turn(NOW)[0] is Turn.GO
        budget.depart(NOW)
    assert budget.turn(NOW)[0] is Turn.ANSWER


def test_nothing_left_is_waited_for_until_the_reset() -> None:
    """When the last answer says 0, the rest wait for the reset, and then go."""
    budget = Budget()
    budget.learn(left(0), NOW)
    assert budget.turn(NOW) == (Turn.LIMIT, NOW + 100)
    assert budget.scope == "primary"
    assert budget.turn(NOW + 100)[0] is Turn.GO


def test_answers_out_of_order_never_raise_what_remains() -> None:
    """Answers overtake each other: within one window the lowest number counts."""
    budget = Budget()
    for remaining in (5, 1, 4, 3):
        budget.learn(left(remaining), NOW)
    budget.depart(NOW)
    assert budget.turn(NOW)[0] is Turn.ANSWER


def test_a_new_window_counts_afresh() -> None:
    """A later reset is another hour, with its own number."""
    budget = Budget()
    budget.learn(left(0, 10), NOW)
    budget.learn(left(4999, 3600), NOW)
    assert budget.turn(NOW)[0] is Turn.GO
    budget.learn(left(0, 10), NOW)
    assert budget.turn(NOW)[0] is Turn.GO


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 10))
def test_leaving_and_landing_never_overdraws(steps: list[bool], remaining: int) -> None:
    """Whatever the order of leaving and landing, the server is never asked for more than it has."""
    budget = Budget()
    server = remaining
    budget.learn(left(server), NOW)
    flying = 0
    for leave in steps:
        if leave and budget.turn(NOW)[0] is Turn.GO:
            budget.depart(NOW)
            flying += 1
        elif flying:
            flying -= 1
            server -= 1
            budget.land()
            budget.learn(left(server), NOW)
    assert server - flying >= 0


def test_one_limit_told_by_many_is_one_pause() -> None:
    """Thirty requests under way hear of one and the same limit: the wait does not grow with each."""
    budget = Budget()
    for _ in range(30):
        budget.pause(Limited("secondary", None), departed=NOW, now=NOW)
    assert budget.until == NOW + 60


def test_a_limit_hit_again_is_waited_for_longer() -> None:
    """Without a word from the server: a minute, then exponentially longer, as GitHub asks."""
    budget = Budget()
    now = NOW
    waits = []
    for _ in range(4):
        budget.pause(Limited("secondary", None), departed=now, now=now + 0.1)
        waits.append(budget.until - now - 0.1)
        now = budget.until + 1
    assert waits == pytest.approx([60, 120, 240, 480])


def test_an_answer_in_between_forgets_the_hits() -> None:
    """Once a request that left after the pause was served, the next limit starts at a minute."""
    budget = Budget()
    budget.pause(Limited("secondary", None), departed=NOW - 1, now=NOW)
    budget.relax(departed=NOW - 0.5)
    budget.pause(Limited("secondary", None), departed=NOW + 61, now=NOW + 62)
    assert budget.until == NOW + 62 + 120
    budget.relax(departed=NOW + 200)
    budget.pause(Limited("secondary", None), departed=NOW + 201, now=NOW + 202)
    assert budget.until == NOW + 202 + 60


def test_a_word_of_no_seconds_is_not_taken_as_leave_to_hammer() -> None:
    """`Retry-After: 0`, or a reset that has just passed, still waits, and longer each time."""
    budget = Budget()
    now = NOW
    waits = []
    for _ in range(4):
        budget.pause(Limited("primary", 0.0), departed=now, now=now + 0.1)
        waits.append(budget.until - now - 0.1)
        now = budget.until + 1
    assert waits == pytest.approx([1, 2, 4, 8])


def test_the_longer_of_two_pauses_holds() -> None:
    """A shorter word never cuts a longer wait."""
    budget = Budget()
    budget.pause(Limited("primary", 500.0), departed=NOW, now=NOW)
    budget.pause(Limited("secondary", 5.0), departed=NOW, now=NOW)
    assert (budget.until, budget.scope) == (NOW + 500, "primary")


@given(st.integers(1, 1000), st.lists(st.floats(0, 90), max_size=120))
def test_the_pace_is_never_exceeded(rate: int, gaps: list[float]) -> None:
    """In no minute, wherever it begins, do more leave than the rate says."""
    budget = Budget(rate)
    now, left_at = NOW, []
    for gap in [*gaps, *[0.0] * min(400, int(rate * 2) + 2)]:
        now += gap
        turn, until = budget.turn(now)
        if turn is Turn.PACE:
            assert until > now
            now = until
            assert budget.turn(now)[0] is Turn.GO
        budget.depart(now)
        budget.land()
        left_at.append(now)
    for one, next_but_rate in zip(left_at, left_at[rate:], strict=False):
        # A tolerance for what floating point loses at this size of numbers.
        assert next_but_rate >= one + 60 - 1e-5


def test_without_a_pace_all_may_leave() -> None:
    """No pace, no wait."""
    budget = Budget()
    for _ in range(1000):
        assert budget.turn(NOW) == (Turn.GO, NOW)
        budget.depart(NOW)
