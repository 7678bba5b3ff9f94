"""Whose repositories to audit: named one by one, in a file, or all of an owner."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Group, Parameter

from ghjobs_async.cli.output.console import note
from ghjobs_async.cli.target import Target, Targets
from ghjobs_async.client import GitHubJobs
from ghjobs_async.errors import ConfigurationError


@Parameter(name="*", group=Group("Which repositories", sort_key=40))
@attrs.frozen(kw_only=True)
class Owners:
    """
    Repositories besides those that are named.

    Attributes:
        org: All repositories of this organization; may be given several times.
        user: All repositories of this user; may be given several times.
        repos_file: A file with one OWNER/REPO on each line; - is stdin.
        archived: Archived repositories of --org and --user, too.
        forks: Forks of --org and --user, too.
    """

    org: list[str] | None = None
    user: list[str] | None = None
    repos_file: Annotated[Path | None, Parameter(name="--repos", metavar="FILE")] = None
    archived: bool = False
    forks: bool = False

    @property
    def given(self) -> bool:
        """Return whether the repositories of owners are asked for."""
        return bool(self.org or self.user)

    def named(self, targets: Targets, names: tuple[str, ...]) -> Target[tuple[str, ...]]:
        """
        Find the repositories that are named here or in the file.

        Raises:
            ConfigurationError: The file cannot be read, or a name is malformed.
        """
        names = (*names, *self._lines())
        return Target(targets.root, ()) if self.given and not names else targets.repos(*names)

    async def find(self, gh: GitHubJobs, named: Iterable[str]) -> tuple[str, ...]:
        """
        Return all repositories, each once: *named* and those of the owners.

        Raises:
            GHJobsError: An owner's repositories cannot be listed.
        """
        found = {name.lower(): name for name in named}
        left_out = 0
        owned = [repo for owner in self.org or () for repo in await gh.list_repos(owner)]
        for owner in self.user or ():
            owned += await gh.list_repos(owner, kind="users")
        for repo in owned:
            if (repo.archived and not self.archived) or (repo.fork and not self.forks):
                left_out += 1
            else:
                found.setdefault(repo.full_name.lower(), repo.full_name)
        if left_out:
            note(f"{left_out:,} archived ones and forks are left out: see --archived and --forks")
        if not found:
            raise ConfigurationError(
                "there is no repository to audit: name one, or see --archived and --forks"
            )
        return tuple(found.values())

    def _lines(self) -> list[str]:
        if self.repos_file is None:
            return []
        try:
            text = sys.stdin.read() if str(self.repos_file) == "-" else self.repos_file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise ConfigurationError(f"cannot read {self.repos_file}: {reason}") from error
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        found = [line for line in lines if line]
        if not found:
            raise ConfigurationError(f"{self.repos_file} names no repository")
        return found
