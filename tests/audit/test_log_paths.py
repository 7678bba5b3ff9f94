"""Paths of logs that are made from untrusted names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghjobs_async.audit.collect.log_paths import folder_of, safe

FORBIDDEN = set('<>:"/\\|?*')


@given(st.text())
def test_any_name_is_safe(name: str) -> None:
    """No separator, no device, no control, no more bytes than a file system takes."""
    text = safe(name)
    assert not FORBIDDEN & set(text)
    assert all(c.isprintable() or c == "\u200d" for c in text)
    assert len(text.encode()) <= 80
    assert not text.endswith((".", " "))
    assert text not in {".", ".."}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("build / linux", "build-linux"),
        ("../../etc/passwd", "etc-passwd"),
        ("build: x86", "build-x86"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("caf\u00e9 \U0001f680", "caf\u00e9-\U0001f680"),
        ("", ""),
        ("..", ""),
    ],
)
def test_names_stay_readable(name: str, file: str) -> None:
    """What can stay stays."""
    assert safe(name) == file


def test_an_emoji_is_never_cut_in_half() -> None:
    """A name is cut after a whole character, also where one has several code points."""
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    for blanks in range(60, 80):
        cut = safe("x" * blanks + family)
        assert cut.lstrip("x") in {"", family}
    assert not safe("x" * 79 + "e\u0301\u0323").endswith("e")


@pytest.mark.parametrize(
    ("repo", "folder"),
    [
        ("Octo-Org/Octo.Repo", "octo-org--octo.repo"),
        ("con/aux", "con--aux"),
        ("nul./x", "_nul.--x"),
        ("o/r.", "o--r"),
    ],
)
def test_a_repository_is_a_folder(repo: str, folder: str) -> None:
    """No device of Windows, no dot at the end, one case."""
    assert folder_of(repo) == folder
