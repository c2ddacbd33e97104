"""A message's headers and body → its document. The media type decides; what it does not say is recognised."""

# Rule: nothing here raises for what a peer sent. A body that is not what its headers say is text or binary, with a note.

from __future__ import annotations

from durable_replay.drift.documents import json
from durable_replay.drift.documents.form import LARGE, Content, Document, NotThat, described, media_of
from durable_replay.http import Body, BytesBody, Headers

__all__ = ["document", "read"]


def document(headers: Headers, body: Body) -> Document:
    """What a body says, by the Content-Encoding and Content-Type of its headers. Never raises for what was sent."""
    field = headers.get("content-type")
    if not body.size:
        return Document("none", None, 0)
    if body.size > LARGE:
        return Document("large", described(media_of(field), body), body.size)
    return read(Content(body.read(), media_of(field), field))


def read(content: Content) -> Document:
    """The document of a content without coding."""
    try:
        return json.read(content)
    except NotThat as wrong:
        return _text(content, str(wrong))


def _text(content: Content, note: str = "") -> Document:
    try:
        return Document("text", content.data.decode(), len(content.data), note)
    except UnicodeDecodeError:
        return Document("binary", described(content.media, BytesBody(content.data)), len(content.data), note)
