"""A conversation on a socket: frames in, in order, to a worker; frames out, from whoever has one.

wsproto speaks the protocol; permessage-deflate is taken where the client offers it. Pings are answered here and are
no business of a conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Final

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    TextMessage,
)
from wsproto.events import Request as Handshake
from wsproto.extensions import Extension, PerMessageDeflate
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from durable_replay.answer import Conversation
from durable_replay.front.delivery import Sink
from durable_replay.front.refusal import Refusal
from durable_replay.front.settings import Limits
from durable_replay.http import Frame, Request, Response

__all__ = ["WebSocket", "asks_for_websocket"]

GOING_AWAY: Final = 1001
TOO_BIG: Final = 1009
WAITING: Final = 64
_UPGRADES: Final = frozenset(
    ("upgrade", "connection", "sec-websocket-accept", "sec-websocket-extensions", "sec-websocket-protocol")
)
_FRAMING: Final = frozenset(("content-length", "transfer-encoding"))


def asks_for_websocket(request: Request) -> bool:
    """Whether an upgrade request is a WebSocket's."""
    return request.method == "GET" and request.headers.get("upgrade").lower() == "websocket"


def _handshake(request: Request, protocol: WSConnection) -> Handshake:
    if request.headers.get("sec-websocket-version") != "13":
        raise Refusal(426, "WebSocket version 13 is spoken here", (("Sec-WebSocket-Version", "13"),), closes=False)
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in request.headers]
    try:
        protocol.initiate_upgrade_connection(pairs, request.target)
        event = next(iter(protocol.events()))
    except (RemoteProtocolError, LocalProtocolError) as error:
        raise Refusal(400, f"not a WebSocket handshake: {error}") from error
    if not isinstance(event, Handshake):
        raise Refusal(400, "not a WebSocket handshake")
    return event


def _event(frame: Frame) -> Event:
    if frame.kind == "text":
        return TextMessage(data=frame.data.decode("utf-8", "replace"))
    if frame.kind == "binary":
        return BytesMessage(data=frame.data)
    if frame.kind == "close":
        return CloseConnection(code=frame.code or 1000, reason=frame.data.decode("utf-8", "replace") or None)
    return Ping(payload=frame.data) if frame.kind == "ping" else Pong(payload=frame.data)


class WebSocket:
    """The server's end of one connection. `room` is called when a full inbox (`full`) has been read from."""

    def __init__(
        self, request: Request, sink: Sink, executor: Executor, limits: Limits, room: Callable[[], None]
    ) -> None:
        """Raises Refusal for a handshake that is none."""
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._offer = _handshake(request, self._protocol)
        self._sink = sink
        self._executor = executor
        self._limits = limits
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._inbox: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._early: list[Frame] = []
        self._parts = bytearray()
        self._started = self._loop.time()
        self._accepted = self._over = False

    @property
    def full(self) -> bool:
        """More messages wait than should: reading pauses."""
        return self._inbox.qsize() >= WAITING

    def send(self, frame: Frame) -> None:
        """A frame that nobody asked for; from any thread, at any time."""
        if not self._over:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and the client with it
                self._loop.call_soon_threadsafe(self._push, frame)

    def _push(self, frame: Frame) -> None:
        if not self._accepted:
            self._early.append(frame)
        elif self._sink.unsent > self._limits.message_bytes:
            self._sink.abort()
        else:
            self._transmit(frame)

    def _transmit(self, frame: Frame) -> None:
        if self._over or self._protocol.state is not ConnectionState.OPEN:
            return
        self._sink.write(self._protocol.send(_event(frame)))
        if frame.kind == "close":
            self._loop.call_later(self._limits.stop_seconds, self._sink.abort)

    def close(self, code: int = GOING_AWAY) -> None:
        """Say goodbye; the connection ends with the client's, or a few seconds later."""
        self._transmit(Frame(False, "close", b"", code))

    def ping(self) -> None:
        """Ask a silent client whether it is still there."""
        self._transmit(Frame(False, "ping", b""))

    def gone(self) -> None:
        """The connection is lost."""
        self._over = True
        self._inbox.put_nowait(None)

    def feed(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._over:
            return
        try:
            self._protocol.receive_data(data)
            for event in self._protocol.events():
                self._heed(event)
        except (RemoteProtocolError, LocalProtocolError):
            self.gone()

    def _heed(self, event: Event) -> None:
        if isinstance(event, TextMessage):
            self._part(event.data.encode(), event.message_finished, text=True)
        elif isinstance(event, BytesMessage):
            self._part(bytes(event.data), event.message_finished, text=False)
        elif isinstance(event, Ping):
            if self._protocol.state is ConnectionState.OPEN:
                self._sink.write(self._protocol.send(event.response()))
        elif isinstance(event, CloseConnection):
            if self._protocol.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
                self._sink.write(self._protocol.send(event.response()))
            self.gone()

    def _part(self, data: bytes, finished: bool, *, text: bool) -> None:
        if self._protocol.state is not ConnectionState.OPEN:
            return
        self._parts += data
        if len(self._parts) > self._limits.message_bytes:
            self._parts.clear()
            self.close(TOO_BIG)
        elif finished:
            whole = bytes(self._parts)
            self._parts.clear()
            at = self._loop.time() - self._started
            self._inbox.put_nowait(Frame(True, "text" if text else "binary", whole, at=at))

    def _accept(self, handshake: Response) -> bytes:
        chosen = handshake.headers.get("sec-websocket-protocol")
        extra = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in handshake.headers
            if name.lower() not in _UPGRADES | _FRAMING
        ]
        deflate: list[Extension] = [PerMessageDeflate()]
        return self._protocol.send(
            AcceptConnection(
                subprotocol=chosen if chosen in self._offer.subprotocols else None,
                extensions=deflate,
                extra_headers=extra,
            )
        )

    async def run(self, conversation: Conversation) -> None:
        """Handshake, what the server says first, then each message; returns when either side has closed."""
        try:
            self._sink.write(self._accept(conversation.handshake))
            self._accepted = True
            await self._say(conversation.opened)
            for frame in self._early:
                self._transmit(frame)
            await self._converse(conversation)
        finally:
            self._over = True
            await self._loop.run_in_executor(self._executor, conversation.closed)

    async def _converse(self, conversation: Conversation) -> None:
        while (frame := await self._inbox.get()) is not None:
            if self._inbox.qsize() == WAITING - 1:
                self._room()
            message = frame
            await self._say(lambda: conversation.receive(message))  # noqa: B023 - awaited before the next turn

    async def _say(self, ask: Callable[[], Iterable[Frame]]) -> None:
        """Transmit what the conversation gives, piece by piece, each from a worker: it may take its time."""
        frames = iter(await self._loop.run_in_executor(self._executor, ask))
        while not self._over:
            frame = await self._loop.run_in_executor(self._executor, next, frames, None)
            if frame is None:
                return
            self._transmit(frame)
            await self._sink.drained()
