"""Documents in strings."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from durable_replay.drift.documents import Document, Node

Read = Callable[..., Document]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"b": [1]}', {"<json>": {"b": [1]}}),
        ('[{"b": 1}]\n', {"<json>": [{"b": 1}]}),
        ("<VM><ID>7</ID></VM>", {"<xml>": {"VM": {"ID": ["7"]}}}),
        ("<?xml version='1.0' encoding='latin-1'?><vm>ä</vm>", {"<xml>": {"vm": {"#text": "ä"}}}),
        ("<vm/>\n", {"<xml>": {"vm": {}}}),
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_string_that_is_a_document_becomes_one(read: Read, text: str, value: Node, ascii_only: bool) -> None:
    data = json.dumps({"a": text, "z": "plain"}, ensure_ascii=ascii_only).encode()
    assert read("application/json", data).root == {"a": value, "z": "plain"}


def test_an_encoder_that_escapes_angle_brackets_makes_no_difference(read: Read) -> None:
    assert read("application/json", rb'["\u003cVM/\u003e"]').root == [{"<xml>": {"VM": {}}}]


@pytest.mark.parametrize(
    "text",
    ["<p>Hello</p>", "<b>x</b>", "<@U123>", "<a@b.example>", "[draft]", "{name}", "<VM>", "<VM><ID></VM>", "{", "<"],
)
def test_markup_and_brackets_in_a_text_stay_text(read: Read, text: str) -> None:
    assert read("application/json", json.dumps([text]).encode()).root == [text]


def test_documents_in_documents_are_read_to_three_levels(read: Read) -> None:
    text = "[0]"
    for _ in range(5):
        text = json.dumps([text])
    inner = read("application/json", text.encode()).root
    for _ in range(3):
        assert isinstance(inner, list)
        assert isinstance(inner[0], dict)
        inner = inner[0]["<json>"]
    assert isinstance(inner, list)
    assert isinstance(inner[0], str)
