"""The front's hot path against a bare uvloop + httptools server that answers a constant, in one run.

    python benchmarks/front_bare.py [--seconds 3] [--connections 16]

Each server is a process of its own; the client writes a request, reads the answer, writes the next, on each of
N connections. Printed: requests a second, the server's CPU time a request, and the front's share of the bare server.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import ssl
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import httptools

from durable_replay.answer import Answer
from durable_replay.front.server import new_event_loop, serve
from durable_replay.front.settings import Settings
from durable_replay.front.shared import Engine
from durable_replay.front.tls import Authority
from durable_replay.front.tunnel import secure
from durable_replay.http import BytesBody, Headers, Request, Response

BODY = b'{"a": "' + b"x" * 1014 + b'"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
REQUEST = (
    b"GET /rest/api/2/issue/P-7 HTTP/1.1\r\nHost: api.test\r\nAccept: */*\r\n"
    b"Accept-Encoding: gzip, deflate\r\nUser-Agent: bench/1\r\nConnection: keep-alive\r\n\r\n"
)
HOST = "api.test"


class Bare(asyncio.Protocol):
    """Parses each request with httptools, answers a constant; CONNECT is followed by TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.transport: asyncio.Transport | None = None
        self.parser = httptools.HttpRequestParser(self)
        self.hello: list[bytes] | None = None
        self.securing: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        if self.hello is not None:
            self.hello.append(data)
            self.securing = asyncio.ensure_future(self.secure())
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.hello = []
            assert self.transport is not None
            self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async def secure(self) -> None:
        assert self.transport is not None and self.hello is not None
        hello, self.hello = b"".join(self.hello), None
        self.parser = httptools.HttpRequestParser(self)
        self.transport = await secure(self.transport, self, self.context, 10, lambda: hello)

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            assert self.transport is not None
            self.transport.write(HEAD + BODY)


class OneRecording:
    """An engine with one recording."""

    def __init__(self) -> None:
        fields = Headers((("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))))
        self.recorded = Answer(Response(200, fields, BytesBody(BODY), "OK"), "recorded", "true", 1)

    def recall(self, session: str, request: Request) -> Callable[[], Answer]:
        return lambda: self.recorded


def run_server(kind: str, directory: str, pipe: Pipe) -> None:
    authority = Authority.load_or_create(Path(directory))
    loop = new_event_loop()

    async def main() -> None:
        if kind == "bare":
            context = authority.context(HOST)
            server = await loop.create_server(lambda: Bare(context), "127.0.0.1", 0)
            pipe.send(server.sockets[0].getsockname()[1])
        else:
            engine: Engine = OneRecording()  # type: ignore[assignment]  # the hot path asks for `recall` alone
            pipe.send((await serve(engine, Settings(), authority)).port)
        while await loop.run_in_executor(None, pipe.recv):
            times = os.times()
            pipe.send(times.user + times.system)

    loop.run_until_complete(main())
    os._exit(0)


class Client(asyncio.Protocol):
    """One request after the other."""

    def __init__(self, vary: bool) -> None:
        self.vary = vary
        self.count = 0
        self.got = 0
        self.expected = 0
        self.tunnel: asyncio.Future[bytes] | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's are no subclass

    def ask(self) -> None:
        assert self.transport is not None
        extra = b"x-trace: %d\r\n\r\n" % self.count
        self.transport.write(REQUEST[:-2] + extra if self.vary else REQUEST)

    def data_received(self, data: bytes) -> None:
        if self.tunnel is not None:
            self.tunnel.set_result(data)
            self.tunnel = None
            return
        self.got += len(data)
        if not self.expected and BODY in data:
            self.expected = self.got
        if self.expected and self.got >= self.expected:
            self.got = 0
            self.count += 1
            self.ask()


async def load(port: int, tls: ssl.SSLContext | None, connections: int, seconds: float, vary: bool) -> int:
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: Client(vary), "127.0.0.1", port)
        assert client.transport is not None
        if tls is not None:
            client.tunnel = loop.create_future()
            waiter = client.tunnel
            client.transport.write(b"CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n")
            await waiter
            secured = await loop.start_tls(client.transport, client, tls, server_hostname=HOST)
            assert secured is not None
            client.transport = secured
        clients.append(client)
    for client in clients:
        client.ask()
    await asyncio.sleep(0.3)
    before = sum(client.count for client in clients)
    await asyncio.sleep(seconds)
    done = sum(client.count for client in clients) - before
    for client in clients:
        assert client.transport is not None
        client.transport.abort()
    return done


@dataclass(frozen=True)
class Measured:
    rate: float
    microseconds: float


def measure(kind: str, directory: str, way: str, connections: int, seconds: float) -> Measured:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=run_server, args=(kind, directory, theirs), daemon=True)
    process.start()
    port = ours.recv()
    tls = None
    if way == "tls":
        tls = ssl.create_default_context(cafile=str(Path(directory) / "ca.pem"))
    ours.send(True)
    before = ours.recv()
    loop = new_event_loop()
    started = time.perf_counter()
    done = loop.run_until_complete(load(port, tls, connections, seconds, way == "varied"))
    loop.close()
    ours.send(True)
    used = ours.recv() - before
    ours.send(False)
    process.join()
    share = seconds / (time.perf_counter() - started)
    return Measured(done / seconds, used * share / done * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--connections", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        for way in ("direct", "tls", "varied"):
            bare, front = (
                measure(kind, directory, way, options.connections, options.seconds) for kind in ("bare", "front")
            )
            print(
                f"{way:7} bare {bare.rate:9,.0f}/s {bare.microseconds:6.1f} µs   "
                f"front {front.rate:9,.0f}/s {front.microseconds:6.1f} µs   "
                f"throughput × {front.rate / bare.rate:.2f}  CPU × {bare.microseconds / front.microseconds:.2f}"
            )


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
