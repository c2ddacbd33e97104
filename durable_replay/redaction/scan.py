"""The proof: the bytes of a finished file, and the bodies inside it, hold no secret.

A finding names its rule and its place, never the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from durable_replay.http import Body, Headers, Interaction
from durable_replay.redaction.coding import coding_of, decoder
from durable_replay.redaction.conversation import readable
from durable_replay.redaction.encoded import decoded
from durable_replay.redaction.known import spellings
from durable_replay.redaction.placeholders import Constant
from durable_replay.redaction.rules import DEFAULT, Rules
from durable_replay.redaction.text import Text

__all__ = ["Finding", "scan_file", "scan_interactions"]

PIECE = 1024 * 1024
OVERLAP = 16 * 1024
MOST = 100
BESIDE = ("", "-wal", "-journal")
"""SQLite's own files beside a database may hold what it holds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A secret's rule (`known-secret` for a value that a named field gave away) and where it stands."""

    rule: str
    place: str


def scan_file(path: Path, rules: Rules = DEFAULT, known: Iterable[str] = ()) -> list[Finding]:
    """The raw bytes of a file and of SQLite's files beside it, all pages, read in pieces, and what stands in them
    in base64 or percent-encoded; at most 100 findings.

    `known` are secrets that must not occur in any spelling (plain, percent-encoded, base64, inside JSON or XML).
    """
    search = _Search(rules, known, every=False)
    files = [named for suffix in BESIDE if (named := path.with_name(path.name + suffix)).exists()]
    found = (Finding(rule, f"{file.name}, byte {at}") for file in files for rule, at in search.stream(_pieces(file)))
    return _first(found)


def scan_interactions(
    interactions: Iterable[Interaction], rules: Rules = DEFAULT, known: Iterable[str] = ()
) -> list[Finding]:
    """Heads, frames and decompressed, decoded bodies; at most 100 findings."""
    search = _Search(rules, known, every=True)
    found = (
        Finding(rule, f"interaction {interaction.number}, {place}")
        for interaction in interactions
        for place, pieces in _places(interaction)
        for rule, _ in search.stream(pieces)
    )
    return _first(found)


def _first(found: Iterator[Finding]) -> list[Finding]:
    """Each once, in order, and no more than anybody reads."""
    unique: dict[Finding, None] = {}
    for finding in found:
        unique[finding] = None
        if len(unique) >= MOST:
            break
    return list(unique)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while data := opened.read(PIECE):
            yield data


def _places(interaction: Interaction) -> Iterator[tuple[str, Iterator[bytes]]]:
    request, response = interaction.request, interaction.response
    yield "request target", iter([f"{request.method} {request.target}".encode("latin-1", "replace")])
    yield "request headers", _headers(request.headers)
    yield "request body", _decoded(request.headers, request.body)
    yield "response reason", iter([response.reason.encode("latin-1", "replace")])
    yield "response headers", _headers(response.headers)
    yield "response body", _decoded(response.headers, response.body)
    yield "response trailers", _headers(response.trailers)
    yield "note", iter([interaction.note.encode()])
    for position, data in readable(interaction.frames):
        yield f"frame {position}", iter([data])


def _headers(headers: Headers) -> Iterator[bytes]:
    yield "\n".join(f"{name}: {value}" for name, value in headers).encode("latin-1", "replace")


def _decoded(headers: Headers, body: Body) -> Iterator[bytes]:
    """The content; where it is damaged, what could be read of it."""
    undo = decoder(coding_of(headers.get("content-encoding")) or "")
    try:
        for chunk in body.chunks():
            yield from undo.feed(chunk)
    except ValueError:
        return


class _Search:
    def __init__(self, rules: Rules, known: Iterable[str], every: bool) -> None:
        self._every = every
        self._text = Text(rules, Constant(), _nothing)
        # a plain word may stand elsewhere as itself, so it proves nothing
        self._known = tuple(form for value in known if not value.isalpha() for form in spellings(value))

    def stream(self, pieces: Iterator[bytes]) -> Iterator[tuple[str, int]]:
        """The rule and the offset of each find; a secret that lies over a piece's end is seen with the next."""
        held, base = "", 0
        for piece in pieces:
            text = held + piece.decode("latin-1")
            yield from ((rule, base + at) for rule, at in self._in(text))
            base += max(0, len(text) - OVERLAP)
            held = text[-OVERLAP:]

    def _in(self, text: str) -> Iterator[tuple[str, int]]:
        found = [*self._plainly_in(text)]
        yield from found
        seen = {rule for rule, _ in found}
        for at, plain in decoded(text):
            yield from ((rule, at) for rule, _ in self._plainly_in(plain) if rule not in seen)

    def _plainly_in(self, text: str) -> Iterator[tuple[str, int]]:
        for rule, at in self._text.found(text, self._every):
            yield rule.name, at
        for form in self._known:
            if (at := text.find(form)) >= 0:
                yield "known-secret", at


def _nothing(_: str) -> None:
    return
