"""Define the rows of the table: the work, who does it, what is compared, and the target."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

import attrs

from bench import data
from bench.work import Setting

Metric = Literal["cpu", "wall"]
OURS: Final = "ghjobs_async"
#: Our client without the extra ``speed``.
ZLIB: Final = f"{OURS}, zlib"
_TEXT: Final = f"{OURS}, text read"
PEERS: Final = ("githubkit", "gidgethub", "aiogithubapi", "PyGithub", "ghapi")
#: The module of each contender, in `bench.contenders`.
MODULES: Final = {
    OURS: "ghjobs",
    ZLIB: "ghjobs",
    _TEXT: "ghjobs",
    "bare": "bare",
    "curl, grep": "curl",
    **{peer: f"peer_{peer.lower()}" for peer in PEERS},
}
#: The Pythons that the audit is measured on, beside the one that runs the benchmark.
OTHER_PYTHONS: Final = ("3.12", "3.13")


@attrs.frozen(kw_only=True)
class Row:
    """
    One kind of work.

    Attributes:
        name: The name on the command line.
        title: The name in the table.
        work: The function of the contenders that does the work.
        metric: What is compared.
        targets: Our highest allowed ratios to the first contender.
        setting: The fields of `bench.work.Setting` other than ``api``, ``repo`` and ``folder``.
        contenders: Who does the work; the others are compared with the first one.
        peers: The other clients that can do it.
        latency: Seconds before each answer.
        gzip: Whether the server compresses the pages.
        again: Whether the process does the work once before it is measured.
        python: The Python to measure on, of `OTHER_PYTHONS`; empty for the one that runs this.
        max_memory: The highest allowed growth of memory, in MB.
    """

    name: str
    title: str
    work: str
    metric: Metric
    targets: Mapping[str, float]
    setting: dict[str, Any]
    contenders: tuple[str, ...] = ("bare", OURS)
    peers: tuple[str, ...] = ()
    latency: float = 0.0
    gzip: bool = False
    again: bool = False
    python: str = ""
    max_memory: float | None = None

    def work_of(self, contender: str) -> str:
        """Return the name of the contender's function."""
        return f"{self.work}_text" if contender == _TEXT else self.work

    def available(self, pythons: Collection[str]) -> bool:
        """Report whether the first contender and the row's Python are installed."""
        commands = ("curl", "grep") if self.contenders[0] == "curl, grep" else ()
        return all(map(shutil.which, commands)) and (not self.python or self.python in pythons)

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


_BIG_LOG: Final = {"first_log": data.BIG_LOG, "logs": 1}
_WITH_LOGS: Final = ("githubkit", "aiogithubapi", "PyGithub", "ghapi")
_WITH_ZLIB: Final = ("bare", OURS, ZLIB)

_AUDIT: Final = Row(
    name="audit",
    title="Audit: 200 runs of 3 pages, 50,000 jobs",
    work="audit",
    metric="cpu",
    targets={OURS: 1.05},
    setting={"first_run": data.AUDIT_RUNS.start, "runs": len(data.AUDIT_RUNS)},
    peers=PEERS,
    max_memory=10.0,
)
_LATENCY: Final = attrs.evolve(
    _AUDIT,
    name="latency",
    title="The same at 50 ms latency, 32 at once",
    metric="wall",
    targets={OURS: 1.0},
    latency=0.05,
)
_LONG: Final = attrs.evolve(
    _LATENCY,
    name="long",
    title="One run of 30 pages at 50 ms latency",
    targets={OURS: 1.15},
    setting={"first_run": data.LONG_RUN, "runs": 1},
    max_memory=None,
)
_LOGS: Final = Row(
    name="logs",
    title="500 logs of 200 KB to disk",
    work="logs",
    metric="cpu",
    targets={OURS: 1.15},
    setting={"first_log": data.LOGS.start, "logs": len(data.LOGS)},
    peers=_WITH_LOGS,
)


def _gzip(row: Row, **targets: float) -> Row:
    return attrs.evolve(
        row,
        name=f"{row.name}-gzip",
        title=f"{row.title}, gzip",
        gzip=True,
        contenders=_WITH_ZLIB,
        targets={OURS: targets["isal"], ZLIB: targets["zlib"]},
    )


ROWS: Final = (
    _AUDIT,
    _gzip(_AUDIT, isal=0.95, zlib=1.15),
    attrs.evolve(
        _AUDIT, name="again", title="A second audit in the same process", again=True, peers=()
    ),
    _LATENCY,
    _gzip(_LATENCY, isal=1.0, zlib=1.0),
    _LONG,
    _gzip(_LONG, isal=1.15, zlib=1.15),
    _LOGS,
    attrs.evolve(
        _LOGS,
        name="big",
        title="One log of 512 MB to disk",
        metric="wall",
        targets={OURS: 1.05},
        setting=_BIG_LOG,
        max_memory=10.0,
    ),
    Row(
        name="lines",
        title="64 MB of log into lines",
        work="lines",
        metric="cpu",
        targets={OURS: 6.0},
        setting={},
        contenders=("bare", OURS, _TEXT),
    ),
    Row(
        name="grep",
        title="Search one log of 512 MB",
        work="grep",
        metric="wall",
        targets={OURS: 1.5},
        setting=_BIG_LOG,
        contenders=("curl, grep", OURS),
        max_memory=10.0,
    ),
    *(
        attrs.evolve(
            row,
            name=f"{row.name}-{python}",
            title=f"{row.title}, Python {python}",
            python=python,
            peers=(),
        )
        for python in OTHER_PYTHONS
        for row in (_AUDIT, _LATENCY)
    ),
)
