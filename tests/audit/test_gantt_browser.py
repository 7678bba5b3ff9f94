"""The timeline as Chromium shows it: nothing fails, nothing is cut, everything can be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from browser import Shown, Text, shown, started
from timelines import HOSTILE, forty_jobs, job, many_jobs, odd_jobs, skipped, three_jobs

from ghjobs_async import Job
from ghjobs_async.audit import timeline
from ghjobs_async.audit.gantt.chart import chart
from ghjobs_async.audit.gantt.page import page

MAKE: dict[str, Callable[[], list[Job]]] = {
    "three": three_jobs,
    "forty": forty_jobs,
    "odd": odd_jobs,
    "none": list,
    "days": lambda: [job(1, seconds=100), job(2, created=106, wait=3 * 86_400, seconds=80)],
    "critical": lambda: [job(n, name, created=n * 66) for n, name in enumerate(HOSTILE, 1)],
    "attempts": lambda: [job(n, f"job {n}", created=n * 9e3, run_attempt=n) for n in range(1, 51)],
    "colours": lambda: [
        *(job(n, state, state=state) for n, state in enumerate(("failure", "cancelled"), 1)),
        *(job(n, state, state=state) for n, state in enumerate(("in_progress", "queued"), 3)),
        *(skipped(5), job(6, state="action_required"), job(7, state="stale")),
    ],
}


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(360, "light"), (360, "dark"), (820, "light"), (1400, "light"), (1400, "dark")],
)
async def test_every_timeline_can_be_read(
    chromium: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """
    Nothing fails to load or to run, no text is cut, covered or overlapped, all have contrast.

    From no job to forty, broken clocks, hostile names, fifty attempts; on phones and wide screens.
    """
    for name, make in MAKE.items():
        seen = await shown(
            chromium, timeline(make()), f"timeline-{name}", width=width, scheme=scheme
        )
        assert seen.faults == [], f"{name}: see {seen.picture}"
        assert len(seen.texts) > len(make())


async def test_six_hundred_jobs_can_be_read(chromium: str) -> None:
    """The same for 600 jobs, as a page: it does not get wider, only longer."""
    seen = await shown(chromium, page(chart(many_jobs())), "timeline-many", scheme="dark")
    assert seen.faults == []
    assert sum(one.text.startswith("integration (") for one in seen.texts) == 598


async def test_names_appear_as_text(chromium: str) -> None:
    """Markup in names is shown as text, in SVG and in the page."""
    for content in (timeline(odd_jobs()), page(chart(odd_jobs()))):
        seen = await shown(chromium, content, "timeline-names")
        found = {one.text for one in seen.texts}
        assert {"<script>alert(1)</script>", "a ]]> b", "<!--", "'\"quotes\"' &amp; &#0;"} <= found


async def test_schemes_and_widths_differ(chromium: str) -> None:
    """Dark is dark, and on a phone a name stands above its bars, not beside them."""
    light, dark = [
        await shown(chromium, timeline(three_jobs()), "timeline-three", scheme=scheme)
        for scheme in ("light", "dark")
    ]
    assert min(_find(light, "lint").below) > 200
    assert max(_find(dark, "lint").below) < 60
    phone = await shown(chromium, timeline(three_jobs()), "timeline-three", width=360)
    rows = [_find(one, "deploy / production").top for one in (light, phone)]
    assert rows[1] > rows[0] + 100


def _find(seen: Shown, text: str) -> Text:
    return next(one for one in seen.texts if one.text == text)


# The measuring itself: a test that cannot fail would tell nothing.


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<p style='margin:0;color:#999'>pale</p>", "contrast 2.85: 'pale'"),
        ("<p style='position:absolute;left:-9px;top:0'>cut</p>", "cut: 'cut'"),
        ("<p style='width:9px;overflow:hidden;margin:0'>clipped</p>", "cut: 'clipped'"),
        (
            "<p style='margin:0'>one</p><p style='margin:-9px 0 0'>two</p>",
            "overlap: 'one' and 'two'",
        ),
        (
            "under<div style='position:absolute;inset:0;background:#000'></div>",
            "covered: 'under'",
        ),
        ("<div style='width:2000px'>wide</div>", "wider than 1400 pixels"),
        ("<script>document.title = 'ran'</script>text", "error: Executing inline script"),
        ("<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", "error: Loading the image"),
        ("<style>@import 'https://example.org/a.css'</style>", "error: Loading the stylesheet"),
    ],
)
async def test_the_browser_notices(chromium: str, body: str, fault: str) -> None:
    """What a reader could not read, and what the policy refuses, is a fault."""
    seen = await shown(chromium, f"<!DOCTYPE html><body style='margin:0'>{body}", "fault")
    assert any(one.startswith(fault) for one in seen.faults), seen.faults


def test_without_chromium_the_tests_are_skipped(tmp_path: Path) -> None:
    """Where Chromium is missing, the tests are skipped and say what to install."""
    with (
        pytest.raises(pytest.skip.Exception, match="apt-get install chromium"),
        started(None, tmp_path),
    ):
        pytest.fail("there is no browser")
