"""The canonical form of a request's body, by its kind.

==========  ==========================================================================================================
json        keys sorted, no whitespace; a body with a repeated key, NaN or bad syntax is `bytes`
form        pairs sorted by name, repeated names in their order
xml         C14N without comments and without the whitespace between elements; a body with a DOCTYPE is `bytes`
multipart   parts sorted by name, each with its file name, its kind and its own digest; the boundary does not count,
            nor do the signature's fields of an upload by a signed policy
text        its bytes
bytes       its bytes; everything over 1 MiB too, which is digested as it streams and never parsed, but for the parts
            of a multipart body
==========  ==========================================================================================================

The kind counts, the exact media type does not; `header("content-type")` makes it count. With the term
`content` every body is `bytes`: a service that stores what it is sent must not take two spellings for one.
"""

# Rule: a body that its parser does not take whole counts as the bytes it is; nothing here raises for a client's bytes.

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_plus

from durable_replay.http import Body, Request
from durable_replay.matching.defaults import SIGNED_FORMS
from durable_replay.matching.encodings import BadChunks, inflated, unchunked
from durable_replay.matching.paths import Json, removed, selected
from durable_replay.matching.rules import BodyRules

if TYPE_CHECKING:
    from durable_replay.matching.multipart import Part, StreamedPart

__all__ = ["NO_BODY", "CanonicalBody", "Mask", "canonical_body", "decode_pairs"]

Mask = Callable[[str], str]

PARSED = 1024 * 1024
"""Largest body that is parsed, in bytes, before and after decompression."""
MOST_PARTS = 1000


@dataclass(frozen=True, slots=True)
class CanonicalBody:
    """What counts of a body: its kind and the sha256 of its canonical form; `value` is that form where it was parsed
    as JSON, form or multipart, for explaining a difference."""

    kind: str = ""
    digest: bytes = b""
    value: Json = field(default=None, compare=False, repr=False)


NO_BODY = CanonicalBody()


class _Unparsed(ValueError):
    """The body is not what its type says, or holds what has no canonical form."""


class _Content(NamedTuple):
    """A body's bytes with its media type (lower case, without parameters) and the whole content-type field."""

    data: bytes
    media: str
    field: str


def canonical_body(request: Request, rules: BodyRules, mask: Mask | None = None) -> CanonicalBody:
    """What counts of this request's body by these rules; its text goes through `mask`."""
    if not request.body.size or not rules.counts:
        return NO_BODY
    if request.body.size > PARSED:
        return _streamed(request, rules, mask)
    if rules.exact:
        return _exact(request, rules, mask)
    data = _decoded(request)
    if data is None:
        return _raw(request.body.read(), rules)
    content_type = request.headers.get("content-type")
    return _by_kind(_Content(data, _media(content_type), content_type), rules, mask)


def _media(field: str) -> str:
    return field.partition(";")[0].strip().lower()


def _codings(request: Request) -> list[str]:
    codings = [part.strip().lower() for part in ",".join(request.headers.get_all("content-encoding")).split(",")]
    codings = [coding for coding in codings if coding and coding != "identity"]
    if "aws-chunked" not in codings and request.headers.get("x-amz-content-sha256").startswith("STREAMING-"):
        codings.append("aws-chunked")
    elif "aws-chunked" in codings:  # listed first by SDKs although applied last
        codings = [*(coding for coding in codings if coding != "aws-chunked"), "aws-chunked"]
    return codings


def _decoded(request: Request) -> bytes | None:
    """The body without its codings, None where one is unknown, damaged or a bomb."""
    data = request.body.read()
    for coding in reversed(_codings(request)):
        if coding == "aws-chunked":
            data = _joined(unchunked([data]), data)
        elif coding in ("gzip", "x-gzip", "deflate"):
            content = inflated(data, coding, PARSED)
            if content is None:
                return None
            data = content
        else:
            return None
    return data


def _joined(pieces: Iterable[bytes], otherwise: bytes) -> bytes:
    try:
        return b"".join(pieces)
    except BadChunks:
        return otherwise


def _exact(request: Request, rules: BodyRules, mask: Mask | None) -> CanonicalBody:
    data = request.body.read()
    if _codings(request)[-1:] == ["aws-chunked"]:
        data = _joined(unchunked([data]), data)
    return _raw(_masked_bytes(data, mask) if mask else data, rules)


def _masked_bytes(data: bytes, mask: Mask) -> bytes:
    return mask(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _streamed(request: Request, rules: BodyRules, mask: Mask | None) -> CanonicalBody:
    codings, content_type = _codings(request), request.headers.get("content-type")
    if not (codings or rules.exact) and _media(content_type).startswith("multipart/"):
        try:
            return _from_parts(_streamed_entries(request.body, content_type, mask, rules), rules)
        except (ValueError, RecursionError):
            pass  # by the rule above it counts as bytes
    if not rules.whole:
        return NO_BODY
    if codings[-1:] == ["aws-chunked"]:
        try:
            return CanonicalBody("bytes", _digest_of(unchunked(request.body.chunks())))
        except BadChunks:
            pass  # not what it says: it counts as the bytes it is
    return CanonicalBody("bytes", _digest_of(request.body.chunks()))


def _digest_of(chunks: Iterable[bytes]) -> bytes:
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


def _raw(data: bytes, rules: BodyRules, kind: str = "bytes") -> CanonicalBody:
    return CanonicalBody(kind, sha256(data).digest()) if rules.whole else NO_BODY


def _by_kind(content: _Content, rules: BodyRules, mask: Mask | None) -> CanonicalBody:
    canonicaliser = _KINDS.get(_kind(content))
    try:
        if canonicaliser is not None:
            return canonicaliser(content, rules, mask)
    except (ValueError, RecursionError):
        pass  # by the rule above it counts as bytes
    return _raw(content.data, rules)


def _kind(content: _Content) -> str:
    """By media type; by the first byte where there is none, or curl's default stands for something else."""
    subtype = content.media.partition("/")[2]
    if subtype == "json" or subtype.endswith("+json") or subtype.startswith("x-amz-json"):
        return "json"
    if subtype == "xml" or subtype.endswith("+xml"):
        return "xml"
    if content.media.startswith("multipart/"):
        return "multipart"
    form = subtype == "x-www-form-urlencoded"
    if form or not content.media:
        first = content.data.lstrip()[:1]
        if first in (b"{", b"["):
            return "json"
        if first == b"<":
            return "xml"
    return "form" if form else "text" if content.media.startswith("text/") else "bytes"


# -- values: JSON and forms -------------------------------------------------------------------------------------------

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def _from_value(kind: str, value: Json, rules: BodyRules) -> CanonicalBody:
    for path in rules.without:
        value = removed(value, path)
    if rules.only:
        value = {text: list(selected(value, path)) for text, path in rules.only}
    return CanonicalBody(kind, sha256(_encode(value).encode()).digest(), value)


@lru_cache(maxsize=64)
def _decoder(hidden: frozenset[str]) -> Callable[[str], Json]:
    """A JSON parser that refuses repeated keys and leaves out the hidden fields at any depth."""

    def counted(pairs: list[tuple[str, Json]]) -> Json:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise _Unparsed("a key is repeated")
        if hidden.isdisjoint(fields):
            return fields
        return {name: value for name, value in pairs if name not in hidden}

    return json.JSONDecoder(object_pairs_hook=counted).decode


def _from_json(content: _Content, rules: BodyRules, mask: Mask | None) -> CanonicalBody:
    text = content.data.decode(json.detect_encoding(content.data), "surrogatepass")
    value = _decoder(rules.hidden)(text)
    return _from_value("json", _masked(value, mask) if mask else value, rules)


def _masked(value: Json, mask: Mask) -> Json:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {name: _masked(child, mask) for name, child in value.items()}
    return [_masked(child, mask) for child in value] if isinstance(value, list) else value


def decode_pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of a query or form, decoded so that different bytes stay different text."""
    pairs = [part.partition("=") for part in text.split("&") if part]
    if "%" not in text and "+" not in text:
        return [(name, value) for name, _, value in pairs]
    return [(_unquoted(name), _unquoted(value)) for name, _, value in pairs]


def _unquoted(text: str) -> str:
    return unquote_plus(text, errors="surrogateescape")


def _from_form(content: _Content, rules: BodyRules, mask: Mask | None) -> CanonicalBody:
    fields: dict[str, list[Json]] = {}
    for name, value in decode_pairs(content.data.decode("utf-8", "surrogateescape")):
        if name not in rules.hidden:
            fields.setdefault(name, []).append(mask(value) if mask else value)
    return _from_value("form", dict(fields), rules)


def _from_text(content: _Content, rules: BodyRules, mask: Mask | None) -> CanonicalBody:
    return _raw(_masked_bytes(content.data, mask) if mask else content.data, rules, "text")


# -- documents with parts ---------------------------------------------------------------------------------------------


def _from_xml(content: _Content, rules: BodyRules, mask: Mask | None) -> CanonicalBody:
    if not rules.whole:
        return NO_BODY
    from durable_replay.matching.xml import BadXml, canonical_xml

    try:
        data = canonical_xml(content.data, rules.hidden, mask)
    except BadXml as bad:
        raise _Unparsed(str(bad)) from bad
    return CanonicalBody("xml", sha256(data).digest())


_Entry = tuple[str, list[Json]]
"""A part's name; its file name, kind and digest."""


def _from_multipart(content: _Content, rules: BodyRules, mask: Mask | None) -> CanonicalBody:
    from durable_replay.matching.multipart import parts_of

    parts = parts_of(content.data, content.field, MOST_PARTS)
    if parts is None:
        raise _Unparsed("not multipart, or too many parts")
    return _from_parts([_entry(part, part.data, rules, mask) for part in parts], rules)


def _streamed_entries(body: Body, content_type: str, mask: Mask | None, rules: BodyRules) -> Iterator[_Entry]:
    """The same of a body of any size: a part counts by its kind where it is of a size that is parsed."""
    from durable_replay.matching.multipart import streamed_parts

    for part in streamed_parts(body.chunks(), content_type, MOST_PARTS):
        held, size = [], 0
        while size <= PARSED and (piece := next(part.data, None)) is not None:
            held.append(piece)
            size += len(piece)
        if size <= PARSED:
            yield _entry(part, b"".join(held), rules, mask)
        else:
            yield part.name, [part.filename, "bytes", _digest_of(chain(held, part.data)).hex()]


def _entry(part: Part | StreamedPart, data: bytes, rules: BodyRules, mask: Mask | None) -> _Entry:
    whole = BodyRules(whole=True, only=(), without=(), hidden=rules.hidden)
    inner = _Content(data, _media(part.content_type) or "text/plain", part.content_type)
    if inner.media.startswith("multipart/"):
        inner = inner._replace(media="application/octet-stream")
    body = _by_kind(inner, whole, mask)
    return part.name, [part.filename, body.kind, body.digest.hex()]


def _from_parts(entries: Iterable[_Entry], rules: BodyRules) -> CanonicalBody:
    entries = list(entries)
    signing = _signing(name for name, _ in entries)
    fields: dict[str, list[Json]] = {}
    for name, entry in entries:
        if name not in rules.hidden and name.lower() not in signing:
            fields.setdefault(name, []).append(entry)
    return _from_value("multipart", dict(fields), rules)


def _signing(names: Iterable[str]) -> frozenset[str]:
    """Lower-case names of the fields that only sign a form with these fields."""
    there = {name.lower() for name in names}
    return frozenset[str]().union(*(fields for marks, fields in SIGNED_FORMS if marks <= there))


_Canonicaliser = Callable[[_Content, BodyRules, Mask | None], CanonicalBody]
_KINDS: dict[str, _Canonicaliser] = {
    "json": _from_json,
    "form": _from_form,
    "xml": _from_xml,
    "multipart": _from_multipart,
    "text": _from_text,
}
