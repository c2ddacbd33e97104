from __future__ import annotations

import contextlib
import dataclasses
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

from durable_replay.cassette.store import Cassette
from durable_replay.http import Body, BytesBody, Interaction

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

    def end(self) -> int:
        """Gives mitmdump's exit code."""
        self.process.terminate()
        return self.process.wait(300)  # what was recorded is searched for secrets at the end, some 11 MB a second

    def taped(self) -> list[Interaction]:
        """All interactions; bodies up to 1 MiB are in memory, so that they outlive the cassette."""
        with Cassette.open(self.cassette) as cassette:
            return [
                dataclasses.replace(
                    each,
                    request=dataclasses.replace(each.request, body=_loaded(each.request.body)),
                    response=dataclasses.replace(each.response, body=_loaded(each.response.body)),
                )
                for each in cassette.interactions()
            ]

    def recorded(self, path: str, ready: Callable[[Interaction], bool] = lambda _: True) -> Interaction:
        """The one interaction with this path, as soon as it is on the tape and `ready`."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            found = [each for each in self.taped() if each.request.path == path]
            if found and ready(found[0]):
                assert len(found) == 1
                return found[0]
            threading.Event().wait(0.02)
        raise AssertionError(f"{path} was not recorded")


def _loaded(body: Body) -> Body:
    return BytesBody(body.read()) if body.size <= 1 << 20 else body


TELL = """\
import os
from pathlib import Path
from mitmproxy import ctx


def running():
    told = Path(os.environ["PORT_FILE"])
    told.with_suffix(".new").write_text(str(ctx.master.addons.get("proxyserver").listen_addrs()[0][1]))
    told.with_suffix(".new").replace(told)
"""
"""Tells which port mitmdump has got, once it listens. One that was free before may be another process's by then."""


def started(folder: Path, cassette: Path, *settings: str, errors: int | None = None) -> Proxy:
    """mitmdump with the add-on, once it listens."""
    told, tell = folder / "port", folder / "tell.py"
    told.unlink(missing_ok=True)
    tell.write_text(TELL)
    options = [f"durable_cassette={cassette}", f"confdir={folder / 'conf'}", *settings]
    arguments = [part for option in options for part in ("--set", option)]
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("mitmdump")),
            *("-q", "-s", str(ADDON), "-s", str(tell), "--listen-host", "127.0.0.1", "--listen-port", "0", *arguments),
        ],
        env={**os.environ, "DURABLE_REPLAY_REDACTION_KEY_FILE": str(folder / "key"), "PORT_FILE": str(told)},
        stdout=errors,
        stderr=subprocess.STDOUT if errors is not None else None,
    )
    try:
        return Proxy(process, _port(told, process), cassette)
    except BaseException:
        _stopped(process)
        raise


def _stopped(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Proxy]]:
    """Starts a mitmdump of the test's own, for what ends it; gives a Proxy once it listens."""
    running: list[Proxy] = []

    def begin(*settings: str, cassette: Path | None = None, errors: int | None = None) -> Proxy:
        running.append(started(tmp_path, cassette or tmp_path / "x.cassette", *settings, errors=errors))
        return running[-1]

    yield begin
    for proxy in running:
        _stopped(proxy.process)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """One mitmdump for all tests of a module; at its end the cassette must be whole and the exit code 0."""
    folder = tmp_path_factory.mktemp("shared")
    shared = started(folder, folder / "shared.cassette")
    yield shared
    try:
        assert shared.end() == 0
        with Cassette.open(shared.cassette) as cassette:
            assert cassette.verify() == len(cassette)
    finally:
        _stopped(shared.process)


def _port(told: Path, process: subprocess.Popen[bytes]) -> int:
    """Where mitmdump listens, as soon as it does."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if told.exists():
            return int(told.read_text())
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
    with connection, contextlib.suppress(OSError):  # a client that hangs up is no error of this server's
        answer(connection)
