"""The script of faults: which answers go wrong, how often, and in which share."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ghjobs_async.testing.answers import Answer, Asked, Call, Handler
    from ghjobs_async.testing.fake import FakeGitHub

#: Takes the fake, the request, and what answers it well; gives what is answered instead.
Apply: TypeAlias = "Callable[[FakeGitHub, Call, Handler], Answer]"

OPERATIONS = frozenset(
    {
        *("jobs", "job", "runs", "run", "log", "storage", "token", "installation", "repo"),
        *("user", "rate_limit", "root", "unknown", "api", "any"),
    }
)


def _always(_: Call) -> bool:
    return True


@attrs.frozen
class Fault:
    """
    One way to fail.

    Attributes:
        name: What it is called.

        apply: Makes the faulty answer.

        fits: Which requests it can befall.
    """

    name: str
    apply: Apply
    fits: Callable[[Call], bool] = _always


@attrs.define
class Rule:
    """
    A fault, and when it happens.

    Attributes:
        hits: How often it happened.
    """

    on: str
    fault: Fault
    times: int | None = 1
    where: Callable[[Asked], bool] | None = None
    after: int = 0
    hits: int = 0

    def stop(self) -> None:
        """End it."""
        self.times = self.hits

    def takes(self, call: Call) -> bool:
        """Whether this request is to fail; counts it if so."""
        if self.times is not None and self.hits >= self.times:
            return False
        fits = self.on in {"any", call.operation, call.asked.origin} and self.fault.fits(call)
        if not fits or (self.where is not None and not self.where(call.asked)):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.hits += 1
        return True


@attrs.define
class Script:
    """All rules, and the share of answers that fail anyway."""

    rules: list[Rule] = attrs.field(factory=list)
    #: How often each fault of the share happened, by name.
    counts: dict[str, int] = attrs.field(factory=dict)
    _rate: float = 0.0
    _seed: int = 0
    _faults: Sequence[Fault] = ()
    _seen: dict[int, int] = attrs.field(factory=dict)

    def add(
        self,
        on: str,
        fault: Fault,
        *,
        times: int | None,
        where: Callable[[Asked], bool] | None,
        after: int,
    ) -> Rule:
        """Add a rule."""
        if on not in OPERATIONS:
            raise ValueError(f"on is one of {', '.join(sorted(OPERATIONS))}, not {on!r}")
        rule = Rule(on, fault, times, where, after)
        self.rules.append(rule)
        return rule

    def set_rate(self, rate: float, seed: int, faults: Sequence[Fault]) -> None:
        """Make a share of all answers fail."""
        self._rate, self._seed, self._faults = rate, seed, tuple(faults)
        self._seen.clear()

    def clear(self) -> None:
        """Forget every rule and the share."""
        self.rules.clear()
        self._rate = 0.0

    def answer(self, fake: FakeGitHub, call: Call, normal: Handler) -> Answer:
        """Answer a request, well or not."""
        for rule in self.rules:
            if rule.takes(call):
                return rule.fault.apply(fake, call, normal)
        if self._rate:
            fault = self._drawn(call)
            if fault is not None:
                self.counts[fault.name] = self.counts.get(fault.name, 0) + 1
                return fault.apply(fake, call, normal)
        return normal(call)

    def _drawn(self, call: Call) -> Fault | None:
        """Draw by what is asked and how often it was: the order of requests changes nothing."""
        query = () if call.operation == "storage" else sorted(call.asked.query.items())
        text = f"{self._seed} {call.operation} {call.path} {query}"
        key = hash(text)
        nth = self._seen[key] = self._seen.get(key, 0) + 1
        draw = random.Random(f"{text} {nth}")  # noqa: S311 - chance for tests, not for secrets
        if draw.random() >= self._rate:
            return None
        fitting = [fault for fault in self._faults if fault.fits(call)]
        return draw.choice(fitting) if fitting else None
