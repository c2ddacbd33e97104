"""JSON, and JSON line by line."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from durable_replay.drift.documents import Document
from durable_replay.drift.documents.form import DEEPEST

Read = Callable[..., Document]
JSON = "application/json"


def test_numbers_keep_their_kind(read: Read) -> None:
    found = read(JSON, b"[1, 1.0, 1e2, -0]").root
    assert [type(number) for number in found] == [int, float, float, int]  # type: ignore[union-attr]


@pytest.mark.parametrize("data", [b"[]", b"5", b'"text"', b"null", b"true"])
def test_a_top_level_array_or_scalar_is_a_document(read: Read, data: bytes) -> None:
    assert read(JSON, data).form == "json"


def test_the_last_of_repeated_keys_counts(read: Read) -> None:
    assert read(JSON, b'{"a": 1, "a": 2}').root == {"a": 2}


def test_apostrophes_and_other_scripts_are_text_like_any_other(read: Read) -> None:
    assert read(JSON, '{"it\'s": "naïve – 日本"}'.encode()).root == {"it's": "naïve – 日本"}
    assert read(JSON, '{"a": "ä"}'.encode("utf-16")).root == {"a": "ä"}
    assert read(JSON, b'\xef\xbb\xbf{"a": 1}').root == {"a": 1}


def test_what_is_no_number_in_json_is_one_here(read: Read) -> None:
    found = read(JSON, b"[NaN, Infinity]").root
    assert isinstance(found, list)
    assert isinstance(found[0], float)
    assert math.isnan(found[0])
    assert read(JSON, b"[NaN]") == read(JSON, b"[NaN]")


def test_halves_of_surrogate_pairs_are_replaced(read: Read) -> None:
    found = read(JSON, rb'{"\ud800": ["x\udc00", "\ud83d\ude00"]}').root
    assert found == {"\ufffd": ["x\ufffd", "😀"]}


def test_a_document_of_all_levels_is_read_and_a_deeper_one_is_text(read: Read) -> None:
    assert read(JSON, b"[" * DEEPEST + b"]" * DEEPEST).form == "json"
    deeper = read(JSON, b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))
    assert (deeper.form, deeper.note) == ("text", f"JSON deeper than {DEEPEST} levels")
    assert read(JSON, b"[" * 100_000 + b"]" * 100_000).form == "text"


def test_a_number_of_too_many_digits_is_text_with_a_note(read: Read) -> None:
    assert read(JSON, b"1" * 10_000).form == "text"


def test_the_guard_against_scripts_does_not_count(read: Read) -> None:
    assert read(JSON, b')]}\'\n{"a": 1}').root == {"a": 1}


def test_lines_are_a_list(read: Read) -> None:
    assert read("application/x-ndjson", b'{"a": 1}\r\n\r\n{"a": 2}').root == [{"a": 1}, {"a": 2}]
    assert read("application/json-seq", b'\x1e{"a": 1}\n\x1e2\n').root == [{"a": 1}, 2]


def test_values_in_a_row_under_the_type_of_one_are_read_and_noted(read: Read) -> None:
    found = read(JSON, b'{"a": 1}\n{"a": 2}\n')
    assert (found.form, found.root) == ("ndjson", [{"a": 1}, {"a": 2}])
    assert "in a row" in found.note
