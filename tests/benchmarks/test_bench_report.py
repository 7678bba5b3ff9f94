"""The tables of the benchmarks, from figures that nobody measured."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench import plot, report
from bench.report import Measured
from bench.rows import ROWS

ROOT = Path(__file__).parents[2]


def results() -> list[Measured]:
    """Two rounds of each row: the first contender takes 1 s, each other one a second more."""
    return [
        Measured(
            row,
            {
                name: [
                    {
                        "wall": seconds,
                        "cpu": seconds,
                        "memory": 1.0,
                        "server_cpu": 0.5,
                        "versions": {"aiohttp": "1"},
                    }
                ]
                * 2
                for seconds, name in enumerate([*row.contenders, *row.peers], start=1)
            },
        )
        for row in ROWS
    ]


def test_the_summary_has_five_rows() -> None:
    """README's summary has a row for five kinds of work, with the fastest other client."""
    text = report.summary(results(), "speed.svg", "table.md")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 5
    ratio = "2.00 (2.00 to 2.00)"
    assert rows[0].endswith(f"(CPU time) | 1.00 s | 2.00 s | {ratio} | githubkit, 3.00 s |")
    assert rows[-1].endswith(f"(time) | 1.00 s (curl, grep) | 2.00 s | {ratio} |  |")
    assert "(table.md)" in text


def test_the_summary_counts_missed_targets() -> None:
    """README's summary says how many targets are missed; the full table names them."""
    text = report.summary(results(), "speed.svg", "table.md")
    missed = [one for one in results() for met, _ in one.verdicts() if not met]
    assert missed
    assert f"Targets missed: {len(missed)}." in text


def test_the_ratio_has_quartiles() -> None:
    """A ratio is the median over the rounds, with its quartiles: each round is compared in itself."""
    rounds = {
        "bare": [{"cpu": seconds} for seconds in (1.0, 2.0, 4.0)],
        "ghjobs_async": [{"cpu": seconds} for seconds in (2.0, 2.0, 2.0)],
    }
    assert Measured(ROWS[0], rounds).ratios("ghjobs_async", "cpu") == (0.75, 1.0, 1.5)


def test_the_full_table_has_every_client() -> None:
    """The full table has a row for each client at each kind of work, and a verdict."""
    measured = results()
    text = report.table(measured, "speed.svg")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) == sum(len(result.rounds) for result in measured)
    missed, met = text.partition("Targets missed:")[2].split("Targets met:")
    audit = "- Audit: 200 runs of 3 pages, 50,000 jobs"
    assert f"\n{audit}: 2.00 (2.00 to 2.00) of at most 1.05\n" in missed
    assert f"\n{audit}, gzip, zlib: 3.00 (3.00 to 3.00) of at most 1.15\n" in missed
    assert f"\n{audit}: 1.0 MB of at most 10 MB\n" in met
    assert "\n- 64 MB of log into lines: 2.00 (2.00 to 2.00) of at most 6\n" in met


def test_the_picture_has_a_bar_for_every_client() -> None:
    """The picture is valid XML, with one bar for each client; other Pythons are left out."""
    measured = results()
    bars = ET.fromstring(plot.svg(measured)).findall("{*}rect")
    assert len(bars) == sum(len(result.rounds) for result in measured if not result.row.python)


def test_only_the_section_is_replaced(tmp_path: Path) -> None:
    """Text outside of the markers stays, and a second write replaces the first."""
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmarks: begin -->\nold\n<!-- benchmarks: end -->\nafter\n")
    for text in ("first\n", "second\n"):
        report.write_section(page, text)
    assert page.read_text() == (
        "before\n<!-- benchmarks: begin -->\nsecond\n<!-- benchmarks: end -->\nafter\n"
    )


def test_a_page_without_markers_is_refused(tmp_path: Path) -> None:
    """A page that lacks a marker is left alone."""
    page = tmp_path / "page.md"
    page.write_text("<!-- benchmarks: begin -->\nold\n")
    with pytest.raises(SystemExit, match="lacks"):
        report.write_section(page, "new")
    assert page.read_text() == "<!-- benchmarks: begin -->\nold\n"


@pytest.mark.parametrize("page", ["README.md", "tests/benchmarks/README.md"])
def test_the_pages_can_be_written(page: str, tmp_path: Path) -> None:
    """README and the page of the benchmarks have the markers, once each."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text.count("<!-- benchmarks: begin -->") == text.count("<!-- benchmarks: end -->") == 1
    copy = tmp_path / "copy.md"
    copy.write_text(text, encoding="utf-8")
    report.write_section(copy, "new\n")
    assert "\n<!-- benchmarks: begin -->\nnew\n<!-- benchmarks: end -->\n" in copy.read_text()
