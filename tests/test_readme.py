"""README's snippets and the examples run against the embedded GitHub; what README names exists."""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import shlex
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

import pytest

from ghjobs_async import GitHubJobs
from ghjobs_async.cli import main
from ghjobs_async.testing import AttemptSpec, FakeGitHub, JobSpec

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# `demo --serve` runs until it is interrupted; it has a test of its own.
COMMANDS = [
    line for line in re.findall(r"^(ghjobs .*)$", README, re.MULTILINE) if "--serve" not in line
]
# These stand on one another.
OF_AN_AUDIT = [
    line
    for line in COMMANDS
    if line.split()[1] in {"audit", "findings", "report", "query", "schema", "export", "merge"}
]
# How other libraries read what an audit has exported.
READERS = re.findall(r"^((?:duckdb|pandas|polars)\..*)$", README, re.MULTILINE)


def add_the_run(fake: FakeGitHub) -> None:
    """Add the run that README asks for."""
    build = JobSpec("build", conclusion="failure", overrides={"id": 399444496})
    attempt = AttemptSpec([JobSpec("build", conclusion="failure"), JobSpec("test")])
    fake.add_run(
        "octo-org/octo-repo",
        run_id=29679449,
        attempts=[attempt, AttemptSpec([build, JobSpec("test")])],
    )


def test_readme_begins_with_what_is_needed_first() -> None:
    """README leads from the first success to the details."""
    assert re.findall(r"^## (.*)$", README, re.MULTILINE) == [
        *("Install", "First look", "Many runs", "Logs", "Watching", "The command", "Audits"),
        *("Testing your own code", "Settings", "Errors", "What happens when…", "Speed", "Requests"),
    ]


def test_the_first_success_is_near_the_top() -> None:
    """The commands of a fresh machine and the first lines of code stand on the first two screens."""
    screens = README.splitlines()[:60]
    start = "python3 -m venv .venv && .venv/bin/pip install "
    assert f"{start}'.[all]' && .venv/bin/ghjobs demo" in screens
    assert f"{start}nox && .venv/bin/nox" in screens
    assert any("await gh.list_jobs" in line for line in screens)


def test_readme_is_short() -> None:
    """README has no more words than people read."""
    assert len(README.split()) <= 2300


def snippets() -> list[CodeType]:
    """Compile the Python blocks, so that each may await and has README's line numbers."""
    found = []
    for block in re.finditer(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        if block[1].splitlines() == READERS:
            continue
        line = README.count("\n", 0, block.start(1))
        found.append(
            compile("\n" * line + block[1], "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        )
    return found


async def test_readme_snippets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every Python block of README runs, in order, and what it asserts is true."""
    monkeypatch.chdir(tmp_path)
    blocks = snippets()
    assert len(blocks) >= 8
    async with FakeGitHub() as fake:
        add_the_run(fake)
        monkeypatch.setenv("GITHUB_API_URL", fake.base_url)
        monkeypatch.setenv("GITHUB_TOKEN", "of-the-environment")
        async with GitHubJobs() as gh:
            names: dict[str, object] = {"gh": gh}
            for block in blocks:
                result = eval(block, names)
                if inspect.isawaitable(result):
                    await result
                names["gh"] = gh


def test_readme_shows_every_command() -> None:
    """No command of README is left out of the tests below, and each has a line."""
    assert {line.split()[1] for line in COMMANDS} == {
        *("grep", "job", "list", "log", "runs", "timeline", "watch"),
        *("audit", "findings", "report", "query", "schema", "export", "merge"),
    }


def run_command(fake: FakeGitHub, line: str) -> int:
    """Run a command of README against the embedded GitHub."""
    web = fake.base_url.removesuffix("/api/v3")
    words = shlex.split(line.replace("https://github.com", web), comments=True)
    return main(words[1:])


def has_given(line: str, out: bytes) -> bool:
    """Return whether a command has written what ``--output`` names, or printed something."""
    words = shlex.split(line, comments=True)
    named = [words[at + 1] for at, word in enumerate(words) if word in {"-o", "--output"}]
    return all(Path(name).stat().st_size > 0 for name in named) if named else bool(out)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeGitHub]:
    """An embedded GitHub that the commands ask, from an empty folder."""
    monkeypatch.chdir(tmp_path)
    with FakeGitHub() as fake:
        add_the_run(fake)
        monkeypatch.setenv("GITHUB_API_URL", fake.base_url)
        monkeypatch.setenv("GITHUB_TOKEN", "of-the-environment")
        yield fake


@pytest.mark.parametrize("line", [line for line in COMMANDS if line not in OF_AN_AUDIT])
def test_readme_commands(
    asked: FakeGitHub, capsysbinary: pytest.CaptureFixture[bytes], line: str
) -> None:
    """Every command of README finds something."""
    assert run_command(asked, line) == 0, capsysbinary.readouterr().err
    assert has_given(line, capsysbinary.readouterr().out)


def test_readme_commands_of_an_audit(
    asked: FakeGitHub, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """They work one after another, and other libraries read what is exported, if they are there."""
    for line in OF_AN_AUDIT:
        assert run_command(asked, line) == 0, capsysbinary.readouterr().err
        assert has_given(line, capsysbinary.readouterr().out)
    assert [line.partition(".")[0] for line in READERS] == ["duckdb", "pandas", "polars"]
    for line in READERS:
        name = line.partition(".")[0]
        if find_spec(name) is not None:
            assert len(eval(line, {name: import_module(name)})) == 4


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_example(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each example runs without an account or a network, and prints something."""
    await runpy.run_path(str(path))["main"]()
    assert capsys.readouterr().out


def test_examples_are_short() -> None:
    """No example has more than 40 lines."""
    assert len(EXAMPLES) >= 5
    assert max(len(path.read_text(encoding="utf-8").splitlines()) for path in EXAMPLES) <= 40


def test_the_tests_that_readme_names_exist() -> None:
    """Every test that README names exists."""
    named = set(re.findall(r"`(test_\w+)`", README))
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")
    )
    assert len(named) >= 30
    assert not {name for name in named if f"def {name}(" not in tests}


@pytest.mark.parametrize("path", [".ci/run", ".github/workflows/ci.yml"])
def test_ci_runs_the_command_of_readme(path: str) -> None:
    """CI runs the tests by the command that README gives."""
    [command] = re.findall(r"^.*/nox$", README, re.MULTILINE)
    assert command in (ROOT / path).read_text(encoding="utf-8")


def test_ci_is_pinned_and_reads_only() -> None:
    """CI pins each action by a full commit hash, and its token can only read the code."""
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    actions = re.findall(r"uses: (.*)", workflow)
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action) for action in actions)
    assert re.findall(r"^ *permissions:\n(?:  +.*\n)+", workflow, re.MULTILINE) == [
        "permissions:\n  contents: read\n"
    ]
