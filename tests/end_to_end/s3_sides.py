"""One boto3 client, and what it saw on the wire: so that two implementations of S3 can be held against each other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from durable_replay.http import BytesBody, Headers, Interaction, Request, Response

__all__ = ["NOTHING_SENT", "Op", "Ref", "Seen", "Side"]


@dataclass(frozen=True)
class Ref:
    """An argument that only the server can name (the n-th upload, the token of the last page…), or many bytes."""

    what: str
    number: int = 0


@dataclass(frozen=True)
class Op:
    """A call of a boto3 client's method. `PRESIGNED` as a suffix of the method makes a URL and uses that."""

    method: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={_short(value)}" for name, value in self.arguments.items())
        return f"{self.method}({given})"


def _short(value: object) -> str:
    return f"{len(value):,} bytes" if isinstance(value, bytes) and len(value) > 40 else repr(value)


@dataclass(frozen=True)
class Seen:
    """An exchange as it was on the wire."""

    request: Request
    response: Response
    started: float = 0.0

    def interaction(self) -> Interaction:
        """As a recorder would have it."""
        return Interaction(self.request, self.response, started=self.started, duration=0.001)


NOTHING_SENT = Seen(Request("NONE", "http", "", 0, ""), Response(0))
"""For an operation that botocore itself refused to send, or that had nothing to refer to."""


class _Raw(BytesIO):
    """What botocore reads a response's body from."""

    def stream(self, amt: int = 65536, **_: object) -> Iterator[bytes]:
        while data := self.read(amt):
            yield data


class _Wire:
    """botocore's own HTTP session, listened to."""

    def __init__(self, proxy: str | None = None) -> None:
        self._session = URLLib3Session(proxies={"http": proxy} if proxy else None, timeout=30)
        self.last = NOTHING_SENT

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        started = time.time()
        sent = _request(request)
        answer = self._session.send(request)
        content, fields = answer.content, [*answer.raw.headers.items()]
        response = Response(answer.status_code, Headers(fields), BytesBody(content), answer.raw.reason or "")
        self.last = Seen(sent, response, started)
        return AWSResponse(answer.url, answer.status_code, answer.headers, _Raw(content))  # type: ignore[arg-type]

    def close(self) -> None:
        self._session.close()


def _request(prepared: AWSPreparedRequest) -> Request:
    parts = urlsplit(prepared.url)
    content = _content(prepared.body)
    fields = [(name, _text(value)) for name, value in prepared.headers.items()]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = Headers([("Host", parts.netloc), *fields])
    return Request(prepared.method, "http", parts.hostname or "", parts.port or 80, target, headers, BytesBody(content))


def _content(body: Any) -> bytes:
    if not hasattr(body, "read"):
        return body.encode() if isinstance(body, str) else bytes(body or b"")
    content: bytes = body.read()
    body.seek(0)
    return content


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class Side:
    """An implementation of S3, by boto3; remembers what later calls refer to."""

    def __init__(self, endpoint: str) -> None:
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, signature_version="s3v4"),
        )
        self._wire = _Wire()
        self.begin()

    def begin(self, proxy: str | None = None) -> None:
        """Forgets; from here on requests go through this proxy."""
        self._wire.close()
        self._wire = _Wire(proxy)
        self.client._endpoint.http_session = self._wire
        self.uploads: list[tuple[str, str, str]] = []
        self.parts: dict[str, dict[int, str]] = {}
        self.token: str | None = None
        self.source = ""

    def close(self) -> None:
        self._wire.close()
        self.client.close()

    def run(self, op: Op) -> Seen:
        """Does it; gives what was on the wire."""
        self._wire.last = NOTHING_SENT
        arguments = {name: self._resolved(value, op) for name, value in op.arguments.items()}
        if None in arguments.values():
            return NOTHING_SENT
        if isinstance(ref := op.arguments.get("UploadId"), Ref):  # an upload's id goes with its bucket and key
            arguments["Bucket"], arguments["Key"], _ = self._upload(ref)
        if op.method.endswith("_PRESIGNED"):
            return self._presigned(op.method.removesuffix("_PRESIGNED"), arguments)
        try:
            said = getattr(self.client, op.method)(**arguments)
        except ClientError:
            said = {}
        self._remember(op, arguments, said)
        return self._wire.last

    def _upload(self, ref: Ref) -> tuple[str, str, str]:
        return self.uploads[ref.number % len(self.uploads)]

    def _resolved(self, value: Any, op: Op) -> Any:
        if not isinstance(value, Ref):
            return value
        if value.what == "upload":
            return self._upload(value)[2] if self.uploads else None
        if value.what == "bytes":
            return b"01234567" * (value.number // 8)
        if value.what == "token":
            return self.token
        if not self.uploads:
            return None
        upload = self._resolved(op.arguments["UploadId"], op)
        parts = sorted(self.parts.get(upload, {}).items())
        listed = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
        return {"Parts": listed[value.number :] if value.number >= 0 else listed[::-1]}

    def _remember(self, op: Op, arguments: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        if op.method == "create_multipart_upload" and "UploadId" in said:
            self.uploads.append((arguments["Bucket"], arguments["Key"], said["UploadId"]))
        if op.method in ("upload_part", "upload_part_copy"):
            etag = said.get("ETag") or said.get("CopyPartResult", {}).get("ETag")
            if etag:
                self.parts.setdefault(arguments["UploadId"], {})[arguments["PartNumber"]] = etag
        if op.method == "list_objects_v2" and said:
            self.token = said.get("NextContinuationToken")

    def _presigned(self, method: str, arguments: dict[str, Any]) -> Seen:
        body = arguments.pop("Body", None)
        url = self.client.generate_presigned_url(method, Params=arguments, ExpiresIn=600)
        verb = "PUT" if body is not None else "GET"
        prepared = AWSPreparedRequest(verb, url, {}, body, body is not None)  # type: ignore[arg-type]
        self._wire.send(prepared)
        return self._wire.last
