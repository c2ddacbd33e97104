"""The parts of a multipart body: all at once by the standard library's parser, or as they come, in bounded memory.

Apart from bodies.py, because that parser loads slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import NamedTuple

__all__ = ["BadMultipart", "Part", "StreamedPart", "parts_of", "streamed_parts"]

_LONGEST_HEAD = 64 * 1024
_LONGEST_PADDING = 256
_AS_IT_IS = ("", "7bit", "8bit", "binary")


class BadMultipart(ValueError):
    """The body is not whole multipart, or has too many parts."""


class Part(NamedTuple):
    """One part. `name` and `filename` are empty where its head has none."""

    name: str
    filename: str
    content_type: str
    data: bytes


class StreamedPart(NamedTuple):
    """One part whose data is taken before the next part comes."""

    name: str
    filename: str
    content_type: str
    data: Iterator[bytes]


def parts_of(data: bytes, content_type: str, most: int) -> list[Part] | None:
    """The parts in order; None where the body is not whole multipart, holds messages in messages, or over `most`."""
    boundary = _boundary(content_type)
    if not boundary or not 0 < data.count(b"--" + boundary) <= most + 1:
        return None
    opening = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=compat32).parsebytes(opening + data)
    children = message.get_payload()
    if message.defects or not isinstance(children, list):
        return None
    parts = [_part(child) for child in children if isinstance(child, Message)]
    whole = [part for part in parts if part is not None]
    return whole if len(whole) == len(children) else None


def _boundary(content_type: str) -> bytes:
    head = Message()
    head["content-type"] = content_type.replace("\r", "").replace("\n", "")
    return str(head.get_boundary() or "").encode("latin-1", "replace")


def _part(message: Message) -> Part | None:
    data = message.get_payload(decode=True)
    return Part(*_head(message), data=data) if isinstance(data, bytes) else None


def _head(message: Message) -> tuple[str, str, str]:
    return _parameter(message, "name"), _parameter(message, "filename"), str(message.get("content-type", ""))


def _parameter(message: Message, name: str) -> str:
    value = message.get_param(name, header="content-disposition")
    return value[2] if isinstance(value, tuple) else str(value or "")


# -- as they come


def streamed_parts(chunks: Iterable[bytes], content_type: str, most: int) -> Iterator[StreamedPart]:
    """The parts of a body of any size. Raises BadMultipart."""
    boundary = _boundary(content_type)
    if not boundary:
        raise BadMultipart("it names no boundary")
    stream = _Stream(chunks, boundary)
    _drop(stream.data())  # what stands before the first part is for nobody
    for _ in range(most):
        if stream.begins(b"--"):
            return
        if stream.until(b"\r\n", _LONGEST_PADDING).strip(b" \t"):
            raise BadMultipart("something stands behind a boundary")
        head = b"" if stream.begins(b"\r\n") else stream.until(b"\r\n\r\n", _LONGEST_HEAD)
        message = BytesParser(policy=compat32).parsebytes(head + b"\r\n\r\n")
        if str(message.get("content-transfer-encoding", "")).strip().lower() not in _AS_IT_IS:
            raise BadMultipart("a part has a transfer encoding")
        data = stream.data()
        yield StreamedPart(*_head(message), data=data)
        _drop(data)
    if not stream.begins(b"--"):
        raise BadMultipart(f"it has more than {most:,} parts")


def _drop(data: Iterator[bytes]) -> None:
    for _ in data:
        pass


class _Stream:
    """Bytes that are looked at as they come; each method raises BadMultipart where they end too early."""

    def __init__(self, chunks: Iterable[bytes], boundary: bytes) -> None:
        self._chunks = iter(chunks)
        self._mark = b"\r\n--" + boundary
        self._held = b"\r\n"  # the first boundary may have no line before it

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise BadMultipart("it ends before its last boundary")
        self._held += chunk

    def begins(self, text: bytes) -> bool:
        """Whether this comes next; it is taken then."""
        while len(self._held) < len(text):
            self._more()
        if not self._held.startswith(text):
            return False
        self._held = self._held[len(text) :]
        return True

    def until(self, text: bytes, longest: int) -> bytes:
        """What stands before this, which is taken too."""
        while (at := self._held.find(text)) < 0:
            if len(self._held) > longest:
                raise BadMultipart("the head of a part is too long")
            self._more()
        found, self._held = self._held[:at], self._held[at + len(text) :]
        return found

    def data(self) -> Iterator[bytes]:
        """What stands before the next boundary, which is taken too."""
        kept = len(self._mark) - 1
        while (at := self._held.find(self._mark)) < 0:
            if len(self._held) > kept:
                yield self._held[:-kept]
                self._held = self._held[-kept:]
            self._more()
        found, self._held = self._held[:at], self._held[at + len(self._mark) :]
        yield found
