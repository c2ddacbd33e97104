"""Formats and small sets of strings."""

from __future__ import annotations

from durable_replay.drift.difference import Evidence
from durable_replay.drift.finding import Kind
from durable_replay.drift.shape import Budget, Shape, see
from durable_replay.drift.texts import is_enum, text_differences


def seen(*texts: str) -> Shape:
    shape = Shape(Budget())
    for number, text in enumerate(texts, 1):
        see(shape, text, number)
    return shape


def kinds(before: Shape, after: Shape, path: str = "body.$.x", evidence: Evidence | None = None) -> list[Kind]:
    return [each.kind for each in text_differences(before, after, path, evidence or Evidence())]


def test_a_format_changes_only_if_all_were_of_it_and_none_is() -> None:
    date, time = "2024-05-01", "2024-05-01T10:00:00Z"
    assert kinds(seen(date), seen(time)) == [Kind.format_changed]
    assert kinds(seen(date, "soon"), seen(time)) == []
    assert kinds(seen(date), seen(time, date)) == []
    assert kinds(seen(date), seen("")) == []


def test_a_text_that_happens_to_be_a_number_is_of_no_format_unless_all_scalars_are_texts() -> None:
    assert kinds(seen("2024"), seen("hello")) == []
    assert kinds(seen("2024"), seen("hello"), evidence=Evidence(untyped=True)) == [Kind.format_changed]
    assert kinds(seen("2024", "7"), seen("hello")) == [Kind.format_changed]


def test_few_words_that_are_often_repeated_are_a_small_set() -> None:
    assert is_enum(seen(*"ab" * 4), "body.$.x")
    assert is_enum(seen(*"aabb"), "body.$.status")
    assert not is_enum(seen(*"aabb"), "body.$.x")
    assert not is_enum(seen(*"abcdefgh"), "body.$.status")
    assert not is_enum(seen(*["a sentence of some words"] * 9), "body.$.x")
    assert not is_enum(seen(*"aabb"), "body.$.status", repeats=2)


def test_a_new_value_needs_a_thing_that_changed_to_it_or_many_observations() -> None:
    before, after = seen(*"aabb"), seen(*"aabc")
    assert kinds(before, after, "body.$.status") == []
    changed = Evidence(changed={"body.$.status": frozenset({("b", "c")})})
    assert kinds(before, after, "body.$.status", changed) == [Kind.enum_added]
    assert kinds(seen(*"ab" * 8), after, "body.$.status") == [Kind.enum_added]
    both = Evidence(changed={"body.$.status": frozenset({("b", "c"), ("a", "b")})})
    assert kinds(before, after, "body.$.status", both) == []


def test_a_value_is_gone_if_it_was_to_be_expected() -> None:
    assert kinds(seen(*"ab" * 10), seen(*"a" * 20)) == [Kind.enum_removed]
    assert kinds(seen(*"ab" * 10), seen("a")) == []
