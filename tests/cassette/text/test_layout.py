"""Layouts add white space alone, and join to the same characters."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.cassette.text.layout import LAYOUTS, indented_json, indented_xml, kind_of, spread

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_json_is_laid_out_as_the_standard_library_would(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert indented_json(text) == json.dumps(value, ensure_ascii=False, indent=2)


@given(VALUES, st.sampled_from([(",", ":"), (", ", ": ")]))
def test_json_of_either_usual_spacing_joins_to_itself(value: object, separators: tuple[str, str]) -> None:
    text = json.dumps(value, separators=separators)
    found = spread("json", text)
    assert found is not None
    assert LAYOUTS[found[0]].join(found[1]) == text


def test_what_json_readers_would_lose_is_kept() -> None:
    text = r'{"a":1.0,"a":1e5,"b":"\/\u00e9\ud83d","c":12345678901234567890.10}'
    assert spread("json", text) == (
        "json",
        '{\n  "a": 1.0,\n  "a": 1e5,\n  "b": "\\/\\u00e9\\ud83d",\n  "c": 12345678901234567890.10\n}',
    )


def test_json_of_another_spacing_is_not_spread() -> None:
    assert spread("json", '{"a" : 1}') is None


def test_xml_breaks_between_tags_and_leaves_text_alone() -> None:
    text = '<?xml version="1.0"?>\n<A><B>x <i>y</i> z</B><C/><D></D><!-- n --><E><F>1</F></E></A>'
    assert indented_xml(text).split("\n") == [
        '<?xml version="1.0"?>',
        "<A>",
        "  <B>x <i>y</i> z</B>",
        "  <C/>",
        "  <D></D>",
        "  <!-- n -->",
        "  <E>",
        "    <F>1</F>",
        "  </E>",
        "</A>",
    ]
    assert spread("xml", text) is not None


def test_xml_that_was_indented_already_is_left_as_it_is() -> None:
    assert spread("xml", "<A>\n  <B/>\n</A>") is None


@given(st.text(st.sampled_from("<>/ab \n!-[]CDAT?="), max_size=60))
def test_whatever_is_spread_joins_to_itself(text: str) -> None:
    for kind in ("json", "xml", "form"):
        found = spread(kind, text)
        if found is not None:
            assert LAYOUTS[found[0]].join(found[1]) == text


@pytest.mark.parametrize(
    ("media", "text", "kind"),
    [
        ("application/json; charset=utf-8", "x", "json"),
        ("application/vnd.api+json", "x", "json"),
        ("application/x-ndjson", "{}\n{}", "text"),
        ("application/xml", "x", "xml"),
        ("image/svg+xml", "x", "xml"),
        ("", " [1]", "json"),
        ("text/plain", "<a/>", "xml"),
        ("application/x-www-form-urlencoded", "a=1", "form"),
        ("application/x-www-form-urlencoded", '{"a":1}', "json"),
        ("text/html", "<a>", "text"),
    ],
)
def test_a_kind_is_told_by_type_then_by_the_first_character(media: str, text: str, kind: str) -> None:
    assert kind_of(media, text) == kind
