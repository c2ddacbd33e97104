"""Ruby VCR: three kinds of bodies, lower-case methods, dates of RFC 2822, and tags that stay plain."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]

ONE = """\
---
http_interactions:
- request:
    method: post
    uri: https://<host>/login
    body:
      encoding: US-ASCII
      string: a=1
    headers:
      Content-Type:
      - application/x-www-form-urlencoded
  response:
    status:
      code: 595
      message: Connection refused
    headers: {}
    body:
      encoding: ENCODING
      BODY
    http_version:
  recorded_at: Wed, 25 Nov 2020 13:31:10 GMT
recorded_with: VCR 6.0.0
"""


def one(body: str, encoding: str = "ASCII-8BIT") -> str:
    return ONE.replace("BODY", body).replace("ENCODING", encoding)


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("string: plain", "UTF-8", b"plain"),
        ("string: é", "UTF-8", b"\xc3\xa9"),
        ("string: é", "ISO-8859-1", b"\xe9"),
        ("string: é", "x-unheard-of", b"\xc3\xa9"),
        ("string: !binary |-\n        AAH/", "ASCII-8BIT", b"\x00\x01\xff"),
        (f"base64_string: {base64.b64encode(b'xyz').decode()}", "UTF-8", b"xyz"),
        ("string: ''", "UTF-8", b""),
    ],
)
def test_a_body_is_the_bytes_it_was(imports: Imports, text: str, encoding: str, expected: bytes) -> None:
    (found,) = imports("a.yml", one(text, encoding))
    assert found.response.body.read() == expected


def test_method_host_reason_and_time_are_kept(imports: Imports) -> None:
    (found,) = imports("a.yml", one("string: x"))
    assert (found.request.method, found.request.host, found.request.target) == ("POST", "<host>", "/login")
    assert (found.response.status, found.response.reason) == (595, "Connection refused")
    assert found.started == 1606311070.0


def test_an_answer_without_any_header_gets_the_type_of_its_body(imports: Imports) -> None:
    (found,) = imports("a.yml", one("string: '[1]'"))
    assert list(found.response.headers) == [("Content-Type", "application/json")]
    assert "content-type filled in" in found.note


def test_objects_of_the_first_version_are_plain_mappings(imports: Imports) -> None:
    text = """\
---
- !ruby/struct:VCR::HTTPInteraction
  request: !ruby/struct:VCR::Request
    method: :get
    uri: http://api.test:80/a
    body:
    headers:
  response: !ruby/struct:VCR::Response
    status: !ruby/struct:VCR::ResponseStatus
      code: 200
      message: OK
    headers:
      content-type:
      - text/plain
    body: hello
    http_version: "1.1"
"""
    (found,) = imports("a.yml", text.replace(":get", "get"))
    assert (found.request.url, found.response.body.read()) == ("http://api.test/a", b"hello")


def test_an_object_where_a_text_belongs_is_refused(imports: Imports) -> None:
    with pytest.raises(CassetteError, match=r"entry 1, line 3: 'response\.body\.string' is a mapping"):
        imports("a.yml", one("string: !ruby/object:Gem::Installer {i: x}"))


def test_broken_base64_names_line_and_key(imports: Imports) -> None:
    with pytest.raises(CassetteError, match=r"line 19: binary data is no base64"):
        imports("a.yml", one("string: !binary abc"))
