"""A file that is there whole, or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from async_tools import names_in

from ghjobs_async.atomic_file import WholeFile


def test_it_is_there_at_the_end_only(tmp_path: Path) -> None:
    """While it is written, what stood there before is still there."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"old")
    with WholeFile(path) as file:
        file.write(b"new, ")
        assert path.read_bytes() == b"old"
        file.write(b"whole")
    assert path.read_bytes() == b"new, whole"
    assert names_in(tmp_path) == ["log.txt"]


def test_it_may_begin_anew(tmp_path: Path) -> None:
    """What was written before is gone, also where less comes after."""
    path = tmp_path / "log.txt"
    with WholeFile(path) as file:
        file.write(b"a long beginning")
        file.clear()
        file.write(b"short")
    assert path.read_bytes() == b"short"


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    """Neither the old file nor the folder shows that anything was tried."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"old")

    def fail() -> None:
        with WholeFile(path) as file:
            file.write(b"half")
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        fail()
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["log.txt"]


def test_a_place_taken_meanwhile(tmp_path: Path) -> None:
    """Where the file cannot take its place at the end, nothing is left beside."""
    path = tmp_path / "log.txt"

    def write() -> None:
        with WholeFile(path) as file:
            file.write(b"data")
            path.mkdir()

    with pytest.raises(OSError, match=r"log\.txt"):
        write()
    assert names_in(tmp_path) == ["log.txt"]


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A raw file may take less than all at once: the rest follows."""

    class Slow(io.FileIO):
        def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
            return super().write(bytes(data[:3]))

    monkeypatch.setattr("ghjobs_async.atomic_file.io.FileIO", Slow)
    path = tmp_path / "log.txt"
    with WholeFile(path) as file:
        file.write(b"0123456789")
    assert path.read_bytes() == b"0123456789"


def test_an_empty_path_and_a_name_too_long(tmp_path: Path) -> None:
    """Neither is a file; the name that is told is the user's own."""
    with pytest.raises(IsADirectoryError):
        WholeFile("").__enter__()
    path = tmp_path / ("x" * 300)

    def write() -> None:
        with WholeFile(path) as file:
            file.write(b"data")

    with pytest.raises(OSError, match=r"x{300}") as caught:
        write()
    assert ".part" not in str(caught.value)
    assert names_in(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
def test_only_a_file_is_replaced(tmp_path: Path) -> None:
    """Neither a pipe nor a device makes room for a log."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="Not a regular file"):
        WholeFile(pipe).__enter__()
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("place", "error", "named"),
    [
        ("", IsADirectoryError, ""),
        ("missing/log.txt", FileNotFoundError, "missing"),
        ("file/log.txt", NotADirectoryError, "file"),
    ],
)
def test_a_wrong_place_is_told_at_once(
    tmp_path: Path, place: str, error: type[OSError], named: str
) -> None:
    """Before anything is written, and by the name that the user knows."""
    (tmp_path / "file").touch()
    with pytest.raises(error) as caught:
        WholeFile(tmp_path / place).__enter__()
    assert caught.value.filename == str(tmp_path / named)
    assert names_in(tmp_path) == ["file"]
