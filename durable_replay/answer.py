"""What the front asks of the engine, and what it gets: one narrow seam, so that either can be tested alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from durable_replay.http import Frame, Request, Response

__all__ = ["Administered", "Answer", "Answerer", "Conversation", "LogEntry", "Recall", "SessionInfo", "Source"]

Source = Literal["recorded", "emulated", "forwarded", "refused"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with its provenance: where it came from, why, and which interaction of the tape it is (if one)."""

    response: Response
    source: Source
    why: str
    interaction: int | None = None
    supposed: str = ""
    """A thing of which nothing is known, and which was taken for absent; "" where nothing was."""


Recall = Callable[[], Answer | None]
"""Gives the recorded answer while it is true in its session, else None. Takes microseconds, touches memory only."""


class Conversation(Protocol):
    """The server's side of one open WebSocket."""

    handshake: Response
    """Status 101 with the headers that the service adds (subprotocol included); the front adds the upgrade's own."""

    def opened(self) -> Iterable[Frame]:
        """Frames that the server sends first."""

    def receive(self, frame: Frame) -> Iterable[Frame]:
        """A client's message; gives the frames that answer it. May block: called in a worker thread, in order."""

    def closed(self) -> None:
        """The connection is gone; nothing is sent any more."""


class Answerer(Protocol):
    """The engine as the front sees it. A session comes into being when it is first named."""

    def recall(self, session: str, request: Request) -> Recall | None:
        """For a request that a recording may answer: a callable that the front may keep and call again for every
        identical request of this session. Quick enough for the event loop. None: use `answer`."""

    def answer(self, session: str, request: Request) -> Answer:
        """The answer to any request. May block (disk, locks): called in a worker thread."""

    def converse(self, session: str, request: Request, send: Callable[[Frame], None]) -> Conversation | Answer:
        """A WebSocket handshake: the conversation, or the answer that refuses it. `send` may be called from any
        thread until `closed`, for frames that no message of this client asked for."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the request log. `at` is seconds since the epoch, `status` the response's."""

    at: float
    session: str
    method: str
    url: str
    status: int
    source: Source
    why: str
    interaction: int | None


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """What the admin API tells of a session."""

    name: str
    seed: int
    played: int
    """Recorded writes played."""
    live: int
    """Live writes made."""
    now: str
    """The session's clock, ISO 8601."""
    answers: Mapping[Source, int]
    snapshots: tuple[str, ...] = ()


class Administered(Protocol):
    """What the admin API under `/_durable/` needs. Unknown names raise UsageError."""

    def health(self) -> Mapping[str, object]:
        """Version, cassettes, services, interactions."""

    def sessions(self) -> list[SessionInfo]: ...

    def create(self, name: str, seed: int | None = None) -> SessionInfo: ...

    def fork(self, source: str, name: str) -> SessionInfo: ...

    def snapshot(self, name: str, label: str) -> SessionInfo: ...

    def restore(self, name: str, label: str) -> SessionInfo: ...

    def reset(self, name: str) -> SessionInfo: ...

    def delete(self, name: str) -> None: ...

    def log(self, session: str | None = None, limit: int = 100) -> list[LogEntry]: ...

    def state(self, session: str, prefix: str = "") -> Mapping[str, object]:
        """Documents by displayed key, those whose key begins with `prefix`."""
