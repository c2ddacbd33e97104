"""The port, spoken to byte by byte."""

from __future__ import annotations

import base64
import gc
import resource
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durable_replay.answer import Answer
from durable_replay.front.settings import Limits, Settings
from durable_replay.http import BytesBody, Headers, Response
from tests.front.conftest import FakeEngine, Generated, House, ok

Start = Callable[..., House]


def test_a_recorded_answer_keeps_its_head_and_says_where_it_came_from(front: House) -> None:
    reply = front.get("/recorded")
    assert (reply.status, reply.reason, reply.body) == (200, "OK", b'{"ok": true}')
    assert reply.fields() == [
        ("Content-Type", "application/json"),
        ("X-Mixed-Case", "Kept"),
        ("Content-Length", "12"),
        ("x-durable-source", "recorded"),
        ("x-durable-interaction", "41"),
        ("x-durable-reason", "interaction 41 is true"),
    ]


def test_provenance_can_be_switched_off(house: Start, recorded: Answer) -> None:
    front = house(Settings(provenance=False), FakeEngine(recorded={"/r": recorded}))
    assert not [name for name, _ in front.get("/r").fields() if name.startswith("x-durable")]


def test_identical_requests_are_recalled_each_time_without_being_addressed_again(front: House) -> None:
    client = front.client()
    for _ in range(4):
        assert client.send(b"GET /recorded HTTP/1.1\r\nHost: a\r\n\r\n").reply().status == 200
    assert front.engine.recalls == 4
    assert len(front.engine.seen) == 1


def test_a_recall_that_is_no_longer_true_leads_to_the_engines_answer(front: House) -> None:
    client = front.client()
    request = b"GET /recorded HTTP/1.1\r\nHost: a\r\n\r\n"
    assert client.send(request).reply().get("x-durable-source") == "recorded"
    del front.engine.recorded["/recorded"]
    assert client.send(request).reply().get("x-durable-source") == "emulated"


def test_the_same_bytes_of_two_sessions_are_two_requests(front: House) -> None:
    for user in ("one", "two"):
        word = base64.b64encode(f"{user}:".encode()).decode()
        client = front.client().connect("api.test:80", f"Proxy-Authorization: Basic {word}")
        client.send(b"GET /recorded HTTP/1.1\r\nHost: a\r\n\r\n").reply()
    assert [session for session, _ in front.engine.seen] == ["one", "two"]


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("http://api.test/a?b=c", "http://api.test/a?b=c"),
        ("https://api.test/a", "https://api.test/a"),
        ("http://API.test:8080", "http://api.test:8080/"),
        ("http://u:p@api.test?x", "http://api.test/?x"),
        ("http://[::1]:81/", "http://[::1]:81/"),
        ("/plain", "http://host.test/plain"),
    ],
)
def test_each_form_of_target_names_its_url(front: House, target: str, url: str) -> None:
    assert front.get(target, host="host.test").body == f"GET {url}".encode()


def test_a_fixed_host_names_every_origin_form_request(house: Start) -> None:
    front = house(Settings(fixed_host="s3.amazonaws.com"))
    assert front.get("/b", host="127.0.0.1:8000").body == b"GET http://s3.amazonaws.com/b"
    assert front.get("http://other.test/b").body == b"GET http://other.test/b"


def test_a_tunnel_carries_tls_and_plain_text(front: House) -> None:
    secure = front.client().connect("api.test:8443").tls("api.test", front.authority)
    for _ in range(2):
        assert secure.send(b"GET /t HTTP/1.1\r\nHost: x\r\n\r\n").reply().body == b"GET https://api.test:8443/t"
    plain = front.client().connect("api.test:80")
    assert plain.send(b"GET /t HTTP/1.1\r\nHost: x\r\n\r\n").reply().body == b"GET http://api.test/t"


def test_tls_straight_to_the_port_is_a_direct_endpoint(front: House) -> None:
    client = front.client().tls("localhost", front.authority)
    assert client.send(b"GET /t HTTP/1.1\r\nHost: localhost\r\n\r\n").reply().body == b"GET https://localhost/t"


def test_a_client_hello_that_comes_with_its_connect_is_not_lost(front: House) -> None:
    client = front.client()
    client.send(b"CONNECT api.test:80 HTTP/1.1\r\n\r\nGET /early HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.reply(to_head=True).status == 200
    assert client.reply().body == b"GET http://api.test/early"


@pytest.mark.parametrize("target", ["foo", "api.test:0", "api.test:99999", ":443", "api.test:x", "a b:1", "a:", "/x:1"])
def test_a_connect_to_nonsense_is_refused(front: House, target: str) -> None:
    assert front.client().send(f"CONNECT {target} HTTP/1.1\r\n\r\n".encode()).reply().status == 400


def test_a_connect_within_a_tunnel_is_refused(front: House) -> None:
    client = front.client().connect("api.test:80")
    assert client.send(b"CONNECT b.test:80 HTTP/1.1\r\n\r\n").reply().status == 400


def test_the_proxy_user_names_the_session_and_stays_with_the_proxy(front: House) -> None:
    user = base64.b64encode(b"worker-7:x").decode()
    front.get("http://a.test/", f"Proxy-Authorization: Basic {user}", "Proxy-Connection: keep-alive", "X-Own: 1")
    session, request = front.engine.seen[0]
    assert session == "worker-7"
    assert request.headers.fields == (("Host", "api.test"), ("X-Own", "1"))


def test_a_header_names_the_session_of_a_direct_request(front: House) -> None:
    front.get("/", "X-Durable-Session: s.1")
    session, request = front.engine.seen[0]
    assert session == "s.1" and "x-durable-session" not in request.headers


@pytest.mark.parametrize("name", ["a/b", "a b", "x" * 101, "ü"])
def test_a_session_name_that_is_none_is_refused_with_advice(front: House, name: str) -> None:
    reply = front.get("/", f"x-durable-session: {name}")
    assert reply.status == 400 and b"1 to 100 of" in reply.body and not front.engine.seen


def test_pipelined_requests_are_answered_in_order(front: House, recorded: Answer) -> None:
    targets = [f"/{n}" if n % 10 else "/recorded" for n in range(1000)]
    client = front.client()
    data = b"".join(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for target in targets)
    writer = threading.Thread(target=client.send, args=(data,))
    writer.start()
    bodies = [client.reply().body for _ in targets]
    writer.join()
    assert bodies == [b'{"ok": true}' if t == "/recorded" else f"GET http://a{t}".encode() for t in targets]


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_request_bodies_arrive_whole(front: House, framing: str) -> None:
    client = front.client()
    if framing == "chunked":
        client.send(b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\n")
        client.send(b"de\r\n0\r\nX-Trailer: dropped\r\n\r\n")
    else:
        client.send(b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab").send(b"cde")
    assert client.reply().status == 200
    assert front.engine.seen[0][1].body.read() == b"abcde"
    assert "x-trailer" not in front.engine.seen[0][1].headers


def test_a_client_that_expects_100_is_told_to_go_on_once_it_is_its_turn(front: House) -> None:
    client = front.client().send(b"PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert client.reply().status == 100
    assert client.send(b"abc").reply().status == 200


def test_a_client_that_expects_100_for_too_much_is_not_told_to_go_on(house: Start) -> None:
    front = house(Settings(limits=Limits(body_bytes=10)))
    head = b"PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n"
    reply = front.client().send(head).reply()
    assert reply.status == 413 and b"body_bytes" in reply.body


def test_an_upgrade_that_nobody_knows_is_an_ordinary_request_with_its_body(front: House) -> None:
    client = front.client()
    head = b"POST /h2c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 4\r\n\r\n"
    client.send(head + b"body" + b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [client.reply().body for _ in range(2)] == [b"POST http://a/h2c", b"GET http://a/next"]
    assert front.engine.seen[0][1].body.read() == b"body"


def test_head_and_bodiless_statuses_have_no_body_but_keep_their_fields(house: Start) -> None:
    length = Headers((("Content-Length", "1000"), ("ETag", '"x"')))
    responses = {"/h": Response(200, length), "/304": Response(304, length), "/204": Response(204)}
    client = house(engine=FakeEngine(responses=responses)).client()
    head = client.send(b"HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n").reply(to_head=True)
    assert head.get("content-length") == "1000"
    assert client.send(b"GET /304 HTTP/1.1\r\nHost: a\r\n\r\n").reply().get("content-length") == "1000"
    assert client.send(b"GET /204 HTTP/1.1\r\nHost: a\r\n\r\n").reply().get("content-length") == ""
    assert client.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").reply().body == b"GET http://a/x"


def test_http_1_0_gets_a_length_and_a_close_unless_it_asks_to_stay(house: Start) -> None:
    chunked = Response(200, Headers((("Transfer-Encoding", "chunked"),)), BytesBody(b"abc"), "OK")
    front = house(engine=FakeEngine(responses={"/c": chunked}))
    text = front.client().send(b"GET /c HTTP/1.0\r\nHost: a\r\n\r\n").rest()
    assert text.endswith(b"\r\n\r\nabc") and b"Content-Length: 3" in text and b"chunked" not in text
    client = front.client()
    for _ in range(2):
        reply = client.send(b"GET /c HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n").reply()
        assert reply.get("connection") == "keep-alive" and reply.body == b"abc"


def test_connection_close_is_kept(front: House) -> None:
    data = front.client().send(b"GET /recorded HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").rest()
    assert data.endswith(b'{"ok": true}') and b"Connection: close" in data


MALFORMED = {
    "garbage": b"\x00\x01\x02 nonsense\r\n\r\n",
    "no such method": b"FROB / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "bad host": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "both lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "negative length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "unknown coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "bad chunk": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "space in name": b"GET / HTTP/1.1\r\nHost: a\r\nA B: c\r\n\r\n",
    "foreign scheme": b"GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "proxy user beyond ascii": b"GET http://a/ HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic \xff\r\n\r\n",
    "no base64": b"GET http://a/ HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic !!\r\n\r\n",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_requests_are_refused_with_a_reason_and_a_close(front: House, case: str) -> None:
    client = front.client().send(MALFORMED[case])
    reply = client.reply()
    assert reply.status == 400 and reply.body.startswith(b"durable-replay: ")
    assert client.rest() == b"" and not front.engine.seen


@pytest.mark.parametrize("line", [b"GET / HTTP/3.7\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_other_versions_of_http_are_refused(front: House, line: bytes) -> None:
    assert front.client().send(line).reply().status == 505


@pytest.mark.parametrize(
    ("limit", "status", "data"),
    [
        ("head_bytes", 431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 3000 + b"\r\n\r\n"),
        ("head_bytes", 431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000),
        ("header_count", 431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 30 + b"\r\n"),
        ("target_bytes", 414, b"GET /" + b"x" * 600 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("body_bytes", 413, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n"),
        ("body_bytes", 413, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000),
        (
            "head_bytes",
            431,
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: " + b"t" * 40_000,
        ),
    ],
)
def test_each_limit_has_its_own_refusal(house: Start, limit: str, status: int, data: bytes) -> None:
    front = house(Settings(limits=Limits(head_bytes=2048, header_count=20, target_bytes=512, body_bytes=1000)))
    reply = front.client().send(data).reply()
    assert reply.status == status and limit.encode() in reply.body and not front.engine.seen


def test_a_refusal_comes_after_the_answers_before_it(front: House) -> None:
    client = front.client().send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n")
    assert [client.reply().status for _ in range(2)] == [200, 400]


def test_one_connection_too_many_is_told_so(house: Start) -> None:
    front = house(Settings(limits=Limits(connections=1)))
    assert front.get("/").status == 200
    reply = front.client().reply()
    assert reply.status == 503 and b"connections" in reply.body


def test_a_slow_head_is_ended(house: Start) -> None:
    front = house(Settings(limits=Limits(head_seconds=0.1)))
    client = front.client().send(b"GET / HTTP/1.1\r\nHost")
    reply = client.reply()
    assert reply.status == 408 and b"head_seconds" in reply.body


def test_a_paused_body_is_ended_and_an_idle_connection_closed(front: House) -> None:
    paused, idle = front.client(), front.client()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    assert paused.send(head).reply().status == 100
    assert idle.send(b"GET /recorded HTTP/1.1\r\nHost: a\r\n\r\n").reply().status == 200
    front.later(119)
    assert idle.send(b"GET /recorded HTTP/1.1\r\nHost: a\r\n\r\n").reply().status == 200
    front.later(121)
    reply = paused.reply()
    assert reply.status == 408 and b"idle_seconds" in reply.body
    assert idle.rest() == b""
    assert [request.method for _, request in front.engine.seen] == ["GET"]


def test_a_body_shorter_than_its_length_never_reaches_the_engine(front: House) -> None:
    client = front.client().send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b"" and not front.engine.seen


def test_a_half_closed_client_gets_what_it_asked_for(house: Start) -> None:
    engine = FakeEngine(gates={"/slow": threading.Event()})
    client = (
        house(engine=engine).client().send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    )
    assert engine.entered.wait(5)
    client.socket.shutdown(socket.SHUT_WR)
    engine.gates["/slow"].set()
    data = client.rest()
    assert b"GET http://a/slow" in data and data.endswith(b"GET http://a/2")


def test_an_engine_that_fails_is_said_to_have_failed_and_no_more(front: House) -> None:
    client = front.client()
    reply = client.send(b"GET /fails HTTP/1.1\r\nHost: a\r\n\r\n").reply()
    assert reply.status == 500 and b"RuntimeError" in reply.body and b"secret" not in reply.body


def test_an_engine_that_blames_the_client_is_quoted(front: House) -> None:
    reply = front.get("/usage")
    assert reply.status == 400 and b"name it otherwise" in reply.body


def test_a_recording_cannot_smuggle_header_lines(house: Start) -> None:
    fields = Headers((("X-A", "1\r\nX-Evil: 2"), ("Content-Length", "0")))
    answer = Answer(Response(200, fields, reason="O\nK"), "recorded", "why\r\nX-Evil: 3" + "y" * 900, 1)
    reply = house(engine=FakeEngine(recorded={"/": answer})).get("/")
    assert "x-evil" not in [name.lower() for name, _ in reply.fields()]
    assert len(reply.get("x-durable-reason")) == 500


def test_large_uploads_go_to_disk_in_flat_memory_and_are_removed(house: Start, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    front = house(Settings(spool_directory=spool))
    client = front.client()
    piece, times = b"u" * 1024 * 1024, 50
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client.send(f"PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: {len(piece) * times}\r\n\r\n".encode())
    for _ in range(times):
        client.send(piece)
    assert client.reply().status == 200
    assert front.engine.bodies == [len(piece) * times]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").reply()
    assert list(spool.iterdir()) == []


def test_what_comes_while_a_body_is_put_on_disk_keeps_its_place(
    house: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = house(Settings(limits=Limits(memory_bytes=1000), spool_directory=tmp_path))
    entered, go_on = threading.Event(), threading.Event()
    make = tempfile.mkstemp

    def slow(**place: Any) -> tuple[int, str]:
        entered.set()
        assert go_on.wait(20)
        return make(**place)

    monkeypatch.setattr("durable_replay.front.spool.tempfile.mkstemp", slow)
    head, tail = b"h" * 2000, b"t" * 10
    client = front.client()
    client.send(b"PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(head + tail) + head)
    assert entered.wait(20)
    client.send(tail)
    assert front.get("/other").status == 200  # by then the tail has been read, or waits to be
    go_on.set()
    assert client.reply().status == 200
    assert front.engine.bodies == [0, len(head + tail)]


def test_an_upload_that_is_given_up_leaves_no_file(house: Start, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    front = house(Settings(spool_directory=spool))
    client = front.client().send(b"PUT /big HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + b"u" * 4_000_000)
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b""
    front.server.stop()
    assert list(spool.iterdir()) == [] and not front.engine.seen


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_large_downloads_stream_in_flat_memory(house: Start, framing: str) -> None:
    size = 200 * 1024 * 1024
    fields = (("Transfer-Encoding", "chunked"),) if framing == "chunked" else ()
    front = house(engine=FakeEngine(responses={"/big": Response(200, Headers(fields), Generated(size), "OK")}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    client = front.client().send(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    head, got = client.line(b"\r\n\r\n"), len(client.buffer)
    while data := client.socket.recv(1 << 20):
        got += len(data)
    assert got >= size and (framing.encode() in head.lower())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * 1024


def test_a_client_that_vanishes_midway_stops_the_work(house: Start) -> None:
    body = Generated(1 << 40)
    front = house(engine=FakeEngine(responses={"/big": Response(200, Headers(), body, "OK")}))
    client = front.client().send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    client.line(b"\r\n\r\n")
    client.socket.close()
    assert body.closed.wait(5) and body.given < 1 << 30


def test_a_body_that_lies_about_its_size_ends_the_connection(house: Start) -> None:
    body = Generated(1 << 20, wrong_by=-1000)
    front = house(engine=FakeEngine(responses={"/big": Response(200, Headers(), body, "OK")}))
    client = front.client().send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
    client.line(b"\r\n\r\n")
    with pytest.raises((AssertionError, ConnectionError)):
        client.take(1 << 20)


def test_a_client_that_refuses_our_certificate_harms_nobody(front: House, caplog: pytest.LogCaptureFixture) -> None:
    client = front.client().connect("api.test:443")
    with (
        pytest.raises(ssl.SSLError),
        ssl.create_default_context().wrap_socket(client.socket, server_hostname="api.test"),
    ):
        pass
    client = front.client().connect("api.test:443")
    client.send(b"\x16\x03\x01\x02\x00\x01").socket.close()
    assert front.get("/recorded").status == 200
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


def test_stopping_lets_a_running_answer_end_and_closes_the_idle(house: Start) -> None:
    engine = FakeEngine(gates={"/slow": threading.Event()})
    front = house(engine=engine)
    idle = front.client()
    assert idle.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").reply().status == 200
    engine.entered.clear()
    busy = front.client().send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    assert engine.entered.wait(5)
    stopper = threading.Thread(target=front.server.stop)
    stopper.start()
    assert idle.rest() == b""
    engine.gates["/slow"].set()
    reply = busy.reply()
    assert reply.body == b"GET http://a/slow" and reply.get("connection") == "close"
    stopper.join(5)
    assert not stopper.is_alive()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", front.port), timeout=2)


def test_stopping_gives_an_engine_up_that_does_not_answer_and_says_nothing(
    house: Start, caplog: pytest.LogCaptureFixture
) -> None:
    engine = FakeEngine(gates={"/late": threading.Event()})
    front = house(Settings(limits=Limits(stop_seconds=0.0)), engine)
    before = set(threading.enumerate())
    client = front.client().send(b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
    assert engine.entered.wait(20)
    workers = set(threading.enumerate()) - before
    front.server.stop()
    assert client.rest() == b""
    engine.gates["/late"].set()
    for worker in workers:
        worker.join(20)
    gc.collect()
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


def test_a_small_recorded_body_of_any_kind_is_sent_whole(house: Start) -> None:
    answer = Answer(Response(200, Headers(), Generated(1000), ""), "recorded", "", 3)
    reply = house(engine=FakeEngine(recorded={"/g": answer})).get("/g")
    assert (reply.reason, reply.body) == ("OK", b"x" * 1000)  # HTTP/2 has no phrase; some clients need one


def test_a_large_recorded_body_is_recalled_and_streamed_each_time(house: Start) -> None:
    answer = Answer(ok(b"z" * 300_000), "recorded", "true", 3)
    client = house(engine=FakeEngine(recorded={"/z": answer})).client()
    for _ in range(3):
        assert client.send(b"GET /z HTTP/1.1\r\nHost: a\r\n\r\n").reply().body == b"z" * 300_000
