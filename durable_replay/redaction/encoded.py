"""Secrets that stand encoded in other text: base64 within JSON, a URL percent-encoded within a URL.

# Rule: what a reader would decode is decoded here too, searched, and encoded again in the same way; where nothing was
# found, not one character is another.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, unquote

__all__ = ["decoded", "may_hold", "run_at", "runs", "within"]

LONGEST = 256 * 1024
_DEEPEST = 3
_SHORTEST = 20
# five groups of text of ASCII, the first sign of each of which has a byte's upper bits, then anything
_BASE64 = re.compile(r"(?<![A-Za-z0-9+_-])(?:[I-Za-f][A-Za-z0-9+/_-]{3}){5}[A-Za-z0-9+/_-]*+={0,2}", re.ASCII)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_IN_URL = frozenset(f"{_LETTERS}_.~!*'()+/:@$%-".encode())
_URLS = bytes(0x61 if sign in _IN_URL else 0x20 for sign in range(256))
_ROWS = bytes(0x61 if sign in _IN_URL | {0x3D} else 0x20 for sign in range(256))
_UPPER, _BEFORE = 1, 2
_BASIC = ("Basic ", "basic ")
_SIGNS = bytes(
    _UPPER * (chr(sign) in "IJKLMNOPQRSTUVWXYZabcdef") + _BEFORE * (chr(sign) not in f"{_LETTERS}+_-")
    for sign in range(256)
)
_ESCAPE = re.compile("%[2-7][0-9A-Fa-f]")
_PLAIN = frozenset("0123456789ABCDEFabcdef-")
_BREAKS = {ord(sign): None for sign in "\t\r\n"}
_URL_SIGNS = "!*'()+/:@$"


Search = Callable[[str], str]


def within(text: str, search: Search, basic: Search) -> str:
    """The text, in which whatever `search` replaces in decoded parts is replaced; `basic` gives the base64 after the
    word `Basic` (RFC 7617) another password."""
    return _Encoded(search, basic).replace(text, 0)


class _Encoded:
    def __init__(self, search: Search, basic: Search) -> None:
        self._search = search
        self._basic = basic

    def replace(self, text: str, depth: int) -> str:
        if depth >= _DEEPEST or (len(text) < _SHORTEST and "%" not in text):
            return text
        text = _replaced(text, ((at, end, self._percent(text[at:end], depth)) for at, end in _percent_runs(text)))
        runs = _base64_runs(text)
        return _replaced(text, ((run.start(), run.end(), self._base64(run, depth)) for run in runs))

    def _inner(self, plain: str, depth: int) -> str:
        return self.replace(self._search(plain), depth + 1)

    def _percent(self, run: str, depth: int) -> str:
        plain = unquote(run, errors="surrogateescape") if len(run) <= LONGEST else ""
        shown = self._inner(plain, depth)
        if shown == plain:
            return run
        kept = "".join(sign for sign in _URL_SIGNS if sign in run)
        return quote(shown, safe=kept, errors="surrogateescape")

    def _base64(self, match: re.Match[str], depth: int) -> str:
        if match.string.endswith(_BASIC, max(0, match.start() - 6), match.start()):
            return self._basic(match[0])
        return self._run(match[0], depth)

    def _run(self, run: str, depth: int) -> str:
        plain = _text_of(run)
        if plain is not None:
            shown = self._inner(plain, depth)
            return run if shown == plain else _encoded_like(run, shown)
        if "/" in run:  # of base64, or a path's
            return "/".join(self._run(part, depth) if len(part) >= _SHORTEST else part for part in run.split("/"))
        return run


def _text_of(run: str) -> str | None:
    """What a base64 text holds, where that is text."""
    if len(run) > LONGEST or len(run.rstrip("=")) % 4 == 1 or _PLAIN.issuperset(run):
        return None
    body = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        plain = base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return plain if plain.translate(_BREAKS).isprintable() else None


def _encoded_like(run: str, text: str) -> str:
    """In the same alphabet, padded if the other was or needed none."""
    data = text.encode("utf-8")
    urlsafe = "-" in run or "_" in run
    shown = (base64.urlsafe_b64encode(data) if urlsafe else base64.b64encode(data)).decode()
    padded = run.endswith("=") or len(run) % 4 == 0
    return shown if padded else shown.rstrip("=")


def decoded(text: str) -> Iterator[tuple[int, str]]:
    """The texts that stand encoded in a text, and those in these, each with its place in the outermost."""
    for at, plain in _once(text):
        yield from ((at, each) for each in _all(plain, 1))


def _all(plain: str, depth: int) -> Iterator[str]:
    yield plain
    if depth < _DEEPEST:
        for _, inner in _once(plain):
            yield from _all(inner, depth + 1)


def _once(text: str) -> Iterator[tuple[int, str]]:
    yield from ((at, unquote(text[at:end], errors="replace")) for at, end in _percent_runs(text))
    for run in _base64_runs(text):
        yield from ((run.start(), plain) for part in (run[0], *_parts(run[0])) if (plain := _text_of(part)) is not None)


def _percent_runs(text: str) -> Iterator[tuple[int, int]]:
    """From where to where signs of URLs stand in a row, with one percent-encoded sign of ASCII or more."""
    if "%" not in text or _ESCAPE.search(text) is None:
        return
    flat = text.encode("latin-1", "replace").translate(_URLS)
    end = 0
    for escape in _ESCAPE.finditer(text):
        if escape.start() >= end:
            end = flat.find(b" ", escape.end())
            end = end if end >= 0 else len(flat)
            yield flat.rfind(b" ", 0, escape.start()) + 1, end


def may_hold(text: str, data: bytes | None = None) -> bool:
    """Whether anything may stand encoded in a text; `data` is the text in latin-1, where somebody has it."""
    return ("%" in text and _ESCAPE.search(text) is not None) or next(_base64_runs(text, data), None) is not None


def runs(text: str) -> Iterator[tuple[int, int]]:
    """From where to where something may stand encoded."""
    yield from _percent_runs(text)
    yield from (run.span() for run in _base64_runs(text))


def run_at(text: str, cut: int) -> int:
    """Where a row of signs begins that reaches over a place and may be encoded text; the place, where there is none."""
    flat = text[max(0, cut - LONGEST) : cut + 1].encode("latin-1", "replace").translate(_ROWS)
    inside = min(cut, LONGEST)
    if flat[inside - 1 : inside + 1] != b"aa":
        return cut
    begin = flat.rfind(b" ", 0, inside) + 1
    if cut > LONGEST and not begin:
        return cut  # longer than what is decoded
    start = cut - inside + begin
    return start - len(_BASIC[0]) if text.endswith(_BASIC, max(0, start - len(_BASIC[0])), start) else start


def _base64_runs(text: str, data: bytes | None = None) -> Iterator[re.Match[str]]:
    """What `_BASE64.finditer` gives, tried only where signs for a byte's upper bits stand in five groups' first places,
    after a sign that ends a word: one look at all places at once, by an integer with a byte for each."""
    if len(text) < _SHORTEST:
        return
    marks = _base64_starts(text.encode("latin-1", "replace") if data is None else data)
    places, at = (marks.to_bytes(len(text), "little") if marks else b""), 0
    while (at := places.find(_UPPER, at)) >= 0:
        run = _BASE64.match(text, at)
        if run is not None:
            yield run
        at = run.end() if run is not None else at + 1


def _base64_starts(data: bytes) -> int:
    signs = int.from_bytes(data.translate(_SIGNS), "little")
    marks = signs & signs >> 32
    marks &= marks >> 64
    marks &= signs >> 128
    return marks & (signs >> 1 << 8 | _UPPER)


def _replaced(text: str, parts: Iterable[tuple[int, int, str]]) -> str:
    """The text with others in the places of some of its parts."""
    pieces, done = [], 0
    for start, end, shown in parts:
        pieces += [text[done:start], shown]
        done = end
    return "".join((*pieces, text[done:])) if pieces else text


def _parts(run: str) -> list[str]:
    return [part for part in run.split("/") if len(part) >= _SHORTEST] if "/" in run else []
