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
    text = report.summary(results(), 2, "speed.svg", "table.md")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 5
    assert rows[0].endswith("(CPU time) | 1.00 s | 2.00 s | 2.00 | githubkit, 3.00 s |")
    assert rows[-1].endswith("(time) | 1.00 s (curl, grep) | 2.00 s | 2.00 |  |")
    assert "(table.md)" in text


def test_the_full_table_has_every_client() -> None:
    """The full table has a row for each client at each kind of work, and a verdict."""
    measured = results()
    text = report.table(measured, 2, "speed.svg")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert len(rows) == sum(len(result.rounds) for result in measured)
    assert "\n- Audit: 200 runs of 3 pages, 50,000 jobs: missed: 2.00 of at most 1.35\n" in text
    assert "\n- 64 MB of log into lines: met: 2.00 of at most 6\n" in text


def test_the_picture_has_a_bar_for_every_client() -> None:
    """The picture is valid XML, with one bar for each client at each kind of work."""
    measured = results()
    bars = ET.fromstring(plot.svg(measured)).findall("{*}rect")
    assert len(bars) == sum(len(result.rounds) for result in measured)


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
