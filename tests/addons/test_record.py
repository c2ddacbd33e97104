from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from durable_replay.cassette.store import Cassette
from durable_replay.http import Body, BytesBody, Interaction

SECRET = "s3cr3t-Va1ue-0042"
Serve = Callable[[Callable[[socket.socket], None]], str]


class Proxy(Protocol):
    """See conftest.py."""

    process: subprocess.Popen[bytes]
    port: int
    cassette: Path

    def send(self, url: str, extra: bytes = b"", method: bytes = b"GET") -> socket.socket: ...
    def get(self, url: str, extra: bytes = ...) -> bytes: ...
    def end(self) -> None: ...


Start = Callable[..., Proxy]


def read_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (piece := connection.recv(65536)):
        data += piece
    return data


def taped(path: Path) -> list[Interaction]:
    """All interactions; bodies up to 1 MiB are in memory, so that they outlive the cassette."""
    with Cassette.open(path) as cassette:
        assert cassette.verify() == len(cassette)
        return [
            dataclasses.replace(
                each,
                request=dataclasses.replace(each.request, body=loaded(each.request.body)),
                response=dataclasses.replace(each.response, body=loaded(each.response.body)),
            )
            for each in cassette.interactions()
        ]


def loaded(body: Body) -> Body:
    return BytesBody(body.read()) if body.size <= 1 << 20 else body


def small(connection: socket.socket) -> None:
    read_head(connection)
    body = f'{{"token": "{SECRET}"}}'.encode()
    connection.sendall(b"HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
    connection.sendall(body)


def test_the_client_gets_the_secret_and_the_cassette_does_not(start: Start, serve: Serve) -> None:
    proxy = start()
    answer = proxy.get(f"{serve(small)}/a?api_key={SECRET}")
    proxy.end()
    (interaction,) = taped(proxy.cassette)
    assert answer.endswith(f'{{"token": "{SECRET}"}}'.encode())
    assert interaction.response.status == 200 and interaction.response.reason == "Fine"
    assert re.fullmatch(r"/a\?api_key=secret-[0-9a-f]{16}", interaction.request.target)
    assert SECRET.encode() not in proxy.cassette.read_bytes()


def test_what_a_client_has_had_for_a_tenth_of_a_second_survives_kill_9(start: Start, serve: Serve) -> None:
    proxy, url = start(), serve(small)
    for number in range(20):
        proxy.get(f"{url}/{number}")
    threading.Event().wait(0.1)  # the promise itself
    os.kill(proxy.process.pid, signal.SIGKILL)
    proxy.process.wait()
    assert [each.request.target for each in taped(proxy.cassette)] == [f"/{number}" for number in range(20)]


def test_an_event_stream_passes_as_it_comes(start: Start, serve: Serve) -> None:
    go_on = threading.Event()

    def events(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        assert go_on.wait(20)
        connection.sendall(b"data: 2\n\n")

    proxy = start()
    with proxy.send(f"{serve(events)}/events", b"\r\n") as client:
        data = b""
        while b"data: 1\n\n" not in data:
            data += client.recv(65536)
        go_on.set()  # the server sends on only after the client has had the first event
        data += b"".join(iter(lambda: client.recv(65536), b""))
    proxy.end()
    assert taped(proxy.cassette)[0].response.body.read() == b"data: 1\n\ndata: 2\n\n" and b"data: 2" in data


def test_an_answer_that_breaks_off_is_kept_as_aborted(start: Start, serve: Serve) -> None:
    def broken(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 30000)

    proxy = start()
    proxy.get(f"{serve(broken)}/broken")
    proxy.end()
    (interaction,) = taped(proxy.cassette)
    assert interaction.outcome == "aborted" and interaction.response.status == 200
    assert interaction.response.body.size == 30000


def test_a_server_error_is_an_answer_like_any_other(start: Start, serve: Serve) -> None:
    def error(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")

    proxy = start()
    assert b"503 Busy" in proxy.get(f"{serve(error)}/")
    proxy.end()
    (interaction,) = taped(proxy.cassette)
    assert interaction.outcome == "complete" and interaction.response.headers.get("retry-after") == "1"


def test_chunked_bodies_go_both_ways_without_their_framing(start: Start, serve: Serve) -> None:
    def echo(connection: socket.socket) -> None:
        data = read_head(connection)
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(65536)
        chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    proxy = start()
    extra = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
    with proxy.send(f"{serve(echo)}/", extra, b"POST") as client:
        b"".join(iter(lambda: client.recv(65536), b""))
    proxy.end()
    (interaction,) = taped(proxy.cassette)
    assert interaction.request.body.read() == b"abcdef" and interaction.response.body.read() == b"hello world"


def frame(opcode: int, data: bytes, mask: bool) -> bytes:
    head = bytes([0x80 | opcode, (0x80 if mask else 0) | len(data)])
    return head + (b"\0\0\0\0" if mask else b"") + data


def test_a_websocket_conversation_is_one_interaction_with_its_frames(start: Start, serve: Serve) -> None:
    def socket_server(connection: socket.socket) -> None:
        head = read_head(connection).decode()
        key = re.search(r"(?i)sec-websocket-key: (\S+)", head)
        assert key is not None
        digest = hashlib.sha1(f"{key[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        accept = base64.b64encode(digest).decode()
        lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
        connection.sendall("\r\n".join((*lines, f"Sec-WebSocket-Accept: {accept}", "", "")).encode())
        connection.recv(65536)
        connection.sendall(frame(1, b'{"op":10}', False) + frame(8, b"\x0f\xa4bad", False))
        connection.recv(65536)

    proxy = start()
    handshake = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with proxy.send(f"{serve(socket_server)}/gateway", handshake + key) as client:
        assert b" 101 " in read_head(client)
        client.sendall(frame(1, f'{{"token":"{SECRET}"}}'.encode(), True))
        data = b""
        while b"bad" not in data:
            data += client.recv(65536)
        client.sendall(frame(8, b"\x0f\xa4", True))
    proxy.end()
    (interaction,) = taped(proxy.cassette)
    assert interaction.request.scheme == "ws" and interaction.response.status == 101
    kinds = [(each.from_client, each.kind) for each in interaction.frames]
    assert kinds == [(True, "text"), (False, "text"), (False, "close")]
    assert interaction.frames[0].data.startswith(b'{"token":"secret-') and interaction.frames[2].code == 4004


@pytest.mark.parametrize("size", [64, pytest.param(512, marks=[pytest.mark.nightly, pytest.mark.timeout(600)])])
def test_large_bodies_pass_both_ways_in_bounded_memory(start: Start, serve: Serve, size: int) -> None:
    block = os.urandom(1024 * 1024)

    def mirror(connection: socket.socket) -> None:
        head = read_head(connection)
        received = len(head.partition(b"\r\n\r\n")[2])
        while received < size << 20:
            received += len(connection.recv(1 << 20))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (size << 20))
        for _ in range(size):
            connection.sendall(block)

    proxy, url = start(), serve(mirror)
    proxy.get(f"{serve(small)}/warm")
    before = resident(proxy.process.pid, "VmRSS")
    with proxy.send(f"{url}/up", b"Content-Length: %d\r\n\r\n" % (size << 20), b"PUT") as client:
        for _ in range(size):
            client.sendall(block)
        received = 0
        while received < size << 20 and (piece := client.recv(1 << 20)):
            received += len(piece)
    grown = resident(proxy.process.pid, "VmHWM") - before
    proxy.end()
    interaction = taped(proxy.cassette)[-1]
    assert interaction.request.body.size == interaction.response.body.size == size << 20
    assert grown < 100 << 20, f"grew by {grown >> 20} MiB"


def resident(process: int, name: str) -> int:
    match = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert match is not None
    return int(match[1]) * 1024


def test_once_refuses_a_cassette_that_has_recordings_and_says_what_to_do(
    start: Start, serve: Serve, tmp_path: Path
) -> None:
    proxy = start()
    proxy.get(serve(small) + "/")
    proxy.end()
    mitmdump = str(Path(sys.executable).with_name("mitmdump"))
    script = Path(__file__).parents[2] / "addons" / "durable_addons" / "record.py"
    options = ["--set", f"durable_cassette={proxy.cassette}", "--set", f"confdir={tmp_path / 'conf'}"]
    again = subprocess.run([mitmdump, "-s", str(script), "-p", "0", *options], capture_output=True, timeout=60)
    assert again.returncode != 0 and b"--mode new" in again.stdout + again.stderr
    assert len(taped(proxy.cassette)) == 1


def test_traffic_under_way_at_the_end_is_kept_as_aborted(start: Start, serve: Serve) -> None:
    def endless(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        connection.recv(1)

    proxy = start()
    with proxy.send(f"{serve(endless)}/events", b"\r\n") as client:
        data = b""
        while b"data: 1" not in data:
            data += client.recv(65536)
        begun = time.monotonic()
        proxy.end()
        assert time.monotonic() - begun < 20
    (interaction,) = taped(proxy.cassette)
    assert interaction.outcome == "aborted" and interaction.response.body.read() == b"data: 1\n\n"
