"""Options that several commands have. A command's own are described in its docstring."""

from __future__ import annotations

import os
from typing import Annotated, TypeAlias

import attrs
from cyclopts import App, Group, Parameter

from ghjobs_async.cli.checkout import find_repository
from ghjobs_async.cli.target import Targets


def command(name: str, usage: str, epilogue: str) -> App:
    """Make the application of one command. Its help is shown as it is written, line by line."""
    # A flag is off unless it is given, and there is no --no-FLAG.
    options = Parameter(negative=(), show_default=lambda value: None if value is False else value)
    return App(
        name=name,
        usage=f"Usage: {usage}",
        help_format="plaintext",
        help_epilogue=epilogue,
        default_parameter=options,
    )


Repo: TypeAlias = Annotated[
    str | None,
    Parameter(
        alias="-R",
        help="Repository of a number, [HOST/]OWNER/REPO; else GH_REPO, or the git checkout's.",
    ),
]
# Given without a value it is an empty text: `app.prepare` completes it.
Json: TypeAlias = Annotated[
    str | None,
    Parameter(
        metavar="[FIELDS]",
        help="Print JSON: --json alone everything, --json name,id these fields.",
    ),
]
Jq: TypeAlias = Annotated[
    str | None,
    Parameter(
        metavar="EXPRESSION",
        help="Print what this jq expression makes of the JSON, texts as they are.",
    ),
]
Web: TypeAlias = Annotated[bool, Parameter(help="Open its page in the browser instead.")]
ExitStatus: TypeAlias = Annotated[bool, Parameter(help="End with status 1 where something failed.")]
Quiet: TypeAlias = Annotated[bool, Parameter(alias="-q", help="No progress, no messages.")]
Verbose: TypeAlias = Annotated[
    bool, Parameter(help="Report every request, retry and wait on stderr.")
]


@Parameter(name="*", group=Group("Common options", sort_key=100))
@attrs.frozen(kw_only=True)
class Common:
    """
    Where to ask, and how.

    Attributes:
        base_url: The API's root, or a host name; else GH_HOST, GITHUB_API_URL, github.com.
        api_version: X-GitHub-Api-Version to ask for; none sends none, for older servers.
        concurrency: How many requests and downloads may be under way at once.
    """

    base_url: str | None = None
    api_version: str | None = None
    concurrency: int = 32
    quiet: Quiet = False
    verbose: Verbose = False

    @property
    def targets(self) -> Targets:
        """Return what finds the things that the user names."""
        return Targets(self.base_url, os.environ, find_repository)
