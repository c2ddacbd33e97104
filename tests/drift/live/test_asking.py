"""One request over the wire: HTTP/2, proxies, servers that do not answer, targets that nobody rewrites."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest

from durable_replay.drift.live.asking import Answered, Asker, Wire
from durable_replay.drift.live.failing import Failure
from durable_replay.drift.live.selecting import Server
from durable_replay.http import Request
from durable_replay.testing import exchange, request

Start = Callable[..., Any]


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on a port of its own; `answer` is called with each connection, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answered(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # a client that hangs up is no error of this server's
            answer(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            Thread(target=answered, args=(connection,), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def ask(asked: Request, server: Server, wire: Wire) -> Answered:
    async def once() -> Answered:
        async with Asker(wire) as asker:
            return await asker.ask(asked, server)

    return asyncio.run(once())


def speaking_h2(context: ssl.SSLContext, seen: list[list[tuple[bytes, bytes]]]) -> Callable[[socket.socket], None]:
    def answer(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as sock:
            connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
            connection.initiate_connection()
            sock.sendall(connection.data_to_send())
            while data := sock.recv(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        seen.append(list(event.headers))
                        connection.send_headers(event.stream_id, [(b":status", b"200"), (b"x-one", b"1")])
                        connection.send_data(event.stream_id, b"over two", end_stream=True)
                sock.sendall(connection.data_to_send())

    return answer


def test_http2_is_spoken_where_it_is_offered(authority: Any) -> None:
    context: ssl.SSLContext = authority.context("127.0.0.1")
    context.set_alpn_protocols(["h2"])
    seen: list[list[tuple[bytes, bytes]]] = []
    with listening(speaking_h2(context, seen)) as port:
        server = Server("https", "127.0.0.1", port)
        answered = ask(
            request("GET", "https://a.test/x?y=%41", headers={"X-Mine": "2"}), server, Wire(ca_file=authority.path)
        )
    assert (answered.http_version, answered.response.status) == ("HTTP/2", 200)
    assert answered.response.body.read() == b"over two"
    assert answered.response.headers.get("x-one") == "1"
    sent = dict(seen[0])
    assert (sent[b":path"], sent[b":method"], sent[b"x-mine"]) == (b"/x?y=%41", b"GET", b"2")


@pytest.mark.parametrize("target", ["/a%2fb/%41?q=%7e&x=a+b&&", "/a|b?c={d}", "/a//b/../c", "/%zz?x=%", "/?"])
def test_a_target_is_sent_as_it_was_recorded(start: Start, target: str) -> None:
    service = start()
    asked = Request("GET", "https", "a.test", 443, target)
    ask(asked, Server("http", "127.0.0.1", service.port), Wire())
    assert service.targets == [target]


def test_the_proxy_of_the_environment_is_used(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = start(lambda asked: (200, {"via": "proxy"}))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    answered = ask(request("GET", "http://api.test/a?b=1"), Server("http", "api.test", 80), Wire())
    assert answered.response.body.read() == b'{"via": "proxy"}'
    assert proxy.targets == ["http://api.test/a?b=1"]


def test_a_host_that_never_answers_is_told_as_one_that_cannot_be_reached(bench: Any) -> None:
    def hold(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.recv(65536)  # until the client hangs up

    with listening(hold) as port:
        bench.tape(*(exchange("GET", f"http://127.0.0.1:{port}/{number}", 200, {}) for number in range(3)))
        outcome = bench.take(wire=Wire(timeout=0.3))
    (failure,) = outcome.failures
    assert (failure.failure, failure.text) == (
        Failure.unreachable,
        f"127.0.0.1:{port} does not answer: nothing came in time",
    )


def test_an_answer_that_nobody_waits_for_any_more_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    make = tempfile.SpooledTemporaryFile

    def noted(**options: Any) -> Any:
        made.append(make(**options))
        return made[-1]

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", noted)

    def begin(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 3_000_000)
        connection.recv(65536)  # until the client hangs up

    async def given_up(port: int) -> None:
        async with Asker(Wire()) as asker:
            asked = request("GET", f"http://127.0.0.1:{port}/")
            asking = asyncio.create_task(asker.ask(asked, Server("http", "127.0.0.1", port)))
            while not made or made[0].tell() < 2_000_000:
                await asyncio.sleep(0.01)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    with listening(begin) as port:
        asyncio.run(given_up(port))
    assert [one.closed for one in made] == [True]


def test_one_request_without_an_answer_is_its_own_affair(bench: Any) -> None:
    def answer(connection: socket.socket) -> None:
        asked = connection.recv(65536)
        if b"/silent" not in asked:
            connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")

    with listening(answer) as port:
        paths = ("a", "silent", "b")
        bench.tape(*(exchange("GET", f"http://127.0.0.1:{port}/{path}", 200, {}) for path in paths))
        outcome = bench.take()
    assert (outcome.failures, outcome.before, outcome.complete) == ((), {1, 3}, False)
    assert [one.reason for one in outcome.skipped] == ["the server closed the connection early"]


def test_what_no_client_can_send_is_left_out_for_good(bench: Any, start: Start) -> None:
    service = start()
    bad = exchange("GET", f"{service.url}/a", 200, {}, headers={"X-Bad": "a\nb"})
    bench.tape(bad, exchange("GET", f"{service.url}/b", 200, {}))
    outcome = bench.take()
    assert service.targets == ["/b"]
    assert ([one.reason for one in outcome.skipped], outcome.complete) == (
        ["it cannot be sent as it was recorded"],
        True,
    )


def test_nothing_is_logged_of_what_is_sent_and_logging_is_as_before_afterwards(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    logging.getLogger("httpcore").setLevel("INFO")
    try:
        ask(request("GET", "http://a.test/?key=plantedValue"), Server("http", "127.0.0.1", start().port), Wire())
        assert logging.getLogger("httpcore").level == logging.INFO
    finally:
        logging.getLogger("httpcore").setLevel("NOTSET")
    assert [record.name for record in caplog.records if record.name.startswith(("http", "h2", "hpack"))] == []
