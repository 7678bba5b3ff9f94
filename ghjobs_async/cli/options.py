"""Options that every command has."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import attrs
from cyclopts import Group, Parameter

#: Help is shown as it is written, its examples line by line.
HELP_FORMAT: Final = "plaintext"

_COMMON = Group("Common options", sort_key=100)


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


Repo: TypeAlias = Annotated[
    str | None,
    Parameter(
        name=["--repo", "-R"],
        help="The repository, [HOST/]OWNER/REPO, of a RUN or JOB given as a number; else GH_REPO.",
    ),
]
Json: TypeAlias = Annotated[
    bool, Parameter(name="--json", negative=(), show_default=False, help="Print GitHub's own JSON.")
]
