"""Entries are taken from a window of the file, and what was declined is left to read, under the same key."""

from __future__ import annotations

import io

import pytest

from durable_replay.cassette.formats.plain import Plain
from durable_replay.cassette.formats.yaml_window import Window

HEAD = b"---\nmade: by hand\nentries:\n"


def taken(window: Window) -> tuple[list[tuple[Plain, int]], dict[str, Plain]]:
    around: dict[str, Plain] = {}
    return [(item.value, item.line) for item in window.items("entries", around)], around


@pytest.mark.parametrize("size", [10, 131_000, 131_071, 131_072, 400_000])
def test_entries_of_any_size_cross_the_borders_of_the_window(size: int) -> None:
    texts = ["x" * size, "y" * 9, "z" * size] * 2
    file = HEAD + b"".join(b"- a: %s\n  b: c\n" % text.encode() for text in texts) + b"version: 2\n"
    window = Window(io.BytesIO(file))
    found, around = taken(window)
    assert found == [({"a": text, "b": "c"}, 4 + 2 * number) for number, text in enumerate(texts)]
    assert around == {"made": "by hand", "version": "2"}
    assert window.finished


def test_entries_may_stand_deeper_than_their_key() -> None:
    window = Window(io.BytesIO(b"entries:\n  - a: b\n    c:\n      - d\n  - a: e\n"))
    assert taken(window)[0] == [({"a": "b", "c": ["d"]}, 2), ({"a": "e"}, 5)]
    assert window.finished


@pytest.mark.parametrize(
    "rest",
    [b"- a: &x [b]\n- a: c\n", b"- a: b", b"- a: b\n# said\nversion: 1\n", b"- a: b\nentries: []\n", b"- a: \xff\n"],
    ids=["flow", "no end of line", "comment", "key twice", "no UTF-8"],
)
def test_what_was_declined_is_left_to_read_with_its_lines(rest: bytes) -> None:
    window = Window(io.BytesIO(HEAD + b"- a: first\n  b: c\n- a: second\n" + rest))
    assert [line for _, line in taken(window)[0]] == [4, 6]
    assert not window.finished
    assert window.lines_before == 5  # the line of the key stands before the rest, which begins at line 7
    assert window.read(5) + window.read() == b"entries:\n" + rest


def test_a_file_of_which_nothing_was_taken_is_left_as_it_is() -> None:
    file = b"# said\n" + HEAD + b"- a: b\n" + b"- c: d\n" * 100_000
    window = Window(io.BytesIO(file))
    assert taken(window) == ([], {})
    assert window.lines_before == 0
    assert b"".join(iter(lambda: window.read(4096), b"")) == file


def test_what_stands_behind_the_entries_is_no_second_file() -> None:
    tail = b"".join(b"key%d: %s\n" % (number, b"v" * 100) for number in range(1000))
    window = Window(io.BytesIO(HEAD + b"- a: b\n" + tail))
    assert taken(window) == ([], {"made": "by hand"})
    assert window.read() == b"entries:\n- a: b\n" + tail
