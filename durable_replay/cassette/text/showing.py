"""One body for a terminal: text laid out by its type, anything else in hex."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from durable_replay.cassette.text.bodies import TEXT_LIMIT
from durable_replay.cassette.text.escaping import escaped, is_odd
from durable_replay.cassette.text.review import content, readable
from durable_replay.http import Body, BytesBody, Headers

__all__ = ["SHOWN", "hex_lines", "pretty_lines"]

SHOWN = 64 * 1024
"""Characters of a text that are shown unless all are asked for."""
_ROW = 16


def pretty_lines(body: Body, headers: Headers, limit: int | None = SHOWN) -> Iterator[str]:
    """A body without its content coding, laid out by its type; in hex where it is no text.

    A first line names the coding, and says where it cannot be undone. Of text the first `limit` characters are shown
    (None: all), of anything else the first `limit` / 16 bytes; then a line says how much is left out. Nothing in a
    line speaks to the terminal.
    """
    coding = escaped(headers.get("content-encoding"))
    if coding.strip().lower() not in ("", "identity"):
        data = content(body, headers.get("content-encoding"))
        if data is None:
            yield f"({coding}, {body.size:,} bytes, as they were sent: {_why_not(body)})"
        else:
            yield f"({coding}, {body.size:,} bytes; decoded, {len(data):,} bytes)"
            body, headers = BytesBody(data), headers.without("content-encoding")
    _, text = readable(body, headers)
    yield from _hex(body, limit) if text is None else _text(text, limit)


def _why_not(body: Body) -> str:
    return f"over {TEXT_LIMIT:,}" if body.size > TEXT_LIMIT else "the coding is damaged, too large or not known here"


def _text(text: str, limit: int | None) -> Iterator[str]:
    for line in text[:limit].split("\n"):
        yield escaped(line) if is_odd(line) else line
    if limit is not None and len(text) > limit:
        yield _left_out(len(text[limit:].encode("utf-8")), len(text.encode("utf-8")))


def _hex(body: Body, limit: int | None) -> Iterator[str]:
    stop = body.size if limit is None else min(body.size, max(_ROW, limit // 16))
    yield from hex_lines(body.chunks(0, stop))
    if stop < body.size:
        yield _left_out(body.size - stop, body.size)


def _left_out(left: int, whole: int) -> str:
    return f"… {left:,} of {whole:,} bytes are left out; --full shows them"


def hex_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """`00000010  68 65 6c 6c 6f … |hello|`, sixteen bytes a line, as `hexdump -C` writes it."""
    at = 0
    for row in _rows(chunks):
        halves = " ".join(f"{byte:02x}" for byte in row[:8]), " ".join(f"{byte:02x}" for byte in row[8:])
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{at:08x}  {halves[0]:<23}  {halves[1]:<23}  |{shown}|"
        at += len(row)


def _rows(chunks: Iterable[bytes]) -> Iterator[bytes]:
    every = (byte for chunk in chunks for byte in chunk)
    while row := bytes(islice(every, _ROW)):
        yield row
