"""What users name, into a reference and the API it is asked of."""

from __future__ import annotations

import pytest

from ghjobs_async import ConfigurationError, JobRef
from ghjobs_async.cli.target import Targets

GHES = "https://ghes.corp/api/v3"
COM = "https://api.github.com"


@pytest.mark.parametrize(
    ("text", "repo", "base_url", "environ", "root"),
    [
        ("2", "o/r", None, {}, COM),
        ("2", "o/r", None, {"GITHUB_API_URL": GHES}, GHES),
        ("2", "o/r", None, {"GH_HOST": "ghes.corp"}, GHES),
        ("2", "o/r", "x.ghe.com", {"GH_HOST": "ghes.corp"}, "https://api.x.ghe.com"),
        ("2", "ghes.corp/o/r", None, {}, GHES),
        ("2", "ghes.corp/o/r", None, {"GH_HOST": "other.corp"}, GHES),
        ("2", None, None, {"GH_REPO": "ghes.corp/o/r"}, GHES),
        ("2", "https://ghes.corp/o/r.git", None, {}, GHES),
        ("2", "h:8080/o/r", None, {"GITHUB_API_URL": "http://h:8080/api"}, "http://h:8080/api"),
        ("https://github.com/o/r/actions/runs/1/job/2", None, None, {}, COM),
        ("https://www.github.com/o/r/actions/runs/1/job/2", None, None, {}, COM),
        ("https://api.github.com/repos/o/r/actions/jobs/2", None, None, {}, COM),
        ("https://ghes.corp/o/r/actions/runs/1/job/2", None, None, {}, GHES),
        ("https://ghes.corp/api/v3/repos/o/r/actions/jobs/2", None, None, {}, GHES),
        ("http://ghes.corp/o/r/actions/runs/1/job/2", None, None, {}, GHES),
        (
            "http://127.0.0.1:80/o/r/actions/runs/1/job/2",
            None,
            None,
            {},
            "http://127.0.0.1:80/api/v3",
        ),
        ("https://x.ghe.com/o/r/actions/runs/1/job/2", None, None, {}, "https://api.x.ghe.com"),
        ("https://github.com/o/r/actions/runs/1/job/2", "O/R", None, {"GITHUB_API_URL": COM}, COM),
        ("https://github.com/o/r/actions/runs/1/job/2", None, None, {"GH_REPO": "a/b"}, COM),
        # gh's order: a runner sets GITHUB_API_URL by itself.
        ("2", "o/r", None, {"GH_HOST": "ghes.corp", "GITHUB_API_URL": COM}, GHES),
        ("2", "o/r", None, {"GH_HOST": "", "GITHUB_API_URL": GHES}, GHES),
        # What is pasted outranks both.
        ("https://ghes.corp/o/r/actions/runs/1/job/2", None, None, {"GH_HOST": "github.com"}, GHES),
        ("https://ghes.corp/o/r/actions/runs/1/job/2", "o/r", None, {"GH_HOST": "h"}, GHES),
        ("https://github.com/o/r/actions/runs/1/job/2", None, None, {"GITHUB_API_URL": GHES}, COM),
        ("2", "https://ghes.corp/o/r", None, {"GH_HOST": "other.corp"}, GHES),
        # Whoever answers for that host is asked as the environment says.
        (
            "https://h:8080/o/r/actions/runs/1/job/2",
            None,
            None,
            {"GH_HOST": "ghes.corp", "GITHUB_API_URL": "http://h:8080/api"},
            "http://h:8080/api",
        ),
        (
            "2",
            "h:80/o/r",
            None,
            {"GH_HOST": "g", "GITHUB_API_URL": "http://h:80/x"},
            "http://h:80/x",
        ),
    ],
)
def test_where_a_job_is_asked(
    text: str, repo: str | None, base_url: str | None, environ: dict[str, str], root: str
) -> None:
    """``--base-url`` names the host, else what is pasted, ``GH_HOST``, then ``GITHUB_API_URL``."""
    target = Targets(base_url, environ).job(text, repo)
    assert target.root == root
    assert target.ref == JobRef("o/r", 2)


@pytest.mark.parametrize(
    ("text", "repo", "base_url", "environ"),
    [
        ("https://ghes.corp/o/r/actions/runs/1/job/2", None, COM, {}),
        ("https://ghes.corp/o/r/actions/runs/1/job/2", "other.corp/o/r", None, {}),
        ("https://ghes.corp/o/r/actions/runs/1/job/2", "o/other", None, {}),
        ("https://ghes.corp:99999999/o/r/actions/runs/1/job/2", None, None, {}),
        ("2", "https://[::1/o/r", None, {}),
        ("2", "ftp://ghes.corp/o/r", None, {}),
        ("2", "a/b/c/d", None, {}),
        ("2", None, None, {}),
        ("", "o/r", None, {}),
    ],
)
def test_no_token_goes_to_a_host_that_was_not_meant(
    text: str, repo: str | None, base_url: str | None, environ: dict[str, str]
) -> None:
    """An address of another host than an option names is refused, as is what cannot be one."""
    with pytest.raises(ConfigurationError):
        Targets(base_url, environ).job(text, repo)


def test_an_attempt_may_be_added_to_an_address() -> None:
    """``--attempt`` goes with an address of a run."""
    address = "https://github.com/o/r/actions/runs/1"
    assert Targets().run(address, attempt=2).ref.attempt == 2


def test_a_repository_named_twice_is_one() -> None:
    """Repositories are taken once, whatever their case, in the order they are named."""
    assert Targets().repos("o/r", "a/b", "O/R").ref == ("o/r", "a/b")
    assert Targets(environ={"GH_REPO": "o/r"}).repos().ref == ("o/r",)
