"""
The table of rules by which `find_reason` finds the line that says why a step failed.

One line a form of message: the tool, the kind of failure, literals of which a matching line has one,
the pattern, and an example. To teach it a tool, add a line here, and one to ``rule_lines.py`` of the
tests.

Keep patterns linear: no repetition within a repetition, and nothing unbounded before `.*`.
"""

# ruff: noqa: Q003, RUF001 -- tools write quotes and signs of all kinds

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence


class FailureKind(StrEnum):
    """What kind of failure it is; GitHub may fail in new ways, so expect new values."""

    TEST = "test"
    COMPILE = "compile"
    LINT = "lint"
    DEPENDENCIES = "dependencies"
    PERMISSION = "permission"
    NETWORK = "network"
    MISSING = "missing"
    CRASH = "crash"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    OUT_OF_MEMORY = "out_of_memory"
    DISK_FULL = "disk_full"
    RUNNER_LOST = "runner_lost"
    ACTION = "action"
    OTHER = "other"

    @property
    def word(self) -> str:
        """The kind for people, such as "out of memory"."""
        return self.value.replace("_", " ")


@attrs.frozen
class Rule:
    """
    One form of message.

    Attributes:
        tool: Which tool writes it. Of one tool's forms, the one that stands first in the table is
            the best headline.
        kind: The kind of failure.
        needles: Literals of which every matching line has one: only lines with one are tried.
        pattern: Matches the line from its beginning, without colours, times and other wrappers.
        example: A line that it matches.
    """

    tool: str
    kind: FailureKind
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    example: str


def _rules(rows: Sequence[tuple[str, FailureKind, str, str, str]]) -> tuple[Rule, ...]:
    return tuple(
        Rule(tool, kind, tuple(filter(None, needles.split("|"))), re.compile(pattern), example)
        for tool, kind, needles, pattern, example in rows
    )


_TEST, _COMPILE, _LINT = FailureKind.TEST, FailureKind.COMPILE, FailureKind.LINT
_DEPS, _PERMISSION, _NETWORK = FailureKind.DEPENDENCIES, FailureKind.PERMISSION, FailureKind.NETWORK
_MISSING, _CRASH, _TIMEOUT = FailureKind.MISSING, FailureKind.CRASH, FailureKind.TIMEOUT
_MEMORY, _DISK, _LOST = FailureKind.OUT_OF_MEMORY, FailureKind.DISK_FULL, FailureKind.RUNNER_LOST
_CANCELLED, _OTHER = FailureKind.CANCELLED, FailureKind.OTHER

# fmt: off

#: What stopped the step from outside. The first rule that matches wins, whatever else went wrong.
STOPPED: Final = _rules((
    ("runner", _LOST, "shutdown signal|ost communication", r".*(?:received a shutdown signal|lost communication with the server)", "The runner has received a shutdown signal. This can happen when the runner service is stopped."),
    ("runner", _TIMEOUT, "exceeded the maximum execution time|has timed out after", r"(?:The job .*has exceeded the maximum execution time|The action '.*' has timed out after)", "The action 'Integration' has timed out after 30 minutes."),
    ("system", _DISK, "No space left|o space left|ENOSPC|enough space on the disk|isk quota exceeded", r".*(?:[Nn]o space left on device|\bENOSPC\b|not enough space on the disk|[Dd]isk quota exceeded)", "cp: error writing 'a.bin': No space left on device"),
    ("system", _MEMORY, "eap out of memory|OutOfMemoryError|annot allocate memory|signal terminated|Killed|SIGKILL|signal: killed|bad_alloc|OOMKilled|out of memory", r"(?:.*(?:heap out of memory|OutOfMemoryError|[Cc]annot allocate memory|Killed signal terminated program|signal: 9, SIGKILL|std::bad_alloc|OOMKilled|(?:ERROR|error|fatal|runtime): out of memory|CUDA out of memory)|(?:.*: line \d+: +\d+ )?Killed\b(?! by| the| orphan)(?!.*process group))", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
    ("system", _CRASH, "signal: killed", r".*signal: killed", "sum: error: cannot run the tests: signal: killed"),
    ("runner", _CANCELLED, "operation was cancel|SIGINT|operation has been cancel", r"(?:.*[Tt]he operation (?:was|has been) cancell?ed\.?$|.*received SIGINT)", "The operation was canceled."),
))

#: Records of failures: tests, messages with a file and a line. The tool that spoke last in the step
#: counts, since the step went on after what others reported.
RECORDS: Final = _rules((
    # Python
    ("pytest", _TEST, "FAILED |ERROR ", r"(?:\[gw\d+\] \[ *\d+%\] )?(?:FAILED|ERROR) [^ ]+\.(?:py|ipynb|ya?ml|rst|md|txt)(?:::.*| - .*|$)|(?:FAILED|ERROR) [\w/.-]+/[^ :]+(?:::.*| - .*)$", "FAILED tests/test_sum.py::test_two - assert 3 == 4"),
    ("pytest", _TEST, "FAILED|ERROR", r"[^ ]+\.py::.* (?:FAILED|ERROR)(?: +\[ *\d+%\])?$", "tests/test_sum.py::test_two FAILED      [ 50%]"),
    ("pytest", _TEST, "E  ", r"E {2,}(?![+-] |At index|where |Full diff|Omitting|Use -v|\^|[|?])\S", "E       assert 3 == 4"),
    ("pytest", _TEST, "___", r"_{3,} (?:ERROR collecting |ERROR at setup of )?[\w.\[\]-]+.* _{3,}$", "__________ test_two __________"),
    ("pytest", _TEST, "no tests ran|file or directory not found|Required test coverage|Coverage failure", r"(?:=+ no tests ran in |ERROR: file or directory not found|(?:FAIL |ERROR: )?Required test coverage of|Coverage failure: total of)", "==== no tests ran in 0.01s ===="),
    ("unittest", _TEST, "FAIL: |ERROR: ", r"(?:FAIL|ERROR): (?:\w\S* \([\w.<>]+\)|[\w.]*test[\w.]*$|(?:[\w.]+\.)+\w+$|\w[^/]* \([\w.]+\)$)", "FAIL: test_two (tests.test_sum.SumTest)"),
    ("python", _LINT, ".py:", r"(?:\./)?[^ :]+\.pyi?:\d+(?::\d+)?:? (?:[A-Z]{1,4}\d{2,5}\b|error: )", "app/sum.py:9: error: Name 'total' is not defined  [name-defined]"),
    ("ruff", _LINT, "--> ", r"--> [^ ]+\.(?:pyi?|ipynb):\d+:\d+$", "--> app/sum.py:3:1"),
    ("lintrunner", _LINT, "Warning (|Error (", r"(?:Warning|Error) \([A-Z_0-9]+\) ", "  Error (RUFF) F401"),
    ("black", _LINT, "ould reformat|incorrectly sorted", r"(?:[Ww]ould reformat:? |ERROR: .* Imports are incorrectly sorted)", "would reformat app/sum.py"),
    ("pre-commit", _LINT, "...Failed", r"[^.].*\.{3}Failed$", "trim trailing whitespace.................Failed"),
    # Go
    ("go test", _TEST, "--- FAIL: ", r"--- FAIL: ", "--- FAIL: TestSum (0.00s)"),
    ("go test", _TEST, "_test.go:", r"[\w/.-]+_test\.go:\d+: ", "sum_test.go:12: got 3, want 4"),
    ("go test", _TEST, "FAIL\t", r"FAIL\t\S+\t", "FAIL\texample.org/sum\t0.005s"),
    ("gotestsum", _TEST, "=== FAIL: ", r"=== FAIL: ", "=== FAIL: pkg/sum TestSum (0.00s)"),
    ("ginkgo", _TEST, "[Fail]|[FAIL]|[It]", r"(?:\[F(?:ail|AIL)\] .+|.*\[It\] .*\[FAILED\])", "[Fail] Sum [It] adds two numbers"),
    ("go", _COMPILE, ".go:", r"(?:vet: )?[^ :]+\.go:\d+(?::\d+)?: (?!warning)", "sum/sum.go:7:2: undefined: total"),
    ("go modules", _DEPS, "go: |no required module|go.sum", r"(?:go: (?!downloading|finding|found|added|upgraded|extracting|creating|to add)[^ ].*: .|.*(?:no required module provides|missing go\.sum entry))", "go: example.org/x@v1.2.3: reading go.mod: 404 Not Found"),
    # Rust
    ("cargo test", _TEST, "... FAILED", r"(?:test )?.+ \.\.\. FAILED\b", "test sum::adds_two ... FAILED"),
    ("cargo test", _TEST, "FAIL [", r"FAIL \[ *[\d.]+s\] ", "FAIL [   0.004s] sum tests::adds_two"),
    ("rustc", _COMPILE, "error[", r"error\[[A-Z]+\d+\]: ", "error[E0308]: mismatched types"),
    ("rustfmt", _LINT, "Diff in ", r"Diff in /?\S+?(?::\d+| at line \d+)", "Diff in /src/lib.rs:12:"),
    # C and C++
    ("compiler", _TEST, ".swift:", r"[^ :]+\.swift:\d+(?::\d+)?: error: (?:-\[)?\w+[. ]\w+\]? : ", "/src/SumTests.swift:14: error: SumTests.testAddsTwo : XCTAssertEqual failed"),
    ("compiler", _COMPILE, "error: ", r"(?:In file .*)?(?:[A-Za-z]:)?[^ :()][^:()]{0,300}:\d+(?::\d+)?: (?:fatal )?error: ", "src/sum.c:4:10: fatal error: sum.h: No such file or directory"),
    ("linker", _COMPILE, "undefined |ndefined symbol|multiple definition|cannot find -l|duplicate symbol", r"(?:.*: )?(?:undefined (?:reference to|symbol: )|Undefined symbols for architecture|multiple definition of|cannot find -l|error: undefined symbol|duplicate symbol )", "/usr/bin/ld: main.o: in function `main': undefined reference to `sum'"),
    ("msvc", _COMPILE, "error ", r".{0,300}?(?:\(\d+(?:,\d+){0,3}\)|LINK|MSBUILD|CSC|\.obj|\.csproj|\.sln|\.lib|\.targets|NuGet\.targets|MSB\d+)(?: ?: )(?:fatal )?error [A-Z]{1,10}\d+: ", "src\\sum.cpp(4): error C2065: 'total': undeclared identifier"),
    ("gtest", _TEST, "[  FAILED  ]", r"\[  FAILED  \] (?!\d+ test)[\w/]+\.\w", "[  FAILED  ] Sum.AddsTwo (0 ms)"),
    ("gtest", _TEST, ": Failure|: FAILED", r"[^ :]+:\d+: (?:Failure|FAILED)", "sum_test.cc:12: Failure"),
    ("ctest", _TEST, " - ", r"\d+ - .+ \((?:Failed|SEGFAULT|Timeout|Not Run|Subprocess .*|.*Exception.*|ILLEGAL|BUS_ERROR|OTHER_FAULT|NUMERICAL)\)(?: +\w+)?$", "  3 - sum_adds_two (Failed)"),
    ("ctest", _TEST, "***", r".*Test +#\d+: .*\*\*\*(?:Failed|Timeout|Exception|Not Run)", "3/9 Test #3: sum_adds_two .....***Failed  0.01 sec"),
    ("meson", _TEST, "FAIL |TIMEOUT |ERROR ", r" *\d+/\d+ .* (?:FAIL|TIMEOUT|ERROR) +\d+[.\d]*s", " 3/10 sum:adds_two   FAIL    0.12s   exit status 1"),
    # Java, Kotlin, Scala
    ("surefire", _TEST, "<<< ", r"(?!.*Tests run).* <<< (?:FAILURE|ERROR)!", "adds_two(SumTest)  Time elapsed: 0.01 s  <<< FAILURE!"),
    ("surefire", _TEST, "Test|IT|Case|Spec", r"(?:\[ERROR\] +)?[A-Z]\w*(?:Tests?|IT|TestCase|Spec)[A-Z]?\w*(?:[.>]\w[^ :]*)+(?::\d+|:? » )", "[ERROR]   SumTest.addsTwo:12 expected:<4> but was:<3>"),
    ("gradle test", _TEST, " FAILED", r"(?:[\w.$]+ > .+|Test \S.*\)) FAILED$", "SumTest > addsTwo() FAILED"),
    ("junit", _TEST, "Caused an ERROR|FAILED", r"(?:Caused an ERROR|FAILED$|Test \S+ FAILED)", "Caused an ERROR"),
    ("testng", _TEST, "FAILED: ", r"FAILED: \w+", "FAILED: addsTwo"),
    ("scalatest", _TEST, "*** FAILED ***|==> X", r".*(?:\*\*\* FAILED \*\*\*|==> X )", "- adds two numbers *** FAILED ***"),
    ("checkstyle", _LINT, "[ERROR] ", r"\[ERROR\] \S+\.(?:java|kt|xml|properties):\d+:", "[ERROR] /src/Sum.java:12:3: Missing a Javadoc comment. [JavadocMethod]"),
    ("javac", _COMPILE, ".java:|.kt:|.groovy:|.scala:", r"(?:\[[Ee][Rr]+[Oo][Rr]\] |e: )*(?:file://)?[^ :()]+\.(?:java|kts?|groovy|scala):(?:\[\d+,\d+\]|\d+:(?:\d+:?)?) (?!warning|note)", "/src/Sum.java:[12,34] cannot find symbol"),
    # JavaScript and TypeScript
    ("jest", _TEST, "● ", r"● (?!Console|Deprecation|Validation Warning|Cannot log after|process\.exit)\S", "● sum › adds two numbers"),
    ("jest", _TEST, "FAIL ", r"FAIL +(?:\S+ )?\S+\.(?:[cm]?[jt]sx?|vue|svelte)\b", "FAIL src/sum.test.ts > sum > adds two numbers"),
    ("jest", _TEST, "threshold", r"(?:ERROR: |Jest: )?(?:\"\w+\" )?[Cc]overage (?:threshold )?for \w+ (?:threshold )?\(", "Jest: \"global\" coverage threshold for lines (80%) not met: 71%"),
    ("vitest", _TEST, "✕|× |✗", r"(?:✕|×|✗) (?!No solution|\d+ problem)\S", "✕ adds two numbers (5 ms)"),
    ("dart", _TEST, "[E]", r"\d\d:\d\d .*\[E\]$", "00:04 +5 -1: test/sum_test.dart: adds two numbers [E]"),
    ("exunit", _TEST, ") test ", r"\d+\) test .+ \([\w.]+\)$", "  1) test adds two numbers (SumTest)"),
    ("perl", _TEST, "Failed test", r"# +Failed test", "#   Failed test 'adds two numbers'"),
    ("latex", _COMPILE, "! ", r"! (?!\[)[A-Z]", "! Undefined control sequence."),
    ("karma", _TEST, "FAILED", r".*\) .* FAILED$", "Chrome Headless 120.0 (Linux 0.0.0) Sum adds two numbers FAILED"),
    ("tap", _TEST, "not ok ", r"not ok \d*", "not ok 3 - adds two numbers"),
    ("node:test", _TEST, "✖ |✘ ", r"(?:✖|✘) (?!failing tests|\d+ problems?|Error)(?:\[fail\]: )?\S", "✖ adds two numbers (1.2ms)"),
    ("tsc", _COMPILE, "error TS", r".*\berror TS\d+: ", "src/sum.ts:3:7 - error TS2322: Type 'string' is not assignable to type 'number'."),
    ("eslint", _LINT, " error ", r"\d+:\d+ +error +\S", "  12:3  error  'total' is never used  no-unused-vars"),
    ("stylelint", _LINT, "✖ |× ", r"(?:\d+:\d+ +[✖×] |✖ +\d+:\d+ )", "  12:3  ✖  Unexpected unknown unit  unit-no-unknown"),
    ("prettier", _LINT, "[warn] |[error] ", r"\[(?:warn|error)\] (?!Code style|All matched|Run )\S+\.\w+(?:: .*)?$", "[warn] src/sum.ts"),
    ("biome", _LINT, "━━", r"\S+ (?:lint/\S+|format|organizeImports|parse|assist\S*)\b.* ━{5,}", "src/sum.ts format ━━━━━━━━━━"),
    ("bundler", _COMPILE, "ERROR in |Type error: |Module not found|✘ [ERROR]|Could not resolve|RollupError|rror during build|Failed to compile|Failed to resolve", r"(?:Type error: |ERROR in (?!\d)\S|Module not found: |✘ \[ERROR\] |.*RollupError|[Ee]rror during build:|(?:\[vite\].*)?Failed to resolve import\b)", "Module not found: Error: Can't resolve './sum' in '/src'"),
    ("bundler", _COMPILE, "Failed to compile", r"Failed to compile\b", "Failed to compile."),
    # Ruby and PHP
    ("rspec", _TEST, "rspec ", r"(?:bundle exec )?rspec \S+[:\[]\S+ #", "rspec ./spec/sum_spec.rb:12 # Sum adds two numbers"),
    ("rspec", _TEST, "Failure/Error:", r"Failure/Error:", "Failure/Error: expect(sum).to eq 4"),
    ("minitest", _TEST, "#test", r"(?:\w+::)*\w+#test_?\S* ?\[", "SumTest#test_adds_two [test/sum_test.rb:12]:"),
    ("minitest", _TEST, "rails test ", r"(?:bin/)?rails test \S+:\d+", "rails test test/sum_test.rb:12"),
    ("cucumber", _TEST, "cucumber ", r"cucumber (?:-p \S+ )?\S+\.feature:\d+", "cucumber features/sum.feature:12 # Scenario: adds"),
    ("pest", _TEST, "FAILED  ", r"FAILED  \S", "FAILED  Tests\\Unit\\SumTest > it adds two numbers"),
    ("php", _COMPILE, "PHP ", r"(?:PHP )?(?:Fatal|Parse) error: ", "PHP Fatal error:  Uncaught Error: Call to undefined function sum()"),
    ("phpcs", _LINT, "| ERROR", r"\d+ \| ERROR +\|", " 12 | ERROR | [x] Expected 1 space"),
    # .NET and Swift
    ("dotnet test", _TEST, "Failed ", r"Failed \S.* \[[\d.,< ]+ ?m?s\]", "  Failed Sum.Tests.AddsTwo [12 ms]"),
    ("dotnet test", _TEST, "[FAIL]", r".*\S \[FAIL\]$", "[xUnit.net 00:00:00.51]     Sum.Tests.AddsTwo [FAIL]"),
    ("compiler", _TEST, "Test Case '", r"Test Case '.*' failed", "Test Case '-[SumTests testAddsTwo]' failed (0.002 seconds)."),
    ("swift", _COMPILE, "error: ", r"error: (?:no such module|.*could not be resolved|emit-module command failed|.*product .* required by)", "error: no such module 'Sum'"),
    ("xcodebuild", _COMPILE, "xcodebuild: error", r"xcodebuild: error: ", "xcodebuild: error: Scheme Sum is not currently configured for the test action."),
    # Browsers
    ("playwright", _TEST, " › ", r"(?:✘ +)?\d+\)? (?:\[[\w -]+\] › )?\S+:\d+:\d+ › ", "  1) [chromium] › sum.spec.ts:12:5 › adds two numbers"),
    ("cypress", _TEST, "CypressError|AssertionError: Timed out", r"(?:CypressError: |AssertionError: Timed out)", "AssertionError: Timed out retrying after 4000ms: Expected to find element: `#sum`"),
    # Builds and tools
    ("bazel", _COMPILE, "ERROR: ", r"ERROR: \S+:\d+:\d+: ", "ERROR: /src/BUILD:12:3: Compiling sum.cc failed: (Exit 1): gcc failed"),
    ("bazel test", _TEST, "FAILED in|TIMEOUT in|FAILED TO BUILD|FAIL: //", r"(?:FAIL: //|//\S+ +(?:FAILED|TIMEOUT|FAILED TO BUILD)\b)", "//sum:sum_test                 FAILED in 1.2s"),
    ("ansible", _OTHER, "fatal: [|failed: [", r"(?:fatal|failed): \[[^\]]+\].*(?:FAILED!|UNREACHABLE!|=> )", "fatal: [web1]: FAILED! => {\"changed\": false, \"msg\": \"No package matching 'sum'\"}"),
    ("helm", _OTHER, " FAILED: ", r"Error: (?:INSTALLATION|UPGRADE|UNINSTALL|ROLLBACK) FAILED: ", "Error: UPGRADE FAILED: timed out waiting for the condition"),
    ("shellcheck", _LINT, "In ", r"In \S+ line \d+:$", "In run.sh line 12:"),
    ("solidity", _COMPILE, "Error (|Error: ", r"(?:[A-Za-z]*Error|Error) \(\d+\): |(?:Parser|Type|Declaration|Compiler)Error: ", "Error (7576): Undeclared identifier."),
    ("forge test", _TEST, "[FAIL", r"\[FAIL[.:\]].* \S", "[FAIL: assertion failed: 3 != 4] testSum() (gas: 1234)"),
    ("numbered", _TEST, ") ", r"\d+\) \S", "1) Sum adds two numbers"),
    ("location", _LINT, ":", r"(?:/|[A-Za-z]:[\\/])?[\w@+.-][^ :()'\"=]{0,300}\.[A-Za-z]\w{0,9}:\d+:\d+:? (?!.*\b(?:[Ww]arning|info|note|remark)\b)", "docs/sum.md:12:1: Line too long"),
))

#: Headings below which numbered lines are failed tests: mocha, cypress, phpunit, rspec, minitest.
NUMBERED_BELOW: Final = re.compile(r"\d+ failing$|There (?:was|were) \d+ (?:failure|error)|(?:\d+ )?(?:Failures|Failed tests?|Errors):?$")

#: Blocks in which a tool explains a failure. The line that matches opens the block; where it says
#: nothing itself, the headline is the first line in the block that does.
BLOCKS: Final = _rules((
    ("gradle", _OTHER, "What went wrong", r"\* What went wrong:", "* What went wrong:"),
    ("cmake", _COMPILE, "CMake Error", r"CMake Error(?: at | in |:)", "CMake Error at CMakeLists.txt:12 (message):"),
    ("powershell", _OTHER, "Line |", r"Line \|$", "Line |"),
    ("terraform", _OTHER, "│ Error: ", r"│ Error: ", "│ Error: Unsupported argument"),
    ("docker build", _OTHER, "failed to solve|failed to build", r"(?:ERROR: )?(?:failed to (?:solve|build)|target \S+: failed to solve): (?!process )", "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RNU"),
    ("uv", _DEPS, "No solution found", r"× No solution found", "× No solution found when resolving dependencies:"),
    ("poetry", _DEPS, "version solving failed|changed significantly", r".*(?:version solving failed|pyproject\.toml changed significantly)", "Because sum depends on total (^9) which doesn't match any versions, version solving failed."),
    ("pip", _DEPS, "ERROR: ", r"ERROR: (?:Could not find a version|No matching distribution|Cannot install|ResolutionImpossible|Could not build wheels|Failed building wheel|Package .* requires a different Python|Could not install packages|.* is not a supported wheel|In --require-hashes)", "ERROR: Could not find a version that satisfies the requirement sum==9"),
    ("npm", _DEPS, "npm ", r"npm (?:ERR!|error) (?:code E(?!LIFECYCLE)\w+|ERESOLVE|notarget|404|40[13]|.*can only install packages when|Missing: |Invalid: |Missing script)", "npm error code ERESOLVE"),
    ("pnpm", _DEPS, "ERR_PNPM_", r"ERR_PNPM_(?!RECURSIVE_RUN|LIFECYCLE)\w+", "ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with \"frozen-lockfile\""),
    ("yarn", _DEPS, "➤ YN|error ", r"(?:➤ YN(?!0000|0002|0013|0060|0061|0007|0008|0019|0085|0086)\d+: |error (?:Couldn't find|An unexpected error|Your lockfile|.* The engine|No candidate|.*Integrity check))", "error Couldn't find package \"sum\" on the \"npm\" registry."),
    ("apt", _DEPS, "E: ", r"E: (?!Sub-process|Unable to fetch some)\S", "E: Unable to locate package libsum-dev"),
    ("composer", _DEPS, "could not be resolved to an installable|Problem 1", r"(?:Your requirements could not be resolved|Problem 1)", "Your requirements could not be resolved to an installable set of packages."),
    ("bundler", _DEPS, "Could not find ", r"(?:Bundler could not find|Could not find (?:gem|\S+-\d\S* in )|Could not find compatible versions)", "Could not find gem 'sum' in rubygems repository https://rubygems.org/."),
    ("cargo", _DEPS, "error: ", r"error: (?:failed to (?:select|get|parse|load|resolve|download|run custom)|no matching package|the lock file|package `.*` cannot be built|could not find)", "error: failed to select a version for `sum`."),
    ("conda", _DEPS, "LibMambaUnsatisfiableError|PackagesNotFoundError|ResolvePackageNotFound", r".*(?:LibMambaUnsatisfiableError|PackagesNotFoundError|ResolvePackageNotFound)", "PackagesNotFoundError: The following packages are not available from current channels:"),
    ("maven", _OTHER, "Failed to execute goal|Non-resolvable|Unknown lifecycle|The goal you specified", r"(?:\[ERROR\] )?(?:Failed to execute goal (?!.*(?:test failures|There are test|[Cc]heckstyle violations|\(default-test\)))|Non-resolvable|Unknown lifecycle|The goal you specified)", "[ERROR] Failed to execute goal org.example:compile on project sum: Fatal error compiling: invalid target release: 25"),
    ("aws", _OTHER, "An error occurred (", r".*An error occurred \(\w+\) when calling", "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied"),
    ("git", _OTHER, "fatal: |! [|CONFLICT (|remote: ", r"(?:##\[error\])?(?:fatal: (?!not a git repository|No names found|no tag)|! \[(?:remote )?rejected\]|CONFLICT \(|remote: (?:Permission|error:|fatal:))", "! [rejected]        main -> main (fetch first)"),
    ("kubectl", _OTHER, "Error from server", r"Error from server \(", "Error from server (NotFound): deployments.apps \"sum\" not found"),
    ("docker", _OTHER, "Error response from daemon|error from daemon|denied: |manifest unknown|toomanyrequests", r".*(?:[Ee]rror (?:response )?from daemon|denied: |manifest unknown|toomanyrequests)", "docker: Error response from daemon: manifest for sum:9 not found"),
))

#: What went wrong underneath, in anybody's words; the last one in the step counts.
CAUSES: Final = _rules((
    ("resolver", _DEPS, "ould not resolve|dependency resolution|unsatisfiable", r".*(?:[Cc]ould not resolve (?:all|dependenc|artifact)|dependency resolution|unsatisfiable)", "Could not resolve dependencies for project org.example:sum:jar:1"),
    ("shell", _MISSING, "not found|not recognized|o such |cannot find|annot find|does not exist|ENOENT|not installed|o module named|NOT find|nable to find|ould not find|No rule to make", r".*(?:command not found|No rule to make target|: not found$|is not recognized as|[Nn]o such (?:file|tool|command|option|module|image|service|container|device|remote)|[Cc]annot find|does not exist|doesn't exist|\bENOENT\b|is not installed|No module named|Could NOT find|executable file not found|[Uu]nable to find|[Cc]ould not find|not found:|[Ff]ile not found|was not found)", "run.sh: line 3: sum: command not found"),
    ("access", _PERMISSION, "denied|EACCES|EPERM|403|401|orbidden|nauthorized|redentials|not authorized|uthentication failed|not accessible|not permitted|could not read Username|ermission", r".*(?:[Pp]ermission denied|access denied|[Aa]ccess is denied|AccessDenied|\bEACCES\b|\bEPERM\b|\b40[13]\b.*(?:[Ff]orbidden|FORBIDDEN|[Uu]nauthorized)|(?:HTTP|status|error|code|returned)\W.{0,20}\b40[13]\b|[Ff]orbidden|[Uu]nauthorized|[Bb]ad credentials|[Cc]redentials (?:could not|are|not|were)|not authorized|[Aa]uthentication failed|not accessible by|not permitted|could not read Username|insufficient .{0,20}permission|Permission to .* denied)", "cp: cannot create regular file '/sum': Permission denied"),
    ("net", _NETWORK, "onnection |ECONN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|resolve host|name resolution|not known|getaddrinfo|TLS|SSL|Bad Gateway|ervice Unavailable|ateway Time|i/o timeout|unreachable|hang up|etch failed|imed out|deadline exceeded|oo Many Requests|ate limit|EOF|RPC failed|Not Found|error: 5|status code|ould not connect|ouldn't connect|ailed to connect|annot connect|nable to connect", r".*(?:[Cc]onnection (?:refused|reset|timed out|aborted|closed|error|failure|attempts? failed)|\bECONN\w+|\bETIMEDOUT\b|\bENOTFOUND\b|EAI_AGAIN|[Cc]ould not resolve host|name resolution|[Nn]ame or service not known|getaddrinfo|(?:TLS|SSL)\b.*(?:handshake|error|EOF|failed)|502 Bad Gateway|\b50[0234]\b|[Ss]ervice Unavailable|[Gg]ateway Time-?out|i/o timeout|[Nn]etwork is unreachable|socket hang up|[Ff]etch failed|[Rr]ead timed out|deadline exceeded|[Tt]oo [Mm]any [Rr]equests|\brate limit exceeded|unexpected EOF|early EOF|RPC failed|404 Not Found|(?:[Cc]ould not|[Cc]ouldn't|[Ff]ailed to|[Cc]annot|[Uu]nable to) connect)", "curl: (7) Failed to connect to localhost port 8080: Connection refused"),
    ("time", _TIMEOUT, "imed out|imeout", r".*(?:[Tt]imed out|[Tt]imeout (?:of|exceeded|expired|reached|waiting|while|after)|\bTimeoutE(?:rror|xception)\b)", "Error: timed out waiting for the condition"),
))

#: An exception or a crash; the last one in the step counts.
EXCEPTIONS: Final = _rules((
    ("crash", _CRASH, "egmentation|SIGSEGV|SIGABRT|core dumped|Bus error|panic|Sanitizer|ssertion|wasm trap|Fatal error|nhandled|Uncaught|Illegal instruction", r".*(?:[Ss]egmentation [Ff]ault|SIGSEGV|SIGABRT|core dumped|[Bb]us error|Illegal instruction|wasm trap|Sanitizer: |[Aa]ssertion `?.* failed|panicked at|^panic: |[Uu]nhandled (?:exception|rejection|promise)|Uncaught |Fatal error: )", "sum: line 3: 4711 Segmentation fault (core dumped)"),
    ("exception", _OTHER, "Error|Exception|Failure|Interrupt|Exit|Caused by", r"(?:Exception in thread \"[^\"]*\" |Caused by: |=> |Unhandled exception\. |Uncaught )?(?:[A-Za-z_][\w$]*[.:\\]{1,2}){0,12}(?!Error:)[A-Za-z_][\w$]*(?:Error|Exception|Failure|Interrupt|Exit)(?: \[\w+\])?(?:: .*|$)", "ValueError: invalid literal for int() with base 10: 'x'"),
))
