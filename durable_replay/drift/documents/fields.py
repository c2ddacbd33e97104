"""Forms and multipart bodies: named values."""

from __future__ import annotations

from collections.abc import Iterable

from durable_replay.drift.documents.form import Content, Document, Node, NotThat, Reader, counted
from durable_replay.http import parse_query

__all__ = ["read_form", "read_multipart"]

MOST_PARTS = 1000


def read_form(content: Content) -> Document:
    """`{name: value}`; a name that is repeated, or ends with `[]`, has a list."""
    counted(content, b"&")
    try:
        text = content.data.decode().strip()
    except UnicodeDecodeError as wrong:
        raise NotThat(f"not a form: {wrong}") from None
    return Document("form", _by_name(parse_query(text)), len(content.data))


def read_multipart(content: Content, read: Reader) -> Document:
    """`{part name: {"media-type", "filename"?, "content"}}`; the parts of a body without names are the list `parts`."""
    from durable_replay.matching.multipart import parts_of  # loads the standard library's mail parser, slowly

    try:
        parts = parts_of(content.data, content.field, MOST_PARTS)
    except RecursionError:
        raise NotThat("multipart in multipart, too deep to read") from None
    if parts is None:
        raise NotThat(f"not multipart, nested, or over {MOST_PARTS:,} parts")
    pairs: list[tuple[str, Node]] = []
    for part in parts:
        inner = content.inner(part.data, part.content_type or "text/plain")
        fields: dict[str, Node] = {"media-type": inner.media}
        if part.filename:
            fields["filename"] = part.filename
        pairs.append((part.name or "parts[]", {**fields, "content": read(inner).root}))
    return Document("multipart", _by_name(pairs), len(content.data))


def _by_name(pairs: Iterable[tuple[str, Node]]) -> Node:
    values: dict[str, list[Node]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {
        name.removesuffix("[]") or name: list(found) if len(found) > 1 or name.endswith("[]") else found[0]
        for name, found in values.items()
    }
