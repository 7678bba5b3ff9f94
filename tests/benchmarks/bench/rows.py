"""Define the rows of the table: the work, who does it, what is compared, and the target."""

from __future__ import annotations

import shutil
from typing import Any, Final, Literal

import attrs

from bench import data
from bench.work import Setting

Metric = Literal["cpu", "wall"]
OURS: Final = "ghjobs_async"
PEERS: Final = ("githubkit", "gidgethub", "aiogithubapi", "PyGithub", "ghapi")
#: The module of each contender, in `bench.contenders`.
MODULES: Final = {
    OURS: "ghjobs",
    f"{OURS}, text read": "ghjobs",
    "bare": "bare",
    "curl, grep": "curl",
    **{peer: f"peer_{peer.lower()}" for peer in PEERS},
}


@attrs.frozen
class Row:
    """
    One kind of work.

    Attributes:
        name: The name on the command line.

        title: The name in the table.

        work: The function of the contenders that does the work.

        metric: What is compared.

        target: Our highest allowed ratio to the first contender.

        setting: The fields of `bench.work.Setting` other than ``api``, ``repo`` and ``folder``.

        contenders: Who does the work; the others are compared with the first one.

        peers: The other clients that can do it.

        latency: Seconds before each answer.

        max_memory: The highest allowed growth of memory, in MB.
    """

    name: str
    title: str
    work: str
    metric: Metric
    target: float
    setting: dict[str, Any]
    contenders: tuple[str, ...] = ("bare", OURS)
    peers: tuple[str, ...] = ()
    latency: float = 0.0
    max_memory: float | None = None

    def work_of(self, contender: str) -> str:
        """Return the name of the contender's function."""
        return f"{self.work}_text" if contender.endswith("text read") else self.work

    def available(self) -> bool:
        """Report whether the first contender is installed."""
        return self.contenders[0] != "curl, grep" or all(map(shutil.which, ("curl", "grep")))

    def expected(self) -> dict[str, int] | None:
        """Return the proof that a contender must give; None if the written files are the proof."""
        setting = Setting(api="", repo="", **self.setting)
        if self.work == "audit":
            return data.proof(list(setting.run_ids))
        if self.work == "grep":
            return {"hits": data.NEEDLES * data.BIG_BLOCKS * setting.logs}
        if self.work == "lines":
            return {"lines": data.log_block().count(b"\n") * data.LINES_BLOCKS}
        return None


_AUDIT: Final = {"first_run": data.AUDIT_RUNS.start, "runs": len(data.AUDIT_RUNS)}
_LONG: Final = {"first_run": data.LONG_RUN, "runs": 1}
_BIG_LOG: Final = {"first_log": data.BIG_LOG, "logs": 1}
_WITH_LOGS: Final = ("githubkit", "aiogithubapi", "PyGithub", "ghapi")

ROWS: Final = (
    Row(
        "audit",
        "Audit: 200 runs of 3 pages, 50,000 jobs",
        "audit",
        "cpu",
        1.35,
        _AUDIT,
        peers=PEERS,
    ),
    Row(
        "latency",
        "The same at 50 ms latency, 32 at once",
        "audit",
        "wall",
        1.15,
        _AUDIT,
        peers=PEERS,
        latency=0.05,
    ),
    Row(
        "long",
        "One run of 30 pages at 50 ms latency",
        "audit",
        "wall",
        1.25,
        _LONG,
        peers=PEERS,
        latency=0.05,
    ),
    Row(
        "logs",
        "500 logs of 200 KB to disk",
        "logs",
        "cpu",
        1.2,
        {"first_log": data.LOGS.start, "logs": len(data.LOGS)},
        peers=_WITH_LOGS,
    ),
    Row(
        "big",
        "One log of 512 MB to disk",
        "logs",
        "wall",
        1.1,
        _BIG_LOG,
        peers=_WITH_LOGS,
        max_memory=10.0,
    ),
    Row(
        "lines",
        "64 MB of log into lines",
        "lines",
        "cpu",
        6.0,
        {},
        contenders=("bare", OURS, f"{OURS}, text read"),
    ),
    Row(
        "grep",
        "Search one log of 512 MB",
        "grep",
        "wall",
        2.0,
        _BIG_LOG,
        contenders=("curl, grep", OURS),
        max_memory=10.0,
    ),
)
