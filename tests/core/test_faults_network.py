"""Servers that fail, connections that break, answers that are no answers."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from async_tools import FakeClock, MakeClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ghjobs_async import (
    ConfigurationError,
    GHJobsError,
    NotFoundError,
    RequestTimeoutError,
    ResponseError,
    ServerError,
    TransportError,
    Wait,
)
from ghjobs_async.testing import FakeGitHub, Fault, faults
from ghjobs_async.transport.session import DEFAULT_TIMEOUT

REPO = "octo-org/octo-repo"
PASSING = {
    "500": faults.status(500),
    "502": faults.bad_gateway(),
    "503": faults.status(503),
    "plain 500": faults.status(500, b"oops"),
    "reset": faults.reset(),
    "disconnect": faults.disconnect(),
    "html": faults.html(),
    "truncated": faults.truncated_json(),
    "broken": faults.break_body(20),
    "lying": faults.lying_length(50),
}
QUICK = aiohttp.ClientTimeout(total=0.15)


@pytest.mark.parametrize("name", PASSING)
async def test_what_may_pass_is_tried_again(
    github: FakeGitHub, client: MakeClient, time: FakeClock, name: str
) -> None:
    """Failures that pass are never seen: the answer comes, after growing waits.

    A peer took a plain 500 and a 502 page of HTML for a success.
    """
    job = github.add_run(REPO).jobs[0]
    rule = github.fail("job", PASSING[name], times=3)
    waits: list[Wait] = []
    found = await client(on_wait=waits.append).get_job(REPO, job.id)
    assert found.id == job.id
    assert rule.hits == 3
    # A connection that ends without an answer is opened once more by aiohttp itself.
    expected = [0.25] if name in {"reset", "disconnect"} else [0.25, 0.5, 1.0]
    assert [wait.seconds for wait in waits] == time.sleeps == expected


@pytest.mark.parametrize("name", PASSING)
async def test_what_stays_is_one_typed_error(
    github: FakeGitHub, client: MakeClient, name: str
) -> None:
    """After as many tries as allowed: one error of ours with method and URL; its cause is chained."""
    job = github.add_run(REPO).jobs[0]
    rule = github.fail("job", PASSING[name], times=None)
    with pytest.raises((TransportError, ServerError)) as caught:
        await client(retries=2).get_job(REPO, job.id)
    error = caught.value
    assert isinstance(error, (TransportError, ServerError))
    assert rule.hits == (6 if name in {"reset", "disconnect"} else 3)
    assert error.method == "GET"
    assert error.url == f"{github.base_url}/repos/{REPO}/actions/jobs/{job.id}"
    assert error.url in str(error)
    assert isinstance(error, ServerError) or error.__cause__ is not None


@pytest.mark.parametrize("name", ["500", "502", "truncated", "broken"])
async def test_the_request_id_is_kept(github: FakeGitHub, client: MakeClient, name: str) -> None:
    """GitHub's id of the request stands in the error, to be named in a ticket."""
    job = github.add_run(REPO).jobs[0]
    github.fail("job", PASSING[name], times=None)
    with pytest.raises((TransportError, ServerError)) as caught:
        await client(retries=0).get_job(REPO, job.id)
    assert isinstance(caught.value, (TransportError, ServerError))
    assert (caught.value.request_id or "").startswith("C0DE:")


@pytest.mark.parametrize("status", [400, 401, 404, 410, 418, 422])
async def test_what_will_not_pass_is_not_tried_again(
    github: FakeGitHub, client: MakeClient, time: FakeClock, status: int
) -> None:
    """A 4xx is the answer."""
    job = github.add_run(REPO).jobs[0]
    rule = github.fail("job", faults.status(status), times=None)
    with pytest.raises(ResponseError) as caught:
        await client().get_job(REPO, job.id)
    assert caught.value.status == status
    assert (rule.hits, time.sleeps) == (1, [])


async def test_the_server_s_word_comes_first(
    github: FakeGitHub, client: MakeClient, time: FakeClock
) -> None:
    """A 503 with Retry-After is asked again then, not sooner; beyond `max_wait` not at all."""
    job = github.add_run(REPO).jobs[0]
    github.fail("job", faults.status(503, None, {"Retry-After": "30"}), times=1)
    await client().get_job(REPO, job.id)
    assert time.sleeps == [30.0]
    github.fail("job", faults.status(503, None, {"Retry-After": "7200"}), times=1)
    with pytest.raises(ServerError) as caught:
        await client().get_job(REPO, job.id)
    assert caught.value.retry_after == 7200.0


@pytest.mark.parametrize(
    "fault", [faults.stall_headers(), faults.stall_body(10)], ids=["headers", "body"]
)
async def test_a_stall_ends(github: FakeGitHub, client: MakeClient, fault: Fault) -> None:
    """A timeout covers the headers and the body; the next try may do.

    Peers have no timeout by default, or one that ends with the headers.
    """
    job = github.add_run(REPO).jobs[0]
    github.fail("job", fault, times=1)
    gh = client(timeout=QUICK)
    assert (await gh.get_job(REPO, job.id)).id == job.id
    github.fail("job", fault, times=None)
    with pytest.raises(RequestTimeoutError, match="no answer in time") as caught:
        await client(timeout=QUICK, retries=0).get_job(REPO, job.id)
    assert isinstance(caught.value, TransportError)
    assert not isinstance(caught.value, TimeoutError)


def test_timeouts_are_there_by_default() -> None:
    """To connect, between two reads, and in all."""
    assert DEFAULT_TIMEOUT.total
    assert DEFAULT_TIMEOUT.sock_connect
    assert DEFAULT_TIMEOUT.sock_read


@pytest.mark.parametrize("fault", [faults.gzip_bomb(), faults.huge_answer()], ids=["gzip", "plain"])
async def test_endless_answers_are_cut(
    github: FakeGitHub, client: MakeClient, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """A small body that unpacks to gigabytes, or a large one, is one error and no memory.

    It would be as large again: it is asked for once.
    """
    monkeypatch.setattr("ghjobs_async.transport.body.MAX_ANSWER", 4 * 2**20)
    monkeypatch.setattr("ghjobs_async.wire.messages.MAX_ANSWER", 4 * 2**20)
    job = github.add_run(REPO).jobs[0]
    rule = github.fail("job", fault, times=None)
    with pytest.raises(TransportError, match="larger than 4 MB"):
        await client().get_job(REPO, job.id)
    assert rule.hits == 1


async def test_a_refused_connection_is_tried_again(client: MakeClient, time: FakeClock) -> None:
    """Nobody listens: said in one line, after growing waits."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(TransportError) as caught:
        await client(base_url=f"http://127.0.0.1:{port}/api/v3").get_job(REPO, 1)
    assert isinstance(caught.value.__cause__, OSError)
    assert len(time.sleeps) == 5


async def test_a_name_that_is_not_found(client: MakeClient) -> None:
    """DNS that fails is an error of ours."""
    with pytest.raises(TransportError) as caught:
        await client(base_url="http://ghe.invalid/api/v3", retries=1).get_job(REPO, 1)
    assert "ghe.invalid" in str(caught.value)


async def test_tls_to_a_plain_server(github: FakeGitHub, client: MakeClient) -> None:
    """A failing handshake is an error of ours."""
    url = github.base_url.replace("http://", "https://")
    with pytest.raises(TransportError):
        await client(base_url=url, retries=0).get_job(REPO, 1)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    paths = folder / "ca.pem", folder / "key.pem"
    paths[0].write_bytes(built.public_bytes(pem))
    paths[1].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


@pytest.mark.parametrize("known", [False, True])
async def test_a_private_ca(
    tmp_path: Path, client: MakeClient, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """An unknown CA is refused without retries, with the way out; SSL_CERT_FILE is that way."""
    ca, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, key)

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.json_response({"message": "Not Found"}, status=404)

    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    gh = client(base_url=f"https://127.0.0.1:{runner.addresses[0][1]}/api/v3")
    expected: type[GHJobsError] = NotFoundError if known else TransportError
    with pytest.raises(expected) as caught:
        await gh.get_job(REPO, 1)
    if not known:
        assert "SSL_CERT_FILE" in str(caught.value)
    await gh.aclose()
    await asyncio.sleep(0)
    await runner.cleanup()


async def test_a_missing_ca_file_is_named(
    github: FakeGitHub, client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE that names no file is said, not passed over."""
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file.pem")
    url = github.base_url.replace("http://", "https://")
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        await client(base_url=url).get_job(REPO, 1)


async def test_an_unknown_api_version_names_the_way_out(
    github: FakeGitHub, client: MakeClient
) -> None:
    """An older server refuses the header; None sends none, and all is well."""
    job = github.add_run(REPO).jobs[0]
    with pytest.raises(ResponseError, match="api_version"):
        await client(api_version="2099-01-01").get_job(REPO, job.id)
    github.clear_requests()
    assert (await client(api_version=None).get_job(REPO, job.id)).id == job.id
    assert "x-github-api-version" not in github.requests[0].headers
