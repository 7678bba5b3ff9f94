"""An embedded fake GitHub: for trying things out, for examples, and for users' own tests."""

from ghjobs_async.testing import faults, scenario
from ghjobs_async.testing.demo import fill_demo
from ghjobs_async.testing.fake import FakeGitHub
from ghjobs_async.testing.faults import recoverable
from ghjobs_async.testing.script import Fault, Rule
from ghjobs_async.testing.server.messages import Asked
from ghjobs_async.testing.world.logs import GeneratedLog, LogOptions, generate_log
from ghjobs_async.testing.world.runs import FakeAttempt, FakeJob, FakeRun
from ghjobs_async.testing.world.specs import AttemptSpec, JobSpec, StepSpec
from ghjobs_async.testing.world.world import RunState

__all__ = [
    "Asked",
    "AttemptSpec",
    "FakeAttempt",
    "FakeGitHub",
    "FakeJob",
    "FakeRun",
    "Fault",
    "GeneratedLog",
    "JobSpec",
    "LogOptions",
    "Rule",
    "RunState",
    "StepSpec",
    "faults",
    "fill_demo",
    "generate_log",
    "recoverable",
    "scenario",
]
