"""
Decide which of a job's steps begins at which opening line.

Steps run one after another, so the openers of the steps come in the order of the steps, and every
opener either begins a step or is within one. Each way to assign openers to steps is a reading. Its
weight says how well forms, titles and times agree with the steps. How certain a boundary is follows
from its share of the weight of all readings. (These are the forward and backward passes of a hidden
Markov model.) The weights are natural logarithms of rough odds: only their magnitude matters.
"""

from __future__ import annotations

import math
from enum import Enum, auto
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from ghjobs_async.logtext.openers import OWN, Opener, Opens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ghjobs_async.models import Job

#: Readings whose weight is this far below the best one are dropped.
_BEAM: Final = 45.0
_NEVER: Final = -14.0
#: For a step that succeeded without a line: within a second, or later.
_SILENT: Final = -4.6
_SILENT_LONG: Final = -7.0
#: For a line of one step in the time of another; times are whole seconds of one clock.
_OUT_OF_TIME: Final = -11.5
#: The largest error seen in the times of a job's last step, in seconds.
_SKEW: Final = 3
_EXACT_TITLE: Final = math.log(500)
_WRONG_ACTION: Final = math.log(0.01)
_WRONG_TITLE: Final = math.log(0.1)

#: The step that GitHub puts before steps that run at the same time.
_PARALLEL: Final = "Parallel group"

_RUNS: Final = frozenset({Opens.SCRIPT, Opens.ACTION, Opens.EMPTY, Opens.COMPOSITE, Opens.BARE})
#: How certain it can be that a group without content begins a step, by its turn alone.
_LOOSE: Final = 0.99


class Role(Enum):
    """The kind of a step, which decides how its lines look."""

    SETUP = auto()
    MAIN = auto()
    POST = auto()
    #: Named like a post step, but without a step before it that it belongs to.
    MAYBE_POST = auto()
    #: The runner's own work, such as pulling images.
    OWN = auto()
    COMPLETE = auto()
    #: Steps that ran at the same time: one part of the log, which is not split.
    PARALLEL = auto()


@attrs.frozen
class Slot:
    """
    A step that may have lines, or several steps that ran at the same time.

    Attributes:
        steps: The indexes of the steps in the job.
        start: The second in which it began; minus infinity where unknown.
        end: The second in which it ended; infinity where unknown.
        sound: Whether the times are known and in order.
        silence: The weight of readings in which it has no lines.
    """

    steps: tuple[int, ...]
    role: Role
    title: str
    start: float
    end: float
    sound: bool
    silence: float


def _role(job: Job, index: int) -> Role:
    name = job.steps[index].name
    if name == "Set up job" and index == 0:
        return Role.SETUP
    if name == "Complete job" and index == len(job.steps) - 1:
        return Role.COMPLETE
    if name.startswith("Post "):
        before = {step.name for step in job.steps[:index]}
        return Role.POST if name.removeprefix("Post ") in before else Role.MAYBE_POST
    if any(name == own for _, own in OWN):
        return Role.OWN
    return Role.MAIN


def _slot(job: Job, index: int, *, debug: bool) -> Slot | None:
    step = job.steps[index]
    skipped = step.conclusion == "skipped"
    if (skipped and not debug) or (step.started_at is None and step.conclusion is None):
        return None
    role = _role(job, index)
    start = -math.inf if step.started_at is None else math.floor(step.started_at.timestamp())
    end = math.inf if step.completed_at is None else math.floor(step.completed_at.timestamp())
    sound = start <= end and not math.isinf(start)
    # A step that did not succeed may have ended before it wrote anything.
    silence = -0.7 if skipped else -4.0
    if step.conclusion == "success":
        silence = _SILENT_LONG if end > start else _SILENT
    return Slot((index,), role, step.name, start, end if start <= end else math.inf, sound, silence)


def slots(job: Job, *, debug: bool = False) -> list[Slot]:
    """
    Return the steps that may have lines; those that overlap in time become one slot.

    With *debug* messages, the runner wrote lines for the steps that it skipped, too.
    """
    found: list[Slot] = []
    latest = together = -math.inf
    for index in range(len(job.steps)):
        slot = _slot(job, index, debug=debug)
        if slot is None:
            continue
        # The times of the first and the last step may come from another clock.
        outer = slot.role in {Role.SETUP, Role.COMPLETE}
        overlaps = slot.start < latest or slot.start <= together
        if found and not outer and overlaps and found[-1].role is not Role.SETUP:
            last = found.pop()
            latest = max(latest, slot.end)
            found.append(
                Slot(
                    last.steps + slot.steps,
                    Role.PARALLEL,
                    "",
                    min(last.start, slot.start),
                    latest,
                    sound=False,
                    silence=_NEVER,
                )
            )
            continue
        found.append(slot)
        if slot.title == _PARALLEL:
            together = slot.end
        if slot.sound and not outer:
            latest = max(latest, slot.end)
    return found


def _opening(slot: Slot, opener: Opener) -> float:
    """Return the weight of readings in which *opener* begins *slot*."""
    form, role = opener.form, slot.role
    weight = _opening_form(slot, opener)
    if opener.nested:
        # A step that was killed does not say that it finishes.
        weight += math.log(0.01) if form is Opens.CONDITION else _NEVER
    if form in _RUNS and role in {Role.MAIN, Role.MAYBE_POST}:
        name = slot.title.removeprefix("Pre ").strip()
        if name == opener.title:
            weight += _EXACT_TITLE
        elif name.startswith("Run "):
            weight += _WRONG_ACTION if "@" in name or name.startswith("Run ./") else _WRONG_TITLE
    if opener.second is None or math.isinf(slot.start):
        return weight
    late = opener.second - slot.start
    if role is Role.COMPLETE:
        return weight + (
            math.log(0.6) if late == 0 else math.log(0.1 if abs(late) <= _SKEW else 0.01)
        )
    if late < 0 or opener.second > slot.end:
        return weight + (_NEVER if late < 0 else _OUT_OF_TIME)
    odds = {0: 0.93, 1: 0.05, 2: 0.01, 3: 0.01}
    return weight + math.log(odds.get(int(late), 0.002))


def _opening_form(slot: Slot, opener: Opener) -> float:
    form, role = opener.form, slot.role
    if form is Opens.CONDITION:
        return 0.0 if opener.title == slot.title or role is Role.PARALLEL else 2 * _NEVER
    if form is Opens.HOOK:
        return math.log(50) if role is Role.OWN else 2 * _NEVER
    if form is Opens.POST:
        return 0.0 if role in {Role.POST, Role.MAYBE_POST, Role.PARALLEL} else 2 * _NEVER
    if form is Opens.COMPLETE:
        return 0.0 if role is Role.COMPLETE else 2 * _NEVER
    if form is Opens.OWN:
        fits = role in {Role.OWN, Role.MAIN} and slot.title.startswith(opener.title)
        return math.log(50) if fits else 2 * _NEVER
    if role in {Role.MAIN, Role.MAYBE_POST, Role.PARALLEL}:
        return math.log(1e-4) if form is Opens.BARE else 0.0
    return 2 * _NEVER


def _within(run: float, own: float, post: float = 3e-3) -> dict[Opens, float]:
    runs = dict.fromkeys((Opens.SCRIPT, Opens.ACTION, Opens.EMPTY, Opens.COMPOSITE), run)
    return {**runs, Opens.OWN: own, Opens.POST: post, Opens.HOOK: 0.3, Opens.CONDITION: 1e-6}


#: By the form that began a step (None for the set-up): how often an opener of each form is within.
_WITHIN: Final[dict[Opens | None, dict[Opens, float]]] = {
    None: _within(1e-3, 0.3),
    Opens.SCRIPT: _within(1e-4, 0.01),
    Opens.ACTION: _within(1e-3, 0.1),
    Opens.EMPTY: _within(1e-3, 0.1),
    Opens.COMPOSITE: _within(0.3, 0.1),
    Opens.BARE: _within(1e-4, 0.01),
    Opens.POST: _within(1e-3, 0.01, 0.2),
    Opens.COMPLETE: _within(1e-3, 0.01),
    Opens.OWN: _within(0.3, 0.5),
    Opens.HOOK: _within(1e-4, 0.01),
    Opens.CONDITION: {Opens.CONDITION: 1e-6},
}


def _staying(slot: Slot | None, form: Opens | None, opener: Opener) -> float:
    """Return the weight of *opener* being within *slot*, which began with *form*."""
    if slot is None:
        return -3.0
    if slot.role is Role.PARALLEL:
        weight = -0.7
    elif opener.nested:
        weight = 0.0
    else:
        rare = 0.05 if opener.form is Opens.BARE else 1e-4
        weight = math.log(_WITHIN[form].get(opener.form, rare))
    if opener.second is None or slot.role in {Role.SETUP, Role.COMPLETE}:
        return weight
    return weight + (0.0 if slot.start <= opener.second <= slot.end else _OUT_OF_TIME)


#: The current slot of a reading (-1 before the first), and the form that began it.
_State: TypeAlias = tuple[int, Opens | None]


@attrs.frozen
class Reading:
    """
    The best reading of a log, and how certain its boundaries are.

    Attributes:
        begins: For each slot, the opener that begins it; -1 for the beginning of the log, None for
            a slot without lines.
        sure: For each slot, how certain that is, from 0 to 1.
        boundary: For each opener, how certain it is that a slot begins there, from 0 to 1.
    """

    begins: tuple[int | None, ...]
    sure: tuple[float, ...]
    boundary: tuple[float, ...]


def _add(a: float, b: float) -> float:
    """Return the logarithm of the sum of two numbers, which are given as logarithms."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))


def _moves(
    steps: Sequence[Slot], silent: Sequence[float], states: Iterable[_State], opener: Opener
) -> list[tuple[_State, _State, float]]:
    """Return the moves from each state at *opener*, with their weights."""
    targets: list[tuple[int, float]] = []
    when = opener.second
    for target, slot in enumerate(steps):
        # Most steps are too far from this opener in time.
        far = when is not None and not slot.start - 2 < when < slot.end + 2
        if far and slot.role is not Role.COMPLETE:
            continue
        weight = _opening(slot, opener)
        if weight > -_BEAM:
            targets.append((target, weight))
    found: list[tuple[_State, _State, float]] = []
    for state in states:
        place, form = state
        found.append((state, state, _staying(steps[place] if place >= 0 else None, form, opener)))
        for target, weight in targets:
            if target > place:
                skipped = silent[target] - silent[place + 1]
                found.append((state, (target, opener.form), weight + skipped))
    return found


@attrs.frozen
class _Forward:
    """The forward pass: for each opener its moves, with the weight of all that leads to each."""

    moves: list[list[tuple[_State, _State, float, float]]]
    ends: dict[_State, float]
    total: float
    path: list[_State]


def _forward(openers: Sequence[Opener], steps: Sequence[Slot]) -> _Forward:
    # silent[b] - silent[a] is the weight of readings in which slots a to b - 1 have no lines.
    silent = list(accumulate((slot.silence for slot in steps), initial=0.0))
    first: _State = (0 if steps and steps[0].role is Role.SETUP else -1, None)
    weights: dict[_State, float] = {first: 0.0}
    best: dict[_State, float] = {first: 0.0}
    moves: list[list[tuple[_State, _State, float, float]]] = []
    back: list[dict[_State, _State]] = []
    for opener in openers:
        after: dict[_State, float] = {}
        top: dict[_State, float] = {}
        came: dict[_State, _State] = {}
        taken = [(*move, weights[move[0]]) for move in _moves(steps, silent, weights, opener)]
        for source, target, weight, so_far in taken:
            after[target] = _add(after.get(target, -math.inf), so_far + weight)
            if best[source] + weight > top.get(target, -math.inf):
                top[target], came[target] = best[source] + weight, source
        limit = max(after.values()) - _BEAM
        weights = {state: weight for state, weight in after.items() if weight > limit}
        best = {state: top[state] for state in weights}
        moves.append(taken)
        back.append(came)
    ends = {state: silent[len(steps)] - silent[state[0] + 1] for state in weights}
    total = -math.inf
    for state, weight in weights.items():
        total = _add(total, weight + ends[state])
    path = [max(best, key=lambda state: best[state] + ends[state])]
    for came in reversed(back):
        path.append(came[path[-1]])
    path.reverse()
    return _Forward(moves, ends, total, path)


def read(openers: Sequence[Opener], steps: Sequence[Slot]) -> Reading:
    """Find the best reading of a log's openers for a job's steps."""
    forward = _forward(openers, steps)
    begins: list[int | None] = [None] * len(steps)
    if forward.path[0][0] == 0:
        begins[0] = -1
    for index, (source, target) in enumerate(pairwise(forward.path)):
        if source[0] != target[0]:
            begins[target[0]] = index
    # For each slot, the share of readings in which it has lines, and in which they begin as in the
    # best one.
    opened = [0.0] * len(steps)
    agreed = [0.0] * len(steps)
    boundary = [0.0] * len(openers)
    backward = forward.ends
    for index in range(len(openers) - 1, -1, -1):
        before: dict[_State, float] = {}
        for source, target, weight, so_far in forward.moves[index]:
            if target not in backward:
                continue
            rest = weight + backward[target]
            before[source] = _add(before.get(source, -math.inf), rest)
            if source[0] != target[0]:
                share = math.exp(so_far + rest - forward.total)
                boundary[index] += share
                opened[target[0]] += share
                agreed[target[0]] += share if begins[target[0]] == index else 0.0
        backward = before
    sure = [
        1 - opened[place] if begin is None else 1.0 if begin < 0 else agreed[place]
        for place, begin in enumerate(begins)
    ]
    _limit(steps, openers, begins, sure, boundary)
    return Reading(tuple(begins), tuple(sure), tuple(boundary))


def _limit(
    steps: Sequence[Slot],
    openers: Sequence[Opener],
    begins: Sequence[int | None],
    sure: list[float],
    boundary: list[float],
) -> None:
    """Let no step that begins by its turn alone be more certain than the step before it."""
    for place in range(1, len(steps)):
        begin = begins[place]
        if begin is None or begin < 0:
            continue
        if _by_turn(steps[place], steps[place - 1], openers[begin]):
            limit = _LOOSE if openers[begin].form is Opens.EMPTY else sure[place - 1]
            sure[place] = min(sure[place], limit)
            boundary[begin] = min(boundary[begin], limit)


def _by_turn(slot: Slot, before: Slot, opener: Opener) -> bool:
    """Return whether neither time nor title say that *opener* begins *slot*, not one before it."""
    if opener.second is not None and opener.second > before.end:
        return False
    if opener.form is Opens.EMPTY:
        return True
    return opener.form in _RUNS and slot.title != opener.title
