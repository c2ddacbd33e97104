"""HTTPS, HTTP/2 and other proxies: a recorder in a process of its own, servers and clients in this one."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

from durable_replay.front.tls import Authority
from durable_replay.http import Interaction

SECRET = "s3cr3t-Va1ue-0042"


class Recording(Protocol):
    """See conftest.py."""

    url: str
    ca: Path

    def recorded(self, path: str, ready: Callable[[Interaction], bool] = ...) -> Interaction: ...
    def end(self) -> dict[str, object]: ...


Record = Callable[..., Recording]


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on a port of its own; `answer` is called with each connection, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=answered, args=(connection,), daemon=True).start()

    def answered(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # a client that hangs up is no error of this server's
            answer(connection)

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def over_tls(authority: Authority) -> Callable[[socket.socket], None]:
    """HTTP/2 where the client can, else one HTTP/1.1 answer; behind a certificate of a private authority."""
    context = authority.context("127.0.0.1")
    context.set_alpn_protocols(["h2", "http/1.1"])

    def answer(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                speak_2(secure) if secure.selected_alpn_protocol() == "h2" else speak_1(secure)
        except OSError:  # the client did not trust us, or is gone
            return

    return answer


def speak_1(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        path = data.split(b" ")[1]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))


def speak_2(connection: socket.socket) -> None:
    """Answers a request when it is whole: with 200 and its path and body, a reset, or a 500."""
    conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    conn.initiate_connection()
    connection.sendall(conn.data_to_send())
    paths: dict[int, str] = {}
    bodies: dict[int, bytes] = {}
    while data := connection.recv(65536):
        for event in conn.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                paths[event.stream_id] = str(dict(event.headers)[":path"])
                bodies[event.stream_id] = b""
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id] += event.data
                conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                reply_2(conn, event.stream_id, paths[event.stream_id], bodies[event.stream_id])
        connection.sendall(conn.data_to_send())


def reply_2(conn: h2.connection.H2Connection, stream: int, path: str, body: bytes) -> None:
    status = "500" if path.startswith("/error") else "200"
    conn.send_headers(stream, [(":status", status), ("content-type", "text/plain"), ("set-cookie", f"sid={SECRET}")])
    conn.send_data(stream, path.encode() + b" " + body)
    if path.startswith("/reset"):
        conn.reset_stream(stream, 2)
    elif path.startswith("/trailers"):
        conn.send_headers(stream, [("grpc-status", "0")], end_stream=True)
    else:
        conn.end_stream(stream)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of the servers, which nobody trusts but who is told to."""
    return Authority.load_or_create(tmp_path_factory.mktemp("private"))


@pytest.fixture(scope="module")
def upstream(private: Authority) -> Iterator[str]:
    with listening(over_tls(private)) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def recording(record: Record, private: Authority) -> Iterator[Recording]:
    """One recorder for the module that trusts the private authority; its end must be clean."""
    running = record(trusted=private.path)
    yield running
    assert (outcome := running.end())["error"] == "" and outcome["exit_code"] == 0


@contextmanager
def client(recording: Recording, http2: bool) -> Iterator[httpx.Client]:
    trust = ssl.create_default_context(cafile=str(recording.ca))
    with httpx.Client(proxy=recording.url, verify=trust, http2=http2, timeout=20, trust_env=False) as made:
        yield made


def test_https_through_connect_is_recorded_with_the_authority_that_replay_has(
    recording: Recording, upstream: str
) -> None:
    with client(recording, http2=False) as http:
        assert http.get(f"{upstream}/secure?token={SECRET}").text == f"/secure?token={SECRET}"
    taped = recording.recorded("/secure")
    assert taped.request.scheme == "https" and taped.request.url.startswith(f"{upstream}/secure?token=secret-")
    assert taped.http_version == "HTTP/1.1" and SECRET.encode() not in taped.response.body.read()


def test_http_2_is_recorded_with_bodies_both_ways(recording: Recording, upstream: str) -> None:
    with client(recording, http2=True) as http:
        answers = [http.post(f"{upstream}/two/{number}", content=b"x" * 40_000) for number in range(3)]
    assert [answer.http_version for answer in answers] == ["HTTP/2"] * 3
    for number in range(3):
        taped = recording.recorded(f"/two/{number}")
        assert taped.http_version == "HTTP/2.0" and taped.request.host == "127.0.0.1"
        assert taped.request.body.read() == b"x" * 40_000
        assert taped.response.body.read() == answers[number].content
        assert taped.response.headers.get("set-cookie").startswith("sid=secret-")
        assert not [name for name, _ in (*taped.request.headers, *taped.response.headers) if name.startswith(":")]


def test_a_server_error_over_http_2_is_an_answer(recording: Recording, upstream: str) -> None:
    with client(recording, http2=True) as http:
        assert http.get(f"{upstream}/error").status_code == 500
    assert recording.recorded("/error").outcome == "complete"


def test_trailers_of_http_2_are_recorded(recording: Recording, upstream: str) -> None:
    with client(recording, http2=True) as http:
        http.get(f"{upstream}/trailers")
    assert recording.recorded("/trailers").response.trailers.get("grpc-status") == "0"


def test_a_stream_that_the_server_resets_is_kept_as_aborted(recording: Recording, upstream: str) -> None:
    with client(recording, http2=True) as http, pytest.raises(httpx.RemoteProtocolError):
        http.get(f"{upstream}/reset")
    taped = recording.recorded("/reset")
    assert taped.outcome == "aborted" and taped.response.body.read() == b"/reset "


def tunnel(connection: socket.socket, asked: list[bytes]) -> None:
    """What a company's proxy does: CONNECT, or one request passed on."""
    head = connection.recv(65536)
    asked.append(head.split(b"\r\n")[0])
    method, target = asked[-1].split(b" ")[:2]
    host, port = (target if method == b"CONNECT" else target.split(b"/")[2]).decode().split(":")
    with socket.create_connection((host, int(port))) as onward:
        if method == b"CONNECT":
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        else:
            onward.sendall(head)
        threading.Thread(target=pumped, args=(onward, connection), daemon=True).start()
        pumped(connection, onward)


def pumped(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # either side is gone
        return


def test_servers_behind_another_proxy_are_recorded_and_only_trusted_ones(
    record: Record, upstream: str, server: str
) -> None:
    asked: list[bytes] = []
    with listening(lambda connection: tunnel(connection, asked)) as port:
        recording = record(proxy=f"http://127.0.0.1:{port}")
        with client(recording, http2=False) as http:
            plain = http.get(f"{server}/plain").content
            refused = http.get(f"{upstream}/private")  # this recorder was not told to trust its authority
        assert recording.recorded("/plain").response.body.read() == plain
        outcome = recording.end()
    assert refused.status_code == 502 and "ertificate" in refused.text
    assert asked[0].startswith(b"GET http://127.0.0.1:") and asked[1].startswith(b"CONNECT 127.0.0.1:")
    assert outcome == {"written": 1, "exit_code": 0, "error": ""}
