"""A large body on its way out: read in a worker, written no faster than the client reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from durable_replay.front.reply import Outbound
from durable_replay.http import BytesBody

__all__ = ["Sink", "deliver", "in_worker"]

T = TypeVar("T")


class Sink(Protocol):
    """The side of a connection that takes bytes."""

    @property
    def lost(self) -> bool:
        """The client is gone."""

    @property
    def unsent(self) -> int:
        """Bytes that wait for the client to read."""

    def write(self, data: bytes) -> None: ...

    def abort(self) -> None: ...

    async def drained(self) -> None:
        """Returns when the client has read enough, or is gone."""


async def in_worker(executor: Executor, call: Callable[[], T]) -> T:
    """The result of a call that may block."""
    return await asyncio.get_running_loop().run_in_executor(executor, call)


def _close(pieces: Iterator[bytes]) -> None:
    close = getattr(pieces, "close", None)
    if close is not None:
        close()


async def deliver(outbound: Outbound, sink: Sink, executor: Executor) -> None:
    """Head, body, end; stops at the next piece when the client goes. Raises what the body raises, and ValueError
    where it gives more or less than it says: the client has the head by then, so the connection must be aborted."""
    sink.write(outbound.head)
    body = outbound.answer.response.body
    pieces = body.chunks()
    in_memory = isinstance(body, BytesBody)
    left = body.size
    try:
        while not sink.lost:
            piece = next(pieces, None) if in_memory else await in_worker(executor, lambda: next(pieces, None))
            if piece is None:
                break
            left -= len(piece)
            if left < 0:
                break
            if piece:
                sink.write(outbound.piece(piece))
            await sink.drained()
    finally:
        await in_worker(executor, lambda: _close(pieces))
    if left and not sink.lost:
        raise ValueError(f"a body says {body.size:,} bytes and gives {'more' if left < 0 else f'{left:,} fewer'}")
    sink.write(outbound.end())
