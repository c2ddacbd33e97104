"""S3's wire: where a request goes, what of it counts, and how answers and refusals look.

A request is addressed by method, level (service, bucket, object) and *flags*: the query names that choose an
operation (`?acl`, `?uploads`, `?uploadId=`). Other query names are parameters, and an unknown one is ignored.

# Rule: a request whose flags are not exactly those of a row is refused, so that `PUT /bucket?versioning` can never
# create a bucket.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import quote

from durable_replay.http import EMPTY, Body, BytesBody, Headers, Request, Response
from durable_replay.service.address import Address, parse_address
from durable_replay.service.api import Call, Codec, Located, Reply
from durable_replay.service.faults import Fault, Missing
from durable_s3.chunked import stored_content_encoding
from durable_s3.errors import S3Fault, error_xml
from durable_s3.names import split
from durable_s3.resources import BUCKET, OBJECT, UPLOAD

__all__ = ["BASE_HOSTS", "S3Codec", "fields_of"]

BASE_HOSTS = ("localhost", "s3.localhost", "s3.localhost.localstack.cloud")
"""Plain endpoints below which a name is a bucket, beside AWS's own."""
_PARAMETERS = frozenset({"id", "x-id", "annotationName"})
"""Query names of rows that are ordinary parameters elsewhere."""
_MISSING = {
    "bucket": (BUCKET, "NoSuchBucket", "BucketName"),
    "object": (OBJECT, "NoSuchKey", "Key"),
    "upload": (UPLOAD, "NoSuchUpload", "UploadId"),
}
"""By kind: the kind, the code that says it is not there, and the element that names it."""
_ERROR = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<Error[\s>]")
_SIGNING = re.compile(r"x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token)", re.I)


class S3Codec(Codec):
    """The codec for this table of addresses."""

    def __init__(self, routes: Iterable[str]) -> None:
        addresses = [address for address in map(parse_address, routes) if isinstance(address, Address)]
        self._rows: dict[tuple[str, int], set[frozenset[str]]] = {}
        self._flags: dict[int, set[str]] = {0: set(), 1: set(), 2: set()}
        for address in addresses:
            level, flags = _level(address), frozenset(name for name, _ in address.query) - _PARAMETERS
            self._rows.setdefault((address.method, level), set()).add(flags)
            self._flags[level] |= flags

    def locate(self, request: Request) -> Located | None:
        try:
            bucket, key = _addressed(request)
        except S3Fault:
            return None
        level = 2 if key else 1 if bucket else 0
        if self._flags_of(request, level) not in self._rows.get((request.method, level), ()):
            return None
        path = f"/{quote(bucket, safe='')}" + (f"/{quote(key, safe='/')}" if key else "")
        query = request.query_string
        return Located(request.method, f"{path}?{query}" if query else path)

    def _flags_of(self, request: Request, level: int) -> frozenset[str]:
        names = [part.partition("=") for part in request.query_string.split("&") if part]
        known = {name for name, _, _ in names if name in self._flags[level]}
        if level == 2 and request.method in ("GET", "HEAD"):
            return frozenset(known)
        # A bare name that nobody knows may be a sub-resource of tomorrow: no row has it, so the request is refused.
        return frozenset(known | {name for name, equals, _ in names if not equals and name not in _PARAMETERS})

    def plain(self, request: Request) -> Request:
        """With `aws-chunked` told by one header only, and headers in which the query's x-amz fields are."""
        headers = fields_of(request)
        coding = headers.get("content-encoding")
        if "aws-chunked" not in coding.lower():
            return replace(request, headers=headers)
        stored = stored_content_encoding(coding)
        headers = headers.without("content-encoding")
        more = [("Content-Encoding", stored)] if stored else []
        if "x-amz-content-sha256" not in headers:
            more.append(("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"))
        return replace(request, headers=headers.with_(*more))

    def succeeded(self, call: Call, response: Response) -> bool:
        """CopyObject and CompleteMultipartUpload may begin with 200 and then fail in the body."""
        if response.status >= 400:
            return False
        late = call.request.method in ("PUT", "POST") and 0 < response.body.size < 64 * 1024
        return not (late and _ERROR.match(response.body.read()))

    def encode(self, call: Call, reply: Reply) -> Response:
        if isinstance(reply.content, bytes):
            return _xml(reply.status, reply.content, reply.headers)
        body = reply.content if isinstance(reply.content, Body) else EMPTY
        has_length = reply.status in (204, 304) or any(name == "Content-Length" for name, _ in reply.headers)
        length = () if has_length else (("Content-Length", str(body.size)),)
        return _response(reply.status, (*reply.headers, *length), body)

    def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
        return _refusal(request, _as_s3(fault))

    def unknown(self, request: Request) -> Response:
        """What no row knows: a malformed address, a method that the resource does not have, or a new sub-resource."""
        try:
            bucket, key = _addressed(request)
        except S3Fault as fault:
            return _refusal(request, fault)
        level = 2 if key else 1 if bucket else 0
        if self._flags_of(request, level) <= self._flags[level]:
            kind = ("SERVICE", "BUCKET", "OBJECT")[level]
            return _refusal(request, S3Fault("MethodNotAllowed", Method=request.method, ResourceType=kind))
        text = "A parameter you provided implies functionality that is not implemented"
        return _refusal(request, S3Fault("NotImplemented", text, Resource=request.target))

    def not_emulated(self, request: Request, text: str) -> Response:
        """S3's own code for what it cannot do; no client retries it."""
        return _refusal(request, S3Fault("NotImplemented", text))


def fields_of(request: Request) -> Headers:
    """A request's headers, with the x-amz fields that a presigned URL carries in its query."""
    if "x-amz-" not in request.query_string.lower():
        return request.headers
    hoisted = [(name, value) for name, value in request.query if _is_hoisted(name) and name not in request.headers]
    return Headers((*request.headers, *hoisted)) if hoisted else request.headers


def _is_hoisted(name: str) -> bool:
    return name.lower().startswith("x-amz-") and not _SIGNING.fullmatch(name)


def _level(address: Address) -> int:
    return len([segment for segment in address.segments if segment])


def _addressed(request: Request) -> tuple[str, str]:
    """Bucket and key. The Host field decides, since a front may give all requests of an endpoint one host."""
    named = request.headers.get("host").strip().lower()
    host = re.sub(r":\d*$", "", named) or request.host
    return split(host, request.path, BASE_HOSTS)


def _as_s3(fault: Fault) -> S3Fault:
    if isinstance(fault, S3Fault):
        return fault
    if not isinstance(fault, Missing):
        made = S3Fault("InvalidRequest", fault.text)
    else:
        kind, code, element = _MISSING[fault.key[0]]
        made = S3Fault(code, **{element: kind.values(fault.key)[-1]})
    made.details.update(fault.details)
    return made


def _refusal(request: Request, fault: S3Fault) -> Response:
    said = dict(fault.details)
    request_id = (
        str(said.pop("RequestId", "")) or sha256(request.url.encode("utf-8", "replace")).hexdigest()[:16].upper()
    )
    host_id = str(said.pop("HostId", request_id))
    shown = S3Fault(fault.code, fault.message, **{name: _plain(value) for name, value in said.items()})
    headers = (("x-amz-request-id", request_id), ("x-amz-id-2", host_id))
    if request.method == "HEAD":  # no body, so that clients only see the status
        return _response(fault.status, (*headers, ("Content-Type", "application/xml")), EMPTY)
    return _xml(fault.status, error_xml(shown, request_id, host_id), headers)


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def _xml(status: int, data: bytes, headers: tuple[tuple[str, str], ...]) -> Response:
    fields = (*headers, ("Content-Type", "application/xml"), ("Content-Length", str(len(data))))
    return _response(status, fields, BytesBody(data))


def _response(status: int, headers: tuple[tuple[str, str], ...], body: Body) -> Response:
    # The reason phrase is not for show: botocore takes an early answer to `Expect` for garbage without one.
    fields = Headers((*headers, ("Server", "AmazonS3")))
    return Response(status, fields, body, HTTPStatus(status).phrase)
