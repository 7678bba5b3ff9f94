"""What people read of a finding: what went wrong first, and the command that shows the rest."""

from __future__ import annotations

import shlex

import pytest

from ghjobs_async.audit import Finding
from ghjobs_async.audit.results.readable import lines, more, repeated

RUNS = "https://api.github.com/repos/octo-org/octo-rep/actions"
UNSEEN = "404 Not Found; no such thing, or the token cannot see it"


@pytest.mark.parametrize(
    ("reason", "seen"),
    [
        (
            f"GET {RUNS}/runs?created=2018-10-16..2026-11-26&page=1: {UNSEEN} (request id C0:1)",
            f"{UNSEEN}: check the name octo-org/octo-rep",
        ),
        (
            f"GET {RUNS}/workflows/ci.yml/runs?page=1: {UNSEEN}",
            f"{UNSEEN}: check the names octo-org/octo-rep and ci.yml",
        ),
        (f"GET {RUNS}/runs/7/jobs?per_page=100: {UNSEEN} (request id C0:1)", UNSEEN),
        (
            f"GET {RUNS}/runs?page=1: 500; the server failed, try again later (request id C0:1)",
            "500; the server failed, try again later",
        ),
        (f"GET {RUNS}/runs?page=1: the rate limit is used up", "the rate limit is used up"),
        ("3 expected, 2 got; no id @ jobs[0]", "3 expected, 2 got; no id @ jobs[0]"),
        ("ended 1 s before it started", "ended 1 s before it started"),
    ],
)
def test_what_happened_comes_first(reason: str, seen: str) -> None:
    """The request and its id are left out; a name that GitHub does not find is named."""
    row = ("search", "octo-org/octo-rep", None, None, reason)
    columns = ("what", "repository", "run_id", "job_id", "reason")
    [line] = lines(Finding("incomplete", columns, (row,), 1))
    assert line.name == seen
    assert line.values["reason"] == reason


@pytest.mark.parametrize("audit", [None, "october", "my audits/$1"])
@pytest.mark.parametrize(("since", "repo"), [(None, None), ("7d", "octo-org/octo-repo")])
def test_the_command_for_more_repeats_the_options(
    audit: str | None, since: str | None, repo: str | None
) -> None:
    """A shell reads the command as it was meant, whatever the name of the folder is."""
    options = repeated(audit, since, repo)
    text = more(Finding("waste", ("kind",), (("re-run",),), 5), options)
    hidden, command = text.split(": ", 1)
    assert hidden == "4 more"
    wanted = ["ghjobs", "findings", "waste"]
    wanted += [] if audit is None else ["--audit", audit]
    wanted += [] if since is None else ["--since", since]
    wanted += [] if repo is None else ["--repo", repo]
    assert shlex.split(command) == wanted
