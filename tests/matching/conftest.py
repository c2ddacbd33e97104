"""Requests for the tests of matching."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Literal

import pytest

from durable_replay.http import BytesBody, Headers, Request

Ask = Callable[..., Request]


def ask(
    method: str = "GET",
    target: str = "/v1/app",
    body: bytes = b"",
    content_type: str = "",
    headers: Iterable[tuple[str, str]] = (),
    *,
    scheme: Literal["http", "https", "ws", "wss"] = "https",
    host: str = "api.example.com",
    port: int = 443,
) -> Request:
    fields = [*headers, *([("Content-Type", content_type)] if content_type else [])]
    return Request(method, scheme, host, port, target, Headers(fields), BytesBody(body))


@pytest.fixture(scope="session", name="ask")
def asking() -> Ask:
    """Makes a request: `ask("GET", "/v1/app?page=2")`."""
    return ask


@pytest.fixture(scope="session")
def post_json() -> Callable[[object], Request]:
    """Makes a JSON POST of a value."""
    return lambda value: ask("POST", body=json.dumps(value).encode(), content_type="application/json")
