"""One client on the port: which protocol it speaks at the moment, and whose turn it is.

    SNIFF   the first bytes, of a connection or of a tunnel: TLS or HTTP?
    HOLD    TLS is being set up, or a WebSocket's handshake answered: bytes wait
    HTTP    requests, answered one after the other in the order they came
    FRAMES  an open WebSocket
    DEAF    the last answer is out: bytes are thrown away until the client has gone

Rule: requests of one connection are answered in order, and reading pauses while more wait than may. What a recording
answers is written here and now; all else (`turn.py`) runs as the connection's one task, with the engine in a worker.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from dataclasses import replace
from typing import Final, cast

from durable_replay.answer import Recall
from durable_replay.front.address import Origin, address, tunnel
from durable_replay.front.outlet import Mode, Outlet
from durable_replay.front.refusal import Refusal
from durable_replay.front.shared import Shared, log
from durable_replay.front.spool import Spool
from durable_replay.front.tunnel import secure
from durable_replay.front.turn import Turn, failure_answer
from durable_replay.front.websocket import WebSocket, asks_for_websocket
from durable_replay.front.wire import Inbound, Requests, Upgraded

__all__ = ["Connection"]

SLICE: Final = 16 * 1024
KNOWN: Final = 8 * 1024
TLS_HANDSHAKE: Final = 0x16
NOTHING: Final = memoryview(b"")
ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(Outlet):
    """One accepted socket."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.mode = Mode.SNIFF
        self.websocket: WebSocket | None = None
        self._limits = shared.settings.limits
        self._origin = Origin()
        self._tag = self._origin.tag
        self._requests = Requests(self._limits, self._complete, self._expects, shared.new_spool)
        self._queue: deque[Inbound | Refusal] = deque()
        self._backlog = NOTHING
        self._idle = self._active = self._halted = self._paused = self._waits = False
        self._securing: asyncio.Task[None] | None = None
        self._since = self._loop.time()
        self._head_since: float | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        accepted = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        self._transport = accepted
        self.shared.connections.add(self)
        raw: socket.socket | None = accepted.get_extra_info("socket")
        if raw is not None and raw.family in (socket.AF_INET, socket.AF_INET6):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.shared.connections) > self._limits.connections:
            limit = self._limits.connections
            self._refuse(Refusal(503, f"more than {limit} connections are open (connections)"), None)

    def data_received(self, data: bytes) -> None:
        self._active = True
        if self._idle:
            known = self.shared.known.get(self._tag, data)
            if known is not None and self._recognised(*known):
                return
        self._take(data)

    def eof_received(self) -> bool:
        self._ended = True
        if self.mode is Mode.HTTP and not self._secured and (self._task or self._queue):
            return True  # half-closed: the client still reads, and gets what it asked for
        if self.websocket is not None:
            self.websocket.gone()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._idle = False
        self.shared.connections.discard(self)
        if self._securing is not None and self._securing is not asyncio.current_task(self._loop):
            self._securing.cancel()  # lost between the client's hello and the start of TLS: nobody else would end it
        self._drained.set()
        if self.websocket is not None:
            self.websocket.gone()
        unfinished = [item for item in self._queue if isinstance(item, Inbound)]
        self._queue.clear()
        for spool in (self._requests.spool, *(item.body for item in unfinished)):
            if spool is not None and not spool.busy:
                spool.remove()

    def pause_writing(self) -> None:
        self._drained.clear()
        self.settle()

    def resume_writing(self) -> None:
        self._active = True
        self._drained.set()
        self._advance()

    # Bytes in

    def _recognised(self, recall: Recall, to_head: bool) -> bool:
        try:
            answer = recall()
        except Exception as error:  # the engine's, whatever it is: this client hears of it, others go on
            answer = failure_answer(error)
        if answer is None:
            return False
        wires = self.shared.wires_to_head if to_head else self.shared.wires
        data = wires.get(answer)
        if data is None or self.shared.stopping:
            self._idle = False
            rest = self._give(answer, to_head=to_head, keep_alive=True, wires=wires)
            if rest is not None:
                self._begin(rest)
            self.settle()
        elif self._transport is not None:
            self._transport.write(data)
        return True

    def _take(self, data: bytes) -> None:
        self._idle = False
        if self.mode is Mode.DEAF or self.lost:
            return
        if self.mode is Mode.FRAMES and self.websocket is not None:
            self.websocket.feed(data)
            self.settle()
            return
        fresh = self.mode in (Mode.HTTP, Mode.SNIFF) and not self._backlog and self._at_rest() and len(data) <= KNOWN
        self._backlog = memoryview(data if not self._backlog else bytes(self._backlog) + data)
        self._advance(data if fresh else None)

    def _advance(self, raw: bytes | None = None) -> None:
        """Parse what waits while there is room, answer what is parsed while nobody else's turn is on."""
        while not self.lost:
            self._serve_next()
            if not self._backlog or self._full():
                break
            if self.mode is Mode.SNIFF:
                self._sniff()
            elif self.mode is Mode.HTTP:
                self._parse(raw)
                raw = None
            elif self.mode is Mode.FRAMES and self.websocket is not None:
                data, self._backlog = bytes(self._backlog), NOTHING
                self.websocket.feed(data)
            else:
                break
        self.settle()

    def _full(self) -> bool:
        spool = self._requests.spool
        return self._halted or len(self._queue) >= self._limits.pipelined or (spool is not None and not spool.ready)

    def _sniff(self) -> None:
        tls = self._backlog[0] == TLS_HANDSHAKE and not self._secured
        if tls:
            self.mode = Mode.HOLD
            self._securing = self._loop.create_task(self._secure())
            self._securing.add_done_callback(self._noted)
            self.shared.works(self._securing)
        else:
            self.mode = Mode.HTTP
            self._origin = replace(self._origin, scheme="http")
            self._tag = self._origin.tag

    async def _secure(self) -> None:
        assert self._transport is not None
        self._origin = replace(self._origin, scheme="https")
        self._tag = self._origin.tag
        name = self._origin.host or self.shared.settings.fixed_host or "localhost"
        context = self.shared.authority.context(name)
        try:
            transport = await secure(self._transport, self, context, self._limits.head_seconds, self._held)
        except (OSError, EOFError) as error:
            log.debug("no TLS with a client of %s: %s", name, error)
            self.connection_lost(None)
            self.abort()
            return
        self._transport, self._secured, self.mode = transport, True, Mode.HTTP
        self._paused = False
        self._advance()

    def _held(self) -> bytes:
        data, self._backlog = bytes(self._backlog), NOTHING
        return data

    def _parse(self, raw: bytes | None) -> None:
        piece, self._backlog = self._backlog[:SLICE], self._backlog[SLICE:]
        try:
            self._requests.feed(piece)
        except Upgraded as turn:
            self._backlog = memoryview(turn.rest + bytes(self._backlog))
            self._halted = True
        except Refusal as refusal:
            self._queue.append(refusal)
            self._backlog = NOTHING
            self._halted = True
            return
        if raw is not None and len(self._queue) == 1 and self._requests.between and not self._halted:
            item = self._queue[0]
            if isinstance(item, Inbound) and item.body is None and item.keep_alive and item.version == "1.1":
                item.raw = raw

    def _complete(self, inbound: Inbound) -> None:
        self._head_since = None
        self._waits = False
        self._queue.append(inbound)

    def _expects(self) -> None:
        self._waits = True

    # Answers out

    def _serve_next(self) -> None:
        while self._queue and self._task is None and self._drained.is_set() and self.mode is Mode.HTTP:
            item = self._queue.popleft()
            try:
                if isinstance(item, Refusal):
                    self._refuse(item, None)
                else:
                    self._serve(item)
            except Refusal as refusal:
                self._refuse(refusal, item if isinstance(item, Inbound) else None)
        if self._waits and self._at_rest(receiving=True) and self.mode is Mode.HTTP:
            self._waits = False
            self.write(CONTINUE)

    def _serve(self, inbound: Inbound) -> None:
        if inbound.upgrade:
            self._halted = False
        if inbound.method == b"CONNECT":
            self._open_tunnel(inbound)
            return
        spool = inbound.body
        aside = spool is not None and spool.on_disk
        call = address(inbound, self._origin, self.shared.settings.fixed_host)
        if spool is not None and not aside:
            call = replace(call, request=replace(call.request, body=spool.body()))
        turn = Turn(self, call, inbound)
        if inbound.upgrade and asks_for_websocket(call.request):
            self.mode = Mode.HOLD
            self._begin(turn.converse())
        elif call.direct and self.shared.admin.claims(call.request):
            self._begin(turn.administer())
        elif aside:
            self._begin(turn.answer())
        else:
            self._recall(turn)

    def _recall(self, turn: Turn) -> None:
        call, inbound, shared = turn.call, turn.inbound, self.shared
        try:
            recall = shared.engine.recall(call.session, call.request)
            answer = recall() if recall is not None else None
        except Exception as error:  # the engine's, whatever it is: this client hears of it, others go on
            self._send(failure_answer(error), inbound)
            return
        if answer is None or recall is None:
            self._begin(turn.answer())
            return
        inbound.recalled = True
        if inbound.raw is not None:
            shared.known.keep(self._tag, inbound.raw, recall, to_head=inbound.method == b"HEAD")
        self._send(answer, inbound)

    def _open_tunnel(self, inbound: Inbound) -> None:
        if self._origin.host or self._secured:
            raise Refusal(400, "a CONNECT inside of a tunnel; connect to each host from the proxy's own port")
        self._origin = tunnel(inbound)
        self._tag = self._origin.tag
        self.mode = Mode.SNIFF
        self.write(ESTABLISHED)

    def finish(self) -> None:
        """No more answers: close, after what was written. A client that is still sending gets a moment to read
        (a socket closed over unread bytes would take the answer back)."""
        self.mode = Mode.DEAF
        self._idle = False
        self._queue.clear()
        self._backlog = NOTHING
        self.hang_up()

    def resume_http(self) -> None:
        self.mode = Mode.HTTP

    def enter_frames(self, websocket: WebSocket) -> None:
        self.websocket, self.mode = websocket, Mode.FRAMES
        self._loop.call_soon(self._advance)

    def stop(self) -> None:
        """The front stops: what runs may end, nothing new begins."""
        if self.websocket is not None and self.mode is Mode.FRAMES:
            self.websocket.close()
        elif self.mode is Mode.HOLD and self._task is None:
            self.abort()
        elif self._task is None and not self._queue and self._transport is not None:
            self._transport.close()

    # The connection's one task

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
        self._noted(task)
        self._since = self._loop.time()
        self._advance()

    # At rest, throttled, out of time

    def _at_rest(self, *, receiving: bool = False) -> bool:
        return self._task is None and not self._queue and (receiving or self._requests.between)

    def settle(self) -> None:
        if self.lost:
            return
        rest = self._at_rest() and self.mode is Mode.HTTP and not self._backlog and not self._halted
        self._idle = rest and self._drained.is_set()
        if not self._requests.in_head:
            self._head_since = None
        elif self._head_since is None:
            self._head_since = self._loop.time()
        self._flush_spool()
        self._throttle()
        over = self._ended or (rest and self.shared.stopping)
        if over and self._transport is not None and self._task is None and not self._queue:
            self._transport.close()

    def _flush_spool(self) -> None:
        spool = self._requests.spool
        if spool is not None and spool.full and not spool.busy:
            spool.busy = True
            work = self._loop.run_in_executor(self.shared.executor, spool.flush)
            work.add_done_callback(lambda done: self._flushed(done, spool))
            self.shared.works(work)

    def _flushed(self, done: asyncio.Future[None], spool: Spool) -> None:
        spool.busy = False
        error = None if done.cancelled() else done.exception()
        if self.lost:
            spool.remove()
        elif error is not None:
            log.error("a request's body cannot be stored", exc_info=error)
            spool.remove()
            self._refuse(Refusal(507, f"the request's body could not be stored ({type(error).__name__})"), None)
        else:
            self._advance()

    def _throttle(self) -> None:
        full = self.mode is Mode.FRAMES and self.websocket is not None and self.websocket.full
        want = bool(self._backlog) or full or not self._drained.is_set()
        if self.mode is Mode.DEAF:
            want = False
        if want is self._paused or self.mode is Mode.HOLD or self._transport is None or self._transport.is_closing():
            return
        self._paused = want
        (self._transport.pause_reading if want else self._transport.resume_reading)()

    def sweep(self, now: float) -> None:
        """Called a few times a second at most: whose time is up?"""
        if self._active:
            self._active, self._since = False, now
        if self._head_since is not None and now - self._head_since > self._limits.head_seconds:
            self._late(f"the request's head took longer than {self._limits.head_seconds:g} s (head_seconds)")
        elif now - self._since > self._limits.idle_seconds:
            self._silent(now)

    def _silent(self, now: float) -> None:
        if self.websocket is not None and self.mode is Mode.FRAMES:
            if now - self._since > 2 * self._limits.idle_seconds:
                self.abort()
            else:
                self.websocket.ping()
        elif not self._drained.is_set() or self.mode is Mode.DEAF:
            self.abort()
        elif self._task is None and not self._queue and self._transport is not None:
            if self._requests.between:
                self._transport.close()
            else:
                self._late(f"the request's body paused for {self._limits.idle_seconds:g} s (idle_seconds)")

    def _late(self, why: str) -> None:
        self._head_since = None
        if self._task is None and not self._queue:
            self._refuse(Refusal(408, why), None)
        else:
            self.abort()
