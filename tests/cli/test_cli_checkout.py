"""The repository of the git checkout, where nothing else names one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ghjobs_async import ConfigurationError
from ghjobs_async.cli.programs import choose, find_repository, repository_of
from ghjobs_async.cli.target import Targets
from ghjobs_async.testing import FakeGitHub

REPO = "octo-org/octo-repo"
GIT = shutil.which("git")
needs_git = pytest.mark.skipif(GIT is None, reason="git is not installed")


def settings(**urls: str) -> str:
    return "".join(f"remote.{name}.url\n{url}\0" for name, url in urls.items())


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://github.com/o/r.git", "github.com"),
        ("https://github.com/o/r", "github.com"),
        ("https://github.com/o/r/", "github.com"),
        ("https://www.github.com/o/r", "github.com"),
        ("https://user:secret@github.com/o/r.git", "github.com"),
        ("https://GitHub.com:443/o/r.git", "github.com"),
        ("git@github.com:o/r.git", "github.com"),
        ("github.com:o/r", "github.com"),
        ("git@ssh.github.com:o/r.git", "github.com"),
        ("ssh://git@ssh.github.com:443/o/r.git", "github.com"),
        ("ssh://git@github.com/o/r.git", "github.com"),
        ("git://github.com/o/r.git", "github.com"),
        ("ssh://git@ghes.corp:2222/o/r.git", "ghes.corp"),
        ("ssh://git@ghes.corp:2222/o/r.git", "ghes.corp:8443"),
        ("https://ghes.corp:8443/o/r.git", "ghes.corp:8443"),
        ("git@x.ghe.com:o/r.git", "x.ghe.com"),
    ],
)
def test_a_remote_on_the_host(url: str, host: str) -> None:
    """An address of a remote names a repository, by https or ssh."""
    assert repository_of(url, host) == "o/r"


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.com/o/r.git",
        "https://github.com.evil.example/o/r.git",
        "https://github.com@evil.example/o/r.git",
        "git@evil.example:github.com/o/r.git",
        "https://github.com:8443/o/r.git",
        "https://github.com/o/r/more",
        "https://github.com/o/..",
        "https://[::1/o/r",
        "/srv/git/o/r.git",
        "../o/r.git",
        "C:\\o\\r",
        "file:///o/r.git",
        "",
    ],
)
def test_a_remote_elsewhere(url: str) -> None:
    """A remote of another host, or of no host, names nothing."""
    assert repository_of(url, "github.com") is None


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("origin", "github", "upstream"), "upstream"),
        (("origin", "github"), "github"),
        (("mine", "origin"), "origin"),
        (("mine", "other"), "mine"),
    ],
)
def test_remotes_are_chosen_as_gh_does(names: tuple[str, ...], chosen: str) -> None:
    """Remotes come in gh's order: upstream, github, origin, then any."""
    urls = {name: f"git@github.com:o/{name}.git" for name in names}
    assert choose(settings(**urls), "github.com") == f"o/{chosen}"


def test_a_remote_of_another_host_is_passed_over() -> None:
    """The best remote on the host that is asked counts, whatever others there are."""
    text = settings(upstream="git@evil.example:o/r.git", origin="https://github.com/a/b")
    assert choose(text, "github.com") == "a/b"
    assert choose(text, "ghes.corp") is None
    assert choose("", "github.com") is None


def test_the_default_of_gh_is_kept() -> None:
    """What ``gh repo set-default`` chose wins."""
    text = settings(upstream="git@github.com:o/r.git", origin="git@github.com:a/b.git")
    assert choose(f"{text}remote.origin.gh-resolved\nbase\0", "github.com") == "a/b"
    assert choose(f"{text}remote.origin.gh-resolved\nc/d\0", "github.com") == "c/d"


def test_every_target_asks_the_checkout() -> None:
    """A run, a job, runs and repositories without a name are those of the checkout."""
    asked: list[str] = []

    def checkout(host: str) -> str:
        asked.append(host)
        return "o/r"

    targets = Targets(None, {"GH_HOST": "ghes.corp"}, checkout)
    assert targets.run("1").ref.repo == "o/r"
    assert targets.job("1").ref.repo == "o/r"
    assert targets.runs(None).ref.repo == "o/r"
    assert targets.repos().ref == ("o/r",)
    assert asked == ["ghes.corp"] * 4
    assert targets.repos().root == "https://ghes.corp/api/v3"


def test_what_is_named_comes_first() -> None:
    """``-R``, ``GH_REPO`` and addresses leave the checkout alone."""

    def checkout(host: str) -> str:
        raise AssertionError(host)

    assert Targets(None, {}, checkout).job("1", "a/b").ref.repo == "a/b"
    assert Targets(None, {"GH_REPO": "a/b"}, checkout).job("1").ref.repo == "a/b"
    assert Targets(None, {}, checkout).runs("a/b").ref.repo == "a/b"
    address = "https://github.com/a/b/actions/runs/1"
    assert Targets(None, {}, checkout).run(address).ref.repo == "a/b"


def test_no_checkout_of_the_host() -> None:
    """Where the checkout has nothing on the host, the error names the host."""
    with pytest.raises(ConfigurationError, match=r"-R OWNER/REPO.*no git checkout of ghes\.corp"):
        Targets("ghes.corp").run("1")


@pytest.fixture
def checkout(tmp_path: Path, fake: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> FakeGitHub:
    """A git checkout of the fake's repository, in which the command runs."""
    assert GIT is not None
    monkeypatch.setattr("shutil.which", lambda name: GIT if name == "git" else None)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    web = fake.base_url.removesuffix("/api/v3")
    (tmp_path / "sub").mkdir()
    for argv in (
        ("init", "--quiet", "."),
        ("remote", "add", "origin", f"{web}/{REPO}.git"),
        ("remote", "add", "upstream", "https://gitlab.com/a/b.git"),
    ):
        subprocess.run([GIT, *argv], cwd=tmp_path, check=True, timeout=10)
    monkeypatch.chdir(tmp_path / "sub")
    return fake


@needs_git
def test_commands_use_the_checkout(ghjobs: Any, checkout: FakeGitHub) -> None:
    """Every command takes the repository of the git checkout where none is named."""
    run = checkout.add_run(REPO)
    job = run.jobs[0].id
    for argv in (
        ("list", run.id),
        ("job", job),
        ("log", job),
        ("runs",),
        ("grep", "checkout"),
        ("grep", "checkout", "--runs", run.id),
        ("audit", "--plan"),
    ):
        checkout.requests.clear()
        ran = ghjobs(*argv)
        assert (ran.status, argv) == (0, argv), ran.err
        assert any(f"/repos/{REPO}/" in request.path for request in checkout.requests)


@needs_git
def test_a_checkout_chooses_no_host(
    ghjobs: Any, checkout: FakeGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkout of another host than the one that is asked is a usage error: nothing is sent."""
    monkeypatch.delenv("GITHUB_API_URL")
    ran = ghjobs("list", 1)
    assert ran.status == 2
    assert "no git checkout of github.com" in ran.err
    assert not checkout.requests


@needs_git
def test_outside_of_a_checkout(checkout: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a checkout has no repository."""
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert find_repository("github.com") is None


@pytest.mark.parametrize("failure", [OSError("no"), subprocess.TimeoutExpired("git", 5)])
def test_git_may_fail(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """A git that hangs or cannot be run is as if it were missing."""

    def run(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(subprocess, "run", run)
    assert find_repository("github.com") is None


def test_git_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without git there is no checkout."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert find_repository("github.com") is None


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("github.com/o/r/actions/runs/1", "https://api.github.com"),
        ("www.github.com/o/r/actions/runs/1/attempts/1", "https://api.github.com"),
        ("x.ghe.com/o/r/actions/runs/1", "https://api.x.ghe.com"),
        ("ghes.corp:8443/o/r/actions/runs/1", "https://ghes.corp:8443/api/v3"),
        ("localhost/o/r/actions/runs/1", "https://localhost/api/v3"),
    ],
)
def test_an_address_may_lack_its_scheme(text: str, root: str) -> None:
    """An address is taken without ``https://``, for a run and for a job."""
    run = Targets().run(text)
    assert (run.root, run.ref.repo, run.ref.run_id) == (root, "o/r", 1)
    job = Targets().job(text.partition("/attempts")[0] + "/job/2")
    assert (job.root, job.ref.repo, job.ref.job_id) == (root, "o/r", 2)


@pytest.mark.parametrize("text", ["o/r/actions/runs/1", "repo/actions/runs/1", "/o/r", "1/2"])
def test_what_has_no_host_is_no_address(text: str) -> None:
    """An owner's name is not taken for a host."""
    with pytest.raises(ConfigurationError, match="is a number or its address"):
        Targets().run(text, "o/r")
    with pytest.raises(ConfigurationError, match="is a number or its address"):
        Targets().job(text, "o/r")


def test_an_address_without_a_scheme_keeps_to_the_named_host(ghjobs: Any, fake: FakeGitHub) -> None:
    """The address of the host that is asked is asked as that host says, here without https."""
    run = fake.add_run(REPO)
    host = fake.base_url.removeprefix("http://").removesuffix("/api/v3")
    assert len(ghjobs("list", f"{host}/{REPO}/actions/runs/{run.id}").rows) == len(run.jobs)
    ran = ghjobs("list", f"github.com/{REPO}/actions/runs/{run.id}", "--base-url", host)
    assert ran.status == 2
    assert "--base-url says" in ran.err
