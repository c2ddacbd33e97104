from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2] / "addons" / "durable_addons" / "record.py"


@dataclass
class Proxy:
    """A running mitmdump with the add-on."""

    process: subprocess.Popen[bytes]
    port: int
    cassette: Path

    def send(self, url: str, extra: bytes = b"", method: bytes = b"GET") -> socket.socket:
        """A raw absolute-form request; gives the socket to read the answer from."""
        host = url.split("/")[2]
        connection = socket.create_connection(("127.0.0.1", self.port), 20)
        connection.sendall(method + b" " + url.encode() + b" HTTP/1.1\r\nHost: " + host.encode() + b"\r\n" + extra)
        return connection

    def get(self, url: str, extra: bytes = b"Connection: close\r\n\r\n") -> bytes:
        with self.send(url, extra) as connection:
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def end(self) -> None:
        self.process.terminate()
        assert self.process.wait(30) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Proxy]]:
    """Starts mitmdump with the add-on; gives a Proxy once it listens."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*settings: str, cassette: Path | None = None) -> Proxy:
        port, path = free_port(), cassette or tmp_path / "x.cassette"
        options = [f"durable_cassette={path}", f"confdir={tmp_path / 'conf'}", *settings]
        arguments = [part for option in options for part in ("--set", option)]
        mitmdump = str(Path(sys.executable).with_name("mitmdump"))
        process = subprocess.Popen(
            [mitmdump, "-q", "-s", str(ADDON), "--listen-host", "127.0.0.1", "--listen-port", str(port), *arguments],
            env={**os.environ, "DURABLE_REPLAY_REDACTION_KEY_FILE": str(tmp_path / "key")},
        )
        started.append(process)
        _await_port(port, process)
        return Proxy(process, port, path)

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise AssertionError(f"mitmdump does not listen (exit code {process.poll()})")


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A raw server: the function is called with each connection, in a thread. Gives its URL."""
    listeners: list[socket.socket] = []

    def begin(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threading.Thread(target=_accept, args=(listener, answer), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield begin
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _accept(listener: socket.socket, answer: Callable[[socket.socket], None]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # the listener was closed: the test is over
            return
        threading.Thread(target=_answered, args=(connection, answer), daemon=True).start()


def _answered(connection: socket.socket, answer: Callable[[socket.socket], None]) -> None:
    with connection:
        answer(connection)
