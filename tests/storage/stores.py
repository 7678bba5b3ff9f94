"""The stores that keep logs: Azure Blob as Azurite has it, and S3 as moto has it."""

from __future__ import annotations

import base64
import gzip
import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import boto3
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import (
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContentSettings,
    generate_blob_sas,
)
from botocore.config import Config
from moto.server import ThreadedMotoServer

BUCKET = "logs"
ACCOUNT = "ghjobs"
KEY = base64.b64encode(bytes(64)).decode()
# Azurite ends with its standard input, so it ends however the tests end.
RUN_AZURITE = "process.stdin.on('end', () => process.exit()).resume(); require(process.argv[1])"
S3_EXPIRED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


class Store(Protocol):
    """
    A store of blobs, each under a name.

    Attributes:
        expired: The lifetime of a link that has expired when it is signed.
    """

    name: str
    expired: int
    port: int

    def put(self, name: str, data: bytes, *, packed: bool = False) -> None:
        """Write a blob, or replace it."""

    def delete(self, name: str) -> None:
        """Delete a blob, if there is one."""

    def link(self, name: str, root: str, seconds: int) -> str:
        """Sign a link below *root* that ends so many seconds from now."""

    def refusal(self, target: str) -> bytes:
        """Return the body of a 403 for what the emulator should refuse, but does not."""


class Azurite:
    """Microsoft's emulator of Azure Blob Storage, in a process of its own."""

    name = "azurite"
    expired = -5

    def __init__(self, port: int, container: ContainerClient) -> None:
        self.port = port
        self._container = container

    def put(self, name: str, data: bytes, *, packed: bool = False) -> None:
        settings = ContentSettings(content_encoding="gzip" if packed else None)
        data = gzip.compress(data) if packed else data
        self._container.upload_blob(name, data, overwrite=True, content_settings=settings)

    def delete(self, name: str) -> None:
        with suppress(ResourceNotFoundError):
            self._container.delete_blob(name)

    def link(self, name: str, root: str, seconds: int) -> str:
        now = datetime.now(UTC)
        signature = generate_blob_sas(
            ACCOUNT,
            BUCKET,
            name,
            account_key=KEY,
            permission=BlobSasPermissions(read=True),
            start=now - timedelta(hours=1),
            expiry=now + timedelta(seconds=seconds),
        )
        return f"{root}/{ACCOUNT}/{BUCKET}/{name}?{signature}"

    def refusal(self, target: str) -> bytes:
        return b""


@contextmanager
def azurite() -> Iterator[Azurite]:
    """Run Azurite: in memory, and without telemetry."""
    options = ["--blobPort", "0", "--inMemoryPersistence", "--silent", "--disableTelemetry"]
    # The SDK is often newer than the emulator.
    options.append("--skipApiVersionCheck")
    with subprocess.Popen(
        ["node", "-e", RUN_AZURITE, "--", os.environ["AZURITE"], *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
    ) as process:
        try:
            assert process.stdout
            said = iter(process.stdout.readline, "")
            port = next(line.rpartition(":")[2] for line in said if "successfully listens" in line)
            root = f"http://127.0.0.1:{int(port)}/{ACCOUNT}"
            credential = {"account_name": ACCOUNT, "account_key": KEY}
            with BlobServiceClient(root, credential=credential) as service:
                yield Azurite(int(port), service.create_container(BUCKET))
        finally:
            process.kill()


class S3:
    """Moto's S3 server, in a thread. It looks at no signature and at no expiry."""

    name = "s3"
    expired = 0

    def __init__(self, port: int) -> None:
        self.port = port
        self._session = boto3.Session("testing", "testing", region_name="us-east-1")
        self._client = self._client_of(f"http://127.0.0.1:{port}")
        self._client.create_bucket(Bucket=BUCKET)

    def _client_of(self, root: str) -> Any:
        config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
        return self._session.client("s3", endpoint_url=root, config=config)

    def put(self, name: str, data: bytes, *, packed: bool = False) -> None:
        encoding = {"ContentEncoding": "gzip"} if packed else {}
        data = gzip.compress(data) if packed else data
        self._client.put_object(Bucket=BUCKET, Key=name, Body=data, **encoding)

    def delete(self, name: str) -> None:
        self._client.delete_object(Bucket=BUCKET, Key=name)

    def link(self, name: str, root: str, seconds: int) -> str:
        with closing(self._client_of(root)) as client:
            link: str = client.generate_presigned_url(
                "get_object", Params={"Bucket": BUCKET, "Key": name}, ExpiresIn=seconds
            )
        return link

    def refusal(self, target: str) -> bytes:
        query = parse_qs(urlsplit(target).query)
        begun = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z")
        expired = begun + timedelta(seconds=int(query["X-Amz-Expires"][0])) < datetime.now(UTC)
        return S3_EXPIRED if expired else b""

    def close(self) -> None:
        self._client.close()


@contextmanager
def s3() -> Iterator[S3]:
    """Run moto's S3 server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        with closing(S3(server.get_host_and_port()[1])) as store:
            yield store
    finally:
        server.stop()
