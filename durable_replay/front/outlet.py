"""The way out of one connection: bytes to the client, answers as bytes, and how it ends."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Coroutine
from enum import Enum, auto
from typing import Final

from durable_replay.answer import Answer
from durable_replay.front.delivery import deliver
from durable_replay.front.refusal import Refusal
from durable_replay.front.reply import SMALL, Outbound, WireCache, refusal_answer
from durable_replay.front.shared import Shared, log
from durable_replay.front.websocket import WebSocket
from durable_replay.front.wire import Inbound

__all__ = ["Mode", "Outlet"]

LINGER: Final = 1.0


class Mode(Enum):
    """What the bytes of a connection are at the moment."""

    SNIFF = auto()
    HOLD = auto()
    HTTP = auto()
    FRAMES = auto()
    DEAF = auto()


async def _stream(connection: Outlet, outbound: Outbound, *, stays: bool) -> None:
    """Send a large answer, then close where it was the last. A body that fails midway ends the connection: the
    client must not take what it has for the whole."""
    try:
        await deliver(outbound, connection, connection.shared.executor)
    except Exception:  # the body's, whatever it is
        if not connection.shared.over:
            log.exception("an answer's body cannot be read to its end")
        connection.abort()
        return
    if not stays:
        connection.finish()


class Outlet(asyncio.Protocol):
    """Writes; also the `Sink` of large bodies and of WebSockets."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.lost = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._drained = asyncio.Event()
        self._drained.set()
        self._task: asyncio.Task[None] | None = None
        self._ended = self._secured = False

    @abstractmethod
    def _done(self, task: asyncio.Task[None]) -> None:
        """The connection's one task has ended."""

    @abstractmethod
    def settle(self) -> None:
        """Look again whether to read on, and whether all is done."""

    @abstractmethod
    def resume_http(self) -> None:
        """A handshake was refused: requests may follow."""

    @abstractmethod
    def enter_frames(self, websocket: WebSocket) -> None:
        """A handshake is about to be accepted."""

    @abstractmethod
    def finish(self) -> None:
        """No more answers: close, after what was written."""

    @property
    def unsent(self) -> int:
        """Bytes that wait for the client to read."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def write(self, data: bytes) -> None:
        """Send, unless the client is gone."""
        if not self.lost and data and self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        """End now, whatever was not sent."""
        if self._transport is not None:
            self._transport.abort()

    async def drained(self) -> None:
        """Returns when the client has read enough, or is gone."""
        await self._drained.wait()

    def give(self, answer: Answer, inbound: Inbound | None) -> Coroutine[None, None, None] | None:
        """Send an answer now; what is too large for that is given back as work to be done."""
        if inbound is None:
            return self._give(answer, to_head=False, keep_alive=False)
        to_head, wires = inbound.method == b"HEAD", None
        if inbound.recalled and inbound.keep_alive and inbound.version == "1.1":
            wires = self.shared.wires_to_head if to_head else self.shared.wires
        keep = inbound.keep_alive
        return self._give(answer, to_head=to_head, keep_alive=keep, version=inbound.version, wires=wires)

    def _give(
        self, answer: Answer, *, to_head: bool, keep_alive: bool, version: str = "1.1", wires: WireCache | None = None
    ) -> Coroutine[None, None, None] | None:
        stays = keep_alive and not self.shared.stopping
        data = wires.get(answer) if wires is not None and stays else None
        if data is not None:
            self.write(data)
            return None
        provenance = self.shared.settings.provenance
        outbound = Outbound(answer, to_head=to_head, version=version, keep_alive=stays, provenance=provenance)
        if outbound.bodied and answer.response.body.size > SMALL:
            return _stream(self, outbound, stays=stays)
        try:
            data = outbound.whole()
        except Exception:  # a body that cannot be read, of a damaged cassette say
            log.exception("an answer's body cannot be read")
            self.abort()
            return None
        if wires is not None and stays:
            wires.keep(answer, data)
        self.write(data)
        if not stays:
            self.finish()
        return None

    def _send(self, answer: Answer, inbound: Inbound | None) -> None:
        rest = self.give(answer, inbound)
        if rest is not None:
            self._begin(rest)

    def _refuse(self, refusal: Refusal, inbound: Inbound | None) -> None:
        if inbound is not None:
            inbound.keep_alive = inbound.keep_alive and not refusal.closes
            if inbound.body is not None:
                inbound.body.remove()
        self._send(refusal_answer(refusal), inbound)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._done)
        self.shared.works(self._task)

    def _noted(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            if not self.shared.over:
                log.error("a connection failed", exc_info=error)
            self.abort()

    def hang_up(self) -> None:
        """Close, after what was written. A client that is still sending gets a moment to read: a socket closed over
        unread bytes would take the answer back."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if not self._ended and not self._secured and transport.can_write_eof():
            transport.write_eof()
            self._loop.call_later(LINGER, self._linger)
        else:
            transport.close()

    def _linger(self) -> None:
        if self.lost:
            return
        if self.unsent:
            self._loop.call_later(LINGER, self._linger)
        else:
            self.abort()
