"""
Generate jobs for which the step of every line is known.

A clock counts 100 ns; the times of the steps are its whole seconds, as on GitHub. The runner's lines
follow recorded logs. Scripts write anything, also lines that look like the runner's.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ghjobs_async.models import Job, Step

TICKS = 10_000_000
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
ACTIONS = [
    "actions/checkout@v4",
    "actions/setup-node@2fddd8803e2f5c9604345a0b591c3020ee971a93",
    "actions/cache@v4",
    "astral-sh/setup-uv@v6",
    "docker/login-action@v3",
    "octo-org/tools/.github/actions/report@main",
]
COMPOSITES = ["./.github/actions/prepare", "./ci", "octo-org/all-in-one@v1", "octo/mono/setup@main"]
SCRIPTS = [
    "npm ci",
    "make",
    "pytest -q",
    "set -euo pipefail",
    "echo hello",
    "./build.sh --release",
    "# say what is here",
    "if [ -f x ]; then",
    "docker compose up -d",
    "cargo test --workspace",
    'python -c "print(1)"',
    "ls -la",
]
NAMES = [
    "Build",
    "Test",
    "Run tests",
    "Lint",
    "Post results",
    "Install",
    "Deploy to stage",
    "Run it",
]
WORDS = ["collecting", "test_a", "ok", "warning:", "100%", "|", "[1/7]", "--", "=>", "Run", "Post"]


@dataclass
class Made:
    """A job, its log, and for each line the index of its step (None: no step)."""

    job: Job
    log: bytes
    truth: list[int | None]
    features: set[str]


@dataclass
class Writer:
    chance: random.Random
    now: int
    lines: list[tuple[int, str, int | None]] = field(default_factory=list)
    step: int | None = None
    pace: float = 1.0
    features: set[str] = field(default_factory=set)
    # Whether the runner writes debug messages, container hooks, and marks around composite parts.
    debug: bool = False
    hooks: bool = False
    parts: bool = False

    def condition(self, name: str, *, true: bool = True, starts: bool = True) -> None:
        """The runner looks whether to run a step."""
        if not self.debug:
            return
        self.line(f"##[debug]Evaluating condition for step: '{name}'")
        self.line("##[debug]Evaluating: success()")
        self.line(f"##[debug]Result: {str(true).lower()}")
        if true and starts:
            self.line(f"##[debug]Starting: {name}")
            self.line("##[debug]Loading inputs")

    def hook(self) -> None:
        if self.hooks:
            self.line("##[group]Run '/home/runner/k8s/index.js'")
            self.line("shell: /home/runner/externals/node20/bin/node {0}")
            self.line("##[endgroup]")

    def wait(self, low: float, high: float) -> None:
        """Let *low* to *high* milliseconds pass."""
        self.now += int(self.chance.uniform(low, high) * TICKS / 1000)

    def line(self, text: str) -> None:
        self.wait(0.01, 0.2)
        self.lines.append((self.now, text, self.step))

    def rest(self, text: str) -> None:
        """Write a line without a timestamp."""
        self.lines.append((-1, text, self.step))

    def output(self) -> None:
        chance = self.chance
        for _ in range(chance.choice([0, 0, 1, 2, 5, 12, 30])):
            self.line(" ".join(chance.choices(WORDS, k=chance.randint(1, 9))))
            if chance.random() < 0.1:
                self.wait(1, 400 * self.pace)
            if chance.random() < 0.01:
                self.rest("  at somewhere (file.js:1:2)")
        if chance.random() < 0.04:
            self.imitate()
        self.wait(0.5, 60 * self.pace)
        if chance.random() < 0.15:
            self.wait(100, 9000 * self.pace)

    def imitate(self) -> None:
        """Print something that a runner also prints."""
        chance = self.chance
        self.features.add("imitation")
        match chance.randrange(6):
            case 0:
                self.line("Post job cleanup.")
            case 1:
                self.line("Cleaning up orphan processes")
            case 2:
                self.line(f"##[group]Run {chance.choice(SCRIPTS)}")
                self.line("inside")
                self.line("##[endgroup]")
            case 3:
                self.line(f"##[group]Run {chance.choice(ACTIONS)}")
                self.line("##[endgroup]")
            case 4:
                self.line("##[group]Run the second half")
                self.line("never closed")
            case _:
                self.line("Prepare all required actions")
        self.line("after that")

    def script(self, script: str) -> None:
        self.line(f"##[group]Run {script}")
        for number in range(self.chance.randint(1, 4)):
            self.line(f"\x1b[36;1m{script if not number else 'more'}\x1b[0m")
        self.line("shell: /usr/bin/bash -e {0}")
        if self.chance.random() < 0.5:
            self.line("env:")
            self.line("  CI: true")
        self.line("##[endgroup]")
        self.hook()
        self.output()

    def action(self, action: str) -> None:
        self.line(f"##[group]Run {action}")
        if self.chance.random() < 0.8:
            self.line("with:")
            self.line("  token: ***")
            if self.chance.random() < 0.1:
                self.line("  script: first")
                self.rest("second")
                self.rest("")
        if self.chance.random() < 0.4:
            self.line("env:")
            self.line("  CI: true")
        self.line("##[endgroup]")

    def javascript(self, action: str) -> None:
        self.action(action)
        self.hook()
        if self.chance.random() < 0.2:
            self.line("##[command]/usr/bin/docker run --rm image")
        if self.chance.random() < 0.3:
            self.line("##[group]Getting Git version info")
            self.line("[command]/usr/bin/git version")
            self.line("##[endgroup]")
        self.output()

    def composite(self, action: str, nesting: int = 0) -> None:
        self.features.add("composite")
        if self.chance.random() < 0.4:
            self.line("Prepare all required actions")
            self.line("Getting action download info")
            self.wait(20, 600)
            if self.chance.random() < 0.5:
                self.line("Download action repository 'octo-org/x@v1' (SHA:0123456789)")
        self.action(action)
        for part in range(self.chance.randint(1, 6)):
            kind = self.chance.random()
            if self.parts:
                self.line(f"##[start-action display=Run it;id=x.{nesting}.{part}]")
            self.condition(self.chance.choice([*NAMES, "Run make"]), starts=False)
            if kind < 0.6:
                self.script(self.chance.choice(SCRIPTS))
            elif kind < 0.85 or nesting:
                self.javascript(self.chance.choice(ACTIONS))
            else:
                self.composite(self.chance.choice(COMPOSITES), nesting + 1)
            if self.parts:
                self.line(f"##[end-action id=x.{nesting}.{part};outcome=success]")
            self.wait(0.5, 8)


def at(ticks: int) -> datetime:
    return EPOCH + timedelta(seconds=ticks // TICKS)


class Maker:
    def __init__(self, seed: int, form: str = "plain") -> None:
        self.form = form
        self.chance = random.Random(seed)
        start = self.chance.randint(0, 10**6) * TICKS + self.chance.randint(0, TICKS)
        self.writer = Writer(self.chance, start)
        self.writer.pace = self.chance.choice([0.02, 0.1, 1.0, 4.0])
        self.steps: list[Step] = []
        self.number = 0
        self.failed = False

    def begin(self) -> tuple[int, int]:
        """A step begins; its first line follows after some milliseconds, seldom seconds."""
        self.writer.step = len(self.steps)
        begun = self.writer.now
        self.writer.wait(0.5, 15)
        if self.chance.random() < 0.02:
            self.writer.wait(100, 2500)
        return len(self.steps), begun

    def end(self, name: str, begun: int, conclusion: str = "success") -> None:
        if self.writer.debug and conclusion != "skipped" and self.writer.step is not None:
            self.writer.line(f"##[debug]Finishing: {name}")
        self.writer.wait(0.2, 10)
        start, stop = at(begun), at(self.writer.now)
        if self.chance.random() < 0.004:
            self.writer.features.add("inverted")
            stop = start - timedelta(seconds=self.chance.randint(1, 9))
        self.number += 1
        self.steps.append(
            Step(
                name=name,
                status="completed",
                conclusion=conclusion,
                number=self.number,
                started_at=start,
                completed_at=stop,
            )
        )
        self.writer.step = None
        self.writer.wait(0.1, 6)

    def own(self, name: str, *texts: str) -> None:
        _, begun = self.begin()
        self.writer.condition(name)
        for text in texts:
            if text == "hook":
                self.writer.hook()
            else:
                self.writer.line(text)
            self.writer.wait(0.1, 200 * self.writer.pace)
        self.end(name, begun)

    def main_step(self) -> str | None:
        """A step of the workflow's; gives its name if it has a post step."""
        chance, writer = self.chance, self.writer
        kind = chance.random()
        custom = chance.choice(NAMES) if chance.random() < 0.5 else None
        if chance.random() < 0.12 or (self.failed and chance.random() < 0.8):
            writer.features.add("skipped")
            name = custom or f"Run {chance.choice(SCRIPTS)}"
            writer.step = len(self.steps)
            writer.condition(name, true=False)
            self.end(name, writer.now, "skipped")
            return None
        _, begun = self.begin()
        conclusion = "success"
        post = False
        if chance.random() < 0.01:
            writer.features.add("silent")
            name = "Run true"
            writer.condition(custom or name)
        elif kind < 0.45:
            script = chance.choice(SCRIPTS)
            name = f"Run {script}"
            writer.condition(custom or name)
            writer.script(script)
            if chance.random() < 0.06:
                writer.line("##[error]Process completed with exit code 1.")
                conclusion, self.failed = "failure", True
        elif kind < 0.75:
            action = chance.choice(ACTIONS)
            name = f"Run {action}"
            writer.condition(custom or name)
            writer.javascript(action)
            post = chance.random() < 0.6
        elif kind < 0.8:
            name = "Run docker://alpine:3"
            writer.condition(custom or name)
            writer.action("docker://alpine:3")
            writer.line("##[command]/usr/bin/docker run --rm alpine:3")
            writer.output()
        else:
            action = chance.choice(COMPOSITES)
            name = f"Run {action}"
            writer.condition(custom or name)
            writer.composite(action)
            post = chance.random() < 0.3
        self.end(custom or name, begun, conclusion)
        return (custom or name) if post else None

    def parallel(self) -> None:
        """Steps that run at once, and the synthetic step around them."""
        chance, writer = self.chance, self.writer
        writer.features.add("parallel")
        begun = writer.now
        first = len(self.steps)
        count = chance.randint(2, 3)
        parts: list[list[tuple[int, str, int | None]]] = []
        latest = begun
        ends: list[int] = []
        names: list[str] = []
        for place in range(count):
            own = Writer(chance, begun, step=first + 1 + place, pace=writer.pace)
            script = chance.choice(SCRIPTS)
            names.append(f"Run {script}")
            own.wait(1, 20)
            own.script(script)
            own.wait(500, 4000)
            own.line("done")
            parts.append(own.lines)
            ends.append(own.now)
            latest = max(latest, own.now)
        stamped = [line for part in parts for line in part if line[0] >= 0]
        writer.lines += sorted(stamped, key=lambda line: line[0])
        writer.now = latest
        writer.wait(1, 5)
        self.end("Parallel group", begun)
        for name, end in zip(names, ends, strict=True):
            now, writer.now = writer.now, end
            self.end(name, begun)
            writer.now = now

    def make(self) -> Made:  # noqa: C901, PLR0912 -- a job has many parts
        chance = self.chance
        hosted = chance.random() < 0.9
        match self.form:
            case "debug":
                self.writer.debug = True
            case "hooks":
                self.writer.hooks = True
            case "parts":
                self.writer.parts = True
        self._set_up()
        if not hosted:
            self._hook("Set up runner", "started")
        containers = chance.random() < 0.1 or self.writer.hooks
        if self.writer.hooks:
            self.own("Initialize containers", "hook", "(node:7) a warning")
        elif containers:
            self.own(
                "Initialize containers",
                "##[group]Checking docker version",
                "##[command]/usr/bin/docker version",
                "##[endgroup]",
            )
        posts: list[str] = []
        for _ in range(chance.randint(1, 14)):
            if chance.random() < 0.01:
                self.parallel()
            elif name := self.main_step():
                posts.append(name)
        self.number += chance.choice([0, 0, 5, 14])
        for name in reversed(posts):
            self._post(name)
        if self.writer.hooks:
            self.own("Stop containers", "hook")
        elif containers:
            self.own("Stop containers", "Stop and remove container: 0a1b", "##[command]docker rm")
        if not hosted:
            self._hook("Complete runner", "completed")
        self._complete(hosted=hosted)
        return self._made()

    def _complete(self, *, hosted: bool) -> None:
        chance = self.chance
        _, begun = self.begin()
        if self.writer.debug:
            self.writer.line("##[debug]Starting: Complete job")
        self.writer.line("Cleaning up orphan processes")
        if chance.random() < 0.3:
            self.writer.line("Terminate orphan process: pid (4711) (node)")
        if not hosted:
            begun -= chance.randint(0, 3) * TICKS
        self.end("Complete job", begun)

    def _set_up(self) -> None:
        chance, writer = self.chance, self.writer
        if chance.random() < 0.1:
            now = writer.now
            writer.now -= chance.randint(2, 7200) * TICKS
            writer.line("##[section]Starting: Request a runner to run this job")
            writer.line("##[section]Finishing: Request a runner to run this job")
            writer.now = now
        _, begun = self.begin()
        if writer.debug:
            writer.line("##[debug]Starting: Set up job")
        for text in ("Current runner version: '2.336.0'", "##[group]Operating System", "Ubuntu"):
            writer.line(text)
        writer.line("##[endgroup]")
        writer.line("Prepare workflow directory")
        writer.wait(50, 900)
        writer.line("Prepare all required actions")
        if chance.random() < 0.8:
            writer.line("Getting action download info")
            writer.wait(50, 900)
            writer.line("Download action repository 'actions/checkout@v4' (SHA:0123456789)")
        if chance.random() < 0.8:
            writer.line("Complete job name: build")
        self.end("Set up job", begun)

    def _hook(self, name: str, when: str) -> None:
        _, begun = self.begin()
        self.writer.condition(name)
        self.writer.line(
            f"A job {when} hook has been configured by the self-hosted runner administrator"
        )
        self.writer.script("'/home/runner/hook.sh'")
        self.end(name, begun)

    def _post(self, name: str) -> None:
        writer = self.writer
        _, begun = self.begin()
        writer.condition(f"Post {name}")
        writer.line("Post job cleanup.")
        writer.hook()
        if "./" in name or "octo" in name:
            for _ in range(self.chance.randint(0, 2)):
                writer.line("Post job cleanup.")
                writer.hook()
                writer.output()
        else:
            writer.output()
        self.end(f"Post {name}", begun)

    def _made(self) -> Made:
        writer, steps = self.writer, self.steps
        if self.chance.random() < 0.01:
            writer.features.add("expired")
            steps = []
        truth = [step if steps else None for _, _, step in writer.lines]
        log = b"".join(
            (
                text if ticks < 0 else f"{at(ticks):%Y-%m-%dT%H:%M:%S}.{ticks % TICKS:07}Z {text}"
            ).encode()
            + b"\n"
            for ticks, text, _ in writer.lines
        )
        return Made(make_job(tuple(steps), failed=self.failed), log, truth, writer.features)


def make_job(steps: tuple[Step, ...] = (), *, failed: bool = False) -> Job:
    return Job(
        id=1,
        run_id=1,
        run_url="https://api.github.com/repos/octo-org/octo-repo/actions/runs/1",
        node_id="x",
        head_sha="0" * 40,
        url="https://api.github.com/repos/octo-org/octo-repo/actions/jobs/1",
        status="completed",
        conclusion="failure" if failed else "success",
        name="build",
        steps=steps,
        check_run_url="https://api.github.com/repos/octo-org/octo-repo/check-runs/1",
    )
