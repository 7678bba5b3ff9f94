"""Options that every command has."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import attrs
from cyclopts import Group, Parameter

#: Help is shown as it is written, its examples line by line.
HELP_FORMAT: Final = "plaintext"

_COMMON = Group("Common options", sort_key=100)

Verbose: TypeAlias = Annotated[
    bool,
    Parameter(
        name="--verbose",
        negative=(),
        show_default=False,
        help="Report every request, retry and wait on stderr.",
    ),
]


@Parameter(name="*", group=_COMMON)
@attrs.frozen(kw_only=True)
class Common:
    """Where to ask, and how."""

    base_url: Annotated[
        str | None,
        Parameter(help="The API's root, or a host name; else GITHUB_API_URL, GH_HOST, github.com."),
    ] = None
    api_version: Annotated[
        str | None,
        Parameter(help="X-GitHub-Api-Version to ask for; none sends none, for older servers."),
    ] = None
    concurrency: Annotated[
        int, Parameter(help="How many requests and downloads may be under way at once.")
    ] = 32
    quiet: Annotated[
        bool,
        Parameter(
            name=["--quiet", "-q"],
            negative=(),
            show_default=False,
            help="No progress, no messages.",
        ),
    ] = False
    verbose: Verbose = False


Repo: TypeAlias = Annotated[
    str | None,
    Parameter(
        name=["--repo", "-R"],
        help="Repository of a number, [HOST/]OWNER/REPO; else GH_REPO, or the git checkout's.",
    ),
]
# Given without a value it is an empty text: `cli.arguments` completes it.
Json: TypeAlias = Annotated[
    str | None,
    Parameter(
        name="--json",
        metavar="[FIELDS]",
        show_default=False,
        help="Print JSON: --json alone everything, --json name,id these fields.",
    ),
]
Jq: TypeAlias = Annotated[
    str | None,
    Parameter(
        name="--jq",
        metavar="EXPRESSION",
        help="Print what this jq expression makes of the JSON, texts as they are.",
    ),
]
Web: TypeAlias = Annotated[
    bool,
    Parameter(
        name="--web", negative=(), show_default=False, help="Open its page in the browser instead."
    ),
]
ExitStatus: TypeAlias = Annotated[
    bool,
    Parameter(
        name="--exit-status",
        negative=(),
        show_default=False,
        help="End with status 1 where something failed.",
    ),
]
