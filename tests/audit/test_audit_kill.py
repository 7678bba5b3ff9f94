"""Audits that are killed; `nox -s kill` kills a thousand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
def test_a_killed_audit_is_continued() -> None:
    """Killed at any moment, even while its file is made or upgraded, an audit loses nothing."""
    script = Path(__file__).with_name("kill.py")
    command = [sys.executable, str(script), "--kills", "40", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr + done.stdout
    assert json.loads(done.stdout)["kills"] >= 40
