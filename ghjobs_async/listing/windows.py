"""
Windows of creation times: written as GitHub writes them, divided, and laid over whole days. Pure.

https://docs.github.com/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax#query-for-dates
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import attrs

from ghjobs_async.errors import ConfigurationError, shown

#: GitHub lists this many results of a search.
CAP: Final = 1000
#: How many runs a part of a split search should have: below the cap, since runs come unevenly.
PART: Final = 700
#: The last whole spans of this many days are searched day by day, older days in larger spans.
SPAN: Final = 32
_SECOND: Final = timedelta(seconds=1)
_ONE_DAY: Final = timedelta(days=1)
# The start of GitHub Actions: no run is older.
_BEGINNING: Final = datetime(2018, 10, 16, tzinfo=UTC)
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGE: Final = re.compile(r"([0-9]{1,6})([mhdw])")
_MOMENT: Final = rf"{_DAY}(?:T\d{{2}}:\d{{2}}(?::\d{{2}})?(?:Z|[+-]\d{{2}}:\d{{2}})?)?"


def is_age(text: str) -> bool:
    """Return whether *text* is an age such as ``7d``."""
    return _AGE.fullmatch(text) is not None


def parse_age(text: str, now: datetime) -> datetime | None:
    """
    Return the time ``30m``, ``24h``, ``7d`` or ``2w`` before *now*; None for any other text.

    Raises:
        OverflowError: It is before the year 1.
    """
    found = _AGE.fullmatch(text)
    if found is None:
        return None
    moment = now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    return moment.astimezone(UTC).replace(microsecond=0)


@attrs.frozen
class Window:
    """A span of creation times, both ends included, in whole seconds; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def parse(cls, text: str, now: datetime) -> Self:
        """
        Parse GitHub's date syntax: ``A..B``, ``>=A``, ``>A``, ``<=B``, ``<B``, or one day or moment;
        or an age such as ``7d``, which means everything since then.

        https://docs.github.com/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax#query-for-dates

        Raises:
            ConfigurationError: It is none of these.
        """
        problem = ConfigurationError(
            "created reads 2026-10-01..2026-10-31, >=2026-10-01, <2026-10-01T12:00:00Z, "
            f"2026-10-01 or 7d, not {shown(text)}"
        )
        try:
            if since := parse_age(text, now):
                return cls(since, None)
            if found := re.fullmatch(rf"({_MOMENT}|\*)\.\.({_MOMENT}|\*)", text):
                start, end = found.groups()
                return cls(
                    None if start == "*" else _span(start)[0],
                    None if end == "*" else _span(end)[1],
                )
            if found := re.fullmatch(rf"([<>]=?)?({_MOMENT})", text):
                first, last = _span(found[2])
                match found[1]:
                    case ">=":
                        return cls(first, None)
                    case ">":
                        return cls(last + _SECOND, None)
                    case "<=":
                        return cls(None, last)
                    case "<":
                        return cls(None, first - _SECOND)
                return cls(first, last)
        except (ValueError, OverflowError):
            raise problem from None
        raise problem

    def holds(self, moment: datetime) -> bool:
        """Return whether *moment* is in this window, with a tolerance of one second."""
        after = self.start is None or moment >= self.start - _SECOND
        return after and (self.end is None or moment <= self.end + _SECOND)

    def __str__(self) -> str:
        start, end = (f"{m:%Y-%m-%dT%H:%M:%SZ}" if m else "" for m in (self.start, self.end))
        if start and end:
            return f"{start}..{end}"
        return f">={start}" if start else f"<={end}"

    def split(self, newest: Sequence[datetime], now: datetime) -> tuple[Window, Window] | None:
        """
        Return an older and a newer window that together are this one; None for a single second.

        *newest* are creation times of some of its runs. By them, the newer window is chosen to hold
        about `PART` runs; a window that is still too large is split once more.
        """
        start = self.start or _BEGINNING
        # The server's clock may be ahead of ours.
        end = self.end or max(now, *newest, now).replace(microsecond=0)
        if end - start < _SECOND:
            return None
        cut = start + (end - start) / 2
        if newest and (span := max(newest) - min(newest)):
            back = span * (PART / len(newest))
            if max(newest) - end < back < max(newest) - start:
                cut = max(newest) - back
        cut = max(cut.replace(microsecond=0), start + _SECOND)
        return Window(self.start, cut - _SECOND), Window(cut, self.end)

    def halves(self) -> tuple[Window, Window] | None:
        """
        Return the older and the newer half of a closed window; None for a single second.

        Unlike the parts of `split`, they depend on the window alone. Several days are divided
        between two days.
        """
        if self.start is None or self.end is None or self.end - self.start < _SECOND:
            return None
        length = self.end - self.start + _SECOND
        unit = _ONE_DAY if length >= 2 * _ONE_DAY else _SECOND
        cut = self.start + length // (2 * unit) * unit
        return Window(self.start, cut - _SECOND), Window(cut, self.end)


def days(start: datetime | None, end: datetime) -> Iterator[Window]:
    """
    Return the windows of whole days (UTC) from the day of *start* to that of *end*, the newest first.

    They do not depend on the time of the call, so that what is stored about one can be used again:
    single days at the end, and before these spans of 2, 4, 8 ... days that begin at a multiple of their length.
    """
    first = 0 if start is None else max(0, (start - _BEGINNING) // _ONE_DAY)
    last = (end - _BEGINNING) // _ONE_DAY
    recent = max(first, (last // SPAN - 1) * SPAN)
    for day in range(last, recent - 1, -1):
        yield _whole(day, 1)
    while recent > first:
        length = recent & -recent
        while recent - length < first:
            length //= 2
        recent -= length
        yield _whole(recent, length)


def _whole(day: int, length: int) -> Window:
    start = _BEGINNING + day * _ONE_DAY
    return Window(start, start + length * _ONE_DAY - _SECOND)


def _span(text: str) -> tuple[datetime, datetime]:
    """Return the first and the last second of a day or moment, in UTC where it names no offset."""
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return (moment, moment if "T" in text else moment + timedelta(days=1) - _SECOND)
