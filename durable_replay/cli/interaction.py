"""One interaction, as text and as a JSON document."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Sequence

from durable_replay.cassette.text.escaping import escaped
from durable_replay.cassette.text.grammar import field_line
from durable_replay.cassette.text.showing import SHOWN, pretty_lines
from durable_replay.cassette.text.writing import frame_line
from durable_replay.http import Body, BytesBody, Frame, Headers, Interaction

__all__ = ["document", "message_lines", "write_body"]

_TEXT = 16 * 1024
"""Bytes of a text in a document; more are base64."""
_MESSAGES = 100
"""WebSocket messages that are shown unless all are asked for."""


def write_body(body: Body) -> None:
    """The bytes on stdout, as large as they are."""
    for chunk in body.chunks():
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def message_lines(interaction: Interaction, *, full: bool = False) -> Iterator[str]:
    """Request, response and frames in their order; bodies as showing.py lays them out, `full` or up to a limit."""
    request, response = interaction.request, interaction.response
    yield f"#{interaction.number}  {escaped(request.url)}"
    if interaction.note:
        yield f"note: {escaped(interaction.note)}"
    yield ""
    yield f"> {escaped(f'{request.method} {request.target} {interaction.http_version}')}"
    yield from _message(">", request.headers, request.body, full)
    yield ""
    yield f"< {escaped(f'{interaction.http_version} {response.status} {response.reason}'.rstrip())}"
    yield from _message("<", response.headers, response.body, full)
    yield from (field_line("+", name, value) for name, value in response.trailers)
    if interaction.outcome != "complete":
        yield "(aborted: the connection ended before the response was whole)"
    yield from _frames(interaction.frames, full)


def _message(mark: str, headers: Headers, body: Body, full: bool) -> Iterator[str]:
    yield from (field_line(mark, name, value) for name, value in headers)
    if body:
        yield mark
        yield from pretty_lines(body, headers, None if full else SHOWN)


def _frames(frames: Sequence[Frame], full: bool) -> Iterator[str]:
    for frame in frames if full else frames[:_MESSAGES]:
        yield ""
        yield frame_line(frame, at=f"{frame.at:.3f}")
        if frame.data:
            yield from pretty_lines(BytesBody(frame.data), Headers(), None if full else SHOWN)
    if not full and len(frames) > _MESSAGES:
        yield f"… {len(frames) - _MESSAGES:,} of {len(frames):,} messages are left out; --full shows them"


def document(interaction: Interaction) -> dict[str, object]:
    """All of it for programs; a body that is no text, or is over 16 kB, in base64 up to 1 MiB, else its size alone."""
    request, response = interaction.request, interaction.response
    return {
        "number": interaction.number,
        "started": interaction.started,
        "duration": interaction.duration,
        "http_version": interaction.http_version,
        "outcome": interaction.outcome,
        "note": interaction.note,
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": list(request.headers),
            **_body(request.body),
        },
        "response": {
            "status": response.status,
            "reason": response.reason,
            "headers": list(response.headers),
            **_body(response.body),
        },
        "frames": [
            {
                "from_client": frame.from_client,
                "kind": frame.kind,
                "code": frame.code,
                "at": frame.at,
                "base64": base64.b64encode(frame.data).decode("ascii"),
            }
            for frame in interaction.frames
        ],
    }


def _body(body: Body) -> dict[str, object]:
    text = _text(body)
    if text is not None:
        return {"size": body.size, "text": text}
    if body.size <= 1024 * 1024:
        return {"size": body.size, "base64": base64.b64encode(body.read()).decode("ascii")}
    return {"size": body.size}


def _text(body: Body) -> str | None:
    """The body as it was sent where it is a short text, else None."""
    if body.size > _TEXT:
        return None
    try:
        text = body.read().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
