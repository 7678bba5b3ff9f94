"""What every test stands on: its own time, its own GitHub, nothing left behind, nothing sent out."""

from __future__ import annotations

import gc
import inspect
import os
import socket
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import aioresponses.core
import pytest
from async_tools import FakeClock, MakeClient, settled
from browser import PICTURES
from browser import chromium as chromium  # noqa: PLC0414 -- a fixture

from ghjobs_async import GHJobsError, GitHubJobs
from ghjobs_async.testing import FakeGitHub

LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0", None, "", b"127.0.0.1"}
SECRETS = ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
PLACES = ("GH_HOST", "GITHUB_API_URL", "SSL_CERT_FILE", "SSL_CERT_DIR")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY")

# Real storages need more than Python: `nox -s storage` installs them and sets the variable.
collect_ignore = [] if "AZURITE" in os.environ else ["storage"]


# aioresponses 0.7.9 knows nothing of the argument `stream_writer` of aiohttp 3.14, so it builds no
# response. https://github.com/pnuckowski/aioresponses/issues/289
# To be removed once a release of aioresponses passes it.
class MockedResponse(aiohttp.ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", SimpleNamespace(output_size=0))
        super().__init__(*args, **kwargs)


aioresponses.core.ClientResponse = MockedResponse  # type: ignore[attr-defined]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the pictures are of the pages that a browser has shown."""
    if pictures := [*PICTURES.glob("*.png")]:
        terminalreporter.write_line(f"{len(pictures)} pictures of pages are in {PICTURES}")


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def github(time: FakeClock) -> AsyncIterator[FakeGitHub]:
    """A fake GitHub in the test's own loop, and on the test's own time."""
    async with FakeGitHub(clock=time.now) as fake:
        yield fake


@pytest.fixture
async def client(github: FakeGitHub, time: FakeClock) -> AsyncIterator[MakeClient]:
    """Make clients of that GitHub; all are closed at the end."""
    made: list[GitHubJobs] = []

    def make(auth: Any = "ghp_secret", **options: Any) -> GitHubJobs:
        options = {"base_url": github.base_url, "clock": time.clock, **options}
        made.append(GitHubJobs(auth, **options))
        return made[-1]

    yield make
    for gh in made:
        await gh.aclose()


@pytest.fixture
async def gh(client: MakeClient) -> GitHubJobs:
    return client()


# Nothing leaves loopback.


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Refuse every name and address but this machine's own."""
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in LOOPBACK:
            raise AssertionError(f"a test wanted to connect to {address!r}")
        connect(self, address)

    def guarded_resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in LOOPBACK:
            raise socket.gaierror(socket.EAI_NONAME, f"a test wanted to find {host!r}")
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket, "getaddrinfo", guarded_resolve)
        yield


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither tokens nor hosts nor proxies of whoever runs the tests."""
    for name in (*SECRETS, *PLACES, *PROXIES):
        for spelling in (name, name.lower()):
            if spelling in os.environ:
                monkeypatch.delenv(spelling)


# Every chain of errors ends.


@pytest.fixture(autouse=True)
def _chains_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Walk the causes of every error that the test raises: none is its own cause."""
    raised: list[GHJobsError] = []

    def noted(self: GHJobsError, *args: object) -> None:
        Exception.__init__(self, *args)
        raised.append(self)

    monkeypatch.setattr(GHJobsError, "__init__", noted)
    yield
    for error in raised:
        seen: list[BaseException] = []
        one: BaseException | None = error
        while one is not None:
            assert not any(one is before for before in seen), f"its own cause: {one!r}"
            seen.append(one)
            one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


# Nothing is left behind.

_opened: weakref.WeakSet[Any] = weakref.WeakSet()


def _noted(cls: Any) -> Callable[..., None]:
    init = cls.__init__

    def noted(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        _opened.add(self)

    return noted


@pytest.fixture(autouse=True, scope="session")
def _note_what_is_opened() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for cls in (aiohttp.ClientSession, aiohttp.TCPConnector):
            patch.setattr(cls, "__init__", _noted(cls))
        yield


@pytest.fixture
async def leaks(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """
    After each async test there is no task, session, connector or temporary file left, and the
    garbage collector is on.
    """
    _opened.clear()
    yield
    assert await settled() == set()
    assert gc.isenabled()
    assert [one for one in _opened if not one.closed] == []
    folder = request.node.funcargs.get("tmp_path")
    if isinstance(folder, Path):
        assert list(folder.rglob("*.part")) == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            # First in, last out: it looks when all other fixtures are gone.
            item.fixturenames.insert(0, "leaks")
