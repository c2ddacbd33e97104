"""Hoverfly: a simulation says the same in each schema."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]
VALUES = {"method": "POST", "scheme": "https", "destination": "api.test", "path": "/a", "body": "sent"}


def simulation(version: str, request: dict[str, object], **response: object) -> dict[str, object]:
    answer = {"status": 201, "body": "made", "encodedBody": False, "headers": {"X-A": ["1", "2"]}} | response
    return {
        "data": {"pairs": [{"request": request, "response": answer}], "globalActions": {"delays": []}},
        "meta": {"schemaVersion": version},
    }


def requests() -> dict[str, dict[str, object]]:
    old: dict[str, object] = {key: {"exactMatch": value} for key, value in VALUES.items()}
    new: dict[str, object] = {key: [{"matcher": "exact", "value": value}] for key, value in VALUES.items()}
    return {
        "v1": {**VALUES, "query": "q=1", "headers": {"Accept": ["*/*"]}, "requestType": "recording"},
        "v2": {**old, "query": {"exactMatch": "q=1"}, "headers": {"Accept": ["*/*"]}},
        "v3": {**old, "query": {"exactMatch": "q=1"}, "headers": {"Accept": ["*/*"]}},
        "v4": {
            **old,
            "queriesWithMatchers": {"q": {"exactMatch": "1"}},
            "headersWithMatchers": {"Accept": {"exactMatch": "*/*"}},
        },
        "v5": {
            **new,
            "query": {"q": [{"matcher": "exact", "value": "1"}]},
            "headers": {"Accept": [{"matcher": "exact", "value": "*/*"}]},
        },
        "v5.2": {
            **new,
            "query": {"q": [{"matcher": "array", "value": ["1"]}]},
            "headers": {"Accept": [{"matcher": "exact", "value": "*/*"}]},
        },
    }


@pytest.mark.parametrize("version", sorted(requests()))
def test_each_schema_gives_the_same_exchange(imports: Imports, version: str) -> None:
    (found,) = imports("a.json", simulation(version, requests()[version]))
    assert (found.request.method, found.request.url) == ("POST", "https://api.test/a?q=1")
    assert list(found.request.headers) == [("Accept", "*/*")]
    assert found.request.body.read() == b"sent"
    assert (found.response.status, found.response.body.read()) == (201, b"made")
    assert found.response.headers.get_all("x-a") == ["1", "2"]


def test_an_encoded_body_is_its_bytes(imports: Imports) -> None:
    packed = base64.b64encode(b"\0\xff").decode()
    (found,) = imports("a.json", simulation("v5", requests()["v5"], body=packed, encodedBody=True))
    assert found.response.body.read() == b"\0\xff"


def test_a_glob_is_noted(imports: Imports) -> None:
    request = requests()["v5"] | {"path": [{"matcher": "glob", "value": "/a/*"}]}
    (found,) = imports("a.json", simulation("v5", request))
    assert found.request.path == "/a/*"
    assert "matches its path by glob" in found.note


def test_a_schema_of_the_future_is_refused(imports: Imports) -> None:
    with pytest.raises(CassetteError, match="schema 'v9'"):
        imports("a.json", simulation("v9", requests()["v5"]))


def test_a_body_file_stays_in_its_folder(imports: Imports, writes: Callable[..., object]) -> None:
    writes("responses/a.txt", "from a file")
    (found,) = imports("a.json", simulation("v5", requests()["v5"], body="", bodyFile="responses/a.txt"))
    assert found.response.body.read() == b"from a file"
    with pytest.raises(CassetteError, match="no file below"):
        imports("b/a.json", simulation("v5", requests()["v5"], body="", bodyFile="../responses/a.txt"))
