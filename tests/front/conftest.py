"""A small engine that the front is tried before, and raw clients."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from durable_replay.answer import Answer, Conversation, LogEntry, Recall, SessionInfo
from durable_replay.errors import UsageError
from durable_replay.front.server import ServerInThread
from durable_replay.front.settings import Settings
from durable_replay.front.tls import Authority
from durable_replay.http import EMPTY, Body, BytesBody, Frame, Headers, Request, Response

JSON = b'{"ok": true}'


class Generated(Body):
    """A body that is made while it is read, and remembers how much of it was."""

    __slots__ = ("closed", "given", "size", "wrong_by")

    def __init__(self, size: int, wrong_by: int = 0) -> None:
        self.size = size
        self.wrong_by = wrong_by
        self.given = 0
        self.closed = threading.Event()

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        left = (self.size if stop is None else stop) - start + self.wrong_by
        try:
            while left > 0:
                piece = b"x" * min(left, 256 * 1024)
                left -= len(piece)
                self.given += len(piece)
                yield piece
        finally:
            self.closed.set()


class Echo:
    """A conversation that says hello, gives back what it hears, and stops at `bye`."""

    def __init__(self, send: Callable[[Frame], None], handshake: Response) -> None:
        self.handshake = handshake
        self.send = send
        self.heard: list[Frame] = []
        self.done = threading.Event()

    def opened(self) -> Iterable[Frame]:
        return (Frame(False, "text", b"hello"),)

    def receive(self, frame: Frame) -> Iterable[Frame]:
        self.heard.append(frame)
        if frame.data == b"bye":
            yield Frame(False, "close", b"so long", 4001)
        elif frame.data == b"push":
            threading.Thread(target=self.send, args=(Frame(False, "text", b"pushed"),)).start()
        else:
            yield Frame(False, frame.kind, frame.data)

    def closed(self) -> None:
        self.done.set()


def ok(data: bytes = JSON, *fields: tuple[str, str], status: int = 200, reason: str = "OK") -> Response:
    """A recorded-looking response."""
    length = ("Content-Length", str(len(data)))
    return Response(status, Headers((("Content-Type", "application/json"), *fields, length)), BytesBody(data), reason)


@dataclass
class FakeEngine:
    """Recalls what `recorded` holds by target, else answers what `emulated` gives."""

    recorded: dict[str, Answer] = field(default_factory=dict)
    responses: dict[str, Response] = field(default_factory=dict)
    seen: list[tuple[str, Request]] = field(default_factory=list)
    bodies: list[int] = field(default_factory=list)
    recalls: int = 0
    conversations: list[Echo] = field(default_factory=list)
    handshake: Response = field(default_factory=lambda: Response(101))
    gates: dict[str, threading.Event] = field(default_factory=dict)
    entered: threading.Event = field(default_factory=threading.Event)
    names: list[str] = field(default_factory=lambda: ["default"])

    def recall(self, session: str, request: Request) -> Recall | None:
        answer = self.recorded.get(request.target)
        if answer is None:
            return None
        self.seen.append((session, request))

        def again() -> Answer | None:
            self.recalls += 1
            return self.recorded.get(request.target)

        return again

    def answer(self, session: str, request: Request) -> Answer:
        self.seen.append((session, request))
        self.bodies.append(sum(len(piece) for piece in request.body.chunks()))
        self.entered.set()
        if request.target in self.gates:
            assert self.gates[request.target].wait(10)
        if request.target == "/fails":
            raise RuntimeError("a secret detail")
        if request.target == "/usage":
            raise UsageError("name it otherwise")
        text = f"{request.method} {request.url}".encode()
        return Answer(self.responses.get(request.path, ok(text)), "emulated", "nothing was recorded")

    def converse(self, session: str, request: Request, send: Callable[[Frame], None]) -> Conversation | Answer:
        self.seen.append((session, request))
        if request.path == "/no-socket":
            return Answer(ok(b"no", status=404, reason="Not Found"), "refused", "no conversation was recorded")
        self.conversations.append(Echo(send, self.handshake))
        return self.conversations[-1]

    def _info(self, name: str) -> SessionInfo:
        if name not in self.names:
            raise UsageError(f"no session {name!r}")
        return SessionInfo(name, 7, 1, 2, "2026-01-01T00:00:00Z", {"recorded": 3}, ("before",))

    def health(self) -> Mapping[str, object]:
        return {"version": "0", "interactions": 5}

    def sessions(self) -> list[SessionInfo]:
        return [self._info(name) for name in self.names]

    def create(self, name: str, seed: int | None = None) -> SessionInfo:
        self.names.append(name)
        return self._info(name)

    def fork(self, source: str, name: str) -> SessionInfo:
        return self.create(name)

    def snapshot(self, name: str, label: str) -> SessionInfo:
        return self._info(name)

    def restore(self, name: str, label: str) -> SessionInfo:
        if label != "before":
            raise UsageError(f"no snapshot {label!r}; there is: before")
        return self._info(name)

    def reset(self, name: str) -> SessionInfo:
        return self._info(name)

    def delete(self, name: str) -> None:
        self.names.remove(name)

    def log(self, session: str | None = None, limit: int = 100) -> list[LogEntry]:
        return [LogEntry(1.0, session or "default", "GET", "http://a/", 200, "recorded", "true", 4)] * min(limit, 2)

    def state(self, session: str, prefix: str = "") -> Mapping[str, object]:
        return {f"{prefix}/1": {"title": "x"}}


@dataclass
class Reply:
    """One parsed response."""

    status: int
    reason: str
    head: bytes
    body: bytes

    def fields(self) -> list[tuple[str, str]]:
        """Header fields in wire order, as they were written."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    def get(self, name: str) -> str:
        """The first value of a field."""
        return next((value for key, value in self.fields() if key.lower() == name.lower()), "")


class RawClient:
    """A socket that sends exactly what it is told, and reads responses one by one."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.buffer = b""

    def send(self, data: bytes) -> RawClient:
        self.socket.sendall(data)
        return self

    def _more(self) -> bool:
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            assert self._more(), f"closed after {self.buffer!r}"
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def line(self, end: bytes = b"\r\n") -> bytes:
        while end not in self.buffer:
            assert self._more(), f"closed after {self.buffer!r}"
        data, _, self.buffer = self.buffer.partition(end)
        return data

    def reply(self, *, to_head: bool = False) -> Reply:
        head = self.line(b"\r\n\r\n")
        status = head.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
        reply = Reply(int(status[1]), status[2], head, b"")
        if to_head or reply.status in (100, 101, 204, 304):
            return reply
        if reply.get("transfer-encoding") == "chunked":
            while size := int(self.line(), 16):
                reply.body += self.take(size)
                assert self.take(2) == b"\r\n"
            while self.line():
                pass
        else:
            reply.body = self.take(int(reply.get("content-length") or 0))
        return reply

    def rest(self) -> bytes:
        """Everything until the end of the connection."""
        while self._more():
            pass
        return self.buffer

    def tls(self, host: str, authority: Authority) -> RawClient:
        context = ssl.create_default_context(cadata=authority.pem.decode())
        self.socket = context.wrap_socket(self.socket, server_hostname=host)
        return self

    def connect(self, authority_form: str, *fields: str) -> RawClient:
        lines = "".join(f"{line}\r\n" for line in (f"CONNECT {authority_form} HTTP/1.1", *fields))
        self.send(f"{lines}\r\n".encode())
        assert self.reply(to_head=True).status == 200
        return self


@dataclass
class House:
    """A running front with its engine."""

    engine: FakeEngine
    server: ServerInThread
    authority: Authority
    opened: list[RawClient] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.server.port

    def client(self) -> RawClient:
        self.opened.append(RawClient(self.port))
        return self.opened[-1]

    def get(self, target: str = "/", *fields: str, host: str = "api.test") -> Reply:
        lines = "".join(f"{line}\r\n" for line in (f"GET {target} HTTP/1.1", f"Host: {host}", *fields))
        return self.client().send(f"{lines}\r\n".encode()).reply()

    def later(self, seconds: float) -> None:
        """Has each connection look at a clock on which so much time has passed in silence."""
        loop = self.server._loop

        async def look() -> None:
            for ahead in (0.0, seconds):
                for connection in tuple(self.server._running._shared.connections):
                    connection.sweep(loop.time() + ahead)

        asyncio.run_coroutine_threadsafe(look(), loop).result(20)

    def end(self) -> None:
        for client in self.opened:
            client.socket.close()
        self.server.stop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of the tests' own."""
    return Authority.load_or_create(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def house(authority: Authority, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Starts fronts; ends them with the test."""
    houses: list[House] = []

    def start(settings: Settings | None = None, engine: FakeEngine | None = None) -> House:
        engine = engine or FakeEngine()
        server = ServerInThread(engine, settings or Settings(spool_directory=tmp_path), authority)
        houses.append(House(engine, server, authority))
        return houses[-1]

    yield start
    for one in houses:
        one.end()


@pytest.fixture
def recorded() -> Answer:
    """A recorded answer."""
    return Answer(ok(JSON, ("X-Mixed-Case", "Kept")), "recorded", "interaction 41 is true", 41)


@pytest.fixture
def front(house: Callable[..., House], recorded: Answer) -> House:
    """A front whose engine has one recording, at /recorded."""
    return house(engine=FakeEngine(recorded={"/recorded": recorded}))


__all__ = ["EMPTY", "Echo", "FakeEngine", "Generated", "House", "RawClient", "Reply", "ok"]
