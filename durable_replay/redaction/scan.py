"""The proof: the bytes of a finished file, and the bodies inside it, hold no secret.

A finding names its rule and its place, never the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from durable_replay.http import Body, Headers, Interaction
from durable_replay.redaction.blocks import Blocks
from durable_replay.redaction.clean import Clean
from durable_replay.redaction.coding import coding_of, decoder
from durable_replay.redaction.conversation import readable
from durable_replay.redaction.encoded import decoded
from durable_replay.redaction.known import spellings
from durable_replay.redaction.pieces import First, Pieces
from durable_replay.redaction.placeholders import Constant
from durable_replay.redaction.rules import DEFAULT, Rule, Rules
from durable_replay.redaction.text import Text

__all__ = ["Finding", "scan_file", "scan_interactions"]

PIECE = 1024 * 1024
OVERLAP = 16 * 1024
MOST = 100
REMEMBERED = 100_000
"""Contents and heads that held nothing; a digest or a head each."""
BESIDE = ("", "-wal", "-journal")
"""SQLite's own files beside a database may hold what it holds."""
_SIGN = ","


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
        for place, rule in search.interaction(interaction)
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


def _heads(interaction: Interaction) -> dict[str, str]:
    """The small texts, by their places."""
    request, response = interaction.request, interaction.response
    return {
        "request target": f"{request.method} {request.target}",
        "request headers": _lines(request.headers),
        "response reason": response.reason,
        "response headers": _lines(response.headers),
        "response trailers": _lines(response.trailers),
        "note": interaction.note.encode().decode("latin-1"),
    }


def _lines(headers: Headers) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers)


def _decoded(headers: Headers, body: Body) -> Iterator[bytes]:
    """The content; where it is damaged, what could be read of it."""
    undo = decoder(coding_of(headers.get("content-encoding")) or "")
    try:
        for chunk in body.chunks():
            yield from undo.feed(chunk)
    except ValueError:
        return


class _Search:
    """Searches, and remembers what held nothing: a content, a head, a piece of JSON."""

    def __init__(self, rules: Rules, known: Iterable[str], every: bool) -> None:
        self._every = every
        self._text = Text(rules, Constant(), _nothing)
        # a plain word may stand elsewhere as itself, so it proves nothing
        self._known = Blocks(form for value in known if not value.isalpha() for form in spellings(value))
        first, kept = First(rules, self._knows, lambda kind, text: False), Clean()
        self._across = Blocks(form for form in self._known if _SIGN in form)
        self._pieces = Pieces(first, _SIGN, kept)
        self._lines = Pieces(first, "\n", kept)
        self._clean: set[tuple[str, str]] = set()

    def interaction(self, interaction: Interaction) -> Iterator[tuple[str, str]]:
        """Place and rule of each find."""
        heads = _heads(interaction)
        if not self._lines.usable or self._lines.look([line for text in heads.values() for line in text.split("\n")]):
            yield from ((place, rule) for place, text in heads.items() for rule in self._head(text))
        for side, message in (("request", interaction.request), ("response", interaction.response)):
            yield from ((f"{side} body", rule) for rule in self._body(message.headers, message.body))
        for position, data in readable(interaction.frames):
            yield from ((f"frame {position}", rule) for rule, _ in self.stream(iter([data])))

    def _head(self, text: str) -> Iterator[str]:
        yield from self._unless_clean(("", text), iter([text.encode("latin-1", "replace")]))

    def _body(self, headers: Headers, body: Body) -> Iterator[str]:
        if not body:
            return
        digest = getattr(body, "digest", None)  # a stored body tells which content it has
        key = (headers.get("content-encoding") or "identity", digest) if isinstance(digest, str) else None
        yield from self._unless_clean(key, _decoded(headers, body))

    def _unless_clean(self, key: tuple[str, str] | None, pieces: Iterator[bytes]) -> Iterator[str]:
        """The rules of what is found, where nothing says that the same was searched before and held nothing."""
        if key in self._clean:
            return
        found = False
        for rule, _ in self.stream(pieces):
            found = True
            yield rule
        if key is not None and not found and len(self._clean) < REMEMBERED:
            self._clean.add(key)

    def stream(self, pieces: Iterator[bytes]) -> Iterator[tuple[str, int]]:
        """The rule and the offset of each find; a secret that lies over a piece's end is seen with the next."""
        held, base = "", 0
        for piece in pieces:
            text = held + piece.decode("latin-1")
            yield from ((rule, base + at) for rule, at in self._in(text))
            base += max(0, len(text) - OVERLAP)
            held = text[-OVERLAP:]

    def _in(self, text: str) -> Iterator[tuple[str, int]]:
        cut = self._pieces.fits(text) and not (self._across and self._across.occurring(text))
        look = self._pieces.look(text.split(_SIGN)) if cut else None
        if look is not None and not look:
            return
        found = [*self._plainly_in(text, look.rules if look is not None else None)]
        yield from found
        seen = {rule for rule, _ in found}
        for at, plain in decoded(text) if look is None or look.encoded else ():
            yield from ((rule, at) for rule, _ in self._plainly_in(plain) if rule not in seen)

    def _plainly_in(self, text: str, likely: Iterable[Rule] | None = None) -> Iterator[tuple[str, int]]:
        for rule, at in self._text.found(text, self._every, likely):
            yield rule.name, at
        for form in self._known.occurring(text):
            yield "known-secret", text.find(form)

    def _knows(self, text: str) -> bool:
        return bool(self._known.occurring(text))


def _nothing(_: str) -> None:
    return
