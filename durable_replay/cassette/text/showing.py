"""One body for a terminal: text laid out by its type, anything else in hex."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from durable_replay.cassette.text.escaping import escaped, is_odd
from durable_replay.cassette.text.review import readable
from durable_replay.http import Body, Headers

__all__ = ["hex_lines", "pretty_lines"]

_ROW = 16


def pretty_lines(body: Body, headers: Headers, limit: int = 64 * 1024) -> Iterator[str]:
    """A body without its content coding, laid out by its type; in hex where it is no text.

    Of text the first `limit` characters are shown, of anything else the first `limit` / 16 bytes; then a line says
    how much there is. Nothing in a line speaks to the terminal.
    """
    _, text = readable(body, headers)
    if text is None:
        yield from hex_lines(body.chunks(0, max(_ROW, limit // 16)))
        if body.size > limit // 16:
            yield f"… {body.size:,} bytes in all"
        return
    for line in text[:limit].split("\n"):
        yield escaped(line) if is_odd(line) else line
    if len(text) > limit:
        yield f"… {len(text):,} characters in all"


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
