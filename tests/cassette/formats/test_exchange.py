"""What a source lost is mended so that a client accepts the answer, and the note says what was done."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
import zstandard

from durable_replay.cassette.formats.exchange import Draft, moment
from durable_replay.cassette.formats.plain import Unfit
from durable_replay.http import Interaction

TEXT = b'{"a": "b"}'
Fields = list[tuple[str, str]]


def mended(method: str = "GET", url: str = "https://api.test/a", **more: Any) -> Interaction:
    return Draft(method, url, **more).interaction()


def answered(body: bytes, *fields: tuple[str, str], method: str = "GET", status: int = 200) -> Interaction:
    return mended(method, response_body=body, response_headers=list(fields), status=status)


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, br", "compress"])
def test_a_body_that_was_stored_decoded_loses_its_coding(coding: str) -> None:
    found = answered(TEXT, ("Content-Encoding", coding), ("Vary", "x"))
    assert list(found.response.headers) == [("Vary", "x")]
    assert f"content-encoding {coding} removed" in found.note


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)[2:-4]),
        ("zstd", zstandard.compress(TEXT)),
        ("br", b"\x0b\x02\x80abc\x03"),
        ("identity", TEXT),
    ],
)
def test_a_body_that_is_still_encoded_keeps_its_coding(coding: str, body: bytes) -> None:
    found = answered(body, ("Content-Encoding", coding))
    assert (found.response.headers.get("content-encoding"), found.response.body.read()) == (coding, body)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("Content-Length", "10")], [("Content-Length", "10")]),
        ([("A", "1"), ("content-length", "7"), ("B", "2")], [("A", "1"), ("content-length", "10"), ("B", "2")]),
        ([("Content-Length", "10"), ("Content-Length", "10")], [("Content-Length", "10")]),
        ([("Content-Length", "7"), ("Transfer-Encoding", "chunked")], [("Transfer-Encoding", "chunked")]),
        ([("Transfer-Encoding", "chunked")], [("Transfer-Encoding", "chunked")]),
        ([("A", "1")], [("A", "1")]),
    ],
)
def test_the_length_is_the_bodys_own(told: Fields, expected: Fields) -> None:
    assert list(answered(TEXT, *told).response.headers) == expected


@pytest.mark.parametrize(
    ("method", "status", "kept"),
    [("HEAD", 200, True), ("GET", 304, True), ("GET", 204, False), ("GET", 101, False)],
)
def test_an_answer_that_can_have_no_body_has_none(method: str, status: int, kept: bool) -> None:
    found = answered(TEXT, ("Content-Length", "99"), method=method, status=status)
    assert found.response.body.size == 0
    assert ("content-length" in found.response.headers) is kept
    assert "body removed" in found.note


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b" {}", "application/json"),
        (b"<?xml?>", "application/xml"),
        (b"<!DOCTYPE html>", "text/html"),
        (b"words", "text/plain; charset=utf-8"),
        (b"\0\1", "application/octet-stream"),
    ],
)
def test_an_answer_without_any_header_gets_a_type(body: bytes, kind: str) -> None:
    assert list(answered(body).response.headers) == [("Content-Type", kind)]


def test_an_answer_with_headers_gets_none_that_it_had_not() -> None:
    assert list(answered(TEXT, ("X", "y")).response.headers) == [("X", "y")]


@pytest.mark.parametrize(
    ("version", "status", "reason", "expected"),
    [
        ("", 404, "", "Not Found"),
        ("HTTP/2", 404, "", ""),
        ("", 404, "Gone\r\nfishing", "Gone fishing"),
        ("", 499, "", ""),
    ],
)
def test_a_missing_reason_is_the_standard_one(version: str, status: int, reason: str, expected: str) -> None:
    assert mended(status=status, reason=reason, http_version=version).response.reason == expected


@pytest.mark.parametrize(
    ("url", "port", "target"),
    [
        ("http://api.test", 80, "/"),
        ("https://API.test:8443?a=b#c", 8443, "/?a=b"),
        ("https://api.test/é x?q=ü", 443, "/%C3%A9%20x?q=%C3%BC"),
        ("https://api.test/a%2Fb?x=%20", 443, "/a%2Fb?x=%20"),
        ("http://[::1]:8080/", 8080, "/"),
    ],
)
def test_a_url_becomes_an_address(url: str, port: int, target: str) -> None:
    request = mended(url=url).request
    assert (request.port, request.target) == (port, target)
    assert request.host in ("api.test", "::1")


def test_credentials_in_a_url_go_nowhere() -> None:
    found = mended(url="https://me:hunter2@api.test/a")
    assert found.request.url == "https://api.test/a"
    assert "credentials in the URL" in found.note


@pytest.mark.parametrize("url", ["", "/a", "api.test/a", "ftp://api.test", "http://", "http://a:99999/", "http://[x/"])
def test_what_is_no_url_is_unfit(url: str) -> None:
    with pytest.raises(Unfit, match="URL"):
        mended(url=url)


@pytest.mark.parametrize("method", ["", "GET /", "G\r\nX: y"])
def test_what_is_no_method_is_unfit(method: str) -> None:
    with pytest.raises(Unfit, match="no HTTP method"):
        mended(method)


@pytest.mark.parametrize("status", [-1, 0, 99, 1000])
def test_what_is_no_status_is_unfit(status: int) -> None:
    with pytest.raises(Unfit, match="no HTTP status"):
        mended(status=status)


def test_header_values_are_one_byte_a_character() -> None:
    fields = [("A", "é"), ("B", "日"), ("C", "a\nb"), ("bad name", "x"), (":path", "/")]
    found = answered(b"", *fields).response.headers
    assert list(found) == [("A", "é"), ("B", "日".encode().decode("latin-1")), ("C", "a b")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", 1767323045.0),
        ("2026-01-02T03:04:05.123456+01:00", 1767319445.123456),
        ("Fri, 02 Jan 2026 03:04:05 GMT", 1767323045.0),
        ("Wed, 19 Sep 2018 11:41:53 UTC", 1537357313.0),
        ("yesterday", 0.0),
        ("", 0.0),
        ("0001-01-01T00:00:00", 0.0),
    ],
)
def test_a_time_is_seconds_since_the_epoch(text: str, expected: float) -> None:
    assert moment(text) == expected


def test_the_date_header_tells_the_time_where_nothing_else_does() -> None:
    found = answered(b"", ("Date", "Fri, 02 Jan 2026 03:04:05 GMT"))
    assert found.started == 1767323045.0
    assert "date header" in found.note
