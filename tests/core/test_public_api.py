"""The public names: a removal shows here, and a new name has to be listed."""

from __future__ import annotations

import importlib
import re

import pytest

API = """
[ghjobs_async]
Actor: id login type
Annotation: continuation dropped group kind line text
ApiVersionError: server_time
AppAuth: header refused
AuthError: server_time
Certainty: CERTAIN LIKELY UNKNOWN
CheckAnnotation: annotation_level end_line message path raw_details start_line title
Clock: now random sleep
Conclusion: ACTION_REQUIRED CANCELLED FAILURE NEUTRAL SKIPPED STALE STARTUP_FAILURE SUCCESS
    TIMED_OUT
ConfigurationError
DecodeError
Failed: error ref
FailureExcerpt: capped certainty errors headline lines reason step unexplained
FailureKind: word
FailureReason: certainty fingerprint headline kind lines
FanOut: total
Fetched: ref value
ForbiddenError: server_time
GHJobsError
GitHubJobs: aclose base_url fan_out fan_out_logs get_branch_head get_job get_job_json
    get_log_url get_pull_head
    get_run grep iter_runs list_annotations list_jobs open_log rate_limit requests_per_minute
    stats wait_for_job wait_for_run watch watch_commit
Hit: after before end line match start
Job: check_run_url completed_at conclusion created_at duration head_branch head_sha html_url id
    labels name node_id queued_for ran ref run_attempt run_id run_url runner_group_id
    runner_group_name runner_id runner_name started_at state status steps to_dict url
    workflow_name
JobEvent: job previous ref
JobHit: after before hit job line match
JobList: complete count expected got index jobs settled total_count undecodable
JobLog: annotations chunks expected failure grep lines received save steps tail text
JobRef: job_id parse repo
LineKind: COMMAND DEBUG ENDGROUP ERROR GROUP NOTICE PLAIN WARNING
LogGrep
LogLine: capped content continuation depth kind number plain raw size text time time_text
LogLink: expires_at url
LogParser: close feed skip take_back
LogTruncatedError
LogUnavailableError
NotFoundError: server_time
Outcome
RateLimit: limit remaining reset_at
RateLimitError: server_time
Repository: full_name html_url id private
RequestTimeoutError: retry_after
ResponseError: server_time
Run: actor attempts check_suite_id conclusion created_at display_title event head_branch
    head_sha html_url id name node_id path ref repository run_attempt run_number run_started_at
    state status to_dict triggering_actor updated_at url workflow_id
RunEvent: error kind ref run verdict
RunRef: attempt parse repo run_id
RunSearch: complete got known_total peek
ServerError: retry_after retryable server_time
Stats: bytes downloads not_modified quota requests retries seconds_waited waits
Status: COMPLETED IN_PROGRESS PENDING QUEUED REQUESTED WAITING
Step: completed_at conclusion duration name number started_at state status to_dict
StepEvent: job previous ref step
StepLog: certainty lines step
StepLogs: steps unattributed
TokenAuth: header refused
TransportError: retry_after
Undecodable: path raw reason
Verdict: ACTION_REQUIRED CANCELLED DEADLINE FAILURE NO_JOBS SKIPPED SUCCESS SUPERSEDED TIMED_OUT
    UNREACHABLE
Wait: reason seconds until
Waited: attempt error job jobs reason run verdict
Watch
WatchEvent
inherited
latest_jobs
parse_log
plain
split_steps
to_dict
[ghjobs_async.testing]
Asked: headers method operation origin path query status
AttemptSpec: after conclusion jobs
FakeAttempt: conclusion jobs number started status updated
FakeGitHub: add_run asked_count at base_url clear_requests fail fault_rate from_folder heal
    in_flight most_in_flight now pause play rename resume runs set_log storage_url wait_asked
    web_url
FakeJob: annotations attempt blob created data has_own_log id log log_state name payload ref
    run set_log spec
FakeRun: actor all_jobs attempts branch check_suite_id created created_at event head_sha id
    jobs number overrides path payload ref repo repository workflow workflow_id workflow_keys
    workflow_payload
Fault: apply fits name
GeneratedLog: by_step content truth
JobSpec: check_run conclusion fails_at inherited labels listed_after log log_state
    name overrides queued_for
    runner seconds status steps without
LogOptions: bom_every continuations crlf interleaved lines nested server_lines silent
Rule: after fault hits on stop takes times where
RunState: all_jobs jobs run
StepSpec: conclusion name number seconds status
faults: LimitForm bad_credentials bad_gateway blob_not_found blocked break_body change_blob
    disconnect expired_link gzip_bomb html huge_answer ignore_range link_host log_location
    lying_length missing_permission only primary_limit redirect reset saml secondary_limit
    shifting_list stale stall_body stall_headers status storage_status truncated_json
    unknown_api_version
fill_demo
generate_log
recoverable
scenario: matrix rerun_failed failing skipped cancelled_before_start in_progress queued
    check_run inverted_clocks expired_steps older_server unheard_of within_one_second
    parallel_steps awkward_names startup_failure everything
"""
BLOCKS = re.findall(r"^\[(.*)\]\n([^\[]*)", API, re.MULTILINE)


def listed(block: str) -> dict[str, list[str]]:
    """Return the names of a module, and the public members of each."""
    lines = re.sub(r"\n {4}", " ", block).splitlines()
    pairs = [line.partition(":") for line in lines if line]
    return {name: members.split() for name, _, members in pairs}


@pytest.mark.parametrize(("module", "block"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_public_names_stay(module: str, block: str) -> None:
    """Whoever imports a name, or uses a member of it, finds it in the next version too."""
    names = listed(block)
    given = importlib.import_module(module)
    assert set(names) == set(given.__all__)
    gone = [
        f"{name}.{member}"
        for name, members in names.items()
        for member in members
        if not hasattr(getattr(given, name), member)
    ]
    assert gone == []
