"""Bodies without structure: text, pages for people, and bytes."""

from __future__ import annotations

import re
from email.message import Message
from hashlib import sha256

from durable_replay.drift.documents.form import Content, Document, Node, described
from durable_replay.http import BytesBody

__all__ = ["read_binary", "read_html", "read_text"]

LONGEST = 64 * 1024
"""Of a text, in characters; a longer one is its beginning and a digest."""
SHOWN = 4096
_CHARSET = re.compile(r"(utf|us-|ascii|iso|latin|windows|cp|koi8|mac|shift|s?jis|euc|gb|big5|ks|tis)[\w.:-]*")
"""Those that texts are sent in; Python knows more codecs by name, and not all of them decode whatever comes."""


def read_text(content: Content, note: str = "") -> Document:
    """The string; bytes that are not in its charset are U+FFFD."""
    text = content.data.decode(_charset(content), "replace")
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
        parser = etree.HTMLParser(encoding=_charset(content), no_network=True, huge_tree=False, remove_comments=True)
        page = etree.fromstring(content.data, parser)
        title = page.findtext(".//title") if page is not None else None
    except (etree.LxmlError, LookupError, ValueError) as wrong:
        return read_text(content, f"not HTML: {wrong}")
    if title is not None:
        root["title"] = " ".join(title.split())
    return Document("html", root, len(content.data))


def _charset(content: Content) -> str:
    """The charset that the type names, else UTF-8."""
    if "charset" not in content.field.lower():
        return "utf-8"
    head = Message()
    head["content-type"] = content.field.replace("\r", "").replace("\n", "")
    name = str(head.get_content_charset() or "")
    try:
        return name if _CHARSET.fullmatch(name) and not b"".decode(name) else "utf-8"
    except (LookupError, ValueError):
        return "utf-8"
