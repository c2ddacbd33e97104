"""Takes off the codings of a request's body, so that the same content is the same however it was wrapped."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

__all__ = ["BadChunks", "inflated", "unchunked"]

LINE = 16 * 1024
"""Longest head line of an aws-chunked piece, in bytes."""


class BadChunks(ValueError):
    """A body that says it is aws-chunked and is not."""


def inflated(data: bytes, coding: str, limit: int) -> bytes | None:
    """The content of a gzip or deflate body; None where it is damaged, or larger than `limit` bytes."""
    ways = (
        (31,) if coding in ("gzip", "x-gzip") else (15, -15)
    )  # deflate is meant with a zlib head, sent by some without
    for way in ways:
        inflater = zlib.decompressobj(way)
        try:
            content = inflater.decompress(data, limit + 1)
        except zlib.error:
            continue
        return content if len(content) <= limit and inflater.eof else None
    return None


def unchunked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The payload of an aws-chunked body, without chunk heads, signatures and trailers, in bounded memory.

    Source: AWS, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
    Raises BadChunks where the framing is broken.
    """
    source = iter(chunks)
    buffer = bytearray()
    while size := _size(_line(source, buffer)):
        yield from _take(source, buffer, size)
        if _line(source, buffer):
            raise BadChunks("an aws-chunked piece is longer than its length")


def _line(source: Iterator[bytes], buffer: bytearray) -> bytes:
    while (end := buffer.find(b"\r\n")) < 0:
        more = next(source, None)
        if more is None or len(buffer) > LINE:
            raise BadChunks("an aws-chunked head does not end")
        buffer += more
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line


def _size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 16 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BadChunks("an aws-chunked head has no length")
    return int(digits, 16)


def _take(source: Iterator[bytes], buffer: bytearray, size: int) -> Iterator[bytes]:
    while size:
        if not buffer:
            more = next(source, None)
            if more is None:
                raise BadChunks("an aws-chunked body ends early")
            buffer += more
            continue
        piece = bytes(buffer[:size])
        del buffer[: len(piece)]
        size -= len(piece)
        yield piece
