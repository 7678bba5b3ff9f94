"""A file is written completely or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from async_tools import names_in

from ghjobs_async.atomic_file import WholeFile


def test_the_file_appears_at_the_end(tmp_path: Path) -> None:
    """While the new file is written, the old one is still in its place."""
    path = tmp_path / "log.txt"
    path.write_bytes(b"old")
    with WholeFile(path) as file:
        file.write(b"new, ")
        assert path.read_bytes() == b"old"
        file.write(b"whole")
    assert path.read_bytes() == b"new, whole"
    assert names_in(tmp_path) == ["log.txt"]


def test_a_file_can_be_started_over(tmp_path: Path) -> None:
    """Nothing that was written before is left, even where less is written after."""
    path = tmp_path / "log.txt"
    with WholeFile(path) as file:
        file.write(b"a long beginning")
        file.clear()
        file.write(b"short")
    assert path.read_bytes() == b"short"


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    """After an error the old file and the folder are unchanged."""
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


def test_a_path_that_becomes_a_folder(tmp_path: Path) -> None:
    """Where the file cannot be put in its place at the end, no temporary file is left."""
    path = tmp_path / "log.txt"

    def write() -> None:
        with WholeFile(path) as file:
            file.write(b"data")
            path.mkdir()

    with pytest.raises(OSError, match=r"log\.txt"):
        write()
    assert names_in(tmp_path) == ["log.txt"]


@pytest.mark.parametrize("where", ["io.FileIO", "os.replace"])
def test_an_interrupt_at_the_end_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Ctrl-C while the file is closed or replaced: the old one stays, and nothing else."""
    path = tmp_path / "saved.log"
    path.write_bytes(b"old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    class Interrupted(io.FileIO):
        def close(self) -> None:
            if not self.closed:
                super().close()
                interrupt()

    monkeypatch.setattr(where, interrupt if where == "os.replace" else Interrupted)
    with pytest.raises(KeyboardInterrupt), WholeFile(path) as file:
        file.write(b"new")
    assert names_in(tmp_path) == ["saved.log"]
    assert path.read_bytes() == b"old"


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a raw file takes only a part at once, the rest is written after it."""

    class Slow(io.FileIO):
        def write(self, data: bytes | memoryview, /) -> int:  # type: ignore[override]
            return super().write(bytes(data[:3]))

    monkeypatch.setattr("ghjobs_async.atomic_file.io.FileIO", Slow)
    path = tmp_path / "log.txt"
    with WholeFile(path) as file:
        file.write(b"0123456789")
    assert path.read_bytes() == b"0123456789"


def test_an_empty_path_and_a_name_too_long(tmp_path: Path) -> None:
    """The error shows the path that the user gave, not the temporary one."""
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
    """A pipe or a device is never replaced by a log."""
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
def test_a_wrong_path_is_found_on_entering(
    tmp_path: Path, place: str, error: type[OSError], named: str
) -> None:
    """The error comes before anything is written, and names the path that the user gave."""
    (tmp_path / "file").touch()
    with pytest.raises(error) as caught:
        WholeFile(tmp_path / place).__enter__()
    assert caught.value.filename == str(tmp_path / named)
    assert names_in(tmp_path) == ["file"]
