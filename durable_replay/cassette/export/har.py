"""HAR 1.2, as browsers and test runners read it. http://www.softwareishard.com/blog/har-12-spec/

Its bodies are without content coding, as the specification has it. WebSocket messages are Chromium's extension.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime

from durable_replay import __version__
from durable_replay.cassette.export.exported import Losses, Tape
from durable_replay.cassette.export.messages import as_base64, as_text, held, items
from durable_replay.errors import LimitExceeded
from durable_replay.http import IN_MEMORY, Body, BytesBody, Frame, Headers, Interaction
from durable_replay.redaction.coding import coding_of, decode

__all__ = ["har"]

Object = dict[str, object]


def har(tape: Tape, losses: Losses) -> Iterator[str]:
    """See Exporter."""
    yield f'{{"log": {{\n"version": "1.2",\n"creator": {{"name": "durable-replay", "version": "{__version__}"}},\n'
    yield '"entries": ['
    yield from items(_entry(interaction, losses) for interaction in held(tape(), losses, frames=True))
    yield "\n]}}\n"


def _entry(interaction: Interaction, losses: Losses) -> Object:
    milliseconds = interaction.duration * 1000
    entry: Object = {
        "startedDateTime": _iso(interaction.started),
        "time": milliseconds,
        "request": _request(interaction),
        "response": _response(interaction, losses),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }
    if interaction.note:
        entry["comment"] = interaction.note
    if interaction.frames:
        entry["_resourceType"] = "websocket"
        entry["_webSocketMessages"] = list(_messages(interaction, losses))
    return entry


def _iso(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return "1970-01-01T00:00:00.000Z"


def _request(interaction: Interaction) -> Object:
    request = interaction.request
    found: Object = {
        "method": request.method,
        "url": request.url,
        "httpVersion": interaction.http_version,
        "cookies": [],
        "headers": _fields(request.headers),
        "queryString": [{"name": name, "value": value} for name, value in request.query],
        "headersSize": -1,
        "bodySize": request.body.size,
    }
    if request.body:
        text = as_text(request.body)
        found["postData"] = {
            "mimeType": request.headers.get("content-type"),
            "params": [],
            "text": as_base64(request.body) if text is None else text,
            **({"encoding": "base64"} if text is None else {}),
        }
    return found


def _response(interaction: Interaction, losses: Losses) -> Object:
    response = interaction.response
    return {
        "status": response.status,
        "statusText": response.reason,
        "httpVersion": interaction.http_version,
        "cookies": [],
        "headers": _fields(response.headers),
        "content": _content(response.body, response.headers, losses),
        "redirectURL": response.headers.get("location"),
        "headersSize": -1,
        "bodySize": response.body.size,
    }


def _fields(headers: Headers) -> list[Object]:
    return [{"name": name, "value": value} for name, value in headers]


def _content(body: Body, headers: Headers, losses: Losses) -> Object:
    mime = headers.get("content-type")
    body = _without_coding(body, headers.get("content-encoding"), losses)
    found: Object = {"size": body.size, "mimeType": mime or "application/octet-stream"}
    if body:
        charset = mime.lower().partition("charset=")[2].strip(" \"'")
        text = as_text(body) if charset in ("", "utf-8", "utf8") else None  # readers encode text by the charset
        found["text"] = as_base64(body) if text is None else text
        if text is None:
            found["encoding"] = "base64"
    return found


def _without_coding(body: Body, content_encoding: str, losses: Losses) -> Body:
    coding = coding_of(content_encoding)
    if not body or coding == "":
        return body
    try:
        if coding is not None:
            content = BytesBody(decode(coding, body.chunks(), IN_MEMORY))
            losses.add("bodies written without their content coding")
            return content
    except (ValueError, LimitExceeded):
        pass  # written as it is, like any other that cannot be undone, and counted
    losses.add("bodies left in their content coding")
    return body


def _messages(interaction: Interaction, losses: Losses) -> Iterator[Object]:
    for frame in interaction.frames:
        if frame.kind not in ("text", "binary"):
            losses.add("WebSocket control frames")
            continue
        binary = frame.kind == "binary"
        yield {
            "type": "send" if frame.from_client else "receive",
            "time": interaction.started + frame.at,
            "opcode": 2 if binary else 1,
            "data": base64.b64encode(frame.data).decode("ascii") if binary else _text(frame, losses),
        }


def _text(frame: Frame, losses: Losses) -> str:
    try:
        return frame.data.decode("utf-8")
    except UnicodeDecodeError:
        losses.add("WebSocket texts that are no UTF-8")
        return frame.data.decode("utf-8", "replace")
