"""A message's headers and body → its document. The media type decides; what it does not say is recognised."""

# Rule: nothing here raises for what a peer sent. What is not what its headers say is text or binary, with a note.

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from durable_replay.drift.documents import csv, events, fields, json, plain
from durable_replay.drift.documents.embedded import is_xml_document, may_hold_documents, unfolded
from durable_replay.drift.documents.form import LARGE, Content, Document, NotThat, described, media_of
from durable_replay.errors import LimitExceeded
from durable_replay.http import Body, Frame, Headers
from durable_replay.matching.encodings import BadChunks, unchunked
from durable_replay.redaction.coding import coding_of, decode
from durable_replay.redaction.events import divided_by

__all__ = ["conversation", "document"]

_TYPED_BY_HABIT = frozenset({"", "text/plain", "text/html", "application/octet-stream", "binary/octet-stream"})
"""Types that servers send for what they do not know, or did not look at."""
_JSON = frozenset({"json", "ndjson"})
_HOLDING = _JSON | {"xml", "xmlrpc", "form"}
"""Forms whose strings may hold documents. Those of several parts are read part by part."""
_TEXTS = frozenset({"javascript", "ecmascript", "x-javascript", "yaml", "x-yaml", "toml", "graphql", "sql", "x-sh"})


def document(headers: Headers, body: Body) -> Document:
    """What a body says, by the Content-Encoding and Content-Type of its headers. Never raises for what was sent."""
    if not body.size:
        return Document("none", None, 0)
    field = headers.get("content-type")
    if body.size > LARGE:
        return Document("large", described(media_of(field), body), body.size)
    try:
        data, note = _uncoded(headers, body)
    except LimitExceeded as bomb:
        return Document("large", described(media_of(field), body), body.size, str(bomb))
    content = Content(data, media_of(field), field)
    if note:
        return plain.read_binary(content, note)
    return _read(content)


def conversation(frames: Iterable[Frame]) -> Document:
    """What a WebSocket conversation says."""
    return events.read_frames(frames, _read)


# -- content codings --------------------------------------------------------------------------------------------------


def _uncoded(headers: Headers, body: Body) -> tuple[bytes, str]:
    """The content without its codings, and why they could not be undone, or "". Raises LimitExceeded for a bomb."""
    data = body.read()
    for name in reversed([part.strip().lower() for part in ",".join(headers.get_all("content-encoding")).split(",")]):
        try:
            data = _without(name, data)
        except (ValueError, EOFError) as damaged:
            return (data, "") if not _looks_coded(name, data) else (data, str(damaged))
    return data, ""


def _without(name: str, data: bytes) -> bytes:
    if name == "aws-chunked":
        return _unchunked(data)
    coding = coding_of(name)
    if coding is None:
        raise ValueError(f"the content coding {name} is not known")
    return decode(coding, [data], LARGE) if coding else data


def _unchunked(data: bytes) -> bytes:
    try:
        return b"".join(unchunked([data]))
    except BadChunks:
        return data  # SDKs name the coding also where the body is sent whole


def _looks_coded(name: str, data: bytes) -> bool:
    """Whether a body has its coding at all: other recorders keep bodies decoded, under the header they came with."""
    starts = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
    return data.startswith(starts[name]) if name in starts else not data.lstrip()[:1].isascii() or _controls(data)


def _controls(data: bytes) -> bool:
    return any(byte < 9 or 13 < byte < 32 or byte > 126 for byte in data[:64])


# -- media types ------------------------------------------------------------------------------------------------------


def _read(content: Content) -> Document:
    """The document of a content without coding."""
    if not content.data:
        return Document("none", None, 0)
    try:
        reader = _reader(content)
        return _unfolded(reader(content) if reader is not None else _recognised(content), content)
    except NotThat as wrong:
        return _unstructured(content, str(wrong))


def _unfolded(found: Document, content: Content) -> Document:
    """With the documents that its strings hold; the parts of several are unfolded each by itself."""
    if found.form not in _HOLDING or (found.form in _JSON and not may_hold_documents(content.data)):
        return found
    return replace(found, root=unfolded(found.root, content.nested))


def _reader(content: Content) -> Callable[[Content], Document] | None:
    """What reads this media type; None for one that says nothing."""
    kind, _, subtype = content.media.partition("/")
    if subtype == "json" or subtype.endswith("+json") or subtype.startswith("x-amz-json"):
        return json.read
    if ends := divided_by(content.media):
        return json.read_lines if b"\n" in ends else _events
    if subtype == "x-www-form-urlencoded":
        return _form
    if kind == "multipart":
        return _multipart
    if subtype in ("csv", "tab-separated-values"):
        return csv.read
    if subtype == "xhtml+xml":
        return plain.read_html
    return _xml if subtype == "xml" or subtype.endswith("+xml") else None


def _recognised(content: Content) -> Document:
    """A body whose type says nothing of its structure: JSON objects and arrays, XML, pages; else as typed."""
    start = content.data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    known = content.media in _TYPED_BY_HABIT
    try:
        if known and start[:1] in (b"{", b"["):
            return json.read(content)
        if known and is_xml_document(start.decode("latin-1")):
            return _xml(content)
    except NotThat:
        pass  # begins like one, and is not
    if content.media == "text/html" or (known and start[:14].lower().startswith((b"<!doctype html", b"<html"))):
        return plain.read_html(content)
    return _unstructured(content)


def _unstructured(content: Content, note: str = "") -> Document:
    kind, _, subtype = content.media.partition("/")
    texts = kind == "text" or subtype in _TEXTS
    if texts or ((not content.media or note) and _is_text(content.data)):
        return plain.read_text(content, note)
    return plain.read_binary(content, note)


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _form(content: Content) -> Document:
    """A form, or what curl's default type stands over."""
    if content.data.lstrip()[:1] in (b"{", b"[", b"<"):
        try:
            return json.read(content) if content.data.lstrip()[:1] != b"<" else _xml(content)
        except NotThat:
            pass  # a form after all
    return fields.read_form(content)


def _xml(content: Content) -> Document:
    from durable_replay.drift.documents import xml  # lxml loads slowly

    return xml.read(content)


def _multipart(content: Content) -> Document:
    return fields.read_multipart(content, _read)


def _events(content: Content) -> Document:
    return events.read_events(content, _read)
