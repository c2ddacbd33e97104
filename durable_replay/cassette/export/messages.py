"""What several formats need of a message."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from durable_replay.cassette.export.exported import ABORTED, CONVERSATIONS, TOO_LARGE, Losses, Tape
from durable_replay.cassette.text.layout import indented_json
from durable_replay.http import IN_MEMORY, Body, Headers, Interaction

__all__ = [
    "Repeats",
    "Turn",
    "as_base64",
    "as_text",
    "by_name",
    "document",
    "held",
    "items",
    "request_identity",
    "without_hop",
]

HOP = ("connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade")
"""Of one connection alone (RFC 9110 7.6.1); a server that answers from a stub says its own."""

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def document(value: object) -> str:
    """Indented JSON; the order of keys is the value's."""
    return indented_json(_dump(value))


def items(documents: Iterable[object]) -> Iterator[str]:
    """The elements of a JSON array in pieces, without its brackets."""
    joint = "\n"
    for value in documents:
        yield joint + document(value)
        joint = ",\n"


def held(interactions: Iterable[Interaction], losses: Losses, *, frames: bool = False) -> Iterator[Interaction]:
    """Those that a format of whole answers can hold. `frames`: it can hold WebSocket conversations too."""
    for interaction in interactions:
        if interaction.outcome == "aborted":
            losses.add(ABORTED)
        elif not frames and (interaction.frames or interaction.request.scheme in ("ws", "wss")):
            losses.add(CONVERSATIONS)
        elif max(interaction.request.body.size, interaction.response.body.size) > IN_MEMORY:
            losses.add(TOO_LARGE)
        else:
            losses.add("trailers", len(interaction.response.trailers))
            yield interaction


def as_text(body: Body) -> str | None:
    """The body where it is UTF-8 without NUL, else None."""
    try:
        text = body.read().decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def as_base64(body: Body) -> str:
    """On one line."""
    return base64.b64encode(body.read()).decode("ascii")


def by_name(headers: Headers, losses: Losses) -> dict[str, list[str]]:
    """Values by name as first written; counts the messages whose fields change places by that."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    regrouped = [(name, value) for name, values in found.items() for value in values]
    losses.add("messages whose headers change places", int(regrouped != list(headers)))
    return found


def without_hop(headers: Headers) -> Headers:
    """What a stub is to answer with."""
    return headers.without(*HOP, "content-length")


def request_identity(interaction: Interaction) -> str:
    """16 hex digits, equal for requests that a stub cannot tell apart."""
    request = interaction.request
    digest = blake2b(f"{request.method} {request.url}\n".encode("utf-8", "surrogateescape"), digest_size=8)
    for chunk in request.body.chunks():
        digest.update(chunk)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Turn:
    """Which of its request's answers this is, from 1."""

    identity: str
    number: int
    of: int


class Repeats:
    """Requests that were answered more than once, in the order of the tape."""

    def __init__(self, tape: Tape) -> None:
        self._totals = Counter(request_identity(each) for each in held(tape(), Losses()))
        self._seen: Counter[str] = Counter()

    def turn(self, interaction: Interaction) -> Turn:
        """For each interaction of the tape once, in order."""
        identity = request_identity(interaction)
        self._seen[identity] += 1
        return Turn(identity, self._seen[identity], self._totals[identity])
