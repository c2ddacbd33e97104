"""aws-chunked bodies as a stream: the framing that clients put inside HTTP's own.

::

    body    = *chunk last *trailer
    chunk   = hex-size [";chunk-signature=" 64-hex] CRLF data CRLF
    last    = "0" [";chunk-signature=" 64-hex] CRLF
    trailer = name ":" value CRLF             ends with an empty line or with the body

Rule: the framing is told by `x-amz-content-sha256`; Content-Encoding alone tells it only where that header is absent,
because some clients leave `aws-chunked` out, and framing taken for content corrupts an object silently.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Protocol

from durable_replay.http import Body, Headers
from durable_s3.errors import S3Fault

__all__ = ["ChunkSignatures", "Decoder", "decoded_length", "is_chunked", "stored_content_encoding"]

LONGEST_LINE = 8 * 1024
MOST_TRAILER_BYTES = 16 * 1024
_SIZE_LINE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;[ \t]*(.*))?")
_EXTENSION = re.compile(rb"chunk-signature=([0-9a-f]{64})")


class ChunkSignatures(Protocol):
    """Checks the chain of signatures; raises SignatureDoesNotMatch."""

    def chunk(self, sha256: str, signature: str) -> None:
        """A chunk's data by its hash in hexadecimal; the last chunk is the empty one."""

    def trailer(self, lines: bytes, signature: str) -> None:
        """The trailers as they are signed: `name:value` with a line feed each."""


def is_chunked(headers: Headers) -> bool:
    """Whether a request's body is framed by aws-chunked."""
    content = headers.get("x-amz-content-sha256")
    if content:
        return content.startswith("STREAMING-")
    return "aws-chunked" in _codings(headers.get("content-encoding"))


def stored_content_encoding(value: str) -> str:
    """What is kept of a Content-Encoding: `gzip, aws-chunked` is stored as `gzip`, `aws-chunked` as nothing."""
    if "aws-chunked" not in _codings(value):
        return value
    return ", ".join(part.strip() for part in value.split(",") if part.strip().lower() != "aws-chunked")


def decoded_length(headers: Headers) -> int | None:
    """The length that `x-amz-decoded-content-length` promises; None when absent, InvalidArgument when no number."""
    value = headers.get("x-amz-decoded-content-length").strip()
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise S3Fault("InvalidArgument", ArgumentName="x-amz-decoded-content-length", ArgumentValue=value)
    return int(value)


def _codings(value: str) -> list[str]:
    return [part.strip().lower() for part in value.split(",")]


class Decoder:
    """The content of an aws-chunked body, to be iterated once. `trailers` are complete when the iteration has ended.

    Raises S3Fault: IncompleteBody when the body ends early, its framing is broken or its content is not as long as
    promised; MalformedTrailerError; SignatureDoesNotMatch by `signatures`, which also makes signatures obligatory.
    """

    def __init__(self, body: Body, headers: Headers, signatures: ChunkSignatures | None = None) -> None:
        self._reader = _Reader(body.chunks())
        self._promised = decoded_length(headers)
        self._announced = {
            name.strip().lower() for line in headers.get_all("x-amz-trailer") for name in line.split(",")
        }
        self._signatures = signatures
        self.trailers = Headers()

    def __iter__(self) -> Iterator[bytes]:
        length = 0
        while (step := self._next_chunk())[0]:
            length += step[0]
            if self._promised is not None and length > self._promised:
                raise _wrong_length()
            yield from self._content(*step)
        self._verify(hashlib.sha256(), step[1])
        if self._promised not in (None, length):
            raise _wrong_length()
        self.trailers = self._read_trailers()

    def _next_chunk(self) -> tuple[int, str]:
        found = _SIZE_LINE.fullmatch(self._reader.line())
        if found is None:
            raise S3Fault("IncompleteBody")
        extension = _EXTENSION.fullmatch((found[2] or b"").strip())
        return int(found[1], 16), extension[1].decode() if extension else ""

    def _content(self, size: int, signature: str) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for piece in self._reader.take(size):
            if self._signatures:
                digest.update(piece)
            yield piece
        if self._reader.line():
            raise S3Fault("IncompleteBody")
        self._verify(digest, signature)

    def _verify(self, digest: hashlib._Hash, signature: str) -> None:
        if self._signatures:
            self._signatures.chunk(digest.hexdigest(), signature)

    def _read_trailers(self) -> Headers:
        pairs = [_trailer(line) for line in self._reader.rest().splitlines() if line.strip()]
        signature = next((value for name, value in pairs if name == "x-amz-trailer-signature"), "")
        trailers = Headers(pair for pair in pairs if pair[0] != "x-amz-trailer-signature")
        if not self._announced - {""} <= {name for name, _ in trailers}:
            raise S3Fault("MalformedTrailerError")
        if self._signatures and trailers:
            lines = "".join(f"{name}:{value}\n" for name, value in trailers)
            self._signatures.trailer(lines.encode("latin-1"), signature)
        return trailers


def _trailer(line: bytes) -> tuple[str, str]:
    name, colon, value = line.decode("latin-1").partition(":")
    if not colon or not name.strip():
        raise S3Fault("MalformedTrailerError")
    return name.strip().lower(), value.strip()


def _wrong_length() -> S3Fault:
    text = "You did not provide the number of bytes specified by the Content-Length HTTP header"
    return S3Fault("IncompleteBody", text)


class _Reader:
    """Lines and counted bytes from pieces that are cut anywhere."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""
        self._at = 0  # how far `_held` is used up; cutting it at every chunk would be quadratic

    def _more(self) -> bool:
        piece = next(self._pieces, b"")
        self._held, self._at = self._held[self._at :] + piece, 0
        return bool(piece)

    def line(self) -> bytes:
        """Up to the next CRLF, which is taken too; IncompleteBody when there is none within reach."""
        while (end := self._held.find(b"\r\n", self._at, self._at + LONGEST_LINE)) < 0:
            if len(self._held) - self._at >= LONGEST_LINE or not self._more():
                raise S3Fault("IncompleteBody")
        line, self._at = self._held[self._at : end], end + 2
        return line

    def take(self, size: int) -> Iterator[bytes]:
        """Exactly `size` bytes as they come."""
        while size:
            if self._at == len(self._held) and not self._more():
                raise S3Fault("IncompleteBody")
            piece = self._held[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def rest(self) -> bytes:
        """All that is left, which can only be trailers."""
        while len(self._held) - self._at <= MOST_TRAILER_BYTES:
            if not self._more():
                return self._held
        raise S3Fault("MalformedTrailerError")
