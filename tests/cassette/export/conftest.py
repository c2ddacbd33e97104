"""A cassette that holds what other formats find hard."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response

Make = Callable[..., Interaction]


def _exchange(number: int, method: str, target: str, response: Response, sent: bytes = b"") -> Interaction:
    headers = Headers([("Accept", "*/*"), *([("Content-Type", "application/json")] if sent else [])])
    request = Request(method, "https", "api.test", 443, target, headers, BytesBody(sent))
    return Interaction(request, response, number, started=1_700_000_000.5 + number, duration=0.25)


@pytest.fixture
def tape() -> list[Interaction]:
    """Six that every format can hold in the main, then a conversation and an aborted answer."""
    json = Headers([("Content-Type", "application/json")])
    page = Headers([("Content-Type", "text/html"), ("Set-Cookie", "a=1"), ("X", "\xe9"), ("Set-Cookie", "b=2")])
    packed = Headers([("Content-Type", "application/json"), ("Content-Encoding", "gzip")])
    image = Headers([("Content-Type", "image/png")])
    odd = "line\r\n\ttab \u2028 \x85 \U0001f600 \x07 ' \" \\ : # - é".encode()
    whole = [
        _exchange(1, "GET", "/items?page=1&q=a%20b", Response(200, json, BytesBody(b'{"state":"new"}'), "OK")),
        _exchange(2, "POST", "/items", Response(201, json, BytesBody(b'{"id":7}'), "Created"), b'{"name":"x"}'),
        _exchange(3, "GET", "/items?page=1&q=a%20b", Response(200, json, BytesBody(b'{"state":"old"}'), "OK")),
        _exchange(4, "GET", "/page", Response(200, page, BytesBody(odd), "OK")),
        _exchange(5, "GET", "/packed", Response(200, packed, BytesBody(gzip.compress(b'{"a":1}', mtime=0)), "OK")),
        _exchange(6, "GET", "/image", Response(200, image, BytesBody(b"\x89PNG\x00\xff"), "OK", Headers([("T", "1")]))),
    ]
    frames = (
        Frame(True, "text", b"hi", None, 0.5),
        Frame(False, "binary", b"\x00\xff", None, 0.6),
        Frame(False, "close", b"bye", 1000, 0.7),
    )
    chat = _exchange(7, "GET", "/chat", Response(101, Headers(), reason="Switching Protocols"))
    chat = replace(chat, request=replace(chat.request, scheme="wss"), frames=frames)
    cut = replace(_exchange(8, "GET", "/cut", Response(200, json, BytesBody(b'{"a'), "OK")), outcome="aborted")
    return [*whole, chat, cut]


@pytest.fixture
def cassette(tape: list[Interaction], write: Callable[[list[Interaction]], Path]) -> Cassette:
    """That tape in its file."""
    return Cassette.open(write(tape))
