"""Shell completion: ``ghjobs --install-completion`` and ``ghjobs --show-completion``."""

from __future__ import annotations

import sys
from typing import Annotated, Final, Literal, TypeAlias

from cyclopts import App, Parameter

from ghjobs_async.cli.output.messages import note
from ghjobs_async.errors import ConfigurationError

_Shell: TypeAlias = Literal["bash", "zsh", "fish", "powershell"]
_Asked: TypeAlias = Annotated[
    _Shell | None, Parameter(help="The shell; else the one that runs the command.")
]
_GROUP: Final = "Shell completion"
_EXAMPLES: Final = """\
Examples:

    ghjobs {name}
    ghjobs {name} zsh
"""


def add_completion(app: App) -> None:
    """Add both commands to *app*."""

    def install(shell: _Asked = None, /) -> None:
        """Install the completion of this command for a shell."""
        chosen = shell or _detect()
        path = app.install_completion(shell=chosen)
        note(f"the completion for {chosen} is in {path}: open a new shell to use it")

    def show(shell: _Asked = None, /) -> None:
        """Print the completion script of a shell."""
        sys.stdout.write(app.generate_completion(shell=shell or _detect()))

    for name, function in (("--install-completion", install), ("--show-completion", show)):
        app.command(
            function,
            name=name,
            group=_GROUP,
            usage=f"Usage: ghjobs {name} [SHELL]",
            help_epilogue=_EXAMPLES.format(name=name),
        )


def _detect() -> _Shell:
    # Here, so that every other command starts without it.
    from cyclopts.completion.detect import ShellDetectionError, detect_shell  # noqa: PLC0415

    try:
        return detect_shell()
    except ShellDetectionError:
        raise ConfigurationError("which shell? Name one: bash, zsh, fish or powershell") from None
