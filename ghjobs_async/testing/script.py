"""The script of faults: which answers are faulty, how often, and what share of all."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs

from ghjobs_async.testing.server.messages import Answer, Asked, Call, Handler
from ghjobs_async.testing.site.api import Api
from ghjobs_async.testing.site.routes import OPERATIONS

#: Takes the API, the request, and the function that answers it well; gives the faulty answer.
Apply: TypeAlias = Callable[[Api, Call, Handler], Answer]


@attrs.frozen
class Fault:
    """One way to fail: its name, for `Script.counts`, and what makes the faulty answer."""

    name: str
    apply: Apply
    #: Whether it makes sense for a request.
    fits: Callable[[Call], bool] = lambda _: True


@attrs.define
class Rule:
    """A fault, and when it happens; see `FakeGitHub.fail`."""

    on: str
    fault: Fault
    times: int | None = 1
    where: Callable[[Asked], bool] | None = None
    after: int = 0
    #: How often it happened.
    hits: int = 0

    def stop(self) -> None:
        """Apply it no more."""
        self.times = self.hits

    def takes(self, call: Call) -> bool:
        """Whether this request fails; counts it if so."""
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
    """All rules, and the share of answers that fail besides."""

    #: The first rule that takes a request decides.
    rules: list[Rule] = attrs.field(factory=list)
    #: How often each fault of the share happened, by name.
    counts: Counter[str] = attrs.field(factory=Counter)
    _rate: float = 0.0
    _seed: int = 0
    _faults: Sequence[Fault] = ()
    _seen: Counter[int] = attrs.field(factory=Counter)

    def add(self, rule: Rule) -> Rule:
        """Add a rule."""
        known = sorted(OPERATIONS | {"api", "any"})
        if rule.on not in known:
            raise ValueError(f"on is one of {', '.join(known)}, not {rule.on!r}")
        self.rules.append(rule)
        return rule

    def set_rate(self, rate: float, seed: int, faults: Sequence[Fault]) -> None:
        """Make a share of all answers fail."""
        self._rate, self._seed, self._faults = rate, seed, tuple(faults)
        self._seen.clear()

    def answer(self, api: Api, call: Call, normal: Handler) -> Answer:
        """Answer a request, with a fault or without."""
        for rule in self.rules:
            if rule.takes(call):
                return rule.fault.apply(api, call, normal)
        fault = self._drawn(call) if self._rate else None
        if fault is None:
            return normal(call)
        self.counts[fault.name] += 1
        return fault.apply(api, call, normal)

    def _drawn(self, call: Call) -> Fault | None:
        """Draw by the request and its number of repeats, so that the order changes nothing."""
        query = () if call.operation == "storage" else sorted(call.asked.query.items())
        text = f"{self._seed} {call.operation} {call.path} {query}"
        key = hash(text)
        self._seen[key] += 1
        draw = random.Random(f"{text} {self._seen[key]}")  # noqa: S311 - for tests, not for secrets
        if draw.random() >= self._rate:
            return None
        fitting = [fault for fault in self._faults if fault.fits(call)]
        return draw.choice(fitting) if fitting else None
