"""HAR as its own readers expect it."""

from __future__ import annotations

import base64
import json
from typing import Any

from durable_replay.cassette.export.exported import Losses
from durable_replay.cassette.export.har import har
from durable_replay.http import Interaction


def entries(tape: list[Interaction]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(har(lambda: tape, Losses())))["log"]["entries"]
    return found


def test_an_entry_has_what_the_specification_requires(tape: list[Interaction]) -> None:
    entry = entries(tape)[0]
    assert set(entry) >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
    assert entry["startedDateTime"] == "2023-11-14T22:13:21.500Z"
    assert entry["time"] == 250.0
    assert entry["request"]["queryString"] == [{"name": "page", "value": "1"}, {"name": "q", "value": "a b"}]
    assert set(entry["response"]) >= {"status", "statusText", "httpVersion", "cookies", "headers", "content"}
    assert entry["response"]["content"] == {"size": 15, "mimeType": "application/json", "text": '{"state":"new"}'}


def test_a_body_stands_without_its_content_coding(tape: list[Interaction]) -> None:
    assert entries(tape)[4]["response"]["content"]["text"] == '{"a":1}'


def test_a_binary_body_is_base64(tape: list[Interaction]) -> None:
    content = entries(tape)[5]["response"]["content"]
    assert content["encoding"] == "base64"
    assert base64.b64decode(content["text"]) == b"\x89PNG\x00\xff"


def test_messages_are_written_as_chromium_does(tape: list[Interaction]) -> None:
    messages = entries(tape)[6]["_webSocketMessages"]
    assert [(each["type"], each["opcode"], each["data"]) for each in messages] == [
        ("send", 1, "hi"),
        ("receive", 2, base64.b64encode(b"\x00\xff").decode()),
    ]
