"""Comma-separated values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durable_replay.drift.documents import Document, Node

Read = Callable[..., Document]


@pytest.mark.parametrize(
    ("data", "root"),
    [
        (b'id,name\r\n1,"a, b"\r\n\r\n2,\r\n', [{"id": "1", "name": "a, b"}, {"id": "2", "name": ""}]),
        (b"id;name\n1;a,b\n", [{"id": "1", "name": "a,b"}]),
        (b"id\tname\n1\ta", [{"id": "1", "name": "a"}]),
        (b"\xef\xbb\xbfid|name\n1|a", [{"id": "1", "name": "a"}]),
        (b"name\na\n", [{"name": "a"}]),
        (b"id,name\n", []),
        (b"id,name\n1\n1,2,3\n", [{"id": "1"}, {"id": "1", "name": "2", "#more": ["3"]}]),
        (b"1,2\n3,4\n", [["1", "2"], ["3", "4"]]),
        (b"a,a\n3,4\n", [["a", "a"], ["3", "4"]]),
    ],
)
def test_rows_are_dicts_by_the_names_of_the_first_line(read: Read, data: bytes, root: Node) -> None:
    assert read("text/csv", data).root == root


def test_a_type_without_header_has_rows_as_lists(read: Read) -> None:
    assert read("text/csv; header=absent", b"a,b\n").root == [["a", "b"]]


def test_a_cell_over_the_parsers_limit_makes_it_text(read: Read) -> None:
    assert read("text/csv", b"a,b\n" + b"x" * 200_000).form == "text"


def test_the_charset_of_the_type_counts(read: Read) -> None:
    assert read("text/csv; charset=iso-8859-1", "city\nKöln\n".encode("latin-1")).root == [{"city": "Köln"}]


def test_the_sign_between_columns_is_told_where_there_is_one(read: Read) -> None:
    texts = (b"a,b\n1,2\n", b"a;b\n1;2\n", b"a\n1\n")
    assert [read("text/csv", text).separator for text in texts] == [",", ";", ""]
