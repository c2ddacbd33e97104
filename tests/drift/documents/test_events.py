"""Server-sent events and WebSocket conversations."""

from __future__ import annotations

from collections.abc import Callable

from durable_replay.drift.documents import Document, conversation
from durable_replay.http import Frame

Read = Callable[..., Document]


def test_events_are_a_list_with_their_data_read(read: Read) -> None:
    data = b': hello\n\nevent: delta\nid: 7\ndata: {"a":\ndata: 1}\n\nretry: 5\n\ndata:[DONE]\r\n\r\n'
    assert read("text/event-stream", data).root == [
        {"event": "delta", "id": "7", "data": {"a": 1}},
        {"event": "message", "data": "[DONE]"},
    ]


def test_an_unfinished_event_does_not_count_and_is_noted(read: Read) -> None:
    found = read("text/event-stream; charset=utf-8", b"data: 1\n\ndata: 2\n")
    assert found.root == [{"event": "message", "data": "1"}]
    assert "not finished" in found.note


def test_messages_say_whose_they_are_and_keepalives_do_not_count() -> None:
    frames = [
        Frame(False, "text", b'{"op": 10}'),
        Frame(False, "ping", b""),
        Frame(True, "text", b"hello"),
        Frame(False, "close", b"bye", 4004),
    ]
    found = conversation(frames)
    assert found.form == "frames"
    assert found.root == [
        {"from": "server", "kind": "text", "data": {"op": 10}},
        {"from": "client", "kind": "text", "data": "hello"},
        {"from": "server", "kind": "close", "code": 4004, "data": "bye"},
    ]


def test_a_long_conversation_is_cut_and_noted() -> None:
    found = conversation(Frame(True, "binary", bytes(6 << 20)) for _ in range(100))
    assert isinstance(found.root, list)
    assert len(found.root) == 2
    assert "first 2" in found.note
