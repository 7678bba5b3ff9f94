"""Options that say which runs: the same for every command about many of them."""

from __future__ import annotations

from typing import Annotated

import attrs
from cyclopts import Group, Parameter

from ghjobs_async.audit import AuditPlan, Logs, parse_when

_FILTERS = Group("Which runs", sort_key=50)


@Parameter(name="*", group=_FILTERS)
@attrs.frozen(kw_only=True)
class RunFilters:
    """GitHub's own filters."""

    since: Annotated[
        str | None, Parameter(help="Created since: 7d, 24h, 2026-10-01. Else all there are.")
    ] = None
    until: Annotated[str | None, Parameter(help="Created until: as --since.")] = None
    workflow: Annotated[
        str | None, Parameter(name=["--workflow", "-w"], help="File name, or number.")
    ] = None
    branch: Annotated[str | None, Parameter(name=["--branch", "-b"], help="Branch.")] = None
    event: Annotated[
        str | None, Parameter(name=["--event", "-e"], help="What triggered them, say push.")
    ] = None
    status: Annotated[
        str | None, Parameter(name=["--status", "-s"], help="Status or conclusion, say failure.")
    ] = None
    actor: Annotated[str | None, Parameter(help="Who triggered them.")] = None

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were given."""
        return tuple(
            f"--{field.name.replace('_', '-')}"
            for field in attrs.fields(type(self))
            if getattr(self, field.name) != field.default
        )

    def plan(self, repos: tuple[str, ...], logs: Logs) -> AuditPlan:
        """Make the plan for these repositories."""
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
    """GitHub's own filters, and which attempts."""

    all_attempts: Annotated[
        bool,
        Parameter(negative=(), show_default=False, help="Every attempt, not only the latest."),
    ] = False

    def plan(self, repos: tuple[str, ...], logs: Logs) -> AuditPlan:
        """Make the plan for these repositories."""
        return attrs.evolve(super().plan(repos, logs), all_attempts=self.all_attempts)
