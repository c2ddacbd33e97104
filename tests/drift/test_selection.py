"""Which fields a request asks for."""

from __future__ import annotations

import json

import pytest

from durable_replay.drift.selection import selection_of
from durable_replay.http import BytesBody, Request


def _get(query: str) -> Request:
    return Request("GET", "https", "api.test", 443, f"/things?{query}")


def _post(body: object) -> Request:
    return Request("POST", "https", "api.test", 443, "/search", body=BytesBody(json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fields=id,name", "fields=id"),
        ("part=snippet", "part=status"),
        ("opt_fields=gid", "opt_fields=gid,name"),
        ("expand=owner", "limit=3"),
        ("fields%5Barticles%5D=title", "fields%5Barticles%5D=body"),
        ("$select=id", "$select=id,name"),
        ("q=SELECT+Id+FROM+Account", "q=SELECT+Id,Name+FROM+Account"),
    ],
)
def test_other_fields_are_another_selection(one: str, other: str) -> None:
    assert selection_of(_get(one)) != selection_of(_get(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fields=id,name&page=1", "page=2&fields=name,id"),
        ("page=1", "page=2&q=milk"),
        ("q=SELECT+Id+FROM+Account+WHERE+Name='a'", "q=select+Id+from+Account+where+Name='b'"),
    ],
)
def test_other_things_with_the_same_fields_are_the_same_selection(one: str, other: str) -> None:
    assert selection_of(_get(one)) == selection_of(_get(other))


def test_a_request_that_names_no_fields_has_no_selection() -> None:
    assert selection_of(_get("limit=3&q=select")) == ""
    assert selection_of(_post({"text": "milk", "limit": 3})) == ""
    assert selection_of(Request("POST", "https", "api.test", 443, "/search", body=BytesBody(b'{"fields":'))) == ""


def test_a_body_of_json_selects_as_a_query_does() -> None:
    assert selection_of(_post({"jql": "a", "fields": ["b", "a"]})) == selection_of(
        _post({"jql": "c", "fields": ["a", "b"]})
    )
    assert selection_of(_post({"fields": ["a"]})) != selection_of(_post({"fields": ["a", "b"]}))
    assert selection_of(_post({"query": "query Me { me { id } }"})) != selection_of(_post({"query": "{ me { name } }"}))
