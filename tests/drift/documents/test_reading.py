"""The media type decides, and what is not what its headers say is said so."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.drift.documents import Document, conversation, document
from durable_replay.http import Body, BytesBody, FileBody, Frame, Headers
from durable_replay.redaction.coding import encoder

Read = Callable[..., Document]

JSON = b'{"a": [1, 2.5]}'


@pytest.mark.parametrize(
    ("content_type", "data", "form"),
    [
        ("application/json", JSON, "json"),
        ("application/json; charset=utf-8", JSON, "json"),
        ("application/vnd.api+json", JSON, "json"),
        ("application/x-amz-json-1.1", JSON, "json"),
        ("text/json", b"5", "json"),
        ("", JSON, "json"),
        ("text/plain", JSON, "json"),
        ("text/html", JSON, "json"),
        ("application/octet-stream", b"[1]", "json"),
        ("application/x-www-form-urlencoded", JSON, "json"),
        ("application/x-ndjson", JSON + b"\n" + JSON, "ndjson"),
        ("application/jsonl", JSON, "ndjson"),
        ("application/xml", b"<a><b>1</b></a>", "xml"),
        ("image/svg+xml", b"<svg/>", "xml"),
        ("", b"<vm><b>1</b></vm>", "xml"),
        ("text/plain", b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "xml"),
        ("", b"<p>hello</p>", "text"),
        ("text/html", b"<p>hello</p>", "html"),
        ("", b"<!doctype html><title>x</title>", "html"),
        ("application/xhtml+xml", b"<html/>", "html"),
        ("application/x-www-form-urlencoded", b"a=1", "form"),
        ("application/x-www-form-urlencoded", b"{", "form"),
        ("text/csv", b"a,b\n1,2\n", "csv"),
        ("text/event-stream", b"data: 1\n\n", "events"),
        ("multipart/mixed; boundary=x", b"--x\r\n\r\nhi\r\n--x--\r\n", "multipart"),
        ("text/plain", b"{not json", "text"),
        ("text/yaml", b"a: 1", "text"),
        ("application/javascript", b"f()", "text"),
        ("", b"plain words", "text"),
        ("", b"\0\1", "binary"),
        ("image/png", b"plain words", "binary"),
        ("application/octet-stream", b"plain words", "binary"),
    ],
)
def test_the_form_follows_the_media_type_and_else_the_content(
    read: Read, content_type: str, data: bytes, form: str
) -> None:
    found = read(content_type, data)
    assert (found.form, found.note, found.size) == (form, "", len(data))


def test_no_body_is_no_document(read: Read) -> None:
    assert read("application/json", b"") == Document("none", None, 0)


@pytest.mark.parametrize(
    ("content_type", "data", "form"),
    [
        ("application/json", b'{"a": ', "text"),
        ("application/json", b"\xff\xfe\xfd", "binary"),
        ("application/xml", b"<a><b></a>", "text"),
        ("application/xml", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "text"),
        ("application/x-ndjson", b'{"a": 1}\nnot json', "text"),
        ("multipart/form-data; boundary=x", b"no boundary at all", "text"),
        ("multipart/form-data", b"no boundary at all", "text"),
        ("text/csv", b"a,b\n\xff,\xfe", "text"),
        ("text/event-stream", b"data: \xff\n\n", "text"),
        ("application/x-www-form-urlencoded", b"\xff=\xfe", "binary"),
    ],
)
def test_a_body_that_is_not_what_its_type_says_is_noted(read: Read, content_type: str, data: bytes, form: str) -> None:
    found = read(content_type, data)
    assert found.form == form
    assert found.note != ""


# -- content codings --------------------------------------------------------------------------------------------------


def coded(coding: str, data: bytes) -> bytes:
    stream = encoder(coding)
    return stream.feed(data) + stream.end()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd"])
def test_a_coded_body_is_the_same_document(read: Read, coding: str) -> None:
    assert read("application/json", coded(coding, JSON), ("Content-Encoding", coding.upper())) == read(
        "application/json", JSON
    )


def test_codings_are_undone_in_reverse(read: Read) -> None:
    data = zstandard.ZstdCompressor().compress(gzip.compress(JSON))
    assert read("application/json", data, ("Content-Encoding", "gzip, zstd")).root == {"a": [1, 2.5]}


def test_a_body_that_a_recorder_kept_decoded_is_read_as_it_is(read: Read) -> None:
    for coding in ("gzip", "br", "deflate", "zstd", "compress"):
        assert read("application/json", JSON, ("Content-Encoding", coding)).root == {"a": [1, 2.5]}


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", gzip.compress(JSON, mtime=0)[:-9]),
        ("deflate", zlib.compress(JSON)[:-5]),
        ("zstd", b"\x28\xb5\x2f\xfd" + b"\xff" * 20),
        ("br", b"\xff\xff\xff\xff"),
        ("compress", b"\x1f\x9d\x90\x00"),
    ],
)
def test_a_damaged_or_unknown_coding_is_bytes_with_a_note(read: Read, coding: str, data: bytes) -> None:
    found = read("application/json", data, ("Content-Encoding", coding))
    assert found.form == "binary"
    assert coding in found.note


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_is_large_and_takes_no_memory(read: Read, coding: str) -> None:
    stream = encoder(coding)
    zeros = bytes(1 << 20)
    bomb = b"".join(stream.feed(zeros) for _ in range(200)) + stream.end()
    tracemalloc.start()
    found = read("application/json", bomb, ("Content-Encoding", coding))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.form, found.size) == ("large", len(bomb))
    assert coding in found.note
    assert peak < 100 << 20


class Zeros(Body):
    """A body of zeros that is never whole in memory."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        for at in range(start, self.size, 1 << 16):
            yield bytes(min(1 << 16, self.size - at))

    def read(self) -> bytes:
        raise AssertionError("a large body was read whole")


def test_a_large_body_is_digested_as_it_streams() -> None:
    size = (16 << 20) + 1
    found = document(Headers([("Content-Type", "application/json")]), Zeros(size))
    digest = hashlib.sha256(bytes(size)).hexdigest()
    assert found == Document("large", {"media-type": "application/json", "size": size, "sha256": digest}, size)


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("application/json", b"[" + b"[]," * 1_000_001 + b"[]]"),
        ("application/x-ndjson", b"1\n" * 1_000_001),
        ("application/xml", b"<a>" + b"<b/>" * 1_000_001 + b"</a>"),
        ("application/x-www-form-urlencoded", b"a&" * 1_000_001),
        ("text/event-stream", b"data:\n\n" * 600_000),
        ("text/csv", b"a,b\n" + b",\n" * 1_000_001),
    ],
)
def test_a_body_of_a_million_small_parts_is_not_taken_apart(read: Read, content_type: str, data: bytes) -> None:
    found = read(content_type, data)
    assert found.note != ""
    assert found.form == "csv" or isinstance(found.root, str)


def test_a_body_in_a_file_is_read_like_one_in_memory(tmp_path: Path, read: Read) -> None:
    file = tmp_path / "body"
    file.write_bytes(JSON)
    assert document(Headers([("Content-Type", "text/plain")]), FileBody(file)) == read("text/plain", JSON)


# -- whatever a peer sends --------------------------------------------------------------------------------------------

TYPES = st.sampled_from(
    [
        "",
        "application/json",
        "application/x-ndjson",
        "application/xml",
        "text/html",
        "text/html; charset=unicode_escape",
        "text/plain",
        "text/plain; charset=idna",
        "text/plain; charset=utf-16",
        "text/plain; charset=base64",
        "text/csv",
        "text/event-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
    ]
)
FRAGMENTS = [
    b'{"a":', b'"\\ud800"', b"[", b"]", b"}", b"1", b"NaN", b"1e999", b",", b"\n", b"\r\n", b"--x", b"--x--", b"\x1e",
    b"<a>", b"</a>", b"<?xml version='1.0' encoding='utf-16'?>", b"<methodCall>", b"<methodResponse>", b"data: ", b'"',
    b"<!DOCTYPE a>", b"&amp;", b"&x;", b"a=b&", b"%ff", b"\0", b"\xff", b"\xfe\xff", b"\\u003cVM>", b'"{\\"a\\":1}"',
    b"Content-Disposition: form-data; name=\"a\"", b"</methodResponse>", b"<params><param><value>", b"<int>x</int>",
]  # fmt: skip
BYTES = st.binary(max_size=200) | st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(b"".join)
CODINGS = st.sampled_from(["", "", "", "gzip", "deflate", "br", "zstd", "gzip, br", "aws-chunked", "x"])


@given(TYPES | st.text(max_size=40), CODINGS, BYTES)
def test_no_body_is_too_odd_to_read_and_equal_bytes_are_equal_documents(
    content_type: str, coding: str, data: bytes
) -> None:
    headers = Headers([("Content-Type", content_type), ("Content-Encoding", coding)])
    found = document(headers, BytesBody(data))
    assert found == document(headers, BytesBody(bytes(bytearray(data))))
    assert len(repr(found.root)) < 100 * (len(data) + 10)


@given(TYPES, st.integers(1, 100_000), st.sampled_from([b"[", b'{"a":', b"<a>", b"<a><b>"]))
def test_depth_is_bounded(content_type: str, depth: int, opening: bytes) -> None:
    data = opening * depth
    found = document(Headers([("Content-Type", content_type)]), BytesBody(data))
    assert found.size == len(data)


@given(st.lists(st.builds(Frame, st.booleans(), st.sampled_from(["text", "binary", "close", "ping"]), BYTES)))
def test_no_conversation_is_too_odd_to_read(frames: list[Frame]) -> None:
    assert conversation(frames).form == "frames"
