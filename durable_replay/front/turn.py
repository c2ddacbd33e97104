"""One request's turn on its connection, where it takes time: the engine in a worker, large bodies, WebSockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from durable_replay.answer import Answer, Conversation
from durable_replay.errors import LimitExceeded, UsageError
from durable_replay.front.address import Call
from durable_replay.front.delivery import in_worker
from durable_replay.front.outlet import Outlet
from durable_replay.front.refusal import Refusal
from durable_replay.front.reply import refusal_answer
from durable_replay.front.shared import log
from durable_replay.front.websocket import WebSocket
from durable_replay.front.wire import Inbound

__all__ = ["Turn", "failure_answer"]

T = TypeVar("T")
_DISK_FULL: Final = "the request's body could not be stored: {}; free space in the spool directory or name another"


def failure_answer(error: Exception) -> Answer:
    """What a client gets where the engine raised: its own words where they are meant for users, else only that it
    failed; the log has the rest."""
    if isinstance(error, Refusal):
        return refusal_answer(error)
    if isinstance(error, UsageError):
        return refusal_answer(Refusal(400, str(error)))
    if isinstance(error, LimitExceeded):
        return refusal_answer(Refusal(413, str(error)))
    log.error("the engine failed", exc_info=error)
    return refusal_answer(Refusal(500, f"the engine failed ({type(error).__name__}); the log has the details"))


class Turn:
    """A request that has been addressed, and the connection that waits for its answer."""

    __slots__ = ("_connection", "_shared", "call", "inbound")

    def __init__(self, connection: Outlet, call: Call, inbound: Inbound) -> None:
        self._connection = connection
        self._shared = connection.shared
        self.call = call
        self.inbound = inbound

    async def _worker(self, call: Callable[[], T]) -> T:
        return await in_worker(self._shared.executor, call)

    async def _send(self, answer: Answer) -> None:
        rest = self._connection.give(answer, self.inbound)
        if rest is not None:
            await rest

    async def answer(self) -> None:
        """Ask the engine; the body's file goes once the answer is out."""
        spool, call = self.inbound.body, self.call
        try:
            if spool is not None and spool.on_disk:
                try:
                    body = await self._worker(spool.body)
                except OSError as error:
                    raise Refusal(507, _DISK_FULL.format(error.strerror)) from error
                call = replace(call, request=replace(call.request, body=body))
            answer = await self._worker(lambda: self._shared.engine.answer(call.session, call.request))
        except Exception as error:  # the engine's, whatever it is: this client hears of it, others go on
            answer = failure_answer(error)
        try:
            await self._send(answer)
        finally:
            if spool is not None and spool.on_disk:
                await self._worker(spool.remove)

    async def administer(self) -> None:
        """Ask the admin API."""
        await self._send(await self._worker(lambda: self._shared.admin.answer(self.call.request)))

    async def converse(self) -> None:
        """A WebSocket from its handshake to its end, or the answer that refuses it."""
        connection, shared, call = self._connection, self._shared, self.call
        request = replace(call.request, scheme="wss" if call.request.scheme == "https" else "ws")
        limits = shared.settings.limits
        try:
            socket = WebSocket(request, connection, shared.executor, limits, connection.settle)
            found = await self._worker(lambda: shared.engine.converse(call.session, request, socket.send))
        except Exception as error:  # the engine's, whatever it is: this client hears of it, others go on
            found = failure_answer(error)
        if isinstance(found, Answer):
            connection.resume_http()
            await self._send(found)
        else:
            await self._run(socket, found)

    async def _run(self, socket: WebSocket, conversation: Conversation) -> None:
        if self._connection.lost:
            socket.gone()
        self._connection.enter_frames(socket)
        try:
            await socket.run(conversation)
        finally:
            self._connection.finish()
