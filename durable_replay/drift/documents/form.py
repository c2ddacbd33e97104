"""The one form that every body takes for a comparison."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from hashlib import sha256
from typing import Literal, NamedTuple, TypeAlias

from durable_replay.http import Body
from durable_replay.matching.paths import Json

__all__ = [
    "DEEPEST",
    "LARGE",
    "Content",
    "Document",
    "Form",
    "Node",
    "NotThat",
    "Reader",
    "charset_of",
    "counted",
    "described",
    "media_of",
]

Node: TypeAlias = Json
"""None, a boolean, an integer, a fraction, a string, a list of nodes, or a dict of strings to nodes."""

Form: TypeAlias = Literal[
    "none",
    "json",
    "ndjson",
    "xml",
    "xmlrpc",
    "form",
    "csv",
    "events",
    "multipart",
    "frames",
    "text",
    "html",
    "binary",
    "large",
]

LARGE = 16 * 1024 * 1024
"""A body over this many bytes, as sent or unpacked, is only digested."""
DEEPEST = 64
"""Levels of lists and dicts that a document has at most, without those of documents in its strings; one that has more
is text. Those who walk a document may recurse."""

_CHARSET = re.compile(r"(utf|us-|ascii|iso|latin|windows|cp|koi8|mac|shift|s?jis|euc|gb|big5|ks|tis)[\w.:-]*")
"""Those that texts are sent in; Python knows more codecs by name, and not all of them decode whatever comes."""

MOST = 1_000_000
"""Elements, lists, fields or lines that a document has at most; one of more takes memory far beyond its size."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a body says. `size` is in bytes, without content coding (of a `large` one: as sent); `note` says where the
    body is not what its headers say, or is ""; `separator` is what separates the columns of CSV. Equal bytes under
    equal headers give equal documents."""

    form: Form
    root: Node
    size: int
    note: str = ""
    separator: str = ""


class Content(NamedTuple):
    """A body's bytes without content coding, its media type (lower case, no parameters), the whole field, and how
    many documents it is nested in."""

    data: bytes
    media: str = ""
    field: str = ""
    nested: int = 0

    def inner(self, data: bytes, field: str = "") -> Content:
        """What is inside this content."""
        return Content(data, media_of(field), field, self.nested + 1)


Reader: TypeAlias = Callable[[Content], Document]


class NotThat(ValueError):
    """The content is not what its media type says; the text is why."""


def counted(content: Content, *marks: bytes) -> None:
    """Raises NotThat for a content in which these marks are so many that it has more than MOST parts."""
    if len(content.data) > MOST and sum(map(content.data.count, marks)) > MOST:
        raise NotThat(f"more than {MOST:,} parts")


def media_of(field: str) -> str:
    """The media type of a Content-Type field."""
    return field.partition(";")[0].strip().lower()


def described(media: str, body: Body) -> Node:
    """What is kept of a body that is not read: `{"media-type", "size", "sha256"}`."""
    digest = sha256()
    for chunk in body.chunks():
        digest.update(chunk)
    return {"media-type": media, "size": body.size, "sha256": digest.hexdigest()}


def charset_of(content: Content) -> str:
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
