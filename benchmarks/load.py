"""A client that asks, reads the answer and asks again on each of N connections; and a program under that load."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.bare import BODY, HOST
from durable_replay.front.server import new_event_loop

Way = Literal["direct", "tunnel", "varied"]
PATH = b"/rest/api/2/issue/P-7"
FIELDS = (
    b"Host: api.test\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
    b"User-Agent: bench/1\r\nConnection: keep-alive\r\n"
)


class Client(asyncio.Protocol):
    """One request after the other; with `vary`, no two have the same bytes."""

    def __init__(self, vary: bool) -> None:
        self.vary, self.count, self.got, self.expected = vary, 0, 0, 0
        self.first = bytearray()
        self.tunnel: asyncio.Future[bytes] | None = None
        self.transport: asyncio.Transport | None = None
        self.request = b"GET " + PATH + b" HTTP/1.1\r\n" + FIELDS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's are no subclass

    def ask(self) -> None:
        """The next request."""
        assert self.transport is not None
        trace = b"x-request-id: %d\r\n" % self.count if self.vary else b""
        self.transport.write(self.request + trace + b"\r\n")

    def data_received(self, data: bytes) -> None:
        if self.tunnel is not None:
            self.tunnel.set_result(data)
            self.tunnel = None
            return
        self.got += len(data)
        if not self.expected:  # the first answer tells the length of all of them
            self.first += data
            if not self.first.startswith(b"HTTP/1.1 200"[: len(self.first)]):
                raise RuntimeError(f"the server answered {data[:200]!r}")
            if BODY in self.first:
                self.expected = self.got
        if self.expected and self.got >= self.expected:
            self.got = 0
            self.count += 1
            self.ask()


async def load(port: int, tls: ssl.SSLContext | None, connections: int, seconds: float, vary: bool) -> float:
    """Requests a second."""
    loop = asyncio.get_running_loop()
    clients: list[Client] = []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: Client(vary), "127.0.0.1", port)
        if tls is not None:
            await _tunnel(client, tls)
        clients.append(client)
    for client in clients:
        client.ask()
    await asyncio.sleep(0.3)
    before, begun = sum(client.count for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(client.count for client in clients) - before) / (time.perf_counter() - begun)
    for client in clients:
        assert client.transport is not None
        client.transport.abort()
    return rate


async def _tunnel(client: Client, tls: ssl.SSLContext) -> None:
    loop = asyncio.get_running_loop()
    assert client.transport is not None
    client.tunnel = loop.create_future()
    waiter = client.tunnel
    client.transport.write(b"CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n")
    await waiter
    secured = await loop.start_tls(client.transport, client, tls, server_hostname=HOST)
    assert secured is not None
    client.transport = secured


def cpu_seconds(process: int) -> float:
    """User and system time so far, as Linux tells it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(process: int) -> float:
    """Memory that a process holds now."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def running(command: Sequence[str], environment: dict[str, str] | None = None) -> Iterator[tuple[int, int]]:
    """A server as a process: its id, and the port of the first line that names one."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}, text=True
    )
    try:
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"(?:127\.0\.0\.1|\*):(\d+)", line):
                yield process.pid, int(found[1])
                return
        raise RuntimeError(f"{' '.join(command)} ended: {''.join(said)}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests a second, and the server's CPU time for each in microseconds."""

    rate: float
    microseconds: float


def measure(process: int, port: int, authority: Path, way: Way, connections: int, seconds: float) -> Measured:
    """Puts a running server under load."""
    tls = ssl.create_default_context(cafile=str(authority)) if way == "tunnel" else None
    loop = new_event_loop()
    before, begun = cpu_seconds(process), time.perf_counter()
    rate = loop.run_until_complete(load(port, tls, connections, seconds, way == "varied"))
    used, taken = cpu_seconds(process) - before, time.perf_counter() - begun
    loop.close()
    return Measured(rate, used / taken / rate * 1e6)
