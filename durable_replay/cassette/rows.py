"""An interaction as the values of its row, and back.

# Rule: no value of a row is used before the row's checksum was found right.

The checksum covers every column and every frame. SQLite notices damage to its own structure; a flipped bit within a
header or a status it does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Literal, Protocol, cast

from zstandard import ZstdDecompressor

from durable_replay.cassette.bodies import INLINE, packed, unpacked
from durable_replay.cassette.places import Value, origin_of
from durable_replay.errors import LimitExceeded
from durable_replay.http import IN_MEMORY, Body, BytesBody, Frame, Headers, Interaction, Request, Response

__all__ = [
    "COLUMNS",
    "FRAME_COLUMNS",
    "PIECE",
    "READ",
    "SIZES",
    "STORED",
    "Damaged",
    "FrameRow",
    "FrameSums",
    "Row",
    "StoredRow",
    "Value",
    "checksum",
    "frame_rows",
    "from_row",
    "headers_text",
    "logical",
    "piece_of",
    "piece_rows",
    "stored",
    "text_of",
    "to_row",
    "unpacked_value",
    "with_bodies",
]

Row = tuple[Value, ...]
"""The values of COLUMNS without the checksum."""
StoredRow = tuple[Value, ...]
"""The values of STORED, or of READ."""


class Numbers(Protocol):
    """Gives the numbers of what rows share: places.Places."""

    def body(self, digest: bytes, /) -> int | None: ...

    def origin(self, host: str, port: int, /) -> int: ...


Pack = Callable[[bytes], tuple[str, bytes]]
Unpack = Callable[[str, int | None, bytes], bytes]
Known = Callable[[str], ZstdDecompressor]
"""Gives the decompressor of a dictionary."""
FrameRow = tuple[Value, ...]
"""The values of FRAME_COLUMNS."""

COLUMNS = (
    "number",
    "method",
    "scheme",
    "host",
    "port",
    "target",
    "request_headers",
    "request_body",
    "request_size",
    "status",
    "reason",
    "response_headers",
    "response_trailers",
    "response_body",
    "response_size",
    "http_version",
    "started",
    "duration",
    "outcome",
    "note",
    "frames",
)
STORED = (
    "number",
    "origin",
    "request_body",
    "request_size",
    "response_body",
    "response_size",
    "started",
    "duration",
    "frames",
    "packing",
    "head",
    "checksum",
)
"""The columns as they are in the file: `head` holds the texts, packed; `origin` and bodies are numbers (places.py). The
size of a body that has a number is left out."""
SIZES = (
    "coalesce(request_size, (SELECT size FROM body WHERE id = request_body))",
    "coalesce(response_size, (SELECT size FROM body WHERE id = response_body))",
)
"""What to select for the sizes of request and response."""
_SHARED = {
    "origin": "(SELECT value FROM meta WHERE key = 'origin ' || origin)",
    "request_body": "coalesce((SELECT digest FROM body WHERE id = request_body), request_body)",
    "response_body": "coalesce((SELECT digest FROM body WHERE id = response_body), response_body)",
    "request_size": SIZES[0],
    "response_size": SIZES[1],
}
READ = tuple(_SHARED.get(column, column) for column in STORED)
"""What to select for STORED, with what the numbers stand for; a number stays where that is missing."""
_TEXTS = (str, str, str, int, str, str, str, str)
_CHECKSUM_BYTES = 8
"""Damage gets past these once in 2**64 times. They are against accidents: who can write to the file can also write a
checksum that fits."""
FRAME_COLUMNS = ("position", "from_client", "kind", "code", "at", "packing", "size", "data")

PIECE = "piece"
"""The kind of a frame that is no message: a piece of a response's body that was still coming when it was written."""

_load = json.JSONDecoder().raw_decode
"""What it stops before is covered by checksums too."""
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


class Damaged(ValueError):
    """A stored value is not what was stored; its text says which."""


def to_row(interaction: Interaction, number: int, request_body: bytes | None, response_body: bytes | None) -> Row:
    """The values of COLUMNS; bodies are given by digest (None: empty)."""
    request, response = interaction.request, interaction.response
    return (
        number,
        request.method,
        request.scheme,
        request.host,
        request.port,
        request.target,
        headers_text(request.headers),
        request_body,
        request.body.size,
        response.status,
        response.reason,
        headers_text(response.headers),
        headers_text(response.trailers),
        response_body,
        response.body.size,
        interaction.http_version,
        float(interaction.started),
        float(interaction.duration),
        interaction.outcome,
        interaction.note,
        len(interaction.frames),
    )


def with_bodies(row: Row, number: int, request_body: bytes | None, response_body: bytes | None) -> Row:
    """The row with its number and its bodies' digests, none of which is part of its `text_of`."""
    return (number, *row[1:7], request_body, *row[8:13], response_body, *row[14:])


def unpacked_value(packing: str, size: int | None, data: bytes, dictionary: Known) -> bytes:
    """A head, whose size no row tells, or a body of up to 1 MiB. Raises DamagedBody."""
    return unpacked(packing, size, data, dictionary, IN_MEMORY if size is None else INLINE)


def text_of(row: Row) -> bytes:
    """What `head` holds of a row before packing. Raises LimitExceeded, and UnicodeError for half a surrogate pair."""
    (_, method, scheme, _, _, target, headers, _, _, status, reason, response_headers, trailers) = row[:13]
    texts = _dump((method, scheme, target, status, reason, row[15], *row[18:20]))
    text = "\n".join(cast("list[str]", [texts, headers, response_headers, trailers])).encode()
    if len(text) > IN_MEMORY:
        raise LimitExceeded(f"a request target and headers of {len(text):,} bytes; the limit is {IN_MEMORY:,}")
    return text


def stored(row: Row, text: bytes, checksum: bytes, pack: Pack, numbers: Numbers) -> StoredRow:
    """A row as the file has it: the values of STORED; `text` is `text_of(row)`. Raises OverflowError."""
    started, duration = row[16:18]
    if started != started or duration != duration:  # SQLite has no such number
        raise OverflowError("its time is no number")
    bodies = [None if body is None else numbers.body(cast(bytes, body)) for body in (row[7], row[13])]
    sizes = [size if body is None else None for body, size in zip(bodies, (row[8], row[14]), strict=True)]
    origin = numbers.origin(cast(str, row[3]), cast(int, row[4]))
    return (row[0], origin, bodies[0], sizes[0], bodies[1], sizes[1], started, duration, row[20], *pack(text), checksum)


def logical(row: StoredRow, unpack: Unpack) -> tuple[Row, bytes, Value]:
    """The values of COLUMNS from those of READ, their `text_of`, and the checksum that they should have. Raises
    Damaged, and what `unpack` does."""
    (number, origin, request_body, request_size, response_body, response_size) = row[:6]
    (started, duration, frames, packing, head, expected) = row[6:]
    if isinstance(request_body, int) or isinstance(response_body, int):
        raise Damaged("its body is missing")
    if not isinstance(packing, str) or not isinstance(head, bytes):
        raise Damaged("its texts are not those that were recorded")
    text = unpack(packing, None, head)
    (method, scheme, target, status, reason, version, outcome, note), headers, trailers = _texts(text)
    host, port = _origin(origin)
    request = (number, method, scheme, host, port, target, headers[0], request_body, request_size)
    response = (status, reason, headers[1], trailers, response_body, response_size)
    return (*request, *response, version, started, duration, outcome, note, frames), text, expected


def _origin(text: Value) -> tuple[str, int]:
    try:
        return origin_of(cast(str, text))
    except (ValueError, AttributeError) as error:
        raise Damaged("its host is missing") from error


def _texts(head: bytes) -> tuple[list[Value], tuple[str, str], str]:
    try:
        first, request, response, trailers = head.decode().split("\n")
        texts, _ = _load(first)
    except (ValueError, RecursionError) as error:
        raise Damaged("its texts cannot be read") from error
    if not isinstance(texts, list) or tuple(map(type, texts)) != _TEXTS:
        raise Damaged("its texts are not those that were recorded")
    return texts, (request, response), trailers


def headers_text(headers: Headers) -> str:
    """Fields as they are stored: a JSON list of pairs."""
    return _dump(headers.fields) if headers.fields else "[]"


def frame_rows(frames: Sequence[Frame], first: int = 0) -> list[FrameRow]:
    """The values of FRAME_COLUMNS for each frame, from position `first`; LimitExceeded for a message over 64 MiB."""
    return [_frame_row(position, frame) for position, frame in enumerate(frames, first)]


def piece_rows(data: bytes, position: int) -> list[FrameRow]:
    """The same for a piece of a body; none where it is empty."""
    if not data:
        return []
    packing, stored = packed(data)
    return [(position, 0, PIECE, None, 0.0, packing, len(data), stored)]


def piece_of(row: FrameRow) -> bytes:
    """What `piece_rows` was given. Raises DamagedBody."""
    return _unpacked(row)


def _frame_row(position: int, frame: Frame) -> FrameRow:
    if len(frame.data) > IN_MEMORY:
        raise LimitExceeded(f"a WebSocket message of {len(frame.data):,} bytes; the limit is {IN_MEMORY:,}")
    packing, data = packed(frame.data)
    code = None if frame.code is None else int(frame.code)  # an IntEnum's name must not get into the checksum
    return (position, int(frame.from_client), frame.kind, code, float(frame.at), packing, len(frame.data), data)


def checksum(row: Row, text: bytes, frames: Iterable[FrameRow] = ()) -> bytes:
    """8 bytes over all frames and columns; `text` is `text_of(row)`."""
    sums = FrameSums()
    sums.add(frames)
    return sums.with_row(row, text)


class FrameSums:
    """The checksum of an interaction whose frames come one after the other: none is read twice.

    `ascii` writes such values the same way in every version of Python.
    """

    __slots__ = ("_digest",)

    def __init__(self) -> None:
        self._digest = blake2b(digest_size=_CHECKSUM_BYTES)

    def add(self, frames: Iterable[FrameRow]) -> None:
        """These follow."""
        for *values, data in frames:
            self._digest.update(ascii(values).encode("ascii"))
            self._digest.update(cast(bytes, data))

    def with_row(self, row: Row, text: bytes) -> bytes:
        """8 bytes over the frames so far, these columns, and the text of some of them."""
        digest = self._digest.copy()
        digest.update(ascii((row[0], *row[3:5], *row[7:9], *row[13:15], *row[16:18], row[20])).encode("ascii"))
        digest.update(text)
        return digest.digest()


def from_row(
    row: Row, text: bytes, expected: Value, frames: Sequence[FrameRow], body: Callable[[bytes | None, int], Body]
) -> Interaction:
    """The interaction, from what `logical` gives; `body` gives the body of a digest and size. Raises Damaged."""
    (number, method, scheme, host, port, target, headers, request_body, request_size, status, reason) = row[:11]
    (response_headers, trailers, response_body, response_size, version, started, duration, outcome, note) = row[11:20]
    if row[20] != len(frames) or not all(isinstance(frame[-1], bytes) for frame in frames):
        raise Damaged("its frames are not those that were recorded")
    if checksum(row, text, frames) != expected:
        raise Damaged("its checksum does not match")
    pieces = [frame for frame in frames if frame[2] == PIECE]  # of a recorder that was killed while they came
    request = Request(
        cast(str, method),
        cast('Literal["http", "https", "ws", "wss"]', scheme),
        cast(str, host),
        cast(int, port),
        cast(str, target),
        _headers(headers),
        body(cast("bytes | None", request_body), cast(int, request_size)),
    )
    response = Response(
        cast(int, status),
        _headers(response_headers),
        BytesBody(b"".join(map(piece_of, pieces)))
        if pieces
        else body(cast("bytes | None", response_body), cast(int, response_size)),
        cast(str, reason),
        _headers(trailers),
    )
    return Interaction(
        request,
        response,
        cast(int, number),
        tuple(_frame(frame) for frame in frames if frame[2] != PIECE),
        cast(float, started),
        cast(float, duration),
        cast(str, version),
        cast('Literal["complete", "aborted"]', outcome),
        cast(str, note),
    )


def _headers(text: Value) -> Headers:
    if text == "[]":
        return Headers()
    try:
        return Headers([(name, value) for name, value in _load(cast(str, text))[0]])
    except (ValueError, TypeError, RecursionError) as error:
        raise Damaged("its headers are no list of pairs") from error


def _frame(row: FrameRow) -> Frame:
    _, from_client, kind, code, at, *_ = row
    return Frame(
        bool(from_client),
        cast('Literal["text", "binary", "ping", "pong", "close"]', kind),
        _unpacked(row),
        cast("int | None", code),
        cast(float, at),
    )


def _unpacked(row: FrameRow) -> bytes:
    *_, packing, size, data = row
    return unpacked(cast(str, packing), cast(int, size), cast(bytes, data), limit=IN_MEMORY)
