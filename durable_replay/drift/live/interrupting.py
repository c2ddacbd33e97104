"""Signals while an event loop runs."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["run_until_signalled"]

Handler = Callable[[int, FrameType | None], object]


def run_until_signalled(work: Coroutine[None, None, None]) -> None:
    """Runs `work` to its end; a signal cancels it, and gets to its own handler when all is wound up.

    A handler that raises at once would do so inside whichever task happens to run: that task would end with the
    handler's exception, which asyncio then says was never retrieved.
    """
    arrived: list[int] = []
    handlers = _handlers()
    with _noted(handlers, arrived.append) as interruption, asyncio.Runner() as runner:
        runner.run(interruption.until(work))
    for number in arrived:
        handlers[number](number, None)


class _Interruption:
    """Cancels the work once a signal has arrived, whether before its begin or within."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._arrived = False

    def arrive(self) -> None:
        """Called by a signal's handler, between any two instructions of the main thread."""
        self._arrived = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def until(self, work: Coroutine[None, None, None]) -> None:
        """The work, to its end or to the signal."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(work)
        if self._arrived:
            self._cancel()
        with _awake(self._loop):
            try:
                await self._task
            except asyncio.CancelledError:
                if not self._arrived:
                    raise


@contextmanager
def _awake(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """A signal wakes the loop: Python calls handlers only between two steps of the main thread, which may be about to
    sleep, or sleep on where another thread was interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.setblocking(False)
        before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        loop.add_reader(ours, ours.recv, 4096)
        try:
            yield
        finally:
            loop.remove_reader(ours)
            signal.set_wakeup_fd(before)


def _handlers() -> dict[int, Handler]:
    """By the signals that Python code answers; elsewhere than in the main thread there are none."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    found = {number: signal.getsignal(number) for number in numbers}
    return {number: handler for number, handler in found.items() if callable(handler)}


@contextmanager
def _noted(handlers: dict[int, Handler], note: Callable[[int], None]) -> Iterator[_Interruption]:
    interruption = _Interruption()

    def arrive(number: int, frame: FrameType | None) -> None:
        note(number)
        interruption.arrive()

    for number in handlers:
        signal.signal(number, arrive)
    try:
        yield interruption
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
