"""The command ``ghjobs``. Everything it needs is imported when it is used, so that it starts fast."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run ``ghjobs`` with *argv*, or with the arguments of the process, and return the exit status.

    0 all well, 1 failed, 2 wrong usage, 3 finished but incomplete.
    """
    try:
        # Here, so that a missing extra is told in one line.
        from ghjobs_async.cli.app import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"cyclopts", "rich"}:
            raise
        sys.stderr.write(
            "ghjobs: the command needs the extra cli: pip install 'ghjobs-async[cli]'\n"
        )
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("ghjobs: interrupted\n")
        return 130
    return run(sys.argv[1:] if argv is None else argv)
