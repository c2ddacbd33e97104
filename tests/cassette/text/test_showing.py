"""A body on a terminal."""

from __future__ import annotations

from durable_replay.cassette.text.showing import hex_lines, pretty_lines
from durable_replay.http import BytesBody, Headers


def test_bytes_are_shown_in_hex_with_their_place_and_letters() -> None:
    assert list(hex_lines([b"hello wo", b"rld\x00\xff12345"])) == [
        "00000000  68 65 6c 6c 6f 20 77 6f  72 6c 64 00 ff 31 32 33  |hello world..123|",
        "00000010  34 35                                             |45|",
    ]


def test_json_is_laid_out() -> None:
    assert list(pretty_lines(BytesBody(b'{"a":[1]}'), Headers([("content-type", "application/json")]))) == [
        "{",
        '  "a": [',
        "    1",
        "  ]",
        "}",
    ]


def test_a_long_text_is_cut_and_says_so() -> None:
    lines = list(pretty_lines(BytesBody(b"x" * 1000), Headers(), limit=100))
    assert lines == ["x" * 100, "… 1,000 characters in all"]


def test_long_bytes_are_cut_and_say_so() -> None:
    lines = list(pretty_lines(BytesBody(b"\xff" * 1000), Headers(), limit=512))
    assert len(lines) == 3
    assert lines[-1] == "… 1,000 bytes in all"


def test_an_escape_sequence_is_shown_not_sent() -> None:
    assert list(pretty_lines(BytesBody(b"\x1b[31mred"), Headers())) == ["\\x1b[31mred"]
