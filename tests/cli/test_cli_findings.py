"""``ghjobs findings`` and ``ghjobs report``: what people and programs get."""

from __future__ import annotations

import csv
import html
import io
import json
import random
import re
import shlex
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from findings_world import World, make
from rich.cells import cell_len

from ghjobs_async.audit import AuditStore, findings
from ghjobs_async.audit.results.findings import NAMES
from ghjobs_async.audit.results.readable import LOOKS

WORLD = make(random.Random(24)).tables
ODD = "=cmd('x')\u202e\x1b[31m<b>\t'\"" + "w" * 300


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An audit in the working folder, where the command looks for it."""
    monkeypatch.chdir(tmp_path)
    with AuditStore("ghjobs-audit").write() as connection:
        World(WORLD).fill(connection)
    return tmp_path / "ghjobs-audit"


def rename(audit: Path, name: str) -> None:
    with AuditStore(audit).write() as connection:
        connection.execute("UPDATE jobs SET name = ?", [name])


def wanted(audit: Path, name: str, **narrow: Any) -> list[dict[str, object]]:
    with AuditStore(audit).read() as connection:
        return list(findings(connection, name, **narrow).to_dicts())


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_summary_fits_a_terminal(
    ghjobs: Any, audit: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """Each finding is there with its heading, and no line is wider than the terminal."""
    monkeypatch.setenv("GH_FORCE_TTY", str(width))
    for name in ("build", ODD):
        rename(audit, name)
        ran = ghjobs("findings")
        plain = re.sub(r"\x1b\[[0-9;]*m", "", ran.out)
        assert (ran.status, ran.err) == (0, "")
        heads = [look.head for look in LOOKS.values()]
        assert [line.strip() for line in plain.splitlines() if line.strip() in heads] == heads
        lines = [line for line in plain.splitlines() if "more: ghjobs findings" not in line]
        assert max(map(cell_len, lines)) <= width
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", plain)


@pytest.mark.parametrize("command", ["findings", "report"])
def test_a_repository_that_was_not_audited_is_no_clean_result(
    ghjobs: Any, audit: Path, command: str
) -> None:
    """A mistyped name is wrong usage, not an empty answer."""
    ran = ghjobs(command, "--repo", "octo/typo")
    assert (ran.status, ran.out) == (2, "")
    assert "octo/typo is not in this audit" in ran.err
    assert not (audit.parent / "audit.html").exists()


@pytest.mark.parametrize("command", [["findings"], ["findings", "waste", "--csv"], ["report"]])
def test_an_audit_from_elsewhere_shows_no_other_file(
    ghjobs: Any, audit: Path, command: list[str]
) -> None:
    """A view that reads another file of this machine is an error."""
    secret = audit.parent / "secret.txt"
    secret.write_text("my secret")
    with AuditStore(audit).write() as connection:
        connection.execute(
            "CREATE OR REPLACE VIEW waste AS"
            f" SELECT content AS repository, '' AS workflow_name, content AS kind, 1 AS jobs,"
            f" 1.5 AS minutes FROM read_text('{secret}')"
        )
    ran = ghjobs(*command)
    assert (ran.status, ran.out) == (2, "")
    assert "audit.duckdb reads other files: move it away" in ran.err
    assert not (audit.parent / "audit.html").exists()


def test_rows_say_where_they_are_of(
    ghjobs: Any, audit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repository and workflow stand in a column, or above the table where all rows share them."""
    monkeypatch.setenv("GH_FORCE_TTY", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    repositories = {str(row["repository"]) for row in wanted(audit, "slow_jobs")}
    shown = ghjobs("findings", "slow_jobs").out
    assert "Where" in shown
    assert all(name in shown for name in repositories)
    with AuditStore(audit).write() as connection:
        connection.execute("UPDATE jobs SET repository = 'octo/one', workflow_name = 'CI'")
    shown = ghjobs("findings", "slow_jobs").out
    assert "Where" not in shown
    assert shown.count("octo/one") == 1
    assert "These are of octo/one CI." in shown


@pytest.mark.parametrize("command", [["findings"], ["report"]])
@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "CREATE OR REPLACE VIEW waste AS SELECT error('no\nway') AS kind",
            "not as an audit wrote",
        ),
        ("CREATE OR REPLACE VIEW waste AS SELECT 1 AS jobs", "from an older version"),
        ("ALTER TABLE jobs ALTER seconds TYPE VARCHAR USING 'x'", "not as an audit wrote"),
        ("DROP TABLE steps", "not as an audit wrote"),
    ],
    ids=["error", "columns", "type", "table"],
)
def test_an_audit_from_elsewhere_that_cannot_be_read(
    ghjobs: Any, audit: Path, command: list[str], statement: str, told: str
) -> None:
    """Whatever is wrong with its views and tables is told on one line."""
    with AuditStore(audit).write() as connection:
        connection.execute(statement)
    ran = ghjobs(*command)
    assert (ran.status, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("command", [["findings"], ["report"]])
@pytest.mark.parametrize("value", ["'x'", "[1]", "'inf'::DOUBLE", "TIMESTAMPTZ '2026-01-01'"])
def test_an_audit_from_elsewhere_with_odd_values(
    ghjobs: Any, audit: Path, command: list[str], value: str
) -> None:
    """What is not of the type of its column is shown as it is."""
    with AuditStore(audit).write() as connection:
        for name in NAMES:
            columns = connection.execute(f"FROM {name} LIMIT 0").description or ()
            # The report looks jobs up by their ids.
            odd = ", ".join(
                f'{1 if column == "job_id" else value} AS "{column}"' for column, *_ in columns
            )
            connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {odd}")
    ran = ghjobs(*command)
    assert ran.status == 0


def test_a_repository_that_all_rows_share_is_said_once(
    ghjobs: Any, audit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands above the table, and leaves its room to the names; the workflows have a column."""
    monkeypatch.setenv("GH_FORCE_TTY", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    rename(audit, "integration (ubuntu-latest, 1)")
    with AuditStore(audit).write() as connection:
        connection.execute("UPDATE jobs SET repository = 'octo-org/octo-repo'")
    shown = ghjobs("findings", "flaky_jobs").out
    assert shown.count("octo-org/octo-repo") == 1
    assert "These are of octo-org/octo-repo." in " ".join(shown.split())
    assert re.search(r"^integration \(ubuntu-latest, 1\) +(CI|Nightly) ", shown, re.MULTILINE)


def test_below_a_name_a_place_is_whole(
    ghjobs: Any, audit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each row is split there is room for repository, workflow and job."""
    monkeypatch.setenv("GH_FORCE_TTY", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    rename(audit, "integration tests (ubuntu-latest, 60)")
    shown = ghjobs("findings", "slow_steps").out
    assert re.search(r"where octo/\w (CI|Nightly) integration tests \(ubuntu-latest, 60\)", shown)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_reason_is_never_cut(
    ghjobs: Any, audit: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """It goes on in the next line, by whole words."""
    monkeypatch.setenv("GH_FORCE_TTY", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    url = "https://api.github.com/repos/octo-org/octo-rep/actions/runs?page=1"
    happened = "404 Not Found; no such thing, or the token cannot see it"
    with AuditStore(audit).write() as connection:
        connection.execute(
            "UPDATE failures SET reason = NULL, text = ?", [f"GET {url}: {happened}"]
        )
    shown = ghjobs("findings", "incomplete").out
    assert f"{happened}: check the name octo-org/octo-rep" in " ".join(shown.split())
    assert max(map(cell_len, shown.splitlines())) <= width
    rows = ghjobs("findings", "incomplete", "--json").json
    assert f"GET {url}: {happened}" in {row["reason"] for row in rows}


def test_the_command_for_more_reads_the_same_audit(
    ghjobs: Any, audit: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It repeats the options, and its rows are those that were left out."""
    monkeypatch.setenv("NO_COLOR", "1")
    audit.rename(tmp_path / "my audit")
    narrow = ("--audit", "my audit", "--since", "2025-12-23", "-R", "octo/a")
    hints = [line for line in ghjobs("findings", *narrow).out.splitlines() if "more: " in line]
    assert hints
    for hint in hints:
        program, *argv = shlex.split(hint.partition("more: ")[2])
        assert program == "ghjobs"
        rows = [row for row in ghjobs(*argv, "--json").json if row.get("failures", 1)]
        assert hint.startswith(f"{len(rows) - 3} more: ")


def test_a_job_that_never_failed_is_not_among_what_fails(
    ghjobs: Any, audit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People see rates of what failed, or that there is none; programs get every job's."""
    with AuditStore(audit).write() as connection:
        connection.execute("UPDATE jobs SET conclusion = 'success'")
    assert wanted(audit, "failure_rates")
    assert LOOKS["failure_rates"].head not in ghjobs("findings").out
    ghjobs("report")
    assert LOOKS["failure_rates"].head not in Path("audit.html").read_text("utf-8")
    assert len(ghjobs("findings", "failure_rates").rows) == 1 + len(wanted(audit, "failure_rates"))
    monkeypatch.setenv("GH_FORCE_TTY", "80")
    assert "nothing found" in ghjobs("findings", "failure_rates").out


def test_a_report_names_its_audit(ghjobs: Any, audit: Path, tmp_path: Path) -> None:
    """The commands on the page read the same audit, from the same moment on."""
    audit.rename(tmp_path / "my audit")
    with AuditStore("my audit").write() as connection:
        connection.execute("UPDATE steps SET name = number::VARCHAR")
    ghjobs("report", "--audit", "my audit", "--since", "2025-12-23")
    page = html.unescape(Path("audit.html").read_text("utf-8"))
    options = "--audit 'my audit' --since 2025-12-23T00:00:00Z"
    assert f"more: ghjobs findings slow_steps {options}<" in page


def test_the_help_tells_how_to_change_a_price(ghjobs: Any, audit: Path) -> None:
    """Its lines of Python do it, and the costs follow."""
    assert "ghjobs findings --help" in LOOKS["costs"].text
    lines = ghjobs("findings", "--help").out.partition("with Python:\n")[2]
    with AuditStore(audit).write() as connection:
        connection.execute("UPDATE jobs SET labels = ['ubuntu-latest'], runner_group_name = NULL")
        connection.execute("DELETE FROM prices WHERE sku <> 'actions_linux'")
    assert any(row["usd"] for row in wanted(audit, "costs"))
    exec(textwrap.dedent(lines), {})
    assert {row["usd"] for row in wanted(audit, "costs")} == {0}


def test_a_summary_says_what_it_leaves_out(ghjobs: Any, audit: Path) -> None:
    """Three rows of each finding are shown, and how many more there are, and where."""
    total = len(wanted(audit, "slow_steps"))
    assert f"{total - 3} more: ghjobs findings slow_steps" in ghjobs("findings").out


def test_an_empty_audit(ghjobs: Any, audit: Path) -> None:
    """What is not found is named in one line."""
    with AuditStore(audit).write() as connection:
        for table in WORLD:
            connection.execute(f"DELETE FROM {table}")
    assert " ".join(ghjobs("findings").out.split()) == f"nothing found: {', '.join(NAMES)}"


@pytest.mark.parametrize("name", NAMES)
def test_one_finding_on_a_terminal(
    ghjobs: Any, audit: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One finding has all its rows."""
    monkeypatch.setenv("GH_FORCE_TTY", "150")
    monkeypatch.setenv("NO_COLOR", "1")
    lines = ghjobs("findings", name).out.splitlines()
    assert LOOKS[name].head in lines[0]
    # People are not told of jobs that never failed.
    told = [row for row in wanted(audit, name) if row.get("failures", 1)]
    assert len(lines) == 3 + len(told)


@pytest.mark.parametrize("name", NAMES)
def test_one_finding_in_a_pipe(ghjobs: Any, audit: Path, name: str) -> None:
    """Other programs get all rows and columns, with tabs, below a header."""
    rows = ghjobs("findings", name).rows
    records = wanted(audit, name)
    assert rows[0] == list(records[0])
    assert len(rows) == 1 + len(records)
    assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.parametrize("name", NAMES)
def test_json_has_the_same_values(ghjobs: Any, audit: Path, name: str) -> None:
    """JSON has the rows as objects; times are in UTC, as GitHub writes them."""
    for found, record in zip(
        ghjobs("findings", name, "--json").json, wanted(audit, name), strict=True
    ):
        assert list(found) == list(record)
        for column, value in record.items():
            if isinstance(value, datetime):
                assert datetime.fromisoformat(found[column]) == value.replace(tzinfo=UTC)
                assert found[column].endswith("Z")
            elif column != "date":
                assert found[column] == value


def test_json_of_all(ghjobs: Any, audit: Path) -> None:
    """Without a name, JSON has every row of every finding."""
    found = ghjobs("findings", "--json").json
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(wanted(audit, name)) for name in NAMES
    }


def test_csv_is_safe_in_a_spreadsheet(ghjobs: Any, audit: Path) -> None:
    """A name that a spreadsheet would run is defused; numbers below zero stay numbers."""
    rename(audit, "=1+1")
    out = ghjobs("findings", "slow_jobs", "--csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert {row["name"] for row in rows} == {"'=1+1"}
    changes = [record["change"] for record in wanted(audit, "slow_jobs")]
    assert [float(row["change"]) if row["change"] else None for row in rows] == changes
    assert any(row["change"].startswith("-") for row in rows)


def test_time_and_repository_count_inside(ghjobs: Any, audit: Path) -> None:
    """``--since`` and ``--repo`` narrow the sums themselves."""
    ran = ghjobs("findings", "slow_jobs", "--since", "2025-12-29", "-R", "OCTO/a", "--json")
    since = datetime(2025, 12, 29, tzinfo=UTC)
    assert ran.json == json.loads(
        json.dumps(wanted(audit, "slow_jobs", since=since, repo="octo/a"))
    )
    assert 0 < len(ran.json) < len(wanted(audit, "slow_jobs"))


def test_another_folder(ghjobs: Any, audit: Path, tmp_path: Path) -> None:
    """``--audit`` names the audit to read."""
    audit.rename(tmp_path / "october")
    assert ghjobs("findings").status == 2
    assert ghjobs("findings", "--audit", "october").status == 0


def test_a_report_is_one_file(ghjobs: Any, audit: Path, tmp_path: Path) -> None:
    """The page is written whole, and nothing besides."""
    ran = ghjobs("report", "-o", "page.html")
    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "the report is in page.html: open it in a browser\n"
    assert (tmp_path / "page.html").read_text("utf-8").rstrip().endswith("</html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ghjobs-audit", "page.html"]


def test_a_report_of_a_part(ghjobs: Any, audit: Path, tmp_path: Path) -> None:
    """``--since`` and ``--repo`` narrow the report; ``--quiet`` says nothing."""
    ran = ghjobs("report", "-q", "--since", "2030-01-01", "--repo", "octo/a")
    assert (ran.status, ran.err) == (0, "")
    assert "No job was created since 2030-01-01" in (tmp_path / "audit.html").read_text("utf-8")


@pytest.mark.parametrize("output", ["missing/audit.html", "ghjobs-audit"])
def test_a_report_that_cannot_be_written(ghjobs: Any, audit: Path, output: str) -> None:
    """A folder, or a file in none, is wrong usage, on one line, before anything is read."""
    ran = ghjobs("report", "-o", output)
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "a folder that exists" in ran.err


@pytest.mark.parametrize("module", ["duckdb", "jinja2"])
def test_without_the_extra(audit: Path, module: str) -> None:
    """Where a package of the extra is missing, one line tells what to install."""
    code = (
        f"import sys; sys.modules[{module!r}] = None;"
        "from ghjobs_async.cli import main; sys.exit(main(['report']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "ghjobs-async[audit]" in ran.stderr
    assert ran.stderr.count("\n") == 1
