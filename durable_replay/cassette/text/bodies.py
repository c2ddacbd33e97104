"""A body as lines, and back.

# Rule: what cannot be shown so that the very same bytes come back is written in base64.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from durable_replay.cassette.text.escaping import BadEscape, escaped, is_odd, unescaped
from durable_replay.cassette.text.layout import LAYOUTS, kind_of, spread
from durable_replay.http import Body

__all__ = ["TEXT_LIMIT", "BadBody", "Lines", "base64_pieces", "lines_of", "text_bytes"]

TEXT_LIMIT = 16 * 1024 * 1024
"""Larger bodies are written in base64, in bounded memory."""

_ROW = 57
"""Bytes in a line of base64: 76 characters."""
_LATIN = re.compile(r"charset=\"?(iso-8859-1|latin-?1|us-ascii)", re.IGNORECASE)
_FLAGS = ("latin-1", "crlf", "escaped")


class BadBody(ValueError):
    """Lines that are no body in the form that they claim."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A body's form, as in `json crlf`, and its lines: blocks of one or more, joined by line ends."""

    form: str
    blocks: Iterable[str]


def lines_of(body: Body, media: str, coding: str = "") -> Lines:
    """How a body is written; `media` is its content type's field, `coding` its content encoding's."""
    if body.size <= TEXT_LIMIT and coding in ("", "identity"):
        shown = _as_text(body.read(), media)
        if shown is not None:
            return shown
    return Lines("base64", _base64_lines(body))


def _as_text(data: bytes, media: str) -> Lines | None:
    flags: list[str] = []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        if _LATIN.search(media) is None or b"\0" in data:
            return None
        flags.append("latin-1")
        text = data.decode("latin-1")
    if "\r" in text and text.count("\r\n") == text.count("\r") == text.count("\n"):
        flags.append("crlf")
        text = text.replace("\r\n", "\n")
    laid_out = spread(kind_of(media, text), text)
    name, text = laid_out or ("text", text)
    if is_odd(text):
        if not _is_readable(text):
            return None
        flags.append("escaped")
        text = "\n".join(escaped(line) for line in text.split("\n"))
    form = " ".join((name, *flags))
    if flags and text_bytes(form, text) != data:  # a layout was proved by `spread`, plain text needs no proof
        return None
    return Lines(form, [text])


def _is_readable(text: str) -> bool:
    """Whether the odd characters are few: escapes of a tenth of a text say less than base64 does."""
    odd = sum(1 for char in text if is_odd(char)) if len(text) < 100_000 else sum(map(text.count, "\0\x01\x02\x03\x7f"))
    return odd * 10 <= len(text)


def _base64_lines(body: Body) -> Iterator[str]:
    held = b""
    for chunk in body.chunks():
        held += chunk
        whole = len(held) - len(held) % _ROW
        if whole:
            yield _encoded(held[:whole])
        held = held[whole:]
    if held:
        yield _encoded(held)


def _encoded(data: bytes) -> str:
    rows = (binascii.b2a_base64(data[at : at + _ROW], newline=False) for at in range(0, len(data), _ROW))
    return b"\n".join(rows).decode("ascii")


def base64_pieces(lines: Iterable[str]) -> Iterator[bytes]:
    """The bytes that lines of base64 stand for, a line at a time. Raises BadBody."""
    for line in lines:
        try:
            yield base64.b64decode(line, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadBody(f"this is no base64 ({error})") from error


def text_bytes(form: str, text: str) -> bytes:
    """The bytes that the joined lines of any other form stand for. Raises BadBody."""
    name, *flags = form.split(" ")
    if (name != "text" and name not in LAYOUTS) or [flag for flag in _FLAGS if flag in flags] != flags:
        raise BadBody(f"{form!r} is no form of a body")
    try:
        if "escaped" in flags:
            text = unescaped(text)
        if name != "text":
            text = LAYOUTS[name].join(text)
        if "crlf" in flags:
            text = text.replace("\n", "\r\n")
        return text.encode("latin-1" if "latin-1" in flags else "utf-8")
    except (BadEscape, UnicodeEncodeError) as error:
        raise BadBody(str(error)) from error
