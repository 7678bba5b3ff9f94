"""References: what is taken, what is refused, and how they compare."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ghjobs_async import ConfigurationError, JobRef, RunRef

REPO = "octo-org/octo-repo"
MAX_ID = 2**63 - 1
names = st.from_regex(r"[A-Za-z0-9._-]{1,100}", fullmatch=True).filter(
    lambda name: name not in {".", "..", "api", "repos"}
)
repos = st.builds("{}/{}".format, names, names)
numbers = st.integers(1, MAX_ID)
hosts = st.sampled_from(
    ["https://github.com", "https://octo.ghe.com", "http://ghe.example.com:8443", "https://[::1]"]
)
BAD_REPOS = (
    *("", "octo", "/octo", "octo/", "octo/octo/octo", "../octo", "octo/..", "./a", "a/."),
    *("octo org/repo", "octo/repo\n", "octo\n/repo", "octo/rep\x00", "öcto/repo", "octo/repo?x=1"),
    *("octo/repo#a", "octo/%2e%2e", "octo\\repo", "https://github.com/octo/repo", "a/" + "b" * 101),
    *(None, 7, b"octo/repo", ("octo", "repo")),
)


@pytest.mark.parametrize("repo", BAD_REPOS)
def test_malformed_repositories_are_refused(repo: object) -> None:
    """A repository reads OWNER/NAME in GitHub's own letters, and climbs no path."""
    with pytest.raises(ConfigurationError, match="OWNER/NAME"):
        RunRef(repo, 1)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="OWNER/NAME"):
        JobRef(repo, 1)  # type: ignore[arg-type]


@given(st.text())
@example("a/b\n")
@example("a/b\u2028")
def test_what_passes_for_a_repository_is_safe_in_a_path(text: str) -> None:
    """Whatever text is taken consists of two names and nothing else."""
    try:
        RunRef(text, 1)
    except ConfigurationError:
        return
    owner, slash, name = text.partition("/")
    assert slash
    for part in (owner, name):
        assert part.isascii()
        assert part not in {"", ".", ".."}
        assert not set(part) & set("/?#%\\ \r\n\t")


@pytest.mark.parametrize("number", [0, -1, True, False, 1.0, "1", None, MAX_ID + 1])
def test_ids_are_positive_numbers(number: object) -> None:
    """Zero, negatives, truth values, texts and numbers beyond int64 are no ids."""
    with pytest.raises(ConfigurationError, match="positive number"):
        RunRef(REPO, number)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="positive number"):
        JobRef(REPO, number)  # type: ignore[arg-type]


@pytest.mark.parametrize("attempt", [0, -1, True, 1.0, "1"])
def test_attempts_count_from_one(attempt: object) -> None:
    """There is no attempt 0; None means the run as a whole."""
    with pytest.raises(ConfigurationError, match="attempt"):
        RunRef(REPO, 1, attempt=attempt)  # type: ignore[arg-type]
    assert RunRef(REPO, 1).attempt is None


@pytest.mark.parametrize(
    ("url", "ref"),
    [
        ("https://github.com/o/r/actions/runs/7", RunRef("o/r", 7)),
        ("https://github.com/o/r/actions/runs/7/", RunRef("o/r", 7)),
        ("https://github.com/o/r/actions/runs/7?pr=1#summary", RunRef("o/r", 7)),
        ("https://github.com/o/r/actions/runs/7/attempts/2", RunRef("o/r", 7, 2)),
        ("https://github.com/o/r/actions/runs/7/attempts/2/", RunRef("o/r", 7, 2)),
        ("https://github.com/o/r/actions/runs/7/job/9", RunRef("o/r", 7)),
        ("https://github.com/o/r/actions/runs/7/workflow", RunRef("o/r", 7)),
        ("https://github.com/o/r/actions/runs/7/attempts/2#summary-1", RunRef("o/r", 7, 2)),
        ("https://api.github.com/repos/o/r/actions/runs/7", RunRef("o/r", 7)),
        ("https://api.github.com/repos/o/r/actions/runs/7/jobs", RunRef("o/r", 7)),
        ("https://ghe.example.com/api/v3/repos/o/r/actions/runs/7", RunRef("o/r", 7)),
        ("http://ghe.example.com:8080/o/r/actions/runs/7", RunRef("o/r", 7)),
        ("  https://github.com/o/r/actions/runs/7\n", RunRef("o/r", 7)),
    ],
)
def test_runs_are_found_in_their_addresses(url: str, ref: RunRef) -> None:
    """Web and API addresses of a run, an attempt, or a job in it, on any host."""
    assert RunRef.parse(url) == ref


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("https://github.com/o/r/actions/runs/7/job/9", 9),
        ("https://github.com/o/r/actions/runs/7/job/9#step:3:1", 9),
        ("https://github.com/o/r/actions/runs/7/job/9?pr=3", 9),
        ("https://github.com/o/r/actions/runs/7/attempts/2/job/9", 9),
        ("https://api.github.com/repos/o/r/actions/jobs/9", 9),
        ("https://api.github.com/repos/o/r/actions/jobs/9/logs", 9),
        ("https://ghe.example.com/api/v3/repos/o/r/actions/jobs/9", 9),
        ("https://github.com/o/r/runs/9", 9),
        ("https://github.com/o/r/runs/9?check_suite_focus=true", 9),
        ("https://api.github.com/repos/o/r/check-runs/9", 9),
        ("https://github.com/o/r/pull/3/checks?check_run_id=9", 9),
    ],
)
def test_jobs_are_found_in_their_addresses(url: str, number: int) -> None:
    """Every form of a job's address that GitHub has had, as long as it holds the job's id."""
    assert JobRef.parse(url) == JobRef("o/r", number)


@pytest.mark.parametrize("rest", ["jobs/123", "attempts/1/jobs/123", "jobs/123?x"])
def test_old_job_addresses_are_refused(rest: str) -> None:
    """The number in a web address of before 2023 is not the job's id, and is not guessed at."""
    with pytest.raises(ConfigurationError, match="not the job's id"):
        JobRef.parse(f"https://github.com/o/r/actions/runs/7/{rest}")


@pytest.mark.parametrize(
    "text",
    [
        *("", "7", "o/r", "o/r/actions/runs/7", "github.com/o/r/actions/runs/7", "https://"),
        *("ftp://github.com/o/r/actions/runs/7", "https:///o/r/actions/runs/7"),
        *("https://github.com/o/r", "https://github.com/o/r/actions", "https://github.com/o"),
        *("https://github.com/o/r/actions/runs/x", "https://github.com/o/r/actions/runs/-7"),
        *("https://github.com/o/r/actions/runs/7/attempts/0", "https://[::1/o/r/actions/runs/7"),
        *("https://github.com/../r/actions/runs/7", "https://github.com:x/o/r/actions/runs/7"),
        "https://github.com/o/r/actions/runs/99999999999999999999",
        "https://github.com/o/r/actions/runs/0",
    ],
)
def test_other_texts_name_nothing(text: str) -> None:
    """What is no address of a run or a job is refused in one line."""
    for parse in (RunRef.parse, JobRef.parse):
        with pytest.raises(ConfigurationError) as caught:
            parse(text)
        assert len(str(caught.value).splitlines()) == 1


def test_a_job_does_not_name_its_run_nor_a_run_its_job() -> None:
    """What an address does not say is not made up."""
    with pytest.raises(ConfigurationError, match="names a job"):
        RunRef.parse("https://github.com/o/r/runs/9")
    with pytest.raises(ConfigurationError, match="names a run"):
        JobRef.parse("https://github.com/o/r/actions/runs/7")


@given(st.text())
def test_parsing_raises_nothing_else(text: str) -> None:
    """Any text is a reference or a ConfigurationError."""
    for parse in (RunRef.parse, JobRef.parse):
        for url in (text, f"https://github.com/{text}", f"https://github.com/o/r/actions/{text}"):
            with suppress(ConfigurationError):
                parse(url)


@given(hosts, repos, numbers, st.none() | st.integers(1, 10**9 - 1))
def test_runs_come_back_from_their_addresses(
    host: str, repo: str, run: int, attempt: int | None
) -> None:
    """A reference written as an address, web or API, reads as itself."""
    ref = RunRef(repo, run, attempt)
    tail = "" if attempt is None else f"/attempts/{attempt}"
    for prefix in ("", "/api/v3/repos"):
        assert RunRef.parse(f"{host}{prefix}/{repo}/actions/runs/{run}{tail}") == ref


@given(hosts, repos, numbers)
def test_jobs_come_back_from_their_addresses(host: str, repo: str, job: int) -> None:
    """A job written as an address, web or API, reads as itself."""
    ref = JobRef(repo, job)
    assert JobRef.parse(f"{host}/{repo}/actions/runs/1/job/{job}") == ref
    assert JobRef.parse(f"{host}/api/v3/repos/{repo}/actions/jobs/{job}/logs") == ref


def test_references_sort_and_hash() -> None:
    """They are sorted by repository, id and attempt, the run as a whole first, and are keys."""
    runs = [RunRef("a/b", 1), RunRef("a/b", 1, 1), RunRef("a/b", 1, 2), RunRef("a/b", 2)]
    assert sorted([*reversed(runs)]) == runs
    assert len({*runs, RunRef("a/b", 1)}) == len(runs)
    assert min([JobRef("b/a", 1), JobRef("a/b", 2)]) == JobRef("a/b", 2)
    assert RunRef("a/b", 1) != RunRef("a/b", 1, 1)


def test_references_read_well() -> None:
    """Their text names what they refer to."""
    assert str(RunRef("a/b", 1)) == "a/b run 1"
    assert str(RunRef("a/b", 1, 2)) == "a/b run 1 attempt 2"
    assert str(JobRef("a/b", 3)) == "a/b job 3"


def test_a_long_mistake_is_shown_in_part() -> None:
    """An error quotes no more than one line of what was given."""
    for make in (lambda text: RunRef(text, 1), RunRef.parse, JobRef.parse):
        with pytest.raises(ConfigurationError) as caught:
            make("x" * 10_000)
        assert len(str(caught.value)) < 200
