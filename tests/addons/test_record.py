from __future__ import annotations

import base64
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from durable_replay.http import Interaction

SECRET = "s3cr3t-Va1ue-0042"
Serve = Callable[[Callable[[socket.socket], None]], str]


class Proxy(Protocol):
    """See conftest.py."""

    process: subprocess.Popen[bytes]
    port: int
    cassette: Path

    def send(self, url: str, extra: bytes = b"", method: bytes = b"GET") -> socket.socket: ...
    def get(self, url: str, extra: bytes = ...) -> bytes: ...
    def end(self) -> int: ...
    def taped(self) -> list[Interaction]: ...
    def recorded(self, path: str, ready: Callable[[Interaction], bool] = ...) -> Interaction: ...


Start = Callable[..., Proxy]


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    data = b""
    while mark not in data and (piece := connection.recv(65536)):
        data += piece
    return data


def read_head(connection: socket.socket) -> bytes:
    return read_until(connection, b"\r\n\r\n")


def small(connection: socket.socket) -> None:
    read_head(connection)
    body = f'{{"token": "{SECRET}"}}'.encode()
    connection.sendall(b"HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
    connection.sendall(body)


def test_the_client_gets_the_secret_and_the_cassette_does_not(proxy: Proxy, serve: Serve) -> None:
    answer = proxy.get(f"{serve(small)}/secret?api_key={SECRET}")
    interaction = proxy.recorded("/secret")
    assert answer.endswith(f'{{"token": "{SECRET}"}}'.encode())
    assert interaction.response.status == 200 and interaction.response.reason == "Fine"
    assert re.fullmatch(r"/secret\?api_key=secret-[0-9a-f]{16}", interaction.request.target)
    log = proxy.cassette.with_name(proxy.cassette.name + "-wal")
    assert SECRET.encode() not in proxy.cassette.read_bytes() + log.read_bytes()


def test_an_event_stream_passes_as_it_comes_and_is_on_the_tape_before_it_ends(proxy: Proxy, serve: Serve) -> None:
    go_on = threading.Event()

    def events(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        connection.sendall(f'data: {{"token": "{SECRET}"}}\n\n'.encode())
        assert go_on.wait(20)
        connection.sendall(b"data: 2\n\ndata: 3")

    with proxy.send(f"{serve(events)}/events", b"\r\n") as client:
        data = read_until(client, b'"}\n\n')
        open_yet = proxy.recorded("/events", lambda each: each.response.body.size > 0)
        go_on.set()  # the server sends on only after the client and the tape have had the first event
        data += b"".join(iter(lambda: client.recv(65536), b""))
    ended = proxy.recorded("/events", lambda each: each.outcome == "complete")
    assert SECRET.encode() in data and data.endswith(b"data: 2\n\ndata: 3")
    assert open_yet.outcome == "aborted" and open_yet.note == "its end was not recorded"
    assert re.fullmatch(rb'data: \{"token": "secret-[0-9a-f]{16}"\}\n\n', open_yet.response.body.read())
    assert ended.response.body.read() == open_yet.response.body.read() + b"data: 2\n\ndata: 3"
    assert ended.note == "secrets in the body were replaced"


def test_an_answer_that_breaks_off_is_kept_as_aborted(proxy: Proxy, serve: Serve) -> None:
    def broken(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 30000)

    proxy.get(f"{serve(broken)}/broken")
    interaction = proxy.recorded("/broken")
    assert interaction.outcome == "aborted" and interaction.response.status == 200
    assert interaction.response.body.size == 30000 and interaction.note


def test_a_server_that_hangs_up_before_it_answers_is_kept_as_aborted(proxy: Proxy, serve: Serve) -> None:
    def silent(connection: socket.socket) -> None:
        read_head(connection)

    assert b"502" in proxy.get(f"{serve(silent)}/silent")
    interaction = proxy.recorded("/silent")
    assert interaction.outcome == "aborted" and interaction.response.status == 0


def test_a_client_that_gives_up_leaves_what_it_has_had(proxy: Proxy, serve: Serve) -> None:
    gone = threading.Event()

    def slow(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nfirst")
        gone.wait(20)

    with proxy.send(f"{serve(slow)}/impatient", b"\r\n") as client:
        read_until(client, b"first")
    interaction = proxy.recorded("/impatient")
    gone.set()
    assert interaction.outcome == "aborted" and interaction.response.body.read() == b"first"


def test_a_server_error_is_an_answer_like_any_other(proxy: Proxy, serve: Serve) -> None:
    def error(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")

    assert b"503 Busy" in proxy.get(f"{serve(error)}/busy")
    interaction = proxy.recorded("/busy")
    assert interaction.outcome == "complete" and interaction.response.headers.get("retry-after") == "1"


def test_chunked_bodies_go_both_ways_without_their_framing(proxy: Proxy, serve: Serve) -> None:
    def echo(connection: socket.socket) -> None:
        data = read_head(connection)
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(65536)
        chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    extra = b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"
    with proxy.send(f"{serve(echo)}/chunked", extra, b"POST") as client:
        b"".join(iter(lambda: client.recv(65536), b""))
    interaction = proxy.recorded("/chunked")
    assert interaction.request.body.read() == b"abcdef" and interaction.response.body.read() == b"hello world"


def frame(opcode: int, data: bytes, mask: bool) -> bytes:
    head = bytes([0x80 | opcode, (0x80 if mask else 0) | len(data)])
    return head + (b"\0\0\0\0" if mask else b"") + data


def said(connection: socket.socket) -> bytes:
    """The content of a client's next message; empty where it hung up."""
    head = connection.recv(6, socket.MSG_WAITALL)
    masked = connection.recv(head[1] & 0x7F, socket.MSG_WAITALL) if len(head) == 6 else b""
    return bytes(byte ^ head[2 + at % 4] for at, byte in enumerate(masked))


def gateway(connection: socket.socket) -> None:
    """A WebSocket that says hello, and closes after the client's second message."""
    key = re.search(r"(?i)sec-websocket-key: (\S+)", read_head(connection).decode())
    assert key is not None
    digest = hashlib.sha1(f"{key[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
    accept = base64.b64encode(digest).decode()
    lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
    connection.sendall("\r\n".join((*lines, f"Sec-WebSocket-Accept: {accept}", "", "")).encode())
    connection.sendall(frame(1, b'{"op":10}', False))
    while said(connection) not in (b"bye", b""):
        pass
    connection.sendall(frame(8, b"\x0f\xa4bad", False))
    said(connection)


@contextmanager
def talking(proxy: Proxy, url: str) -> Iterator[socket.socket]:
    """A conversation in which both sides have said one thing."""
    handshake = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with proxy.send(url, handshake + key) as client:
        data = read_until(client, b'{"op":10}')
        assert b" 101 " in data and data.endswith(b'{"op":10}')
        client.sendall(frame(1, f'{{"token":"{SECRET}"}}'.encode(), True))
        yield client


def test_a_websocket_conversation_is_one_interaction_whose_frames_are_on_the_tape_at_once(
    proxy: Proxy, serve: Serve
) -> None:
    with talking(proxy, f"{serve(gateway)}/gateway") as client:
        open_yet = proxy.recorded("/gateway", lambda each: len(each.frames) == 2)
        client.sendall(frame(1, b"bye", True))
        read_until(client, b"bad")
        client.sendall(frame(8, b"\x0f\xa4", True))
    interaction = proxy.recorded("/gateway", lambda each: each.outcome == "complete")
    assert interaction.request.scheme == "ws" and interaction.response.status == 101
    assert open_yet.outcome == "aborted" and interaction.frames[:2] == open_yet.frames
    told = [(each.from_client, each.kind) for each in interaction.frames]
    assert sorted(told[:2]) == [(False, "text"), (True, "text")] and told[2:] == [(True, "text"), (False, "close")]
    (said,) = [each.data for each in interaction.frames[:2] if each.from_client]
    assert said.startswith(b'{"token":"secret-') and interaction.frames[-1].code == 4004


def test_what_is_on_the_tape_while_it_goes_on_survives_kill_9(start: Start, serve: Serve) -> None:
    def endless(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        connection.recv(1)

    proxy, url = start(), serve(small)
    with proxy.send(f"{serve(endless)}/events", b"\r\n") as events, talking(proxy, f"{serve(gateway)}/gateway"):
        read_until(events, b"data: 1\n\n")
        for number in range(20):
            proxy.get(f"{url}/{number}")
        # That it is there soon, and waits for nothing more to come, is tests/recording/test_writer.py's affair.
        proxy.recorded("/19")
        proxy.recorded("/events", lambda each: each.response.body.size > 0)
        proxy.recorded("/gateway", lambda each: len(each.frames) == 2)
        os.kill(proxy.process.pid, signal.SIGKILL)
        proxy.process.wait()
    taped = {each.request.path: each for each in proxy.taped()}
    assert [path for path in taped if path[1:].isdigit()] == [f"/{number}" for number in range(20)]
    assert taped["/events"].response.body.read() == b"data: 1\n\n" and taped["/events"].outcome == "aborted"
    assert len(taped["/gateway"].frames) == 2


@pytest.mark.parametrize("size", [9, pytest.param(512, marks=[pytest.mark.nightly, pytest.mark.timeout(600)])])
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

    proxy = start()
    proxy.get(f"{serve(small)}/warm")
    before = resident(proxy.process.pid, "VmRSS")
    with proxy.send(f"{serve(mirror)}/up", b"Content-Length: %d\r\n\r\n" % (size << 20), b"PUT") as client:
        for _ in range(size):
            client.sendall(block)
        received = 0
        while received < size << 20 and (piece := client.recv(1 << 20)):
            received += len(piece)
    grown = resident(proxy.process.pid, "VmHWM") - before
    assert proxy.end() == 0
    interaction = proxy.taped()[-1]
    assert interaction.request.body.size == interaction.response.body.size == size << 20
    assert grown < 100 << 20, f"grew by {grown >> 20} MiB"


def resident(process: int, name: str) -> int:
    match = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert match is not None
    return int(match[1]) * 1024


def test_once_refuses_a_cassette_that_has_recordings_and_says_what_to_do(
    proxy: Proxy, serve: Serve, tmp_path: Path
) -> None:
    proxy.get(serve(small) + "/before")
    proxy.recorded("/before")
    mitmdump = str(Path(sys.executable).with_name("mitmdump"))
    script = Path(__file__).parents[2] / "addons" / "durable_addons" / "record.py"
    options = ["--set", f"durable_cassette={proxy.cassette}", "--set", f"confdir={tmp_path / 'conf'}"]
    again = subprocess.run([mitmdump, "-s", str(script), "-p", "0", *options], capture_output=True, timeout=60)
    assert again.returncode != 0 and b"--mode new" in again.stdout + again.stderr


def test_traffic_under_way_at_the_end_is_kept_as_aborted(start: Start, serve: Serve) -> None:
    def endless(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nfirst")
        connection.recv(1)

    proxy = start()
    with proxy.send(f"{serve(endless)}/slow", b"\r\n") as client:
        read_until(client, b"first")
        begun = time.monotonic()
        assert proxy.end() == 0
        assert time.monotonic() - begun < 20
    (interaction,) = proxy.taped()
    assert interaction.outcome == "aborted" and interaction.response.body.read() == b"first"
