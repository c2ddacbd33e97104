"""go-vcr, versions 1 and 2 of its file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Imports = Callable[..., list[Interaction]]

FIRST = """\
---
version: 1
interactions:
- request:
    body: ""
    form: {a: [b c]}
    headers: {Accept: ['*/*']}
    url: http://localhost:2633/RPC2
    method: POST
  response:
    body: "<?xml?>"
    headers: {Content-Type: [text/xml]}
    status: 200 Very OK
    code: 200
    duration: 1m2.5s
"""
SECOND = """\
---
version: 2
interactions:
    - id: 0
      request:
        proto: HTTP/2.0
        host: api.test
        url: https://api.test/a
        method: ""
      response:
        proto: HTTP/2.0
        trailer: {Grpc-Status: ["0"]}
        content_length: 2
        uncompressed: true
        body: "{}"
        headers: {Content-Length: ["2"]}
        status: 404 Not Found
        code: 404
        duration: 12.5ms
"""


def test_the_first_version(imports: Imports) -> None:
    (found,) = imports("a.yaml", FIRST)
    assert (found.request.port, found.response.reason, found.duration) == (2633, "Very OK", 62.5)
    assert found.request.body.read() == b"a=b+c"
    assert found.response.body.read() == b"<?xml?>"


def test_the_second_version(imports: Imports) -> None:
    (found,) = imports("a.yaml", SECOND)
    assert (found.request.method, found.response.status, found.response.reason) == ("GET", 404, "Not Found")
    assert (found.http_version, found.duration) == ("HTTP/2", 0.0125)
    assert list(found.response.trailers) == [("Grpc-Status", "0")]


def test_the_same_id_twice_is_told(imports: Imports) -> None:
    twice = SECOND + SECOND.partition("interactions:\n")[2]
    with pytest.raises(CassetteError, match=r"entry 2, line 20: the id 0 stands here a second time"):
        imports("a.yaml", twice)


def test_a_later_version_is_refused(imports: Imports) -> None:
    with pytest.raises(CassetteError, match="version '3'"):
        imports("a.yaml", SECOND.replace("version: 2", "version: 3"))
