"""What Hoverfly's diff gets wrong is right here, through the command line on two small recordings.

Its diff of a simulation against the live API never reports an added field, compares values as texts (5 and "5" are
alike), tells of an array only that it differs, stumbles over apostrophes, and fails on a top-level array.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from durable_replay.cassette.writer import CassetteWriter
from durable_replay.cli import main
from durable_replay.http import Interaction
from durable_replay.testing import exchange
from tests.drift.corpus.scoring import Found, diffed

Diff: TypeAlias = "Callable[[Any, Any], list[Found]]"
URL = "https://api.example.com/things"


def _written(path: Path, interactions: Iterable[Interaction]) -> Path:
    with CassetteWriter.open(path) as writer:
        for each in interactions:
            writer.append(each)
    return path


@pytest.fixture
def diff(tmp_path: Path) -> Diff:
    """Compares two answers to one request."""

    numbers = count()

    def compared(before: Any, after: Any) -> list[Found]:
        sides = [
            _written(tmp_path / f"{next(numbers)}.cassette", [exchange("GET", URL, body=body)])
            for body in (before, after)
        ]
        return list(diffed(sides[:1], sides[1]))

    return compared


def _told(found: Iterable[Found]) -> list[tuple[str, str]]:
    return [(each.path, each.kind) for each in found]


def test_an_added_field_is_told(diff: Diff) -> None:
    assert _told(diff({"name": "a"}, {"name": "a", "colour": "red"})) == [("body.$.colour", "field-added")]


def test_an_added_field_is_told_in_depth(diff: Diff) -> None:
    before, after = ({"a": {"b": [{"c": 1, **more}]}} for more in ({}, {"d": 2}))
    assert _told(diff(before, after)) == [("body.$.a.b[].d", "field-added")]


def test_a_removed_field_is_told(diff: Diff) -> None:
    assert _told(diff({"name": "a", "colour": "red"}, {"name": "a"})) == [("body.$.colour", "field-removed")]


@pytest.mark.parametrize(("before", "after"), [(5, "5"), ("5", 5), (True, "true"), ([], {}), (0, False)])
def test_a_value_that_looks_alike_is_of_another_type(before: object, after: object, diff: Diff) -> None:
    (found,) = diff({"count": before}, {"count": after})
    assert (found.path, found.severity) == ("body.$.count", "breaking")
    assert found.kind == "type-changed"
    assert found.example == f"{json.dumps(before)} -> {json.dumps(after)}"


def test_alike_values_are_not_told(diff: Diff) -> None:
    same = {"n": 5, "s": "5", "list": [1, "1", None, {}], "text": "it's"}
    assert diff(same, dict(reversed(same.items()))) == []


def test_one_changed_element_of_an_array_is_told_alone_and_by_its_place(diff: Diff) -> None:
    (found,) = diff({"sizes": ["small", "medium", "large"]}, {"sizes": ["small", "middle", "large"]})
    assert found.path == "body.$.sizes[]" and found.kind in ("value", "enum-added")
    assert found.example == '"medium" -> "middle"'


def test_one_changed_field_of_one_element_is_told_alone(diff: Diff) -> None:
    before = [{"name": "one", "rank": "low"}, {"name": "two", "rank": "low"}, {"name": "three", "rank": "high"}]
    after = [before[0], {"name": "two", "rank": "high"}, before[2]]
    (found,) = diff({"things": before}, {"things": after})
    assert (found.path, found.example) == ("body.$.things[].rank", '"low" -> "high"')


def test_an_element_more_is_not_told_as_others_that_changed(diff: Diff) -> None:
    before, after = ({"things": [{"name": name, "rank": name * 2} for name in names]} for names in ("ac", "abc"))
    assert [each for each in _told(diff(before, after)) if "name" in each[0] or "rank" in each[0]] == []


def test_apostrophes_and_quotes_are_plain_text(diff: Diff) -> None:
    before = {"text": "it's Bob's \"new\" car", "it's": "a'b\"c"}
    assert diff(before, dict(before)) == []
    (found,) = diff(before, {**before, "text": "it's Bob's \"old\" car"})
    assert (found.path, found.kind) == ("body.$.text", "value")
    assert found.example == r'"it' + r"'s Bob's \"new\" car" + '" -> "' + r"it's Bob's \"old\" car" + '"'


def test_a_key_with_an_apostrophe_is_a_field_like_others(diff: Diff) -> None:
    ((path, kind),) = _told(diff({"a": 1}, {"a": 1, "it's": 2}))
    assert kind == "field-added" and "it's" in path


def test_a_top_level_array_is_compared_like_any_other(diff: Diff) -> None:
    assert diff([{"id": 1, "name": "a"}], [{"id": 1, "name": "a"}]) == []
    found = diff(
        [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}], [{"id": 1, "name": "a", "new": True}, {"id": 2, "name": "c"}]
    )
    assert _told(found) == [("body.$[].name", "value"), ("body.$[].new", "field-added")]


@pytest.mark.parametrize(("before", "after"), [([1, 2], {"items": [1, 2]}), ({"a": 1}, [1]), ([1], 7), ([], {})])
def test_a_top_level_of_another_type_is_one_finding(before: object, after: object, diff: Diff) -> None:
    (found,) = diff(before, after)
    assert found.path == "body.$" and found.severity == "breaking"


def test_the_exit_code_says_whether_something_broke(tmp_path: Path) -> None:
    sides = [
        _written(tmp_path / f"{number}.cassette", [exchange("GET", URL, body={"count": body})])
        for number, body in enumerate((5, "5"))
    ]
    assert [main(["diff", *map(str, pair)]) for pair in (sides, sides[:1] * 2)] == [1, 0]
