"""One interaction, as text and as a JSON document."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator

from durable_replay.http import Body, Frame, Headers, Interaction

__all__ = ["document", "message_lines", "write_body"]

SHOWN = 16 * 1024


def write_body(body: Body) -> None:
    """The bytes on stdout, as large as they are."""
    for chunk in body.chunks():
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def message_lines(interaction: Interaction) -> Iterator[str]:
    """Request, response and frames in their order."""
    request, response = interaction.request, interaction.response
    yield f"#{interaction.number}  {request.url}"
    yield ""
    yield f"> {request.method} {request.target} {interaction.http_version}"
    yield from _lines(">", request.headers, request.body)
    yield ""
    yield f"< {interaction.http_version} {response.status} {response.reason}".rstrip()
    yield from _lines("<", response.headers, response.body)
    for frame in interaction.frames:
        yield f"{'>' if frame.from_client else '<'} {_frame(frame)}"
    if interaction.outcome != "complete":
        yield f"(aborted: {interaction.note or 'the connection ended before the response was whole'})"


def _lines(mark: str, headers: Headers, body: Body) -> Iterator[str]:
    for name, value in headers:
        yield f"{mark} {_safe(name)}: {_safe(value)}"
    if body:
        yield mark
        text = _text(body)
        if text is None:
            yield f"{mark} ({body.size:,} bytes)"
        else:
            yield from (_safe(line) for line in text.splitlines())


def _text(body: Body) -> str | None:
    """The body where it is text that a terminal may show, else None."""
    if body.size > SHOWN:
        return None
    try:
        text = body.read().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _safe(text: str) -> str:
    """Recorded bytes must not speak to the terminal."""
    return "".join(char if char.isprintable() or char == "\t" else f"\\x{ord(char):02x}" for char in text)


def _frame(frame: Frame) -> str:
    shown = _safe(frame.data[:SHOWN].decode("utf-8", "replace")) if frame.kind != "binary" else f"{len(frame.data)} B"
    return f"{frame.kind} {frame.code or ''} {shown}".replace("  ", " ")


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
