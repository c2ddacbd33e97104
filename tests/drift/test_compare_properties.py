"""What holds for every two sides, whatever they hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durable_replay.drift.compare import Group, compare
from durable_replay.drift.finding import Comparison, Endpoint, Exchange, Kind
from durable_replay.drift.noise import DiffRules
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

ENDPOINT = Endpoint("api.test", "GET", "/things/{}")
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

odd_names = st.text(max_size=4) | st.sampled_from(
    ["data", "ok", "[]", "{}", "…", "#text", "a.b", "$", "items", "limit"]
)
odd_scalars = (
    st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(st.characters(exclude_categories=[]), max_size=12)
    | st.sampled_from(["<a/>", '{"a":1}', "[1]", "P1D", "2024-05-01"])
)
odd_values: st.SearchStrategy[Value] = st.recursive(
    odd_scalars | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(odd_names, inner, max_size=5),
    max_leaves=20,
)
names = st.sampled_from(["a", "b", "c", "id", "name", "type", "next", "limit", "u1001", "status"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, 2.5])
    | st.sampled_from(["", "x", "y", "5", "true", "2024-05-01T10:00:00Z", "2024-05-01", "O'Hara"])
)
values: st.SearchStrategy[Value] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
field_names = names.filter(lambda name: name != "u1001")
objects = st.dictionaries(field_names, values, min_size=1, max_size=4)
nested: st.SearchStrategy[Value] = st.recursive(
    scalars, lambda inner: st.dictionaries(field_names, inner, max_size=4), max_leaves=12
)
MIRRORED = {Kind.field_added.value: Kind.field_removed.value, Kind.field_removed.value: Kind.field_added.value}


def recordings(answers: Sequence[Value], key: int = 0) -> list[Exchange]:
    found = []
    for number, value in enumerate(answers, 1):
        response = Response(200, Headers([("Content-Type", "application/json")]), BytesBody(json.dumps(value).encode()))
        request = Request("GET", "https", "api.test", 443, f"/things/{key}")
        found.append(Exchange(ENDPOINT, bytes([key]) * 16, Interaction(request, response, number + 10 * key)))
    return found


def group(before: Sequence[Value], after: Sequence[Value], key: int = 0) -> Group:
    return Group(ENDPOINT, recordings(before, key), recordings(after, key), True)


def diff(before: Sequence[Value], after: Sequence[Value]) -> Comparison:
    return compare([group(before, after)], DiffRules())


def told(comparison: Comparison) -> set[tuple[str, str]]:
    return {(finding.path, finding.kind.value) for finding in comparison.findings}


def shuffled(value: Value) -> Value:
    """The same with the names of all objects in another order."""
    if isinstance(value, dict):
        return {name: shuffled(value[name]) for name in sorted(value, reverse=True)}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


def written(value: Value) -> str:
    return json.dumps(value, sort_keys=True)


@QUICK
@given(st.lists(values, min_size=1, max_size=3))
def test_a_side_compared_with_itself_has_no_findings(answers: list[Value]) -> None:
    comparison = diff(answers, answers)
    assert not comparison.findings


@QUICK
@given(st.lists(odd_values, max_size=2), st.lists(odd_values, max_size=2))
def test_any_json_is_compared_with_any_other(before: list[Value], after: list[Value]) -> None:
    comparison = diff(before, after)
    if before and after and list(map(written, before)) != list(map(written, after)):
        assert comparison.findings or comparison.suppressed or len(before) != len(after)


@QUICK
@given(odd_values)
def test_odd_values_are_equal_to_themselves_in_other_words(value: Value) -> None:
    comparison = diff([value], [shuffled(value)])
    assert not comparison.findings
    assert not comparison.suppressed


@QUICK
@given(nested, nested)
def test_what_one_way_is_added_the_other_way_is_removed(before: Value, after: Value) -> None:
    there = {(path, kind) for path, kind in told(diff([before], [after])) if kind in MIRRORED}
    back = {(path, kind) for path, kind in told(diff([after], [before])) if kind in MIRRORED}
    assert {(path, MIRRORED[kind]) for path, kind in there} == back


@QUICK
@given(values, values)
def test_the_order_of_keys_counts_for_nothing(before: Value, after: Value) -> None:
    assert told(diff([before], [after])) == told(diff([shuffled(before)], [shuffled(after)]))
    same = diff([before], [shuffled(before)])
    assert not same.findings
    assert not same.suppressed


@QUICK
@given(st.lists(st.tuples(st.lists(values, max_size=2), st.lists(values, max_size=2)), max_size=4), st.randoms())
def test_the_order_in_which_groups_come_counts_for_nothing(
    sides: list[tuple[list[Value], list[Value]]], random: Random
) -> None:
    keyed = list(enumerate(sides))
    straight = compare([group(before, after, key) for key, (before, after) in keyed], DiffRules())
    random.shuffle(keyed)
    assert compare([group(before, after, key) for key, (before, after) in keyed], DiffRules()) == straight


@QUICK
@given(values, values)
def test_every_difference_is_a_finding_or_a_suppression(before: Value, after: Value) -> None:
    comparison = diff([before], [after])
    if written(before) != written(after):
        assert comparison.findings or comparison.suppressed
    else:
        assert not comparison.findings
        assert not comparison.suppressed


@QUICK
@given(objects, st.dictionaries(st.sampled_from(["new", "fresh", "other"]), scalars, min_size=1))
def test_what_is_added_one_way_is_removed_the_other_way(thing: dict[str, Value], more: dict[str, Value]) -> None:
    there, back = diff([thing], [{**thing, **more}]), diff([{**thing, **more}], [thing])
    assert told(there) == {(f"body.$.{name}", Kind.field_added.value) for name in more}
    assert told(back) == {(f"body.$.{name}", Kind.field_removed.value) for name in more}


@QUICK
@given(
    st.dictionaries(names, scalars, min_size=1, max_size=4),
    st.dictionaries(names, scalars, min_size=1, max_size=4),
    st.dictionaries(names, scalars, max_size=4),
)
def test_another_recording_of_the_before_side_adds_no_finding(
    first: dict[str, Value], after: dict[str, Value], changes: dict[str, Value]
) -> None:
    """The third has the fields of the first, some of them with other values."""
    third: dict[str, Value] = {**first, **{name: changes[name] for name in first if name in changes}}
    kinds = {Kind.value, Kind.field_removed, Kind.field_added}
    one, two = diff([first], [after]), diff([first, third], [after])
    known = {finding.path for finding in one.findings}
    new = [finding for finding in two.findings if finding.kind in kinds and finding.path not in known]
    assert new == []
