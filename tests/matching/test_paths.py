"""Paths into parsed bodies."""

from __future__ import annotations

import pytest

from durable_replay.errors import UsageError
from durable_replay.matching.paths import Json, leaves, parse_path, removed, selected

DOCUMENT: Json = {"a": {"id": 1, "b": [{"id": 2}, {"id": 3, "x.y": 4}]}, "c": None}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a.id", [1]),
        ("$.a.b[1].id", [3]),
        ("$.a.b[*].id", [2, 3]),
        ("$.a.b.*.id", [2, 3]),
        ("$..id", [1, 2, 3]),
        ("$.a.b[1]['x.y']", [4]),
        ("$.c", [None]),
        ("$.nothing", []),
        ("$.c.deeper", []),
    ],
)
def test_a_path_finds_what_lies_there(path: str, found: list[Json]) -> None:
    assert list(selected(DOCUMENT, parse_path(path))) == found


@pytest.mark.parametrize("path", ["$.a.id", "$.a.b[0]", "$.a.b[*].id", "$..id", "$.a.*"])
def test_what_a_path_removes_is_gone_and_the_rest_is_there(path: str) -> None:
    before = dict(leaves(DOCUMENT))
    after = removed(DOCUMENT, parse_path(path))
    assert list(selected(DOCUMENT, parse_path("$..id"))) == [1, 2, 3]
    assert isinstance(after, dict)
    assert after["c"] is None
    assert len(dict(leaves(after))) < len(before)


def test_removing_at_any_depth_keeps_neighbours() -> None:
    assert removed(DOCUMENT, parse_path("$..id")) == {"a": {"b": [{}, {"x.y": 4}]}, "c": None}


def test_leaves_are_named_by_their_paths() -> None:
    assert dict(leaves({"a": [1, {"b": "x"}], "e": []})) == {"$.a[0]": 1, "$.a[1].b": "x", "$.e": []}


@pytest.mark.parametrize("text", ["", "$", "a.b", "$.", "$a", "$.a[", "$.a[x]", "$.a..", "$.a b]"])
def test_what_is_no_path_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"write for example \$\.fields"):
        parse_path(text)


def test_leaves_of_a_very_deep_body_end_at_a_depth() -> None:
    deep: Json = 1
    for _ in range(900):
        deep = [deep]
    ((path, _),) = leaves(deep)
    assert path == "$" + "[0]" * 50
