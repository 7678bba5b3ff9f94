"""References: what they accept and reject, and how they compare."""

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
def test_malformed_repositories_are_rejected(repo: object) -> None:
    """A repository is OWNER/NAME in the letters that GitHub allows, and cannot change the path."""
    with pytest.raises(ConfigurationError, match="OWNER/NAME"):
        RunRef(repo, 1)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="OWNER/NAME"):
        JobRef(repo, 1)  # type: ignore[arg-type]


@given(st.text())
@example("a/b\n")
@example("a/b\u2028")
def test_accepted_repositories_are_safe_in_a_path(text: str) -> None:
    """Every text that is accepted consists of two names and nothing else."""
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


BAD_IDS = (
    *(0, -1, True, False, 1.0, None, b"1", MAX_ID + 1, str(MAX_ID + 1), "9" * 5000),
    *("", "0", "-1", "+1", "007", "1.0", "1_0", " 1", "1\n", "x", "\u0661", "\u00b2"),
)


@pytest.mark.parametrize("number", BAD_IDS)
def test_ids_are_positive_numbers(number: object) -> None:
    """Zero, negatives, booleans, other texts and numbers beyond int64 are rejected, in one line."""
    for make in (lambda: RunRef(REPO, number), lambda: JobRef(REPO, number)):  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match="positive number") as caught:
            make()
        assert len(str(caught.value)) < 200
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("number", [1, 30_000_000_001, MAX_ID])
def test_ids_may_be_strings_of_digits(number: int) -> None:
    """An id that was read from a file or a variable is stored as the number that it means."""
    run, job = RunRef(REPO, str(number), str(number)), JobRef(REPO, str(number))
    assert (run, job) == (RunRef(REPO, number, number), JobRef(REPO, number))
    assert {type(run.run_id), type(run.attempt), type(job.job_id)} == {int}


@pytest.mark.parametrize("attempt", [0, -1, True, 1.0, "0", "two"])
def test_attempts_count_from_one(attempt: object) -> None:
    """There is no attempt 0, and None means the run as a whole."""
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
def test_runs_are_found_in_their_urls(url: str, ref: RunRef) -> None:
    """Web and API URLs of a run, an attempt, or a job in it are read, on any host."""
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
def test_jobs_are_found_in_their_urls(url: str, number: int) -> None:
    """Every form of a job's URL that GitHub has used is read, as long as it holds the job's id."""
    assert JobRef.parse(url) == JobRef("o/r", number)


@pytest.mark.parametrize("rest", ["jobs/123", "attempts/1/jobs/123", "jobs/123?x"])
def test_old_job_urls_are_rejected(rest: str) -> None:
    """The number in a web URL from before 2023 is not the job's id, so it is not used."""
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
    """A text that is not the URL of a run or a job is rejected with a one-line error."""
    for parse in (RunRef.parse, JobRef.parse):
        with pytest.raises(ConfigurationError) as caught:
            parse(text)
        assert len(str(caught.value).splitlines()) == 1


def test_a_job_does_not_name_its_run_nor_a_run_its_job() -> None:
    """A URL that lacks the id that is asked for is rejected."""
    with pytest.raises(ConfigurationError, match="names a job"):
        RunRef.parse("https://github.com/o/r/runs/9")
    with pytest.raises(ConfigurationError, match="names a run"):
        JobRef.parse("https://github.com/o/r/actions/runs/7")


@given(st.text())
def test_parsing_raises_nothing_else(text: str) -> None:
    """Any text gives a reference or a ConfigurationError."""
    for parse in (RunRef.parse, JobRef.parse):
        for url in (text, f"https://github.com/{text}", f"https://github.com/o/r/actions/{text}"):
            with suppress(ConfigurationError):
                parse(url)


@given(hosts, repos, numbers, st.none() | st.integers(1, 10**9 - 1))
def test_runs_come_back_from_their_urls(
    host: str, repo: str, run: int, attempt: int | None
) -> None:
    """A reference written as a URL, web or API, is read as the same reference."""
    ref = RunRef(repo, run, attempt)
    tail = "" if attempt is None else f"/attempts/{attempt}"
    for prefix in ("", "/api/v3/repos"):
        assert RunRef.parse(f"{host}{prefix}/{repo}/actions/runs/{run}{tail}") == ref


@given(hosts, repos, numbers)
def test_jobs_come_back_from_their_urls(host: str, repo: str, job: int) -> None:
    """A job written as a URL, web or API, is read as the same job."""
    ref = JobRef(repo, job)
    assert JobRef.parse(f"{host}/{repo}/actions/runs/1/job/{job}") == ref
    assert JobRef.parse(f"{host}/api/v3/repos/{repo}/actions/jobs/{job}/logs") == ref


def test_references_sort_and_hash() -> None:
    """They sort by repository, id and attempt, the run as a whole first, and can be keys."""
    runs = [RunRef("a/b", 1), RunRef("a/b", 1, 1), RunRef("a/b", 1, 2), RunRef("a/b", 2)]
    assert sorted([*reversed(runs)]) == runs
    assert len({*runs, RunRef("a/b", 1)}) == len(runs)
    assert min([JobRef("b/a", 1), JobRef("a/b", 2)]) == JobRef("a/b", 2)
    assert RunRef("a/b", 1) != RunRef("a/b", 1, 1)


def test_references_read_well() -> None:
    """The text of a reference names what it refers to."""
    assert str(RunRef("a/b", 1)) == "a/b run 1"
    assert str(RunRef("a/b", 1, 2)) == "a/b run 1 attempt 2"
    assert str(JobRef("a/b", 3)) == "a/b job 3"


def test_a_long_mistake_is_shown_in_part() -> None:
    """An error quotes at most one line of what was given."""
    for make in (lambda text: RunRef(text, 1), RunRef.parse, JobRef.parse):
        with pytest.raises(ConfigurationError) as caught:
            make("x" * 10_000)
        assert len(str(caught.value)) < 200
