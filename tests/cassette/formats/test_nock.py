"""nock: bodies that were parsed, encoded in chunks, or binary."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]


def fixture(**more: object) -> dict[str, object]:
    return {
        "scope": "https://api.test:443",
        "method": "POST",
        "path": "/a?b=1",
        "body": {"n": 1},
        "status": 201,
        "response": {"made": "é"},
        "rawHeaders": ["Content-Type", "application/json", "Set-Cookie", "a=1", "Set-Cookie", "b=2"],
    } | more


def test_parsed_bodies_are_written_anew(imports: Imports) -> None:
    (found,) = imports("a.json", [fixture()])
    assert (found.request.url, found.request.body.read()) == ("https://api.test/a?b=1", b'{"n":1}')
    assert found.response.body.read() == '{"made":"é"}'.encode()
    assert found.response.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert "written anew" in found.note


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"response": "text"}, b"text"),
        ({"response": ""}, b""),
        ({"response": "00ff", "responseIsBinary": True}, b"\x00\xff"),
        ({"response": ["ab", "cd"]}, b'["ab","cd"]'),
        ({"response": {"a": 1}, "rawHeaders": {"content-type": "application/json"}}, b'{"a":1}'),
    ],
)
def test_bodies_of_other_kinds(imports: Imports, more: dict[str, object], expected: bytes) -> None:
    (found,) = imports("a.json", [fixture(**more)])
    assert found.response.body.read() == expected


def test_hex_chunks_stay_encoded(imports: Imports) -> None:
    packed = gzip.compress(b"hello", mtime=0)
    chunks = [packed[:5].hex(), packed[5:].hex()]
    (found,) = imports("a.json", [fixture(response=chunks, rawHeaders=["Content-Encoding", "gzip"])])
    assert found.response.body.read() == packed
    assert found.response.headers.get("content-encoding") == "gzip"


def test_what_is_missing_is_told(imports: Imports) -> None:
    broken = fixture()
    del broken["status"]
    with pytest.raises(CassetteError, match="entry 2, line 1: it has no 'status'"):
        imports("a.json", [fixture(), broken])
