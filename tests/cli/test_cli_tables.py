"""Tables at every width: names are shortened in the middle, outcomes and ids never cut."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from ghjobs_async.cli.output.console import console
from ghjobs_async.cli.output.table import Table, shorten
from ghjobs_async.testing import FakeGitHub, JobSpec, scenario

REPO = "octo-org/octo-repo-with-quite-a-long-name-of-its-own"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
NAMES = (
    "lint",
    "build and test everything on every system (ubuntu-latest, 3.14)",
    "\u65e5\u672c\u8a9e\u306e\u3068\u3066\u3082\u9577\u3044\u540d\u524d" * 3 + " (ubuntu, 12)",
    "caf\u00e9 " + FAMILY * 30,
    "x" * 300,
)
SIGNS = {"success": "\u2713", "failure": "\u2717", "skipped": "-", "queued": "\u25cb"}
WIDTHS = [40, 41, 57, 80, 100, 200]


def bare(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def drawn_at(width: int, table: Table) -> list[str]:
    screen = Console(file=io.StringIO(), width=width)
    with screen.capture() as capture:
        screen.print(table)
    return capture.get().splitlines()


@given(
    st.text(st.sampled_from("ab \u65e5\u672ce\u0301\u200d\U0001f468\U0001f469")), st.integers(1, 30)
)
def test_a_shortened_name_fits(text: str, width: int) -> None:
    """It is never wider than asked for, and its ends are those of the name."""
    short = shorten(text, width)
    assert short.cell_len <= width
    if cell_len(text) > width:
        head, mark, tail = short.plain.partition("\u2026")
        assert mark
        assert text.startswith(head)
        assert text.endswith(tail)
    else:
        assert short.plain == text


def test_no_character_is_cut_in_half() -> None:
    """An emoji of several code points stays whole or goes."""
    for width in range(2, 20):
        head, _, tail = shorten(FAMILY * 20, width).plain.partition("\u2026")
        assert set(head.split(FAMILY)) == set(tail.split(FAMILY)) == {""}


def test_a_place_is_on_the_left_and_short_only_beside_a_name() -> None:
    """It is text: its column is aligned to the left, and whole where the rows are split."""
    table = Table("Name", "Where", "Of", places=("Where",))
    table.add("a" * 20, "octo-org/octo-repo CI " + "w" * 12, "12")
    table.add("b", "octo/b", "3")
    drawn = drawn_at(60, table)
    assert [line.index("o") for line in drawn[1:]] == [drawn[0].index("Where")] * 2
    assert "\u2026" in drawn[1]
    assert f"  where octo-org/octo-repo CI {'w' * 12}  of 12" in drawn_at(51, table)


@pytest.mark.parametrize("width", [40, 10])
def test_a_row_has_its_style(width: int) -> None:
    """The titles are bold, and so is a row that shall be, beside its cells or above them."""
    table = Table("Name", "Of")
    table.add("sum", "7" * 8, style="bold")
    screen = Console(file=io.StringIO(), width=width, force_terminal=True, color_system="standard")
    with screen.capture() as capture:
        screen.print(table)
    assert [line[:7] for line in capture.get().splitlines()[:2]] == ["\x1b[1mNam", "\x1b[1msum"]


def test_a_sentence_is_wrapped() -> None:
    """A name that is a sentence is whole: beside its cells, or over several lines above them."""
    table = Table("Why", "What", sentences=True)
    table.add("the name is not there: check it", "search")
    assert drawn_at(40, table)[1] == "the name is not there: check it  search"
    assert drawn_at(20, table)[1:] == ["the name is not ", "there: check it", "  what search"]


def test_both_ends_of_a_name_stay() -> None:
    """What tells the jobs of a matrix apart stands at the end."""
    assert shorten("test everything (ubuntu-latest, 12)", 21).plain == "test every\u2026atest, 12)"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_run_at_any_width(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """Each job's sign stands before its name and its id is whole, within the width."""
    jobs = [JobSpec(name) for name in NAMES]
    jobs += [scenario.failing("f" * 60), scenario.skipped("s" * 60), scenario.queued("q" * 60)]
    run = fake.add_run(REPO, jobs=jobs)
    monkeypatch.setenv("GH_FORCE_TTY", str(width))
    for option in ((), ("--all",)):
        text = bare(ghjobs("list", "-R", REPO, run.id, *option).out)
        assert max(map(cell_len, text.splitlines())) <= width
        for job in run.jobs:
            sign = SIGNS[str(job.data["conclusion"] or job.data["status"])]
            start = f"^{sign} {re.escape(job.name[:2])}.*"
            # In the same row, or at the start of the next one.
            assert re.search(rf"{start}(\s|\n  ){job.id}\b", text, re.MULTILINE)
    failed = bare(ghjobs("list", "-R", REPO, run.id, "--failed").out).splitlines()[0]
    assert failed.startswith("\u2717 fff")
    assert failed.endswith(f"  {run.jobs[-3].id}")
    assert cell_len(failed) <= width
    card = bare(ghjobs("job", "-R", REPO, run.jobs[-3].id).out)
    assert re.search(rf"\b{run.id}\b", card)
    assert re.search(rf"\b{run.jobs[-3].id}\b", card)
    assert re.search("^\u2717 +5 Run tests", card, re.MULTILINE)


@pytest.mark.parametrize("width", WIDTHS)
def test_an_audit_at_any_width(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: int
) -> None:
    """No number of a summary or an estimate is cut, and no id, within the width."""
    fake.add_run(REPO, jobs=[scenario.failing("f" * 60), *(JobSpec(n) for n in NAMES)])
    fake.add_run("octo-org/b", jobs=[scenario.failing("b")])
    monkeypatch.setenv("GH_FORCE_TTY", str(width))
    text = bare(ghjobs("audit", REPO, "octo-org/b", "-o", tmp_path).out)
    assert max(map(cell_len, text.splitlines())) <= width
    slowest = text.partition("Slowest")[2]
    assert sum(bool(re.search(rf"\b{job.id}\b", slowest)) for job in fake.jobs.values()) == 5
    plan = bare(ghjobs("audit", REPO, "octo-org/b", "--plan").out).partition("\n\n")[0]
    assert max(map(cell_len, plan.splitlines())) <= width
    assert re.search(r"\b6\b", plan)


def test_a_summary_says_the_only_repository_once(
    ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It leaves its room to the names of the jobs; where there are several, each row has its own."""
    fake.add_run(REPO, jobs=[scenario.failing("integration (ubuntu-latest, 1)")])
    fake.add_run("octo-org/b", jobs=[scenario.failing("b")])
    monkeypatch.setenv("GH_FORCE_TTY", "90")
    text = bare(ghjobs("audit", REPO, "-o", tmp_path / "one").out)
    assert text.count("octo-org") == 1
    assert re.search(r"^integration \(ubuntu-latest, 1\)  CI +1   1$", text, re.MULTILINE)
    text = bare(ghjobs("audit", REPO, "octo-org/b", "-o", tmp_path / "two").out)
    assert text.count("octo-org/b") == 3


@pytest.mark.parametrize(
    ("value", "width"), [("60", 60), ("50%", 45), ("true", 90), ("9999", 9999)]
)
def test_the_forced_width(
    fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch, value: str, width: int
) -> None:
    """``GH_FORCE_TTY`` is a number of columns, a share of the terminal, or anything else."""
    monkeypatch.setenv("COLUMNS", "90")
    monkeypatch.setenv("GH_FORCE_TTY", value)
    assert console(sys.stdout).width == width
    assert console(sys.stdout).is_terminal
    assert not console(sys.stderr).is_terminal
