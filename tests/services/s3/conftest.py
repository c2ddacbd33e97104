"""Requests as botocore makes them, caught before they reach a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from durable_replay.answer import Answer, Recall
from durable_replay.engine import Engine
from durable_replay.front.server import start_in_thread
from durable_replay.front.settings import Settings
from durable_replay.front.tls import Authority
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.testing import engine_over
from durable_s3 import service

ACCESS_KEY, SECRET = "AKIDEXAMPLE", "a secret of the tests"

Capture = Callable[..., Request]


def as_request(method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Request:
    """A request value from what a client would put on the wire."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields = Headers((headers or {}).items())
    if "host" not in fields:
        fields = fields.with_(("Host", parts.netloc))
    scheme: Literal["https", "http"] = "https" if parts.scheme == "https" else "http"
    port = parts.port or (443 if scheme == "https" else 80)
    return Request(method, scheme, parts.hostname or "", port, target, fields, BytesBody(body))


def s3_client(scheme: str = "http", signature: str = "s3v4") -> Any:
    """A boto3 client that knows only a loopback endpoint nobody listens at."""
    config = Config(signature_version=signature, s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return boto3.client(
        "s3",
        endpoint_url=f"{scheme}://localhost:9",
        region_name="eu-west-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET,
        config=config,
    )


def _content(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    return bytes(body.read())


@pytest.fixture(scope="session")
def capture() -> Capture:
    """`capture("put_object", Bucket=…)` gives the request that boto3 would send."""

    def call(operation: str, scheme: str = "http", signature: str = "s3v4", /, **arguments: Any) -> Request:
        caught: list[Request] = []

        def keep(request: AWSPreparedRequest, **_: object) -> AWSResponse:
            headers = {
                name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
                for name, value in request.headers.items()
            }
            caught.append(as_request(request.method, request.url, headers, _content(request.body)))
            return AWSResponse(request.url, 200, HTTPHeaders(), _Nothing())

        client = s3_client(scheme, signature)
        client.meta.events.register("before-send.s3", keep)
        getattr(client, operation)(**arguments)
        return caught[0]

    return call


@pytest.fixture(scope="session")
def presign() -> Callable[..., Request]:
    """`presign("get_object", Bucket=…)` gives the request of a presigned URL."""

    def make(operation: str, signature: str = "s3v4", expires: int = 3600, /, **arguments: Any) -> Request:
        url = s3_client("http", signature).generate_presigned_url(operation, Params=arguments, ExpiresIn=expires)
        return as_request("GET" if operation.startswith("get") else "PUT", url)

    return make


@pytest.fixture(scope="session")
def access_key() -> str:
    return ACCESS_KEY


@pytest.fixture(scope="session")
def secret() -> str:
    return SECRET


class _Nothing:
    def stream(self, **_: object) -> list[bytes]:
        return []

    def read(self) -> bytes:
        return b""


class Recorder:
    """An engine whose answers become a tape."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.tape: list[Interaction] = []

    def recall(self, session: str, request: Request) -> Recall | None:
        """Nothing is quick here."""
        return None

    def answer(self, session: str, request: Request) -> Answer:
        """The engine's answer, kept."""
        body = BytesBody(b"".join(request.body.chunks()))
        answer = self.engine.answer(session, request)
        kept = Response(
            answer.response.status,
            answer.response.headers,
            BytesBody(b"".join(answer.response.body.chunks())),
            answer.response.reason,
        )
        self.tape.append(Interaction(replace(request, body=body), kept, started=1_769_000_000.0 + len(self.tape)))
        return answer


@pytest.fixture
def recorder() -> Recorder:
    """An emulator without a tape, whose answers are kept as one."""
    return Recorder(engine_over(service, clock="2026-01-21T12:53:20+00:00"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.load_or_create(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def connect(authority: Authority) -> Iterator[Callable[..., Any]]:
    """`connect(engine)`: a boto3 client of a front over it; keywords go to botocore's Config."""
    with ExitStack() as open_:

        def make(engine: Any, *, region: str = "us-east-1", **settings: Any) -> Any:
            server = open_.enter_context(start_in_thread(engine, Settings(fixed_host="s3.amazonaws.com"), authority))
            config = Config(retries={"total_max_attempts": 1}, **{"s3": {"addressing_style": "path"}, **settings})
            client = boto3.client(
                "s3",
                endpoint_url=server.url,
                region_name=region,
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key=SECRET,
                config=config,
            )
            open_.callback(client.close)
            return client

        yield make
