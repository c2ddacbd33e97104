"""What all operations of S3 share: their ids and dates, what of a request counts, and the bodies that they read."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from durable_replay.errors import NotEmulated
from durable_replay.matching.pattern import NOTHING, Significance, content, header, query
from durable_replay.service.api import Call, Footing, Learns, Operation, Reply, Scope
from durable_replay.service.faults import Fault
from durable_s3.chunked import Decoder, is_chunked
from durable_s3.documents import LARGEST
from durable_s3.errors import S3Fault
from durable_s3.payload import Payload
from durable_s3.resources import http_date
from durable_s3.signing import check_expiry
from durable_s3.wire import fields_of

__all__ = ["BYTES", "COPIED", "SIGNIFICANT", "STORED", "read_document", "refuse_unmodelled", "s3", "sent_document"]


def _headers(*names: str) -> Significance:
    found = NOTHING
    for name in names:
        found &= header(name)
    return found


def _query(*names: str) -> Significance:
    found = NOTHING
    for name in names:
        found &= query(name)
    return found


_NOISE = ("x-id", "x-amz-content-sha256", "x-amz-checksum-*", "x-amz-sdk-*", "x-amz-user-agent", "x-amz-meta-*")
SIGNIFICANT = _headers(
    "x-amz-expected-bucket-owner",
    "x-amz-expected-source-bucket-owner",
    "x-amz-server-side-encryption*",
    "x-amz-bypass-governance-retention",
    "x-amz-request-payer",
) & ~_query(*_NOISE)
"""What counts of every request: never signatures, sums, SDK's ids; x-amz fields of a query count as headers."""
STORED = _headers(
    *("cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"),
    *("x-amz-meta-*", "x-amz-storage-class", "x-amz-tagging", "x-amz-acl", "x-amz-grant-*", "x-amz-object-lock-*"),
    *("x-amz-website-redirect-location", "x-amz-write-offset-bytes"),
)
"""What is kept with an object."""
BYTES = content
"""A body that is stored as it comes."""
COPIED = _headers("x-amz-copy-source*", "x-amz-metadata-directive", "x-amz-tagging-directive")
_UNMODELLED = (
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-retain-until-date",
    "x-amz-write-offset-bytes",
    "x-amz-bucket-object-lock-enabled",
)


def refuse_unmodelled(call: Call) -> None:
    """Raises NotEmulated for a header whose effect a client would miss."""
    headers = fields_of(call.request)
    for name in _UNMODELLED:
        if headers.get(name).lower() not in ("", "false", "off"):
            raise NotEmulated(f"{call.operation.name} with {name} is not emulated")


def s3(
    name: str,
    *,
    reads: Sequence[Footing] = (),
    writes: Sequence[Footing] = (),
    learns: Learns | None = None,
    paging: Sequence[str] = (),
    significant: Significance | None = None,
    example: str = "",
) -> Callable[[Callable[[Scope, Call], Reply]], Operation]:
    """Makes an operation that says its ids and date with every answer, the same in every run."""

    def make(do: Callable[[Scope, Call], Reply]) -> Operation:
        def run(scope: Scope, call: Call) -> Reply:
            request_id, host_id = _ids(scope, call)
            try:
                check_expiry(call.request, scope.now)
                reply = do(scope, call)
            except Fault as fault:
                fault.details.update(RequestId=request_id, HostId=host_id)
                raise
            date = ("Date", http_date(scope.now))
            return replace(
                reply, headers=(("x-amz-id-2", host_id), ("x-amz-request-id", request_id), date, *reply.headers)
            )

        return Operation(name, run, tuple(reads), tuple(writes), learns, tuple(paging), significant, example=example)

    return make


def _ids(scope: Scope, call: Call) -> tuple[str, str]:
    seed = f"{scope.random.random()}/{scope.now.timestamp()}/{call.request.method} {call.request.target}"
    digest = sha256(seed.encode("utf-8", "replace")).digest()
    return digest[:8].hex().upper(), b64encode(digest + digest[:24]).decode()


def read_document(call: Call) -> bytes:
    """A small body, unframed and checked against its sums; MaxMessageLengthExceeded."""
    _check_length(call)
    return b"".join(Payload(call.request.body, fields_of(call.request)))


def sent_document(call: Call) -> bytes:
    """A small body as it was sent, unframed; its sums are not looked at, which redaction may have made wrong."""
    _check_length(call)
    headers = fields_of(call.request)
    return b"".join(Decoder(call.request.body, headers) if is_chunked(headers) else call.request.body.chunks())


def _check_length(call: Call) -> None:
    if call.request.body.size > 2 * LARGEST:
        raise S3Fault("MaxMessageLengthExceeded", MaxMessageLengthBytes=LARGEST)
