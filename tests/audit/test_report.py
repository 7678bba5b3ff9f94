"""The report: what it says, what it refuses to link or to run, and its numbers."""

from __future__ import annotations

import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from findings_model import DECIDED, Model, quantile
from findings_world import Row, World, database, make

from ghjobs_async import ConfigurationError
from ghjobs_async.audit import report
from ghjobs_async.audit.results.readable import LOOKS
from ghjobs_async.display import duration

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
NAMES = (
    "<script>alert(1)</script>",
    "]]> --></style></svg></title>",
    "\"double\" & 'single'",
    "{{ 7 * 7 }}{% raw %}",
    "x" * 300,
    "caf\u00e9 \u65e5\u672c\u8a9e \U0001f680",
)
TAGS = frozenset(
    (
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "br", "div"),
        *("b", "span", "figure", "svg", "text", "rect", "line", "polyline", "circle", "bdi"),
        *("section", "table", "thead", "tbody", "tr", "th", "td", "small", "a", "code"),
    )
)
VOID = {"meta", "br"}

Reporter = Callable[..., "Page"]


class Page(HTMLParser):
    """A page as a browser reads it: its tags, texts, links and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags = set[str]()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.heads: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.texts.append(data)
            if "h2" in self._open:
                self.heads.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def reported() -> Iterator[Reporter]:
    """Make the report of a world."""
    with database() as connection:

        def reported(world: World, **narrow: Any) -> Page:
            World(world.tables).fill(connection)
            return Page(report(connection, **narrow))

        yield reported


def jobs_of(*changes: Row) -> World:
    """Make a world of jobs that are alike but for these changes."""
    tables = make(random.Random(24)).tables
    job = {
        **tables["jobs"][0],
        "inherited": False,
        "status": "completed",
        "conclusion": "failure",
        "name": "test",
        "created_at": WHEN,
        "started_at": WHEN,
        "completed_at": WHEN,
        "workflow_name": "CI",
        "queued_seconds": 3.0,
        "seconds": 90.0,
        "labels": ["ubuntu-latest"],
    }
    jobs = [{**job, "job_id": number, **change} for number, change in enumerate(changes)]
    empty: dict[str, Sequence[Row]] = dict.fromkeys(tables, ())
    return World({**empty, "jobs": jobs, "prices": tables["prices"]})


WHEN = datetime(2026, 11, 2, 9, 30)  # noqa: DTZ001 -- UTC, as the tables have it


def test_it_needs_nothing_and_runs_nothing(reported: Reporter) -> None:
    """The page has its policy, and nothing that the policy would refuse."""
    page = reported(make(random.Random(24)))
    assert ("meta", "content", POLICY) in page.attributes
    assert page.tags == TAGS - {"code"}
    assert not [one for one in page.attributes if one[1] in {"src", "srcset"} or one[1][:2] == "on"]
    assert not re.search(r"url\(|@import|@font-face|data:", page.html)


def test_it_says_what_to_do(reported: Reporter) -> None:
    """Every finding that has rows is there, below a heading that says what to do next."""
    page = reported(make(random.Random(24)))
    assert page.heads == [look.head for look in LOOKS.values()]


def test_an_empty_audit(reported: Reporter) -> None:
    """An audit without a job gives a page that says so, and what to do."""
    page = reported(jobs_of())
    assert "This audit has no jobs yet. Run ghjobs audit" in page.text
    assert "svg" not in page.tags
    assert page.heads == []


def test_nothing_in_the_time_that_was_asked_for(reported: Reporter) -> None:
    """Where only the time or the repository has no job, the page says that."""
    since = (WHEN + timedelta(days=1, hours=2)).replace(tzinfo=timezone(timedelta(hours=2)))
    page = reported(jobs_of({}), since=since, repo="octo/none")
    assert "No job was created since 2026-11-03 09:30 UTC in octo/none" in page.text


def test_a_part_of_an_audit(reported: Reporter) -> None:
    """Time and repository narrow everything on the page: totals, plots and tables."""
    late = {"created_at": WHEN + timedelta(days=2), "name": "late"}
    other = {"repository": "octo/other", "name": "other"}
    world = jobs_of(
        {"repository": "octo/a", "name": "early"}, {"repository": "octo/a", **late}, other
    )
    assert all(name in reported(world).text for name in ("early", "late", "octo/other"))
    page = reported(world, since=WHEN + timedelta(days=1), repo="octo/a")
    assert "1 run 1 job " in page.text
    assert "late" in page.text
    assert not re.search("early|other", page.text)
    assert [one for one in titles(page) if "failed" in one] == ["2026-11-04: 1 of 1 jobs failed"]


def test_a_page_stays_short(reported: Reporter) -> None:
    """However many rows a finding has, the page has the first of them, and says where the rest is."""
    page = reported(jobs_of(*({"name": f"job {number}"} for number in range(60))))
    assert page.html.count("<tr>") < 100
    assert "50 more: ghjobs findings failure_rates" in page.text


def test_what_is_missing_is_told_without_jobs(reported: Reporter) -> None:
    """An audit that could get nothing says why."""
    world = jobs_of()
    failure = {"repository": "octo/a", "run_id": None, "job_id": None, "what": "search"}
    tables = {**world.tables, "failures": [{**failure, "error": "AuthError", "text": "401"}]}
    page = reported(World(tables))
    assert page.heads == ["Check what is not counted"]
    assert "401" in page.text


@pytest.mark.parametrize("column", ["name", "workflow_name", "repository", "labels"])
def test_names_are_text(reported: Reporter, column: str) -> None:
    """Whatever GitHub's names hold, they are text: no tag comes of them."""
    for name in NAMES:
        value: object = [name] if column == "labels" else name
        page = reported(jobs_of({column: value}, {column: value, "conclusion": "success"}))
        assert page.tags <= TAGS
        assert " ".join(name.split()) in page.text
        assert ("meta", "content", POLICY) in page.attributes


def test_names_cannot_turn_the_page_around(reported: Reporter) -> None:
    """Marks that reverse the direction of writing are gone, and each name stands by itself."""
    name = "abc\u202edef\u2066"
    for column in ("name", "workflow_name", "repository"):
        page = reported(jobs_of({column: name}))
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.html)
        assert re.search("<bdi[^>]*>abcdef</bdi>", page.html)


def test_an_endless_name_is_shortened(reported: Reporter) -> None:
    """A name beyond any of GitHub's own takes no room."""
    page = reported(jobs_of({"name": "y" * 100_000, "workflow_name": "z" * 100_000}))
    assert len(page.html) < 40_000


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/o/r/actions/runs/1/job/2",
        "http://github.com/o/r",
        "https://GitHub.com/o/r",
    ],
)
def test_pages_of_the_audited_host_are_linked(reported: Reporter, url: str) -> None:
    """A job that failed has a link to its page."""
    page = reported(jobs_of({"html_url": url}))
    assert set(page.links) == {url}
    assert ("a", "rel", "noopener noreferrer") in page.attributes


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//github.com/o/r",
        "https://evil.example/o/r",
        "https://github.com.evil.example/o/r",
        "https://github.com@evil.example/o/r",
        "https://me:secret@github.com/o/r",
        "https://github.com:8443/o/r",
        "https://github.com:port/o/r",
        "https://evil.example\\@github.com/o/r",
        "https://github.com/o/r\n",
        "https://github.com/\u202eo",
        "https://[github.com/o",
        "ftp://github.com/o/r",
        "",
        None,
    ],
)
def test_nothing_else_is_linked(reported: Reporter, url: str | None) -> None:
    """A link that leads anywhere else, or may, is left out; the row is there."""
    page = reported(jobs_of({"html_url": url}))
    assert page.links == []
    assert "test" in page.text


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com/repos/o/r", "https://github.com/x"),
        ("https://api.octo.ghe.com/repos/o/r", "https://octo.ghe.com/x"),
        ("https://ghes.example:8443/api/v3/repos/o/r", "https://ghes.example:8443/x"),
    ],
)
def test_the_audited_host_is_that_of_the_api(reported: Reporter, api: str, web: str) -> None:
    """The host of the pages follows from that of nearly all jobs, on any GitHub."""
    odd = {"api_url": "https://evil.example/", "html_url": "https://evil.example/", "name": "odd"}
    page = reported(jobs_of(*[{"api_url": api, "html_url": web}] * 2, odd))
    assert set(page.links) == {web}


def test_without_an_api_there_is_no_link(reported: Reporter) -> None:
    """Where no job tells its host, none is trusted."""
    assert reported(jobs_of({"api_url": None, "html_url": "https://github.com/x"})).links == []


def test_the_share_of_failures_names_its_base(reported: Reporter) -> None:
    """It is of what passed or failed, without the skipped; both numbers are there."""
    page = reported(jobs_of({}, *[{"conclusion": "success"}] * 3, {"conclusion": "skipped"}))
    assert "5 jobs 25.0 % 1 failed, 3 passed" in page.text


@pytest.mark.parametrize(
    ("seconds", "shade"),
    [(0, 0.15), (59, 0.15), (60, 0.35), (300, 0.55), (900, 0.75), (3600, 1), (10**9, 1)],
)
def test_a_colour_of_waiting_means_the_same_in_every_report(
    reported: Reporter, seconds: int, shade: float
) -> None:
    """It stands for a fixed length of time, whatever else was waited; a key has the scale."""
    page = reported(jobs_of({"queued_seconds": float(seconds)}))
    assert re.findall(r'<rect class="wait" [^>]*fill-opacity="([\d.]+)"', page.html) == [
        f"{shade:.2f}"
    ]
    assert f'opacity: {shade}"></span>' in page.html
    assert "waited under 1 min under 5 min under 15 min under 1 h longer" in page.text


def titles(page: Page) -> list[str]:
    """Return what the marks of the plots say."""
    return re.findall(r"<title>([^<]*)</title>", page.html.partition("<body>")[2])


@pytest.mark.parametrize("seed", range(6))
def test_the_plots_have_the_numbers(reported: Reporter, seed: int) -> None:
    """Failures, durations and waits of the plots are those of a second computation."""
    world = World(make(random.Random(seed)).tables)
    jobs = [job for job in world.tables["jobs"] if not job["inherited"]]
    days = defaultdict[object, list[Row]](list)
    hours = defaultdict[int, list[float]](list)
    for job in jobs:
        if job["created_at"]:
            days[job["created_at"].date()].append(job)
        if job["queued_seconds"] is not None:
            created = job["created_at"]
            hours[24 * created.weekday() + created.hour].append(job["queued_seconds"])
    wanted = []
    for day, of_day in days.items():
        decided = [job for job in of_day if job["conclusion"] in DECIDED]
        failed = [job for job in decided if job["conclusion"] != "success"]
        wanted.append(f"{day}: {len(failed)} of {len(decided)} jobs failed")
        if seconds := [job["seconds"] for job in of_day if job["seconds"] is not None]:
            wanted.append(f"{day}: median {duration(quantile(seconds, 0.5))}")
            wanted.append(f"{day}: 95 % {duration(quantile(seconds, 0.95))}")
    for hour, waits in hours.items():
        name = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[hour // 24]
        told = f"{len(waits)} jobs, 95 % waited up to {duration(quantile(waits, 0.95))}"
        wanted.append(f"{name} {hour % 24:02}h: {told}")
    idle = ("0 of 0 jobs failed", "no job")
    assert sorted(t for t in titles(reported(world)) if not t.endswith(idle)) == sorted(
        one for one in wanted if not one.endswith(idle)
    )


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_the_costs_of_workflows_are_those_of_the_days(reported: Reporter, seed: int) -> None:
    """What the workflows cost together is what the days do."""
    world = World(make(random.Random(seed)).tables)
    total = round(sum(row[-1] or 0 for row in Model(world).costs()), 6)
    assert f"${total:,.2f} at list prices" in reported(world).text


def test_every_day_has_its_place(reported: Reporter) -> None:
    """Days without a job are in the plot, with no bar."""
    page = reported(jobs_of({}, {"created_at": WHEN + timedelta(days=3)}))
    assert [one for one in titles(page) if "failed" in one] == [
        "2026-11-02: 1 of 1 jobs failed",
        "2026-11-03: 0 of 0 jobs failed",
        "2026-11-04: 0 of 0 jobs failed",
        "2026-11-05: 1 of 1 jobs failed",
    ]
    assert "Failures by day" in page.text
    bars = re.findall(r'<rect class="bad" x="([\d.]+)"[^>]* width="([\d.]+)"', page.html)
    ends = [edge for x, width in bars for edge in (float(x), float(x) + float(width))]
    assert len(ends) == 8
    assert ends == sorted(ends)


def test_a_long_time_is_shown_in_weeks(reported: Reporter) -> None:
    """From 100 days on, a bar is a week, from Monday."""
    page = reported(jobs_of({}, {"created_at": WHEN + timedelta(days=100)}))
    bars = [one for one in titles(page) if "failed" in one]
    assert len(bars) == 15
    assert bars[0] == "2026-11-02: 1 of 1 jobs failed"
    assert "Failures by week" in page.text


def test_a_job_without_a_time_of_creation(reported: Reporter) -> None:
    """Older servers tell no time of creation: then there are no plots, and the tables are there."""
    page = reported(jobs_of({"created_at": None, "queued_seconds": None}))
    assert "svg" not in page.tags
    assert "Look first at what fails most" in page.heads


@pytest.mark.parametrize("seed", range(30))
def test_any_audit_gives_a_whole_page(reported: Reporter, seed: int) -> None:
    """Whatever an audit holds, the page is well formed and no number in it is infinite."""
    page = reported(make(random.Random(seed)))
    assert page.tags <= TAGS
    assert not re.search(r'"-?(?:inf|nan)|="-\d', page.html)


def test_without_the_extra(reported: Reporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where jinja2 is missing, one line tells what to install."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ConfigurationError, match=r"ghjobs-async\[audit\]"):
        reported(jobs_of({}))
