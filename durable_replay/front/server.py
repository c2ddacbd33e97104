"""A front at work: on the running loop (`serve`), or on a loop and thread of its own (`start_in_thread`)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from durable_replay.errors import UsageError
from durable_replay.front.admin import Admin
from durable_replay.front.connection import Connection
from durable_replay.front.settings import Settings
from durable_replay.front.shared import Engine, Shared
from durable_replay.front.tls import Authority

__all__ = ["RunningServer", "ServerInThread", "new_event_loop", "serve", "start_in_thread"]


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed (it is not on Windows), else asyncio's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


class RunningServer:
    """An open port. `stop` lets answers that are being made end, within the limit `stop_seconds`."""

    def __init__(self, server: asyncio.Server, shared: Shared) -> None:
        self.host: str = server.sockets[0].getsockname()[0]
        self.port: int = server.sockets[0].getsockname()[1]
        self._server = server
        self._shared = shared
        self._stopped = False
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep())

    @property
    def url(self) -> str:
        """Of the direct endpoint; for clients of the proxy too."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    async def _sweep(self) -> None:
        limits = self._shared.settings.limits
        pause = max(0.01, min(1.0, limits.head_seconds / 4, limits.idle_seconds / 4))
        while True:
            await asyncio.sleep(pause)
            now = asyncio.get_running_loop().time()
            for connection in tuple(self._shared.connections):
                connection.sweep(now)

    async def stop(self) -> None:
        """Accept nothing new, close what is idle, wait for what is not; safe to call twice."""
        if self._stopped:
            return
        self._stopped = self._shared.stopping = True
        until = asyncio.get_running_loop().time() + self._shared.settings.limits.stop_seconds
        self._server.close()
        for connection in tuple(self._shared.connections):
            connection.stop()
        await self._until_closed(until)
        for connection in tuple(self._shared.connections):
            connection.abort()
        until = max(until, asyncio.get_running_loop().time() + 1.0)
        await self._until_closed(until)
        self._sweeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._sweeping
        await self._let_go(until)

    async def _until_closed(self, until: float) -> None:
        while self._shared.connections and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.01)

    async def _let_go(self, until: float) -> None:
        """A connection's work outlives it by a moment: a file is removed, a conversation told of its end. What a
        worker still does after that cannot be ended, and nobody waits for it."""
        shared = self._shared
        if shared.working:
            await asyncio.wait(tuple(shared.working), timeout=until - asyncio.get_running_loop().time())
        shared.over = True
        shared.executor.shutdown(wait=False, cancel_futures=True)
        for work in tuple(shared.working):
            work.cancel()
        if shared.working:
            await asyncio.wait(tuple(shared.working))


async def serve(engine: Engine, settings: Settings, authority: Authority) -> RunningServer:
    """Open the port. Raises UsageError where it is taken or not ours to open."""
    limits = settings.limits
    executor = ThreadPoolExecutor(limits.workers, thread_name_prefix="durable-answer")
    shared = Shared(engine, settings, authority, executor, Admin(engine, authority.pem))
    loop = asyncio.get_running_loop()
    try:
        server = await loop.create_server(lambda: Connection(shared), settings.host, settings.port, backlog=1024)
    except OSError as error:
        executor.shutdown(wait=False)
        where = f"{settings.host}:{settings.port}"
        raise UsageError(f"cannot listen on {where} ({error.strerror}); choose another port, 0 for any") from error
    return RunningServer(server, shared)


class ServerInThread:
    """A front with a loop and a thread of its own, for code that is not asynchronous."""

    def __init__(self, engine: Engine, settings: Settings, authority: Authority) -> None:
        self._loop = new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="durable-front", daemon=True)
        self._thread.start()
        try:
            self._running = self._await(engine, settings, authority)
        except BaseException:
            self._end()
            raise
        self.host, self.port, self.url = self._running.host, self._running.port, self._running.url

    def _await(self, engine: Engine, settings: Settings, authority: Authority) -> RunningServer:
        return asyncio.run_coroutine_threadsafe(serve(engine, settings, authority), self._loop).result()

    def proxy_url(self, session: str = "") -> str:
        """For `HTTPS_PROXY`; its user names the session."""
        return self.url.replace("//", f"//{session}@", 1) if session else self.url

    def stop(self) -> None:
        """As `RunningServer.stop`; returns when the thread has ended. Safe to call twice."""
        if self._thread.is_alive():
            try:
                asyncio.run_coroutine_threadsafe(self._running.stop(), self._loop).result()
            finally:
                self._end()

    def _end(self) -> None:
        """Also where a signal has broken off the wait for the begin or the end, so that tasks are left."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        if left:
            self._loop.run_until_complete(asyncio.wait(left, timeout=1.0))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


@contextlib.contextmanager
def start_in_thread(engine: Engine, settings: Settings, authority: Authority) -> Iterator[ServerInThread]:
    """A front for as long as the block runs."""
    server = ServerInThread(engine, settings, authority)
    try:
        yield server
    finally:
        server.stop()
