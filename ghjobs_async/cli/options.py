"""Options that several commands have."""

from __future__ import annotations

import os
from typing import Annotated, TypeAlias

import attrs
from cyclopts import App, Group, Parameter

from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.target import Targets


def command(name: str, usage: str, epilogue: str) -> App:
    """Make the application of one command. Its help is shown as it is written, line by line."""
    return App(name=name, usage=f"Usage: {usage}", help_format="plaintext", help_epilogue=epilogue)


def option(text: str, *names: str, metavar: str | None = None) -> Parameter:
    """Describe an argument, or an option with a value; without names it has that of its variable."""
    return Parameter(name=names or None, help=text, negative=(), metavar=metavar)


def flag(text: str, *names: str) -> Parameter:
    """Describe an option without a value."""
    return Parameter(name=names or None, help=text, negative=(), show_default=False)


Concurrency: TypeAlias = Annotated[
    int, option("How many requests and downloads may be under way at once.")
]
Quiet: TypeAlias = Annotated[bool, flag("No progress, no messages.", "--quiet", "-q")]
Verbose: TypeAlias = Annotated[
    bool, flag("Report every request, retry and wait on stderr.", "--verbose")
]
Repo: TypeAlias = Annotated[
    str | None,
    option(
        "Repository of a number, [HOST/]OWNER/REPO; else GH_REPO, or the git checkout's.",
        *("--repo", "-R"),
    ),
]
Repos: TypeAlias = Annotated[str, option("Repositories, OWNER/REPO, one or more; else GH_REPO.")]
# Given without a value it is an empty text: `app.prepare` completes it.
Json: TypeAlias = Annotated[
    str | None,
    option(
        "Print JSON: --json alone everything, --json name,id these fields.",
        "--json",
        metavar="[FIELDS]",
    ),
]
Jq: TypeAlias = Annotated[
    str | None,
    option(
        "Print what this jq expression makes of the JSON, texts as they are.",
        "--jq",
        metavar="EXPRESSION",
    ),
]
JsonSummary: TypeAlias = Annotated[bool, flag("Print the summary as JSON.", "--json")]
Web: TypeAlias = Annotated[bool, flag("Open its page in the browser instead.", "--web")]
ExitStatus: TypeAlias = Annotated[
    bool, flag("End with status 1 where something failed.", "--exit-status")
]


@Parameter(name="*", group=Group("Common options", sort_key=100))
@attrs.frozen(kw_only=True)
class Common:
    """Where to ask, and how."""

    base_url: Annotated[
        str | None,
        option("The API's root, or a host name; else GH_HOST, GITHUB_API_URL, github.com."),
    ] = None
    api_version: Annotated[
        str | None, option("X-GitHub-Api-Version to ask for; none sends none, for older servers.")
    ] = None
    concurrency: Concurrency = 32
    quiet: Quiet = False
    verbose: Verbose = False

    @property
    def targets(self) -> Targets:
        """Return what finds the things that the user names."""
        return Targets(self.base_url, os.environ, find_repository)
