"""The commands, and how each ends: with an exit status and at most two lines."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from cyclopts import App, CycloptsError, Parameter
from rich.console import Console

from ghjobs_async.cli.output.console import Exit, note, report, stop_verbose
from ghjobs_async.cli.output.problems import explain, usage
from ghjobs_async.errors import ConfigurationError, GHJobsError

_HELP: Final = """\
GitHub's workflow jobs and their logs: one, or a hundred thousand.

RUN and JOB are numbers or pasted addresses. A number needs its repository:
-R OWNER/REPO, GH_REPO, or the git checkout's. The token is found as gh finds
it: GH_TOKEN, GITHUB_TOKEN, GH_ENTERPRISE_TOKEN, or gh itself.

--verbose, before or after the command, reports every request, retry and wait.
"""
_EXAMPLES: Final = """\
Examples:

    ghjobs demo
    ghjobs runs octo-org/octo-repo --status failure
    ghjobs list -R octo-org/octo-repo 29679449
    ghjobs log https://github.com/OWNER/REPO/actions/runs/1/job/2
    ghjobs audit octo-org/octo-repo --since 7d --logs failed

Exit status: 0 all well, 1 failed, 2 wrong usage, 3 finished but incomplete.
"""

_COMMANDS: Final = {
    "job": "Show one job: how it went, and its steps.",
    "runs": "List the runs of a repository or of a pull request.",
    "list": "List the jobs of a run or of one of its attempts.",
    "log": "Print or save the log of a job.",
    "watch": "Wait for runs, and show their changes.",
    "grep": "Search the logs of many jobs.",
    "audit": "Fetch the jobs and logs of many runs into a folder, and sum them up.",
    "query": "Ask the database of an audit, in SQL.",
    "schema": "List the tables of an audit and what they hold.",
    "export": "Write the tables of an audit to files: Parquet, CSV, NDJSON.",
    "merge": "Merge audits into one.",
    "findings": "Show what an audit tells: failures, slowness, waiting, costs.",
    "report": "Write what an audit tells as one HTML page.",
    "timeline": "Show when the jobs of a run waited and worked.",
    "demo": "Audit an embedded GitHub: no account, no network.",
}
#: Commands whose ``--json`` may be followed by fields.
_WITH_FIELDS: Final = frozenset({"job", "list", "runs"})
# A RUN, a JOB or a repository begins with a digit or holds a slash: nothing else that may follow
# reads like this. So a mistyped field is still taken for a field, and reported as one.
_FIELDS: Final = re.compile(r"[^\W\d][^/:]*")

_Shell: TypeAlias = Literal["bash", "zsh", "fish", "powershell"]
_Asked: TypeAlias = Annotated[_Shell | None, Parameter(help="The shell; else the one in use.")]


class _HelpConsole(Console):
    """The console for help and version: whoever closes the pipe (``| head``) has read enough."""

    def on_broken_pipe(self) -> None:
        _discard_output()


def build() -> App:
    """Make the application. Each command is imported when it is used."""
    app = App(
        name="ghjobs",
        console=_HelpConsole(),
        usage="Usage: ghjobs COMMAND [OPTIONS]",
        help=_HELP,
        help_format="plaintext",
        help_epilogue=_EXAMPLES,
        version=_version,
        version_flags=["--version"],
        help_flags=["--help", "-h"],
        # Ctrl-C ends in `run`, as every other end does.
        suppress_keyboard_interrupt=False,
    )
    for name, text in _COMMANDS.items():
        app.command(f"ghjobs_async.cli.commands.{name}:app", name=name, help=text)
    _add_completion(app)
    return app


def _version() -> str:
    # Here, so that every other command starts without it.
    from importlib.metadata import version  # noqa: PLC0415

    return f"ghjobs {version('ghjobs-async')}"


def _add_completion(app: App) -> None:
    def install(shell: _Asked = None, /) -> None:
        """Install the completion of this command for a shell."""
        chosen = shell or _shell()
        path = app.install_completion(shell=chosen)
        note(f"the completion for {chosen} is in {path}: open a new shell to use it")

    def show(shell: _Asked = None, /) -> None:
        """Print the completion script of a shell."""
        sys.stdout.write(app.generate_completion(shell=shell or _shell()))

    for name, function in (("--install-completion", install), ("--show-completion", show)):
        app.command(
            function,
            name=name,
            group="Shell completion",
            usage=f"Usage: ghjobs {name} [SHELL]",
            help_epilogue=f"Examples:\n\n    ghjobs {name}\n    ghjobs {name} zsh\n",
        )


def _shell() -> _Shell:
    # Here, so that every other command starts without it.
    from cyclopts.completion.detect import ShellDetectionError, detect_shell  # noqa: PLC0415

    try:
        return detect_shell()
    except ShellDetectionError:
        raise ConfigurationError("which shell? Name one: bash, zsh, fish or powershell") from None


def prepare(argv: Sequence[str]) -> list[str]:
    """Put a leading ``--verbose`` behind the command, and join ``--json`` with its fields."""
    leading = len(list(takewhile(lambda word: word == "--verbose", argv)))
    words = list(argv[leading:])
    if leading and words and not words[0].startswith("-"):
        words.insert(1, "--verbose")
    if not words or words[0] not in _WITH_FIELDS:
        return words
    prepared: list[str] = []
    while words and words[0] != "--":
        prepared.append(words.pop(0))
        if prepared[-1] == "--json":
            # The parser knows no option whose value may be missing.
            prepared[-1] += "=" + (words.pop(0) if words and _FIELDS.fullmatch(words[0]) else "")
    return prepared + words


def run(argv: Sequence[str]) -> int:
    """Run the command that *argv* names, and return the exit status."""
    if sys.stdout is None or sys.stderr is None:  # closed by the caller: ghjobs ... >&-
        nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        sys.stdout = sys.stdout or nowhere
        sys.stderr = sys.stderr or nowhere
    for stream in (sys.stdout, sys.stderr):
        # A character that the terminal's encoding lacks is no reason to fail.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        result = build()(
            prepare(argv), exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except CycloptsError as error:
        report(usage(error))
        return Exit.USAGE
    except BrokenPipeError:
        _discard_output()
        return Exit.PIPE_CLOSED
    except (GHJobsError, OSError) as error:
        report(explain(error))
        return Exit.USAGE if isinstance(error, ConfigurationError) else Exit.FAILED
    except KeyboardInterrupt:
        report("interrupted")
        return Exit.INTERRUPTED
    finally:
        stop_verbose()
    return result if isinstance(result, int) else Exit.OK


def _discard_output() -> None:
    """Drop the rest of stdout: its reader has closed the pipe."""
    with suppress(OSError, ValueError):
        # Otherwise Python itself would complain when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
