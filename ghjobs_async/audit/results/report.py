"""The report of an audit: one HTML page that needs nothing else, for a browser or for paper."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import urlsplit

import attrs

from ghjobs_async.audit.database.duck import dicts, in_utc
from ghjobs_async.audit.results import plots
from ghjobs_async.audit.results.findings import NAMES, Finding, findings, narrowed
from ghjobs_async.audit.results.readable import LOOKS, Line, Look, lines, more, number, repeated
from ghjobs_async.audit.sql.findings import DECIDED
from ghjobs_async.display import clean, duration
from ghjobs_async.environment import is_github_com
from ghjobs_async.errors import ConfigurationError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Returns a link where it is safe.
_Check: TypeAlias = Callable[[object], str | None]

_ROWS: Final = 10
_LINKS: Final = 3
_WORKFLOWS: Final = 8
#: A plot of this many days or more shows weeks.
_MAX_DAYS: Final = 100
#: Longer names than GitHub's own are shortened.
_MAX_NAME: Final = 400

# A clock that is centuries off would leave a plot no room for the others.
_SANE: Final = "created_at BETWEEN '2000-01-01' AND '2199-12-31'"
_TOTALS: Final = f"""
SELECT
    count(DISTINCT run_id) AS runs, count(*) AS jobs,
    min(created_at) FILTER ({_SANE}) AS first, max(created_at) FILTER ({_SANE}) AS last,
    coalesce(sum(seconds), 0) / 60 AS minutes,
    count(*) FILTER (conclusion = 'success') AS passed,
    count(*) FILTER ({DECIDED}) - passed AS failed,
    list_sort(list(DISTINCT repository)) AS repositories
FROM counted_jobs"""
_BUCKETS: Final = f"""
SELECT
    date_trunc('{{unit}}', created_at)::DATE AS start,
    count(*) FILTER ({DECIDED}) AS decided,
    count(*) FILTER (conclusion IN ('failure', 'timed_out')) AS failures,
    quantile_cont(seconds, 0.5) AS p50,
    quantile_cont(seconds, 0.95) AS p95
FROM counted_jobs
WHERE {_SANE}
GROUP BY start
ORDER BY start"""
_WAITS: Final = """
SELECT
    24 * (isodow(created_at) - 1) + hour(created_at) AS hour,
    count(*), quantile_cont(queued_seconds, 0.95)
FROM counted_jobs
WHERE queued_seconds IS NOT NULL
GROUP BY ALL"""
_COSTS: Final = """
SELECT repository, workflow_name, sum(minutes)::BIGINT AS minutes, sum(usd) AS usd
FROM billed_jobs
GROUP BY ALL
ORDER BY usd DESC NULLS LAST, minutes DESC, repository, workflow_name"""
#: The page of one job for each row of a finding: by the columns that name the row.
_EXAMPLES: Final = {
    "failure_rates": (
        ("repository", "workflow_name", "name"),
        "arg_max(html_url, created_at)",
        "counted_jobs WHERE conclusion IN ('failure', 'timed_out')",
    ),
    "failure_reasons": (
        ("fingerprint",),
        "arg_max(html_url, created_at)",
        "reasons JOIN counted_jobs USING (job_id)",
    ),
    "slow_jobs": (
        ("repository", "workflow_name", "name"),
        "arg_max(html_url, seconds)",
        "counted_jobs WHERE seconds IS NOT NULL",
    ),
    "incomplete": (
        ("job_id",),
        "any_value(html_url)",
        "jobs SEMI JOIN (SELECT job_id FROM incomplete LIMIT {rows}) USING (job_id)",
    ),
}


@attrs.frozen
class _Row:
    line: Line
    links: tuple[str, ...]


@attrs.frozen
class _Section:
    name: str
    look: Look
    rows: tuple[_Row, ...]
    more: str


def report(
    connection: DuckDBPyConnection,
    *,
    since: datetime | None = None,
    repo: str | None = None,
    audit: str | os.PathLike[str] | None = None,
) -> str:
    """
    Return what an audit tells as an HTML page: tables, plots, and what to do next.

    The page has no script, font or image, and loads nothing. Names from GitHub are text in it, and
    only pages of the audited host are linked.

    Args:
        connection: A connection to the database, such as `AuditStore.read` gives.
        since: Count only jobs created from then on. Without a time zone it is UTC.
        repo: Count only this repository, as OWNER/NAME.
        audit: The folder of the audit, for the commands that the page names.

    Raises:
        ConfigurationError: The package jinja2 is missing.
    """
    template = _template()
    began = None if since is None else f"{in_utc(since):%Y-%m-%dT%H:%M:%SZ}"
    options = repeated(None if audit is None else os.fspath(audit), began, repo)
    with narrowed(connection, since, repo) as cursor:
        [totals] = dicts(cursor, _TOTALS)
        safe = partial(_safe, host=_audited_host(cursor))
        read = partial(findings, connection, since=since, repo=repo, limit=_ROWS, notable=True)
        sections = [_section(cursor, read(name), safe, options) for name in NAMES]
        page: str = template.render(
            totals=totals,
            since=in_utc(since),
            repo=repo,
            sections={section.name: section for section in sections},
            **(_plots(cursor, totals) if totals["first"] else {}),
        )
    return page


def _template() -> Any:
    try:
        jinja2 = import_module("jinja2")
    except ModuleNotFoundError:
        raise ConfigurationError(
            "a report needs the package jinja2: pip install 'ghjobs-async[audit]'"
        ) from None
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"name": _name, "number": number, "duration": duration}
    text = resources.files("ghjobs_async.audit.results").joinpath("report.html").read_text("utf-8")
    return environment.from_string(text)


def _name(text: str | None) -> str:
    shown = clean(text or "")
    return shown if len(shown) <= _MAX_NAME else f"{shown[:_MAX_NAME]}…"


def _section(
    cursor: DuckDBPyConnection, finding: Finding, safe: _Check, options: Sequence[str]
) -> _Section:
    examples = _examples(cursor, finding)
    rows = []
    for line in lines(finding):
        found = line.values.get("links")
        if not isinstance(found, list):
            found = examples(line.values)
        rows.append(_Row(line, tuple(filter(None, map(safe, found)))[:_LINKS]))
    return _Section(finding.name, LOOKS[finding.name], tuple(rows), more(finding, options))


def _examples(
    cursor: DuckDBPyConnection, finding: Finding
) -> Callable[[Mapping[str, Any]], Iterable[object]]:
    """Return what finds the page of one job for a row of a finding."""
    if finding.name not in _EXAMPLES or not finding.rows:
        return lambda _: ()
    names, url, source = _EXAMPLES[finding.name]
    keys = ", ".join(names)
    sql = f"SELECT {keys}, {url} FROM {source.format(rows=_ROWS)} GROUP BY {keys}"
    # A view from elsewhere may hold what has no hash.
    known = {str(row[:-1]): row[-1] for row in cursor.execute(sql).fetchall()}
    return lambda row: (known.get(str(tuple(row[name] for name in names))),)


def _audited_host(cursor: DuckDBPyConnection) -> str | None:
    """Return the host that nearly all jobs come from; one odd job cannot make it another."""
    found = cursor.execute(
        "SELECT api_url FROM jobs WHERE api_url IS NOT NULL GROUP BY api_url"
        " ORDER BY count(*) DESC, api_url LIMIT 1"
    ).fetchone()
    host = _host(str(found[0])) if found else None
    return host and (host.removeprefix("api.") if is_github_com(host) else host)


def _host(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 -- raises where it is no number
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in {"http", "https"} else None


def _safe(url: object, *, host: str | None) -> str | None:
    """Return a link that leads to the audited host, and nothing else."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable():
        return None
    return url if host and _host(url) == host else None


def _plots(cursor: DuckDBPyConnection, totals: Mapping[str, Any]) -> dict[str, Any]:
    days = (totals["last"] - totals["first"]).days
    step = timedelta(days=7 if days >= _MAX_DAYS else 1)
    unit = "week" if days >= _MAX_DAYS else "day"
    buckets = _filled(
        (plots.Bucket(*row) for row in cursor.execute(_BUCKETS.format(unit=unit)).fetchall()),
        step,
    )
    waits = {row[0]: row[1:] for row in cursor.execute(_WAITS).fetchall()}
    costs = cursor.execute(_COSTS).fetchall()
    most = max((usd or 0 for *_, usd in costs), default=0)
    markup = import_module("markupsafe").Markup
    return {
        "unit": unit,
        "failures": markup(plots.failures(buckets)),
        "durations": markup(plots.durations(buckets)),
        "waits": markup(plots.queueing(waits)) if waits else "",
        "wait_steps": plots.WAITS,
        "longest": max((wait for _, wait in waits.values()), default=0),
        "costs": [
            (repository, workflow, minutes, usd, markup(plots.bar(usd / most if most else 0)))
            for repository, workflow, minutes, usd in costs[:_WORKFLOWS]
            if usd
        ],
        "usd": round(sum(usd or 0 for *_, usd in costs), 6),
        "billed": sum(minutes for *_, minutes, _ in costs),
    }


def _filled(found: Iterable[plots.Bucket], step: timedelta) -> list[plots.Bucket]:
    """Return a bucket for every day or week, also where nothing happened."""
    buckets = list(found)
    filled: list[plots.Bucket] = []
    known: dict[date, plots.Bucket] = {bucket.start: bucket for bucket in buckets}
    start = buckets[0].start
    while start <= buckets[-1].start:
        filled.append(known.get(start, plots.Bucket(start)))
        start += step
    return filled
