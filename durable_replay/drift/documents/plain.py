"""Bodies without structure: text, pages for people, and bytes."""

from __future__ import annotations

from hashlib import sha256

from durable_replay.drift.documents.form import Content, Document, Node, charset_of, described
from durable_replay.http import BytesBody

__all__ = ["read_binary", "read_html", "read_text"]

LONGEST = 64 * 1024
"""Of a text, in characters; a longer one is its beginning and a digest."""
SHOWN = 4096


def read_text(content: Content, note: str = "") -> Document:
    """The string; bytes that are not in its charset are U+FFFD."""
    text = content.data.decode(charset_of(content), "replace")
    if not note and "\ufffd" in text and "\ufffd".encode() not in content.data:
        note = "bytes that are not in its charset"
    if len(text) > LONGEST:
        digest = sha256(content.data).hexdigest()
        text = f"{text[:SHOWN]}… ({len(content.data):,} bytes, sha256 {digest})"
    return Document("text", text, len(content.data), note)


def read_binary(content: Content, note: str = "") -> Document:
    """Its size and digest."""
    return Document("binary", described(content.media, BytesBody(content.data)), len(content.data), note)


def read_html(content: Content) -> Document:
    """The page's title alone."""
    from lxml import etree  # loads slowly

    root: dict[str, Node] = {}
    try:
        parser = etree.HTMLParser(encoding=charset_of(content), no_network=True, huge_tree=False, remove_comments=True)
        page = etree.fromstring(content.data, parser)
        title = page.findtext(".//title") if page is not None else None
    except (etree.LxmlError, LookupError, ValueError) as wrong:
        return read_text(content, f"not HTML: {wrong}")
    if title is not None:
        root["title"] = " ".join(title.split())
    return Document("html", root, len(content.data))
