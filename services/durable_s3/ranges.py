"""Which bytes of an object a request wants: Range, partNumber and the copy source's range."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from durable_s3.errors import S3Fault

__all__ = ["ByteRange", "copy_range", "part_range", "requested_range"]

_RANGE = re.compile(r"[ \t]*bytes[ \t]*=[ \t]*([0-9]{0,40})[ \t]*-[ \t]*([0-9]{0,40})[ \t]*", re.IGNORECASE)
_COPY_RANGE = re.compile(r"bytes=([0-9]{1,19})-([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from `start` up to `stop` (exclusive) of an object of `size` bytes."""

    start: int
    stop: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes that is."""
        return self.stop - self.start

    @property
    def content_range(self) -> str:
        """The value of Content-Range; empty for a range without bytes, which HTTP cannot express."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}" if self.length else ""


def requested_range(value: str, size: int) -> ByteRange | None:
    """What a Range header asks of an object; None when it asks for nothing that S3 heeds, so that the whole is served.

    S3 ignores malformed ranges and, as its reference says, lists of ranges. InvalidRange beyond the end.
    """
    found = _RANGE.fullmatch(value)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return _suffix(int(found[2]), size, value)
    first, last = int(found[1]), int(found[2]) if found[2] else size
    if found[2] and last < first:
        return None
    if first >= size:
        raise _beyond(value, size)
    return ByteRange(first, min(last + 1, size), size)


def _suffix(length: int, size: int, value: str) -> ByteRange:
    if not length or not size:
        raise _beyond(value, size)
    return ByteRange(max(0, size - length), size, size)


def _beyond(value: str, size: int) -> S3Fault:
    return S3Fault("InvalidRange", RangeRequested=value, ActualObjectSize=size)


def part_range(number: str, part_sizes: Sequence[int], has_range: bool) -> ByteRange:
    """What `?partNumber=` asks of an object; one that was put in one piece has one part."""
    if has_range:
        raise S3Fault("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
    wanted = part_number(number)
    if wanted > len(part_sizes):
        raise S3Fault("InvalidPartNumber", ActualPartCount=len(part_sizes), PartNumberRequested=wanted)
    start = sum(part_sizes[: wanted - 1])
    return ByteRange(start, start + part_sizes[wanted - 1], sum(part_sizes))


def part_number(text: str) -> int:
    """A part's number, 1 to 10,000; InvalidArgument otherwise."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 10_000):
        message = "Part number must be an integer between 1 and 10000, inclusive"
        raise S3Fault("InvalidArgument", message, ArgumentName="partNumber", ArgumentValue=text)
    return int(text)


def copy_range(value: str, size: int) -> ByteRange:
    """What `x-amz-copy-source-range` takes of its source; strict, unlike Range."""
    found = _COPY_RANGE.fullmatch(value)
    if found is None or int(found[2]) < int(found[1]):
        raise _bad_copy_range(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            value,
        )
    if int(found[2]) >= size:
        raise _bad_copy_range(f"Range specified is not valid for source object of size: {size}", value)
    return ByteRange(int(found[1]), int(found[2]) + 1, size)


def _bad_copy_range(message: str, value: str) -> S3Fault:
    return S3Fault("InvalidArgument", message, ArgumentName="x-amz-copy-source-range", ArgumentValue=value)
