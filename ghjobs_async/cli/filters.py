"""Options that select runs, for every command about many of them."""

from __future__ import annotations

from typing import Annotated

import attrs
from cyclopts import Group, Parameter

from ghjobs_async.audit import AuditPlan, Logs, parse_when
from ghjobs_async.cli.output.messages import report

_FILTERS = Group("Which runs", sort_key=50)


@Parameter(name="*", group=_FILTERS)
@attrs.frozen(kw_only=True)
class RunFilters:
    """
    GitHub's own filters.

    Attributes:
        since: Created since: 7d, 24h, 2026-10-01. Default: no limit.
        until: Created until, written as --since.
        workflow: File name, or number.
        branch: Branch.
        event: What triggered them, such as push.
        status: Status or conclusion: failure, ...
        actor: Who triggered them.
    """

    since: str | None = None
    until: str | None = None
    workflow: Annotated[str | None, Parameter(alias="-w")] = None
    branch: Annotated[str | None, Parameter(alias="-b")] = None
    event: Annotated[str | None, Parameter(alias="-e")] = None
    status: Annotated[str | None, Parameter(alias="-s")] = None
    actor: str | None = None

    @property
    def given(self) -> dict[str, object]:
        """Return the filters that were given, by their options."""
        return {
            f"--{field.name.replace('_', '-')}": value
            for field in attrs.fields(type(self))
            if field.name != "allow_empty" and (value := getattr(self, field.name)) != field.default
        }

    def plan(self, repos: tuple[str, ...], logs: Logs) -> AuditPlan:
        """Make the plan for *repos*."""
        return AuditPlan(
            repos=repos,
            since=None if self.since is None else parse_when(self.since),
            until=None if self.until is None else parse_when(self.until),
            workflow=self.workflow,
            branch=self.branch,
            event=self.event,
            status=self.status,
            actor=self.actor,
            logs=logs,
        )


@Parameter(name="*", group=_FILTERS)
@attrs.frozen(kw_only=True)
class Filters(RunFilters):
    """
    GitHub's own filters, which attempts, and whether there may be no run.

    Attributes:
        all_attempts: Every attempt, not only the latest.
        allow_empty: Finding no run at all is a success, too.
    """

    all_attempts: bool = False
    allow_empty: bool = False

    def plan(self, repos: tuple[str, ...], logs: Logs) -> AuditPlan:
        """Make the plan for *repos*."""
        return attrs.evolve(super().plan(repos, logs), all_attempts=self.all_attempts)

    def check_found(self, runs: int, repos: tuple[str, ...]) -> bool:
        """Check that runs were found, or that none were needed; otherwise say so on stderr."""
        if runs or self.allow_empty:
            return True
        narrowed = " ".join(
            f"{name} {value}" for name, value in self.given.items() if value is not True
        )
        which = f"no run matches {narrowed}" if narrowed else "there are no runs"
        report(f"{which} in {', '.join(repos)}: nothing was searched (see --allow-empty)")
        return False


@Parameter(name="*", group=_FILTERS)
@attrs.frozen(kw_only=True)
class GrepFilters(Filters):
    """The filters, with ``-e`` left to the pattern as in grep."""

    event: str | None = None
