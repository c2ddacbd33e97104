"""WebSockets on each way to the port, with wsproto as the client."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

from durable_replay.front.settings import Limits, Settings
from durable_replay.http import Headers, Response
from tests.front.conftest import FakeEngine, House, RawClient

Start = Callable[..., House]


class Peer:
    """A client's end."""

    def __init__(self, raw: RawClient, target: str = "/gateway", deflate: bool = False) -> None:
        self.raw = raw
        self.protocol = WSConnection(ConnectionType.CLIENT)
        self.waiting: list[Event] = []
        extensions = [PerMessageDeflate()] if deflate else []
        self.send(Request(host="gw.test", target=target, subprotocols=["v1", "v2"], extensions=extensions))

    def send(self, event: Event) -> None:
        self.raw.send(self.protocol.send(event))

    def next(self) -> Event:
        while not self.waiting:
            data = self.raw.socket.recv(65536)
            self.protocol.receive_data(data or None)
            self.waiting += list(self.protocol.events())
        return self.waiting.pop(0)

    def text(self) -> str:
        event = self.next()
        assert isinstance(event, Message), event
        return str(event.data) + ("" if event.message_finished else self.text())


@pytest.fixture(params=["direct", "tunnel", "tls"])
def raw(request: pytest.FixtureRequest, front: House) -> RawClient:
    client = front.client()
    if request.param == "tunnel":
        client.connect("gw.test:80")
    elif request.param == "tls":
        client.connect("gw.test:443").tls("gw.test", front.authority)
    return client


def test_a_conversation_begins_answers_and_ends_with_a_code(front: House, raw: RawClient) -> None:
    peer = Peer(raw)
    assert isinstance(peer.next(), AcceptConnection)
    assert peer.text() == "hello"
    peer.send(TextMessage(data="a", message_finished=False))
    peer.send(TextMessage(data="b"))
    assert peer.text() == "ab"
    peer.send(BytesMessage(data=b"\x00\xff"))
    event = peer.next()
    assert isinstance(event, BytesMessage) and event.data == b"\x00\xff"
    peer.send(Ping(payload=b"are you there"))
    event = peer.next()
    assert isinstance(event, Pong) and event.payload == b"are you there"
    peer.send(TextMessage(data="push"))
    assert peer.text() == "pushed"
    peer.send(TextMessage(data="bye"))
    event = peer.next()
    assert isinstance(event, CloseConnection) and (event.code, event.reason) == (4001, "so long")
    peer.send(event.response())
    assert peer.raw.rest() == b""
    assert front.engine.conversations[0].done.wait(5)
    assert [frame.data for frame in front.engine.conversations[0].heard] == [b"ab", b"\x00\xff", b"push", b"bye"]
    assert front.engine.seen[0][1].scheme == ("ws" if peer.raw.socket.__class__.__name__ == "socket" else "wss")


def test_the_recorded_handshakes_fields_and_protocol_are_sent(house: Start) -> None:
    fields = Headers((("X-Served-By", "gw"), ("Sec-WebSocket-Protocol", "v2"), ("Sec-WebSocket-Accept", "old")))
    peer = Peer(house(engine=FakeEngine(handshake=Response(101, fields))).client())
    event = peer.next()
    assert isinstance(event, AcceptConnection)
    assert event.subprotocol == "v2" and (b"x-served-by", b"gw") in event.extra_headers


def test_compressed_messages_are_understood_where_offered(front: House) -> None:
    peer = Peer(front.client(), deflate=True)
    accepted = peer.next()
    assert isinstance(accepted, AcceptConnection) and len(accepted.extensions) == 1
    peer.text()
    peer.send(TextMessage(data="x" * 5000))
    assert peer.text() == "x" * 5000


def test_a_refused_handshake_gets_its_answer_and_the_connection_lives_on(front: House) -> None:
    client = front.client()
    head = "GET /no-socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    client.send(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
    reply = client.reply()
    assert (reply.status, reply.body, reply.get("x-durable-source")) == (404, b"no", "refused")
    assert client.send(b"GET /recorded HTTP/1.1\r\nHost: a\r\n\r\n").reply().status == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x", 426), ("Sec-WebSocket-Version: 13", 400)],
)
def test_a_handshake_that_is_none_is_refused(front: House, fields: str, status: int) -> None:
    head = f"GET /g HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{fields}\r\n\r\n"
    assert front.client().send(head.encode()).reply().status == status
    assert not front.engine.conversations


def test_a_message_over_the_limit_is_refused_with_1009(house: Start) -> None:
    peer = Peer(house(Settings(limits=Limits(message_bytes=1000))).client())
    peer.next()
    peer.text()
    peer.send(BytesMessage(data=os.urandom(1001)))
    event = peer.next()
    assert isinstance(event, CloseConnection) and event.code == 1009


def test_stopping_says_going_away(front: House) -> None:
    peer = Peer(front.client())
    peer.next()
    peer.text()
    stopper = threading.Thread(target=front.server.stop)
    stopper.start()
    event = peer.next()
    assert isinstance(event, CloseConnection) and event.code == 1001
    peer.send(event.response())
    stopper.join(5)
    assert not stopper.is_alive() and front.engine.conversations[0].done.is_set()


def test_a_client_that_vanishes_ends_its_conversation(front: House) -> None:
    peer = Peer(front.client())
    peer.next()
    peer.text()
    peer.raw.socket.close()
    assert front.engine.conversations[0].done.wait(5)


def test_bytes_that_are_no_frame_end_the_conversation(front: House) -> None:
    peer = Peer(front.client())
    peer.next()
    peer.text()
    peer.raw.send(b"\xff" * 20)
    event = peer.next()
    assert isinstance(event, CloseConnection) and event.code == 1002
    assert front.engine.conversations[0].done.wait(5)
