"""The parts of a multipart body, by the standard library's parser. Apart, because that loads slowly."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import NamedTuple

__all__ = ["Part", "parts_of"]


class Part(NamedTuple):
    """One part. `name` and `filename` are empty where its head has none."""

    name: str
    filename: str
    content_type: str
    data: bytes


def parts_of(data: bytes, content_type: str, most: int) -> list[Part] | None:
    """The parts in order; None where the body is not whole multipart, holds messages in messages, or over `most`."""
    head = Message()
    head["content-type"] = content_type.replace("\r", "").replace("\n", "")
    boundary = str(head.get_boundary() or "").encode("latin-1", "replace")
    if not boundary or not 0 < data.count(b"--" + boundary) <= most + 1:
        return None
    opening = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=compat32).parsebytes(opening + data)
    children = message.get_payload()
    if message.defects or not isinstance(children, list):
        return None
    parts = [_part(child) for child in children if isinstance(child, Message)]
    whole = [part for part in parts if part is not None]
    return whole if len(whole) == len(children) else None


def _part(message: Message) -> Part | None:
    data = message.get_payload(decode=True)
    if not isinstance(data, bytes):
        return None
    return Part(
        name=_parameter(message, "name"),
        filename=_parameter(message, "filename"),
        content_type=str(message.get("content-type", "")),
        data=data,
    )


def _parameter(message: Message, name: str) -> str:
    value = message.get_param(name, header="content-disposition")
    return value[2] if isinstance(value, tuple) else str(value or "")
