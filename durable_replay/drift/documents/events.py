"""Conversations piece by piece: server-sent events and WebSocket frames."""

from __future__ import annotations

import re
from collections.abc import Iterable

from durable_replay.drift.documents.form import LARGE, Content, Document, Node, NotThat, Reader, counted
from durable_replay.http import Frame

__all__ = ["read_events", "read_frames"]

_LINE_END = re.compile(r"\r\n|\n|\r")


def read_events(content: Content, read: Reader) -> Document:
    """A list of `{"event", "id"?, "data"}`, by the rules of WHATWG HTML 9.2.6; data that is a JSON object or array is
    its value. An event that no blank line ends does not count, as no client is told of it."""
    counted(content, b"\n", b"\r")
    try:
        text = content.data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise NotThat(f"not a stream of events: {wrong}") from None
    root: list[Node] = []
    fields: dict[str, list[str]] = {}
    *lines, rest = _LINE_END.split(text)
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields:
            root.append(_event(fields, content, read))
        fields.clear()
    return Document("events", root, len(content.data), "the last event is not finished" if fields or rest else "")


def _event(fields: dict[str, list[str]], content: Content, read: Reader) -> Node:
    event: dict[str, Node] = {"event": (fields.get("event") or ["message"])[-1] or "message"}
    if "id" in fields:
        event["id"] = fields["id"][-1]
    data = "\n".join(fields["data"])
    return {**event, "data": read(content.inner(data.encode("utf-8"), "text/plain")).root}


def read_frames(frames: Iterable[Frame], read: Reader) -> Document:
    """A list of `{"from": "client"|"server", "kind", "data"}`, and `code` of a close. Pings and pongs keep a connection
    alive and say nothing of an API. What comes after 16 MiB does not count."""
    root: list[Node] = []
    size = 0
    for frame in frames:
        if frame.kind in ("ping", "pong"):
            continue
        size += len(frame.data)
        if size > LARGE:
            return Document("frames", root, size, f"only the first {len(root):,} messages were read")
        root.append(_frame(frame, read))
    return Document("frames", root, size)


def _frame(frame: Frame, read: Reader) -> Node:
    field = "application/octet-stream" if frame.kind == "binary" else "text/plain"
    fields: dict[str, Node] = {"from": "client" if frame.from_client else "server", "kind": frame.kind}
    if frame.code is not None:
        fields["code"] = frame.code
    return {**fields, "data": read(Content(frame.data, field, field)).root}
