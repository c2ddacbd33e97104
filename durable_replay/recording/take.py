"""One exchange while it passes through the proxy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from durable_replay.http import Frame, Headers, Interaction, Request, Response
from durable_replay.redaction.bodies import BodySink

__all__ = ["HAND_OVER", "Begun", "Chunk", "Ending", "Item", "Message", "Side", "Take"]

Side = Literal["request", "response"]
HAND_OVER = 128 * 1024
"""Bytes of a body that wait in the proxy before the writer is given them."""


@dataclass(eq=False, slots=True)
class Take:
    """The proxy's thread fills it; `sinks` belongs to the writer's thread alone. Bodies are not in the heads."""

    request: Request
    started: float
    response: Response | None = None
    pieces: dict[Side, list[bytes]] = field(default_factory=lambda: {"request": [], "response": []})
    waiting: dict[Side, int] = field(default_factory=lambda: {"request": 0, "response": 0})
    passed: int = 0
    """Bytes of both bodies so far."""
    ended: set[Side] = field(default_factory=set)
    """Sides whose last byte was seen."""
    going: bool = False
    """It goes to the tape as it comes: its heads were handed over as Begun."""
    sinks: dict[Side, BodySink] = field(default_factory=dict)

    def add(self, side: Side, data: bytes) -> bool:
        """Keep a piece of a body; True once there is enough to hand over."""
        self.pieces[side].append(data)
        self.waiting[side] += len(data)
        self.passed += len(data)
        return self.waiting[side] >= HAND_OVER or (self.going and side == "response")

    def handed_over(self, side: Side) -> Chunk:
        """What has gathered; the take no longer holds it."""
        data, self.pieces[side], self.waiting[side] = b"".join(self.pieces[side]), [], 0
        head = self.request if side == "request" else self.response
        return Chunk(self, side, data, head.headers if head is not None else Headers())


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a body, with the headers of its message."""

    take: Take
    side: Side
    data: bytes
    headers: Headers

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Begun:
    """An exchange that may go on for long: its request is whole, its answer has begun. More of it follows as Message or
    as Chunk of the response, and then its Ending."""

    take: Take
    interaction: Interaction

    @property
    def size(self) -> int:
        return 512


@dataclass(frozen=True, slots=True)
class Message:
    """A WebSocket message of an exchange that has Begun."""

    take: Take
    frame: Frame

    @property
    def size(self) -> int:
        return 128 + len(self.frame.data)


@dataclass(frozen=True, slots=True)
class Ending:
    """An exchange is over; its last chunks were handed over before. `interaction` None: forget it."""

    take: Take
    interaction: Interaction | None

    @property
    def size(self) -> int:
        return 512 + sum(len(frame.data) for frame in self.interaction.frames) if self.interaction else 0


Item = Chunk | Begun | Message | Ending
