"""Bodies without structure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from durable_replay.drift.documents import Document

Read = Callable[..., Document]


def test_a_text_is_its_string_in_its_charset(read: Read) -> None:
    assert read("text/plain", "it's ä".encode()).root == "it's ä"
    assert read("text/plain; charset=ISO-8859-1", b"\xe4").root == "ä"
    assert read("text/plain; charset=none-such", "ä".encode()).root == "ä"


def test_bytes_outside_the_charset_are_noted(read: Read) -> None:
    found = read("text/plain", b"a\xff")
    assert (found.root, found.note) == ("a\ufffd", "bytes that are not in its charset")


def test_a_long_text_is_its_beginning_and_a_digest(read: Read) -> None:
    data = b"x" * 100_000
    found = read("text/plain", data).root
    assert isinstance(found, str)
    assert len(found) < 5000
    assert hashlib.sha256(data).hexdigest() in found
    assert found != read("text/plain", data[:-1] + b"y").root


def test_bytes_are_their_size_and_digest(read: Read) -> None:
    assert read("image/png", b"\0").root == {
        "media-type": "image/png",
        "size": 1,
        "sha256": hashlib.sha256(b"\0").hexdigest(),
    }


def test_a_page_is_its_title(read: Read) -> None:
    page = b"<!doctype html><html><head><title> Sign\n in</title></head><body>it's %d</body></html>"
    assert read("text/html; charset=utf-8", page % 1).root == {"title": "Sign in"}
    assert read("text/html", page % 1).root == read("text/html", page % 2).root
    assert read("text/html", b"no page").root == {}
