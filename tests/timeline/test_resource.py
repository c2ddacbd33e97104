"""Keys: what a kind makes of parameters, how keys are kept as bytes, and when two overlap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.timeline.resource import (
    Key,
    ancestors,
    decode,
    display,
    encode,
    kind,
    overlap,
    prefixes,
    upper_bound,
)

NOTE = kind("note", "book note")
OBJECT = kind("object", "Bucket Key", split="/")
keys: st.SearchStrategy[Key] = st.lists(
    st.text(st.one_of(st.sampled_from("ab\x00\x01\x02\xff/%"), st.characters()), max_size=4), max_size=4
).map(tuple)


@pytest.mark.parametrize(
    ("params", "key"),
    [
        ({"book": 1, "note": "2"}, ("note", "1", "2")),
        ({"book": "1"}, ("note", "1")),
        ({"note": "2"}, ("note",)),
        ({}, ("note",)),
        ({"book": "1", "note": "", "page": "3"}, ("note", "1", "")),
    ],
)
def test_a_key_is_cut_short_at_the_first_part_that_is_not_known(params: dict[str, object], key: Key) -> None:
    assert NOTE.key(params) == key
    assert NOTE.is_whole(key) == (len(key) == 3)


@pytest.mark.parametrize("name", ["a", "a/", "a/b", "a//b", "/", "//", "/a", "a/b/"])
def test_a_split_name_comes_back_whole_and_lies_below_its_folders_alone(name: str) -> None:
    key = OBJECT.of("photos", name)
    assert OBJECT.is_whole(key)
    assert OBJECT.values(key) == ("photos", name)
    for other in ("a", "a/", "a/b", "a//b", "/", "//", "/a", "a/b/"):
        assert overlap(key, OBJECT.of("photos", other)) == (other == name)
    assert overlap(OBJECT.within("a/", "photos"), key) == name.startswith("a/")
    assert overlap(OBJECT.within("a", "photos"), key)


def test_a_prefix_that_ends_inside_a_folder_name_is_as_wide_as_the_folder_above() -> None:
    assert OBJECT.within("a/b/c", "photos") == ("object", "photos", "a/", "b/")
    assert OBJECT.within("", "photos") == OBJECT.of("photos") == ("object", "photos")
    assert not OBJECT.is_whole(OBJECT.within("a/b/c", "photos"))


@given(keys)
def test_a_key_comes_back_from_its_bytes(key: Key) -> None:
    assert decode(encode(key)) == key


@given(keys, keys)
def test_bytes_are_in_the_order_of_keys_and_a_range_is_a_prefix(one: Key, other: Key) -> None:
    low = encode(one)
    assert (low <= encode(other) < upper_bound(low)) == (other[: len(one)] == one)
    assert (encode(one) == encode(other)) == (one == other)


def test_a_key_that_no_text_can_be_made_of_is_kept_too() -> None:
    odd = ("note", "\udcff\x00\x01", "")
    assert decode(encode(odd)) == odd


@given(keys, keys)
def test_keys_overlap_when_one_is_a_prefix_of_the_other(one: Key, other: Key) -> None:
    expected = one in (*ancestors(other), other, ()) or other in (*ancestors(one), one, ())
    assert overlap(one, other) == overlap(other, one) == expected


def test_prefixes_hold_each_key_itself_and_no_empty_one() -> None:
    assert prefixes([("a", "b"), ("a", "c")]) == {("a",), ("a", "b"), ("a", "c")}
    assert list(ancestors(("a", "b", "c"))) == [("a",), ("a", "b")]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (OBJECT.of("photos", "cats/one.jpg"), "object/photos/cats/one.jpg"),
        (OBJECT.of("photos", "cats/"), "object/photos/cats/"),
        (("note", "a/b", "c%"), "note/a%2Fb/c%25"),
        (("note", "milk & tea"), "note/milk & tea"),
        (("note", "a\r\nx"), "note/a%0D%0Ax"),
        ((), ""),
    ],
)
def test_a_key_is_told_in_one_line(key: Key, text: str) -> None:
    assert display(key) == text
