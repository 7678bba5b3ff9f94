"""Turn the bytes of a log into lines, annotations, steps and matches. Pure, in constant memory."""

from typing import TYPE_CHECKING

from ghjobs_async.lazy import lazy

if TYPE_CHECKING:
    from ghjobs_async.logtext.annotate import Annotation, AnnotationFinder
    from ghjobs_async.logtext.ansi import PlainText, plain
    from ghjobs_async.logtext.failure import (
        FailureExcerpt,
        FailureFinder,
        failing_step,
        failure_excerpt,
    )
    from ghjobs_async.logtext.lines import MAX_LINE, LineKind, LogLine, LogParser, parse_log
    from ghjobs_async.logtext.reason import FailureReason, find_reason, fingerprint
    from ghjobs_async.logtext.rules import FailureKind
    from ghjobs_async.logtext.search import Hit, LineGrep, LogSearch
    from ghjobs_async.logtext.steps import (
        Certainty,
        StepFinder,
        StepLog,
        StepLogs,
        StepSpan,
        StepSplitter,
        split_steps,
    )

__all__ = [
    "MAX_LINE",
    "Annotation",
    "AnnotationFinder",
    "Certainty",
    "FailureExcerpt",
    "FailureFinder",
    "FailureKind",
    "FailureReason",
    "Hit",
    "LineGrep",
    "LineKind",
    "LogLine",
    "LogParser",
    "LogSearch",
    "PlainText",
    "StepFinder",
    "StepLog",
    "StepLogs",
    "StepSpan",
    "StepSplitter",
    "failing_step",
    "failure_excerpt",
    "find_reason",
    "fingerprint",
    "parse_log",
    "plain",
    "split_steps",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazy(
        __name__,
        __all__,
        ("ansi", "rules", "lines", "annotate", "reason", "steps", "search", "failure"),
    )
