"""WireMock: exact requests are what they say, patterns are noted, bodies come from four places."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.formats.importing import import_into
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]


def stub(response: dict[str, object], **request: object) -> dict[str, object]:
    return {"request": {"method": "GET", "url": "/a?b=1"} | request, "response": {"status": 200} | response}


def test_a_mapping_is_joined_to_the_base(imports: Imports) -> None:
    (found,) = imports("a.json", stub({"body": "hi"}), base="https://api.test/v1")
    assert (found.request.url, found.response.body.read()) == ("https://api.test/v1/a?b=1", b"hi")
    (found,) = imports("a.json", stub({"body": "hi"}))
    assert found.request.url == "http://localhost:8080/a?b=1"


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"jsonBody": {"a": ["é"]}}, '{"a":["é"]}'.encode()),
        ({"base64Body": base64.b64encode(b"\0\1").decode()}, b"\0\1"),
        ({}, b""),
    ],
)
def test_a_body_may_be_written_in_several_ways(imports: Imports, response: dict[str, object], expected: bytes) -> None:
    (found,) = imports("a.json", stub(response))
    assert found.response.body.read() == expected


def test_a_body_may_lie_in_the_files_beside(target: Path, writes: Callable[..., Path], imports: Imports) -> None:
    writes("wm/__files/deep/b.txt", "from a file")
    writes("wm/mappings/a.json", stub({"bodyFileName": "deep/b.txt"}))
    summary = import_into(target, [writes("wm/mappings/b.json", stub({"body": "x"})).parents[1]])
    assert (summary.interactions, summary.skipped) == (2, ())
    (found,) = imports("wm/mappings/a.json", stub({"bodyFileName": "deep/b.txt"}))
    assert found.response.body.read() == b"from a file"
    with pytest.raises(CassetteError, match="lies outside"):
        imports("wm/mappings/a.json", stub({"bodyFileName": "../mappings/b.json"}))


def test_what_a_request_must_equal_is_what_stands_on_the_tape(imports: Imports) -> None:
    request = {
        "method": "POST",
        "urlPath": "/a",
        "queryParameters": {"q": {"equalTo": "x y"}, "r": {"matches": "1.*"}},
        "headers": {"Accept": {"equalTo": "text/plain"}},
        "bodyPatterns": [{"equalToJson": {"n": 1}}],
    }
    (found,) = imports("a.json", {"mappings": [{"request": request, "response": {"status": 201}}]})
    assert found.request.target == "/a?q=x+y&r=1.%2A"
    assert found.request.body.read() == b'{"n": 1}'
    assert found.request.headers.get("accept") == "text/plain"
    assert "matches its query 'r' by matches" in found.note


def test_the_same_mapping_twice_is_told(imports: Imports) -> None:
    one = stub({"body": "x"}) | {"id": "8c5db8b0"}
    with pytest.raises(CassetteError, match="entry 2, line 1: the mapping 8c5db8b0 stands here a second time"):
        imports("a.json", {"mappings": [one, one]})
