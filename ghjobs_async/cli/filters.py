"""Options that select runs, for every command about many of them."""

from __future__ import annotations

from typing import Annotated

import attrs
from cyclopts import Group, Parameter

from ghjobs_async.audit import AuditPlan, Logs, parse_when
from ghjobs_async.cli.options import flag, option
from ghjobs_async.cli.output.messages import report

_FILTERS = Group("Which runs", sort_key=50)


@Parameter(name="*", group=_FILTERS)
@attrs.frozen(kw_only=True)
class RunFilters:
    """GitHub's own filters."""

    since: Annotated[
        str | None, option("Created since: 7d, 24h, 2026-10-01. Default: no limit.")
    ] = None
    until: Annotated[str | None, option("Created until, written as --since.")] = None
    workflow: Annotated[str | None, option("File name, or number.", "--workflow", "-w")] = None
    branch: Annotated[str | None, option("Branch.", "--branch", "-b")] = None
    event: Annotated[str | None, option("What triggered them, such as push.", "--event", "-e")] = (
        None
    )
    status: Annotated[
        str | None, option("Status or conclusion: failure, ...", "--status", "-s")
    ] = None
    actor: Annotated[str | None, option("Who triggered them.")] = None

    @property
    def given(self) -> dict[str, object]:
        """Return the filters that were given, by their options."""
        return {
            f"--{field.name.replace('_', '-')}": value
            for field in attrs.fields(type(self))
            if (value := getattr(self, field.name)) != field.default
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
    """GitHub's own filters, which attempts, and whether there may be no run."""

    all_attempts: Annotated[bool, flag("Every attempt, not only the latest.")] = False
    allow_empty: Annotated[bool, flag("Finding no run at all is a success, too.")] = False

    @property
    def given(self) -> dict[str, object]:
        """Return the filters that were given, by their options."""
        given = super().given
        given.pop("--allow-empty", None)
        return given

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
