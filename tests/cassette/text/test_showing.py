"""A body on a terminal."""

from __future__ import annotations

import gzip

import pytest

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
    assert lines == ["x" * 100, "… 900 of 1,000 bytes are left out; --full shows them"]


def test_long_bytes_are_cut_and_say_so() -> None:
    lines = list(pretty_lines(BytesBody(b"\xff" * 1000), Headers(), limit=512))
    assert len(lines) == 3
    assert lines[-1] == "… 968 of 1,000 bytes are left out; --full shows them"


def test_without_a_limit_all_is_shown() -> None:
    assert list(pretty_lines(BytesBody(b"x" * 100_000), Headers(), limit=None)) == ["x" * 100_000]
    assert len(list(pretty_lines(BytesBody(b"\xff" * 100_000), Headers(), limit=None))) == 6250


def test_a_coded_picture_is_decoded_before_it_is_shown_in_hex() -> None:
    coded = BytesBody(gzip.compress(b"\x89PNG\0", mtime=0))
    assert list(pretty_lines(coded, Headers([("Content-Encoding", "gzip")]))) == [
        f"(gzip, {coded.size} bytes; decoded, 5 bytes)",
        "00000000  89 50 4e 47 00                                    |.PNG.|",
    ]


@pytest.mark.parametrize("coding", ["gzip", "x-unheard-of", "gzip, br"])
def test_a_coding_that_cannot_be_undone_is_told(coding: str) -> None:
    lines = list(pretty_lines(BytesBody(b"no gzip"), Headers([("Content-Encoding", coding)])))
    assert lines[0] == f"({coding}, 7 bytes, as they were sent: the coding is damaged, too large or not known here)"
    assert lines[1].endswith("|no gzip|")


def test_an_empty_content_in_a_coding_is_no_hex() -> None:
    lines = list(pretty_lines(BytesBody(gzip.compress(b"", mtime=0)), Headers([("Content-Encoding", "gzip")])))
    assert lines == ["(gzip, 20 bytes; decoded, 0 bytes)", ""]


def test_an_escape_sequence_is_shown_not_sent() -> None:
    assert list(pretty_lines(BytesBody(b"\x1b[31mred"), Headers())) == ["\\x1b[31mred"]
