"""A cassette as its exact text: from it, the same interactions come back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from durable_replay.cassette.text.bodies import Lines, lines_of
from durable_replay.cassette.text.escaping import escaped
from durable_replay.cassette.text.grammar import TITLE, field_line, moment_text, request_line
from durable_replay.http import Body, BytesBody, Frame, Headers, Interaction

__all__ = ["body_lines", "exact_text", "frame_line", "head_lines", "interaction_lines", "marked"]

_EMPTY_LINE = re.compile(r"^\| $", re.MULTILINE)
_NOTHING: Mapping[str, str] = {}


def exact_text(interactions: Iterable[Interaction], hosts: Mapping[str, str] = _NOTHING) -> Iterator[str]:
    """The text in pieces, a line or more each, in bounded memory; the same interactions give the same text.

    `hosts` are those mapped to a service.
    """
    yield from head_lines("exact", hosts)
    for interaction in interactions:
        yield "\n"
        for lines in interaction_lines(interaction):
            yield f"{lines}\n"


def head_lines(kind: str, hosts: Mapping[str, str]) -> Iterator[str]:
    """How a text begins; `kind` is exact or review."""
    yield f"{TITLE} {kind}\n"
    for host, service in sorted(hosts.items()):
        yield f"host {escaped(host, ' ')} {escaped(service, ' ')}\n"


def interaction_lines(interaction: Interaction) -> Iterator[str]:
    """Its lines, one or more at once, without the last end."""
    request, response = interaction.request, interaction.response
    yield f"#{interaction.number} {request_line(request)}"
    yield f"at {moment_text(interaction.started)}"
    yield f"took {interaction.duration!r}"
    if interaction.http_version != "HTTP/1.1":
        yield f"protocol {escaped(interaction.http_version)}"
    if interaction.note:
        yield f"note {escaped(interaction.note)}"
    yield from _message(">", request.headers, request.body)
    yield f"< {response.status}{' ' + escaped(response.reason) if response.reason else ''}"
    yield from _message("<", response.headers, response.body)
    yield from (field_line("+", name, value) for name, value in response.trailers)
    if interaction.outcome == "aborted":
        yield "aborted"
    for frame in interaction.frames:
        yield frame_line(frame, at=repr(frame.at))
        yield from _frame_body(frame)


def _message(mark: str, headers: Headers, body: Body) -> Iterator[str]:
    yield from (field_line(mark, name, value) for name, value in headers)
    if body:
        yield from body_lines(lines_of(body, headers.get("content-type"), headers.get("content-encoding")))


def body_lines(body: Lines) -> Iterator[str]:
    """A body's form and its marked lines, many at once."""
    yield f"body {body.form}"
    yield from map(marked, body.blocks)


def marked(text: str) -> str:
    """Each line of a text behind its mark; an empty one has no space, which an editor might take off."""
    shown = "| " + text.replace("\n", "\n| ")
    return _EMPTY_LINE.sub("|", shown) if shown.endswith(" ") or "| \n" in shown else shown


def frame_line(frame: Frame, at: str) -> str:
    """`-> close 0.75 1000`: who, what, when, and a close's code."""
    code = "" if frame.code is None else f" {frame.code}"
    return " ".join(part for part in ("->" if frame.from_client else "<-", frame.kind, at) if part) + code


def _frame_body(frame: Frame) -> Iterator[str]:
    if frame.data:
        yield from body_lines(lines_of(BytesBody(frame.data), "" if frame.kind == "text" else "text/plain;"))
