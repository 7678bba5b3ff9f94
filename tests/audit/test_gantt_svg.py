"""The timeline as SVG and as a page: what it says, how large it is, and that nothing in it runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import HOSTILE, at, forty_jobs, job, many_jobs, odd_jobs, skipped, step, three_jobs

from ghjobs_async import Job
from ghjobs_async.audit import timeline
from ghjobs_async.audit.gantt.chart import HOW_INFERRED, chart
from ghjobs_async.audit.gantt.labels import fit, name, shorten, width
from ghjobs_async.audit.gantt.page import page

SVG = "{http://www.w3.org/2000/svg}"
HARMLESS = {"svg", "title", "desc", "style", "rect", "g", "text", "tspan", "a"}
MAKE = {"3": three_jobs, "40": forty_jobs, "odd": odd_jobs, "none": list}


def parsed(*jobs: Job) -> ET.Element:
    return ET.fromstring(timeline(jobs))


def texts(*jobs: Job) -> list[str]:
    """Return what each text of the picture says."""
    return ["".join(one.itertext()) for one in parsed(*jobs).iter(f"{SVG}text")]


def classes(*jobs: Job) -> list[str | None]:
    return [rect.get("class") for rect in parsed(*jobs).iter(f"{SVG}rect")]


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_it_is_xml_of_harmless_elements(make: Callable[[], list[Job]]) -> None:
    """Whatever the jobs are, it is well-formed, and nothing in it can run or load anything."""
    for element in ET.fromstring(timeline(make())).iter():
        assert element.tag.removeprefix(SVG) in HARMLESS
        assert {key for key in element.attrib if key.startswith("on")} == set()
        assert "url(" not in "".join(element.attrib.values())
    assert "@import" not in timeline(make())
    assert "data:" not in timeline(make())


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.none() | st.text())
def test_any_text_is_xml(title: str, step_name: str, state: str, link: str | None) -> None:
    """No name, state or link makes it malformed."""
    steps = [step(step_name, 6, 60, state or "success")]
    parsed(job(1, title, steps=steps, workflow_name=title, conclusion=state, html_url=link))


@pytest.mark.parametrize(
    "title", [title for title in HOSTILE if len(title) < 30 and "\ufdfd" not in title], ids=ascii
)
def test_names_are_text(title: str) -> None:
    """Markup in a name is shown as it is written; control characters and direction marks are not."""
    shown = re.sub("[\u202e\u202c\x00\x07\x0b\ufffe\ud800\u200b]|\x1b\\[2J", "", title).strip()
    shown = shown or "(no name)"
    assert f"\u2713{shown}" in texts(job(1, title))


def test_long_names_keep_both_ends() -> None:
    """A long name is shortened in its middle, and pointing at its bar shows all of it."""
    long = "a" * 150 + "b" * 150
    [shown] = [text for text in texts(job(1, long)) if "\u2026" in text]
    assert re.fullmatch("\u2713a{8,}\u2026b{8,}", shown)
    assert long in timeline([job(1, long)])


@pytest.mark.parametrize(
    ("url", "linked"),
    [
        ("https://github.com/o/r/actions/runs/1/job/2", True),
        ("http://ghes.corp/o/r", True),
        ("https://x/?a=1&b=2", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://x/\"onload='x'", False),
        (" https://x", False),
        ("https://x\n", False),
        ("//x", False),
        ("https://" + "x" * 600, False),
        (None, False),
    ],
)
def test_only_web_pages_are_linked(url: str | None, linked: bool) -> None:
    """A job links to its page if that is an http or https address, and to nothing else."""
    links = [link.get("href") for link in parsed(job(1, html_url=url)).iter(f"{SVG}a")]
    assert links == ([url] if linked else [])


def test_it_says_how_the_path_is_inferred() -> None:
    """People read what the critical path is, and how long; its jobs are marked."""
    first, second = job(1, "build", seconds=100), job(2, "test", created=106, wait=4, seconds=50)
    said = texts(first, second, job(3, "lint"))
    assert set(HOW_INFERRED) <= set(said)
    assert "critical path 2m40s, 9s of it waiting" in said
    assert classes(first, second, job(3, "lint")).count("path") == 2 + 1  # and in the legend


def test_waiting_and_failures_are_marked() -> None:
    """Waiting has a bar of its own, and the step that failed stands out."""
    jobs = [job(n, steps=12, failing=7 if n == 1 else None) for n in range(1, 7)]
    assert classes(*jobs).count("wait") == 6 + 1  # and in the legend
    assert classes(*jobs).count("f") == 1
    brief = [step("fails at once", 30, 30, "failure"), step("nothing", 40, 40)]
    assert classes(*(job(n, steps=[*brief, *brief] * 3) for n in range(1, 7))).count("f") == 36
    assert "wait" not in classes(*(job(n, wait=0) for n in range(1, 3)))[5:]


def test_a_few_jobs_show_their_steps_by_name() -> None:
    """Few jobs have a row for each step; many have their steps within their bars."""
    assert "Run unit tests" in texts(*three_jobs())
    assert "Run unit tests" not in texts(*forty_jobs())
    assert "Run unit tests " in timeline(forty_jobs())


def test_what_did_not_run_says_why() -> None:
    """Instead of a duration, a job that never ran has its state."""
    assert "skipped" in texts(job(1), skipped(2))


def test_unknown_states_are_shown() -> None:
    """A state that nobody has heard of is shown as muted text."""
    assert "\u2022build" in texts(job(1, state="evaporated"))


def test_without_jobs_it_says_so() -> None:
    """No jobs: a picture that says so."""
    assert texts()[0] == "No jobs"


def test_the_axis_comes_again() -> None:
    """Among hundreds of jobs, the axis is never far."""
    assert texts(*many_jobs(120)).count("0") == 3


def test_attempts_have_headings() -> None:
    """A heading for each attempt that has room for one, for some of fifty."""
    two = texts(job(1), job(2, created=9e3, run_attempt=2))
    assert {"attempt 1, 2026-11-21 16:37", "attempt 2, 2026-11-21 19:07"} <= set(two)
    fifty = texts(*(job(n, created=n * 9e3, run_attempt=n) for n in range(1, 51)))
    assert sum(text.startswith("#") for text in fifty) > 5


def test_all_attempts_have_a_date_or_none() -> None:
    """Where one of them has no room for its date, the others have none either."""
    said = texts(job(1, seconds=5000), job(2, created=9e3, seconds=1, run_attempt=2))
    assert {"attempt 1", "#2"} <= set(said)


def test_each_attempt_has_its_figure() -> None:
    """How long the critical path of each attempt is, as far as a phone has room."""
    jobs = [job(n, created=n * 9e3, wait=5, seconds=3540, run_attempt=n) for n in range(1, 6)]
    assert "critical path: attempt 1 59m05s, attempt 2 59m05s" in texts(*jobs[:2])
    assert "critical path: #1 59m05s, #2 59m05s, #3 59m05s" in texts(*jobs[:3])
    assert "critical path: #3 59m05s, #4 59m05s, #5 59m05s" in texts(*jobs)
    assert "critical path of each attempt" in texts(*jobs[:2])
    assert "critical path" in texts(jobs[0])


def test_jobs_that_have_not_ended_last_until_now() -> None:
    """The caller says what time it is."""
    drawn = timeline([job(1, state="in_progress")], now=at(65 + 3600))
    assert ">1h01m<" in drawn


@pytest.mark.parametrize("draw", [timeline, lambda jobs: page(chart(jobs))], ids=["svg", "html"])
def test_six_hundred_jobs_are_small_and_fast(draw: Callable[[list[Job]], str]) -> None:
    """600 jobs of 12 steps take at most 1.2 MB and 0.5 s."""
    jobs = many_jobs()
    assert (len(jobs), len(jobs[9].steps)) == (600, 12)
    spent = []
    for _ in range(3):
        started = time.thread_time()
        drawn = draw(jobs)
        spent.append(time.thread_time() - started)
        assert len(drawn.encode()) <= 1_200_000
    # The machine may be busy: the fastest of three is the cost.
    assert min(spent) <= 0.5


def test_long_names_do_not_make_it_large() -> None:
    """The names of strangers do not break the limit of the size."""
    steps = [step("\U0001f680<&" * 100, n * 5 + 5, n * 5 + 10) for n in range(12)]
    long = "\U0001f680<&" * 100
    jobs = [job(n, f"{long}{n}", steps=steps) for n in range(1, 601)]
    assert len(timeline(jobs).encode()) <= 1_200_000


# The page.


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_allows_itself_nothing() -> None:
    """The page holds the picture, a policy against all that loads or runs, and a width for phones."""
    parser = _Elements()
    written = page(chart(odd_jobs()))
    parser.feed(written)
    assert {tag for tag, _ in parser.found} <= HARMLESS | {"html", "head", "meta", "body"}
    metas = [attributes for tag, attributes in parser.found if tag == "meta"]
    assert {"name": "viewport", "content": "width=device-width"} in metas
    assert "default-src 'none'; style-src 'unsafe-inline'" in [
        meta.get("content") for meta in metas
    ]
    assert "{braces} {0} %s %(x)s" in written


# Labels.


@given(st.text(), st.floats(2, 40))
def test_what_is_shortened_fits(text: str, room: float) -> None:
    """A shortened text is never wider than its room."""
    assert width(shorten(name(text), room)) <= room + 1e-9


@given(st.text(), st.integers(8, 60))
def test_what_fits_has_no_more_bytes(text: str, size: int) -> None:
    """An escaped text has no more bytes than it may, and no half entity."""
    fitted = fit(name(text), size)
    assert len(fitted.encode()) <= size
    ET.fromstring(f"<a>{fitted}</a>")


@pytest.mark.parametrize(
    ("text", "least"), [("W", 0.99), ("i", 0.28), ("\u6f22", 1), ("\U0001f680", 1.2), ("\ufdfd", 9)]
)
def test_no_font_is_wider_than_thought(text: str, least: float) -> None:
    """A character is taken to be as wide as the widest of the usual fonts draws it."""
    assert least <= width(text) < width(text, bold=True)


def test_marks_are_not_piled_up() -> None:
    """A letter keeps two marks: fifty would draw over the rows above."""
    assert name("e" + "\u0301" * 50 + "x") == "e\u0301\u0301x"
