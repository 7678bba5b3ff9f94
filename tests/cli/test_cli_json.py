"""``--json``, its fields, and ``--jq``."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ghjobs_async.cli.app import prepare
from ghjobs_async.testing import FakeGitHub, FakeRun, faults, scenario

REPO = "octo-org/octo-repo"


@pytest.fixture
def run(fake: FakeGitHub) -> FakeRun:
    return fake.add_run(REPO, jobs=[scenario.failing("unit"), scenario.queued("later")])


def test_one_job_is_what_github_sent(ghjobs: Any, run: FakeRun) -> None:
    """``job --json`` prints every key of the answer, those too that the model lacks."""
    job = run.jobs[0]
    job.data["brand_new"] = {"a": [1, None]}
    sent = ghjobs("job", "-R", REPO, job.id, "--json").json
    assert sent["brand_new"] == {"a": [1, None]}
    assert sent["id"] == job.id
    assert ghjobs("job", "-R", REPO, job.id, "--json", "brand_new").json == {
        "brand_new": {"a": [1, None]}
    }


def test_a_job_that_is_no_object(ghjobs: Any, fake: FakeGitHub) -> None:
    """An answer that is JSON but no object is an error in one line."""
    job = fake.add_run(REPO).jobs[0]
    fake.fail("job", faults.status(200, b"[1]"))
    ran = ghjobs("job", "-R", REPO, job.id, "--json")
    assert (ran.status, ran.out) == (1, "")
    assert "expected an object" in ran.err


def test_an_odd_job_is_printed_all_the_same(ghjobs: Any, run: FakeRun) -> None:
    """What GitHub sent is printed where the model would not take it, and counts as not failed."""
    run.jobs[0].data.update(id=None, status=["odd"], conclusion={"odd": 1})
    ran = ghjobs("job", "-R", REPO, run.jobs[0].id, "--json", "id,status", "--exit-status")
    assert (ran.status, ran.json) == (0, {"id": None, "status": ["odd"]})


@pytest.mark.parametrize(
    "form", [("--json", "name,id"), ("--json=name,id",), ("--json", "name, id")]
)
@pytest.mark.parametrize("first", [True, False])
def test_fields_are_chosen(ghjobs: Any, run: FakeRun, form: tuple[str, ...], first: bool) -> None:
    """``--json FIELDS`` prints those fields in that order, before or after what is named."""
    named = ("-R", REPO, str(run.id))
    ran = ghjobs("list", *(form + named if first else named + form))
    assert [list(job.items()) for job in ran.json] == [
        [("name", job.name), ("id", job.id)] for job in run.jobs
    ]


def test_json_before_the_number_takes_everything(ghjobs: Any, run: FakeRun) -> None:
    """A number after ``--json`` is the run, not a field."""
    ran = ghjobs("list", "-R", REPO, "--json", run.id)
    assert len(ran.json) == 2
    assert ran.json[0]["labels"] == ["ubuntu-latest"]


@pytest.mark.parametrize("command", ["job", "list", "runs"])
@pytest.mark.parametrize("form", [("--json", "nme,id"), ("--json=nme,id",)])
def test_an_unknown_field(ghjobs: Any, run: FakeRun, command: str, form: tuple[str, ...]) -> None:
    """An unknown field is a usage error in one line, which lists those that there are."""
    named = {"job": ("-R", REPO, run.jobs[0].id), "list": ("-R", REPO, run.id), "runs": (REPO,)}
    ran = ghjobs(command, *named[command], *form)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("ghjobs: --json has no field nme; there are: id, ")
    assert ran.err.count("\n") == 1


def test_failed_jobs_have_fields_of_their_own(ghjobs: Any, run: FakeRun) -> None:
    """``list --failed`` has the failing step and the first error as fields besides a job's."""
    ran = ghjobs("list", "-R", REPO, run.id, "--failed", "--json", "name,failing_step")
    assert ran.json == [{"name": "unit", "failing_step": "Run tests"}]
    ran = ghjobs("list", "-R", REPO, run.id, "--failed", "--jq", ".[].first_error")
    assert ran.out == "tests: expected 4, got 5\n"
    assert ghjobs("list", "-R", REPO, run.id, "--json", "failing_step").status == 2


def test_a_missing_field_is_null(ghjobs: Any, run: FakeRun) -> None:
    """A known field that an older server does not send is null."""
    del run.jobs[0].data["created_at"]
    for argv in (("list", "-R", REPO, run.id), ("job", "-R", REPO, run.jobs[0].id)):
        found = ghjobs(*argv, "--json", "created_at").json
        assert (found[0] if isinstance(found, list) else found) == {"created_at": None}


@pytest.mark.parametrize(
    ("expression", "out"),
    [
        (".name", "unit\n"),
        (".name, .status", "unit\ncompleted\n"),
        (".labels", '["ubuntu-latest"]\n'),
        (".completed_at == null", "false\n"),
        (".nothing", "\n"),
        (".steps | length | . * 0 + 3", "3\n"),
        ("[1, 2.5] | .[1]", "2.5\n"),
        ("empty", ""),
        ('"é\\ta"', "é\ta\n"),
    ],
)
def test_jq_results_are_lines(ghjobs: Any, run: FakeRun, expression: str, out: str) -> None:
    """Each result is a line: texts as they are, null empty, all else as JSON. As gh has it."""
    ran = ghjobs("job", "-R", REPO, run.jobs[0].id, "--jq", expression)
    assert (ran.status, ran.err, ran.raw.decode()) == (0, "", out)


def test_jq_sees_the_fields_only(ghjobs: Any, run: FakeRun) -> None:
    """With ``--json FIELDS``, the expression is given those fields."""
    ran = ghjobs("list", "-R", REPO, run.id, "--json", "id,name", "--jq", ".[0] | keys")
    assert ran.out == '["id","name"]\n'


def test_numbers_stay_whole(ghjobs: Any, run: FakeRun) -> None:
    """An id is not turned into a fraction."""
    assert ghjobs("job", "-R", REPO, run.jobs[0].id, "--jq", ".id").out == f"{run.jobs[0].id}\n"


def test_a_bad_expression_asks_nothing(ghjobs: Any, run: FakeRun, fake: FakeGitHub) -> None:
    """An expression that is none is a usage error in one line, before any request."""
    ran = ghjobs("list", "-R", REPO, run.id, "--jq", ".[")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("ghjobs: --jq: syntax error")
    assert ran.err.count("\n") == 1
    assert not fake.requests


def test_an_expression_that_fails(ghjobs: Any, run: FakeRun) -> None:
    """An expression that does not fit the JSON prints what came before, and ends with 1."""
    ran = ghjobs("list", "-R", REPO, run.id, "--jq", ".[0].name, .[0].name.x")
    assert (ran.status, ran.out) == (1, "unit\n")
    assert ran.err == 'ghjobs: --jq: Cannot index string with string ("x")\n'


def test_without_the_package_jq(ghjobs: Any, run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package jq is missing, one line says what to install."""
    monkeypatch.setitem(sys.modules, "jq", None)
    ran = ghjobs("list", "-R", REPO, run.id, "--jq", ".")
    assert (ran.status, ran.out) == (2, "")
    assert "ghjobs-async[cli]" in ran.err
    assert ghjobs("list", "-R", REPO, run.id, "--json").status == 0


def test_jq_on_a_terminal(ghjobs: Any, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text on a terminal keeps its lines and tabs, and controls nothing."""
    monkeypatch.setattr("ghjobs_async.cli.output.as_json.is_terminal", lambda stream: True)
    job = fake.add_run(REPO, jobs=[scenario.failing("\x1b]0;owned\x07a")]).jobs[0]
    ran = ghjobs("job", "-R", REPO, job.id, "--jq", '.name + "\\n\\tb"')
    assert ran.out == "a\n\tb\n"


@pytest.mark.parametrize(
    ("argv", "prepared"),
    [
        ((), ()),
        (("list", "1", "--json"), ("list", "1", "--json=")),
        (("list", "--json", "1"), ("list", "--json=", "1")),
        (("list", "--json", "a,b", "1"), ("list", "--json=a,b", "1")),
        (
            ("list", "--json", "h:80/o/r/actions/runs/1"),
            ("list", "--json=", "h:80/o/r/actions/runs/1"),
        ),
        (("list", "--json", "-R", "o/r", "1"), ("list", "--json=", "-R", "o/r", "1")),
        (("runs", "--json", "o/r"), ("runs", "--json=", "o/r")),
        (("runs", "--json", "run-id"), ("runs", "--json=run-id")),
        (("runs", "--", "--json", "a"), ("runs", "--", "--json", "a")),
        (("grep", "--json", "pattern", "o/r"), ("grep", "--json", "pattern", "o/r")),
        (("--verbose", "list", "1"), ("list", "--verbose", "1")),
        (("--verbose", "list", "--json"), ("list", "--verbose", "--json=")),
        (("list", "1", "--verbose"), ("list", "1", "--verbose")),
        (("--verbose",), ()),
        (("--verbose", "--version"), ("--version",)),
    ],
)
def test_the_command_line_is_prepared(argv: tuple[str, ...], prepared: tuple[str, ...]) -> None:
    """``--json`` takes what can only be fields; ``--verbose`` goes before the command, too."""
    assert tuple(prepare(argv)) == prepared
