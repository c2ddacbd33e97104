"""A cassette as people review it: what changed in the traffic, and nothing that only changed because time passed.

No numbers, times, durations or pings; what is volatile stands as `‹time›`, `‹secret 1›` (see volatile.py); bodies are
without their content coding, and binary ones are told by size and digest. Exchanges that overlapped in time have no
order of their own, so they stand in that of their addresses. This text is for reading: the exact one is for import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

from durable_replay.cassette.text.bodies import TEXT_LIMIT
from durable_replay.cassette.text.escaping import escaped, is_odd
from durable_replay.cassette.text.grammar import field_line, request_line
from durable_replay.cassette.text.layout import LAYOUTS, kind_of
from durable_replay.cassette.text.volatile import HIDDEN, Volatile, names, only_text_of_fields
from durable_replay.cassette.text.writing import frame_line, head_lines, marked
from durable_replay.errors import LimitExceeded
from durable_replay.http import Body, BytesBody, Headers, Interaction
from durable_replay.redaction.coding import coding_of, decode

__all__ = ["content", "in_settled_order", "readable", "review_text", "reviewed"]

_NOTHING: Mapping[str, str] = {}
_AT_ONCE = 1000
"""Exchanges that are put in order together at most."""
_BOUNDARY = re.compile(r"boundary=\"?([^\";,\s]{4,70})")
_CHUNK_SIGNATURE = re.compile(rb";chunk-signature=[0-9a-f]{64}")
_SAFE = ("GET", "HEAD", "OPTIONS")


def review_text(interactions: Iterable[Interaction], hosts: Mapping[str, str] = _NOTHING) -> Iterator[str]:
    """The text in pieces, an interaction each."""
    yield from head_lines("review", hosts)
    for text in reviewed(interactions):
        yield f"\n{text}\n"


def reviewed(interactions: Iterable[Interaction]) -> Iterator[str]:
    """The text of each interaction, in the order in which they are reviewed; the first line is the request's."""
    volatile = Volatile()
    for interaction in in_settled_order(interactions):
        yield "\n".join(_lines(interaction, volatile))


def in_settled_order(interactions: Iterable[Interaction]) -> Iterator[Interaction]:
    """Those that overlapped in time in the order of their addresses, all others as they are on the tape."""
    together: list[Interaction] = []
    ends = 0.0
    for interaction in interactions:
        apart = (
            not interaction.started or interaction.started >= ends
        )  # of unknown time: the tape's order is all there is
        if together and (apart or len(together) >= _AT_ONCE):
            yield from sorted(together, key=_address)
            together, ends = [], 0.0
        together.append(interaction)
        ends = max(ends, interaction.started + interaction.duration)
    yield from sorted(together, key=_address)


def _address(interaction: Interaction) -> tuple[str, str, str]:
    request = interaction.request
    return request.authority, request.target, request.method


def _lines(interaction: Interaction, volatile: Volatile) -> Iterator[str]:
    request, response = interaction.request, interaction.response
    volatile.at(interaction.started)
    answer = _Message(response.headers, response.body, volatile)
    if request.method not in _SAFE and response.status < 300:
        volatile.made(answer.text or "")
    yield volatile.settled(only_text_of_fields(request_line(request)))
    if interaction.note:
        yield f"note {escaped(interaction.note)}"
    yield from _Message(request.headers, request.body, volatile).lines(">")
    yield f"< {response.status}{' ' + escaped(response.reason) if response.reason else ''}"
    yield from answer.lines("<")
    yield from (field_line("+", name, volatile.settled(value)) for name, value in response.trailers)
    if interaction.outcome == "aborted":
        yield "aborted"
    for frame in interaction.frames:
        if frame.kind not in ("ping", "pong"):
            yield frame_line(frame, at="")
            yield from _Message(Headers(), BytesBody(frame.data), volatile).body_lines()


class _Message:
    """One side's headers and body; `text` is the body laid out (None: it is no text)."""

    def __init__(self, headers: Headers, body: Body, volatile: Volatile) -> None:
        self._headers = headers
        self._body = body
        self._volatile = volatile
        match = _BOUNDARY.search(headers.get("content-type"))
        self._boundary = match[1] if match else ""
        self.kind, self.text = readable(body, headers, self._boundary)
        self._quiet: str | None = None

    def lines(self, mark: str) -> Iterator[str]:
        shown = list(self.body_lines())
        for name, value in self._headers:
            yield field_line(mark, name, self._value(name.lower(), value))
        yield from shown

    def _value(self, name: str, value: str) -> str:
        known = names()
        if name in known.headers or (name == "content-length" and self._body):
            return HIDDEN
        if name in known.body_headers and self._settled() != self.text:
            return HIDDEN
        if name == "authorization" and value.startswith("AWS"):
            return f"{value.partition(' ')[0]} {HIDDEN}"  # a signature is over the time
        if self._boundary:
            value = value.replace(self._boundary, "‹boundary›")
        return self._volatile.settled(only_text_of_fields(value))

    def _settled(self) -> str | None:
        if self._quiet is None and self.text is not None:
            self._quiet = self._volatile.settled(only_text_of_fields(self.text))
        return self._quiet

    def body_lines(self) -> Iterator[str]:
        if not self._body:
            return
        text = self._settled()
        if text is None:
            yield f"body binary, {self._digest()}"
            return
        yield f"body {self.kind}"
        if is_odd(text):
            text = "\n".join(escaped(line) if is_odd(line) else line for line in text.split("\n"))
        yield marked(text)

    def _digest(self) -> str:
        """Of the bytes without what is new in every request: a multipart boundary, signatures of chunks."""
        size, digest = self._body.size, sha256()
        if size > TEXT_LIMIT:
            for chunk in self._body.chunks():
                digest.update(chunk)
        else:
            data = self._body.read()
            if self._boundary:
                data = data.replace(self._boundary.encode("latin-1"), b"boundary")
            data = _CHUNK_SIGNATURE.sub(b"", data)
            size = len(data)
            digest.update(data)
        return f"{size:,} bytes, sha256 {digest.hexdigest()[:16]}"


def readable(body: Body, headers: Headers, boundary: str = "") -> tuple[str, str | None]:
    """The kind of a body and its text without content coding, laid out; None where it is no text."""
    if not body:
        return "text", ""
    data = content(body, headers.get("content-encoding"))
    try:
        text = "\0" if data is None else data.decode("utf-8")
    except UnicodeDecodeError:
        return "binary", None
    if "\0" in text:
        return "binary", None
    if boundary:
        text = text.replace(boundary, "‹boundary›")
    text = text.replace("\r\n", "\n")
    kind = kind_of(headers.get("content-type"), text)
    return kind, LAYOUTS[kind].spread(text) if kind in LAYOUTS else text


def content(body: Body, content_encoding: str) -> bytes | None:
    """The bytes without their coding; None where it cannot be undone, or they are over TEXT_LIMIT."""
    coding = coding_of(content_encoding)
    if coding is None or body.size > TEXT_LIMIT:
        return None
    try:
        return decode(coding, body.chunks(), TEXT_LIMIT)
    except (ValueError, LimitExceeded):
        return None
