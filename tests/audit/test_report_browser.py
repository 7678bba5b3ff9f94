"""The report as people see it: in Chromium, wide and narrow, light and dark."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

import pytest
from browser import chromium, shown
from findings_world import Row, World, database, make

from ghjobs_async.audit import report

#: The fixture, for pytest to find.
__all__ = ["chromium"]

#: Names that break pages: markup, quotes, marks that turn text around, and endless ones.
NAMES = (
    "<script>alert(1)</script>",
    "]]> --></style></svg>",
    "\"double\" & 'single'",
    "abc\u202edef",
    "\u05e9\u05dc\u05d5\u05dd (build)",
    "w" * 300,
    "many words " * 27,
    "caf\u00e9 \u65e5\u672c\u8a9e \U0001f680",
)


def odd(world: World) -> World:
    """Name the jobs, workflows, steps and labels of a world oddly."""
    rng = random.Random(1)
    tables: dict[str, Sequence[Row]] = dict(world.tables)
    for table, columns in (
        ("jobs", ("name", "workflow_name")),
        ("steps", ("name",)),
        ("reasons", ("headline",)),
    ):
        tables[table] = [
            {**row, **{column: rng.choice(NAMES) for column in columns}} for row in tables[table]
        ]
    tables["jobs"] = [{**job, "labels": [rng.choice(NAMES)]} for job in tables["jobs"]]
    return World(tables)


PAGES = {
    "report": World(make(random.Random(24)).tables),
    "report-odd": odd(make(random.Random(26))),
    "report-empty": World({**dict.fromkeys(make(random.Random(24)).tables, ())}),
}


def page_of(name: str) -> str:
    with database() as connection:
        PAGES[name].fill(connection)
        return report(connection)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("name", PAGES)
async def test_everything_can_be_read(
    chromium: str, name: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """Nothing fails to load, nothing is cut, covered or too faint, no texts overlap."""
    assert (await shown(chromium, page_of(name), name, width=width, scheme=scheme)).faults == []


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
async def test_dark_is_dark(chromium: str, scheme: Literal["light", "dark"], dark: bool) -> None:
    """Every text has a dark colour below it in the dark scheme, and a light one in the other."""
    seen = await shown(chromium, page_of("report"), "report", scheme=scheme)
    assert {max(text.below) < 60 for text in seen.texts} == {dark}
    assert {min(text.below) > 200 for text in seen.texts} == {not dark}


async def test_it_can_be_read_on_paper(chromium: str) -> None:
    """Paper is white, whatever the scheme of the screen is, and nothing is cut, covered or faint."""
    seen = await shown(
        chromium, page_of("report"), "report-paper", width=740, scheme="dark", media="print"
    )
    assert seen.faults == []
    assert {tuple(text.below) for text in seen.texts} == {(255, 255, 255)}
