"""WebSocket conversations: recorded turns told again, and emulated ones that hear of every write, in order."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import pytest

from durable_replay.answer import Answer, Conversation
from durable_replay.conversations import Recorded
from durable_replay.engine import Engine, Policy
from durable_replay.http import Frame, Headers, Interaction, Response
from durable_replay.service.api import Call, Reply, Scope, Service, operation
from durable_replay.service.faults import Denied
from durable_replay.testing import ask, engine_over, exchange, request
from tests.service import tiny_services

GATEWAY = request("GET", "wss://chat.test/gateway")
MESSAGES = "https://chat.test/channels/7/messages"


def said(data: object, from_client: bool = False) -> Frame:
    return Frame(from_client, "text", json.dumps(data).encode())


def content(frame: Frame) -> dict[str, object]:
    return cast("dict[str, object]", json.loads(frame.data))


class Client:
    """One end of a conversation: what it was told, in order."""

    def __init__(self, engine: Engine, session: str = "s", url: str = "wss://chat.test/gateway") -> None:
        self.told: list[Frame] = []
        answer = engine.converse(session, request("GET", url), self.told.append)
        assert not isinstance(answer, Answer), answer.why
        self.conversation: Conversation = answer
        self.told += answer.opened()

    def say(self, data: object) -> None:
        self.told += self.conversation.receive(said(data, from_client=True))

    @property
    def pushed(self) -> list[tuple[object, object]]:
        """Sequence number and text of each message that was pushed."""
        frames = [content(frame) for frame in self.told]
        return [(one["s"], cast("dict[str, object]", one["d"])["text"]) for one in frames if one["op"] == 0]


def post(engine: Engine, text: str, session: str = "s", url: str = MESSAGES) -> Answer:
    return ask(engine, "POST", url, {"text": text}, session=session)


def test_every_conversation_of_a_session_hears_of_a_write_by_another_route() -> None:
    engine = engine_over(tiny_services.CHAT)
    one, two, stranger = Client(engine), Client(engine), Client(engine, "t")
    post(engine, "hello")
    assert one.pushed == two.pushed == [(1, "hello")]
    assert stranger.pushed == []
    one.conversation.closed()
    one.conversation.closed()
    post(engine, "again")
    assert one.pushed == [(1, "hello")]
    assert two.pushed == [(1, "hello"), (2, "again")]


def test_a_call_in_a_frame_is_answered_and_other_frames_are_not() -> None:
    client = Client(engine_over(tiny_services.CHAT))
    client.say({"op": 1, "d": 3})
    client.say({"op": 99})
    assert [content(frame)["op"] for frame in client.told] == [10, 11]


def test_pushes_come_in_the_order_of_commits_in_every_conversation_and_nothing_locks() -> None:
    engine = engine_over(tiny_services.CHAT)
    clients = [Client(engine) for _ in range(3)]
    barrier = threading.Barrier(4, timeout=20)

    def write(writer: int) -> None:
        barrier.wait()
        for number in range(15):
            if writer % 2:
                clients[writer % 3].say({"op": 1, "d": number})
            assert post(engine, f"{writer}/{number}").response.status == 200

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, writer) for writer in range(4)]:
            done.result(timeout=60)
    kept = [str(one["text"]) for one in json.loads(ask(engine, "GET", MESSAGES, session="s").response.body.read())]
    assert len(kept) == 60
    committed = [event.keys[0][-1] for event in engine.sessions.get("s").live]
    assert [number for number, _ in clients[0].pushed] == list(range(1, 61))
    texts = {
        str(one["id"]): one["text"]
        for one in json.loads(ask(engine, "GET", MESSAGES, session="s").response.body.read())
    }
    for client in clients:
        assert [text for _, text in client.pushed] == [texts[identity] for identity in committed]


def test_writes_to_different_things_are_pushed_in_the_order_of_their_commits() -> None:
    """Requests whose footprints do not meet run at once; their pushes still come in one order, the log's."""
    engine = engine_over(tiny_services.CHAT)
    clients = [Client(engine) for _ in range(2)]
    barrier = threading.Barrier(4, timeout=20)

    def write(channel: int) -> None:
        barrier.wait()
        for number in range(20):
            post(engine, f"{channel}/{number}", url=f"https://chat.test/channels/{channel}/messages")

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, channel) for channel in range(4)]:
            done.result(timeout=60)
    committed = [event.keys[0][3] for event in engine.sessions.get("s").live]
    for client in clients:
        assert [str(text).partition("/")[0] for _, text in client.pushed] == committed


def test_a_service_that_refuses_a_call_says_so_in_frames_and_keeps_nothing() -> None:
    @operation(name="refuse", writes=[tiny_services.MESSAGE])
    def refuse(scope: Scope, call: Call) -> Reply:
        scope.put(tiny_services.MESSAGE.of("7", "1"), {"id": "1", "text": "x"})
        raise Denied("not you")

    routes = {**tiny_services.CHAT.routes, "op2(seq)": refuse}
    service = Service("chat", ("chat.test",), tiny_services.CHAT.codec, routes, (tiny_services.MESSAGE,))
    service = replace(service, socket=tiny_services.Gateway, socket_paths=("/gateway",))
    engine = engine_over(service)
    client = Client(engine)
    client.say({"op": 2})
    assert (client.told[-1].kind, client.told[-1].code, client.told[-1].data) == ("close", 1011, b"not you")
    assert engine.sessions.get("s").live == []


@pytest.mark.parametrize("on_miss", ["refuse", "emulate"])
def test_a_handshake_that_nobody_knows_is_refused_with_what_it_lacks(on_miss: str) -> None:
    policy = Policy("refuse" if on_miss == "refuse" else "emulate")
    engine = engine_over(tiny_services.CHAT, policy=policy)
    url = "wss://chat.test/gateway" if on_miss == "refuse" else "wss://other.test/socket"
    answer = engine.converse("s", request("GET", url), lambda frame: None)
    assert isinstance(answer, Answer)
    assert (answer.source, answer.response.status) == ("refused", 501)
    assert engine.usage.total("refused") == 1


# ---- recorded ones


def recorded(*frames: Frame) -> Interaction:
    fields = [("Upgrade", "websocket"), ("Sec-WebSocket-Accept", "x"), ("Sec-WebSocket-Protocol", "v1")]
    return Interaction(GATEWAY, Response(101, Headers(fields)), frames=frames)


TURNS = (
    said("hello"),
    said("who are you?"),
    Frame(True, "ping", b""),
    said("ann", from_client=True),
    Frame(False, "pong", b""),
    said("welcome"),
    said("more", from_client=True),
    said("more again", from_client=True),
    said("last"),
    Frame(False, "close", b"bye", 1000),
)


def test_after_each_message_of_the_client_come_those_that_the_server_sent_next() -> None:
    engine = engine_over(tiny_services.CHAT, [recorded(*TURNS)])
    client = Client(engine)
    assert isinstance(client.conversation, Recorded)
    assert client.conversation.handshake.headers.fields == (("Sec-WebSocket-Protocol", "v1"),)
    told = [len(client.told)]
    for word in ("bob, not ann", "x", "y", "z"):
        client.say(word)
        told.append(len(client.told))
    assert told == [2, 3, 3, 5, 5]
    assert [frame.data for frame in client.told[2:]] == [b'"welcome"', b'"last"', b"bye"]
    assert client.told[-1].code == 1000


def test_pings_of_the_client_take_no_turn() -> None:
    client = Client(engine_over(tiny_services.CHAT, [recorded(*TURNS)]))
    for kind in ("ping", "pong"):
        assert not [*client.conversation.receive(Frame(True, "ping" if kind == "ping" else "pong", b""))]
    client.say("ann")
    assert len(client.told) == 3


def test_two_recorded_conversations_are_told_in_turn() -> None:
    engine = engine_over(tiny_services.CHAT, [recorded(said("first")), recorded(said("second"))])
    told = [Client(engine).told[0].data for _ in range(3)]
    assert told == [b'"first"', b'"second"', b'"second"']


def test_a_recorded_write_that_is_played_is_pushed_too() -> None:
    tape = [exchange("POST", MESSAGES, 200, {"id": "9", "text": "hello", "by": "ann"}, send={"text": "hello"})]
    engine = engine_over(tiny_services.CHAT, tape)
    client = Client(engine)
    assert post(engine, "hello").source == "recorded"
    assert client.pushed == [(1, "hello")]
    assert cast("dict[str, object]", content(client.told[-1])["d"])["by"] == "ann"
