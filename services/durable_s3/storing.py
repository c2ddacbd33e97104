"""A content on its way in: kept piece by piece, with the sums that S3 shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from durable_replay.service.api import Call, Document, Scope
from durable_s3.checksums import Algorithm, Checksummer
from durable_s3.chunked import decoded_length, is_chunked
from durable_s3.contents import as_json
from durable_s3.errors import S3Fault
from durable_s3.payload import Payload
from durable_s3.wire import fields_of

__all__ = ["LARGEST", "Kept", "keep_payload", "summed"]

LARGEST = 5 * 1024**3
"""Most bytes of one put, part or copy."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored content. `claimed` is the algorithm whose sum the client said, if any."""

    name: str
    size: int
    md5: str
    sums: dict[str, str]
    claimed: Algorithm | None = None

    def document(self) -> Document:
        """The fields of an object or part that come from its bytes."""
        return {
            "ETag": self.md5,
            "Size": self.size,
            "Content": as_json([(self.name, 0, self.size)] if self.size else []),
        }


def keep_payload(scope: Scope, call: Call, also: Algorithm | None = None) -> Kept:
    """A request's content, checked by all that the client said of it; `also` is summed besides."""
    headers = fields_of(call.request)
    size = decoded_length(headers) if is_chunked(headers) else call.request.body.size
    if (size or 0) > LARGEST:
        raise S3Fault("EntityTooLarge", MaxSizeAllowed=LARGEST, ProposedSize=size or 0)
    payload = Payload(call.request.body, headers, also or Algorithm.CRC64NVME)
    more = Checksummer([also] if also and also is not payload.algorithm else [])
    name = scope.keep(_summed(payload, more if also and also is not payload.algorithm else None))
    sums = {payload.algorithm.value: payload.value}
    if also and also is not payload.algorithm:
        sums[also.value] = more.value(also)
    return Kept(name, payload.size, payload.md5.hex(), sums, payload.algorithm if payload.is_claimed else None)


def _summed(pieces: Iterable[bytes], sums: Checksummer | None) -> Iterator[bytes]:
    for piece in pieces:
        if sums is not None:
            sums.update(piece)
        yield piece


def summed(pieces: Iterable[bytes], algorithm: Algorithm) -> tuple[int, str, str]:
    """Size, MD5 and sum of bytes that are stored already."""
    sums = Checksummer([algorithm])
    for piece in pieces:
        sums.update(piece)
    return sums.size, sums.md5.hex(), sums.value(algorithm)
