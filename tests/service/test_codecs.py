"""Wires that services share: JSON with its codings and envelopes, XML-RPC with its faults."""

from __future__ import annotations

import gzip
import json
import zlib
from xmlrpc import client as xmlrpc

import pytest
from zstandard import ZstdCompressor

from durable_replay.http import BytesBody, Headers, Request, Response
from durable_replay.service.api import Call, Operation, Reply, Service
from durable_replay.service.codecs import JsonCodec, XmlRpcCodec, decoded
from durable_replay.service.faults import Denied, Invalid, Missing
from durable_replay.testing import request

JSON, RPC = JsonCodec(), XmlRpcCodec()
SERVICE = Service("s", ("s.test",), JSON, {"POST /x": Operation("x", None)})
WORD = b'{"a": "\xc3\xa4"}' * 3


def call(made: Request) -> Call:
    found = SERVICE.find(made)
    assert found is not None
    return found


def response(data: bytes, *headers: tuple[str, str], status: int = 200) -> Response:
    return Response(status, Headers(headers), BytesBody(data))


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("", WORD),
        ("identity", WORD),
        ("gzip", gzip.compress(WORD, mtime=0)),
        ("X-GZIP", gzip.compress(WORD, mtime=0)),
        ("deflate", zlib.compress(WORD)),
        ("zstd", ZstdCompressor().compress(WORD)),
        ("gzip", WORD),  # other recorders keep the header of a body that they decoded
        ("zstd", WORD),
        ("br", WORD),
    ],
)
def test_a_body_is_read_in_the_coding_that_it_is_in(coding: str, data: bytes) -> None:
    assert decoded(response(data, ("Content-Encoding", coding))) == WORD


def test_a_bomb_is_never_inflated_whole() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 1, mtime=0)
    assert len(decoded(response(bomb, ("Content-Encoding", "gzip")))) <= 64 * 1024 * 1024


def test_a_document_goes_out_as_short_utf8_with_its_length() -> None:
    made = call(request("POST", "https://s.test/x"))
    out = JSON.encode(made, Reply(201, {"a": "ä", "n": [1, None]}, (("Location", "/x/1"),)))
    data = out.body.read()
    assert (out.status, json.loads(data)) == (201, {"a": "ä", "n": [1, None]})
    assert data == '{"a":"ä","n":[1,null]}'.encode()
    assert out.headers.get("content-length") == str(len(data))
    assert out.headers.get("location") == "/x/1"


@pytest.mark.parametrize(("status", "length"), [(200, ["0"]), (204, [])])
def test_an_answer_without_content_says_so_as_http_wants_it(status: int, length: list[str]) -> None:
    out = JSON.encode(call(request("POST", "https://s.test/x")), Reply(status))
    assert out.headers.get_all("content-length") == length
    assert not out.body


def test_a_fault_and_an_unknown_endpoint_are_json() -> None:
    made = request("POST", "https://s.test/x?secret=1")
    fault = JSON.fault(made, Missing(("x", "1")), None)
    assert (fault.status, json.loads(fault.body.read())) == (404, {"error": "x/1 is not there"})
    unknown = JSON.unknown(made)
    assert (unknown.status, json.loads(unknown.body.read())) == (404, {"error": "no such endpoint: POST /x"})


@pytest.mark.parametrize("body", [b"[1]", b"nothing", b'"a"', b"[" * 100_000, b"\xff\xfe"])
def test_a_body_that_is_no_json_object_is_the_clients_fault(body: bytes) -> None:
    with pytest.raises(Invalid, match="JSON"):
        JSON.fields(call(request("POST", "https://s.test/x", body)))


def test_an_empty_body_sets_nothing() -> None:
    assert JSON.fields(call(request("POST", "https://s.test/x"))) == {}
    assert JSON.read(response(b"")) is None
    assert JSON.documents({"no": "list"}) == []
    assert JSON.documents([{"a": 1}, 2, None]) == [{"a": 1}]


# ---- XML-RPC


def rpc(data: str | bytes, method: str = "POST", path: str = "/RPC2") -> Request:
    return request(method, f"https://s.test{path}", data)


def test_a_procedure_and_its_arguments_come_with_their_types() -> None:
    located = RPC.locate(rpc(xmlrpc.dumps(("s", 7, True, [1, {"a": "<&>"}]), "one.vm.info")))
    assert located is not None
    assert (located.procedure, located.arguments) == ("one.vm.info", ("s", 7, True, [1, {"a": "<&>"}]))


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">]><methodCall><methodName>&b;</methodName></methodCall>'


@pytest.mark.parametrize(
    "made",
    [
        rpc("no xml"),
        rpc(""),
        rpc(BOMB),
        rpc(b"\xef\xbb\xbf" + BOMB.encode()),
        rpc(BOMB.encode("utf-16")),
        rpc("<methodCall>"),
        rpc(xmlrpc.dumps((1,), "x"), path="/other"),
        rpc(xmlrpc.dumps((1,), "x"), method="GET"),
    ],
)
def test_what_is_no_call_is_located_nowhere(made: Request) -> None:
    assert RPC.locate(made) is None


def test_a_value_goes_out_and_comes_back() -> None:
    made = call(request("POST", "https://s.test/x"))
    out = RPC.encode(made, Reply(200, [True, "ä", 3]))
    assert RPC.value(out) == [True, "ä", 3]
    assert out.headers.get("content-length") == str(out.body.size)
    assert RPC.succeeded(made, out)


def test_a_fault_has_status_200_and_is_no_success() -> None:
    made = call(request("POST", "https://s.test/x"))
    for out in (RPC.fault(made.request, Denied("no"), made), RPC.unknown(rpc(xmlrpc.dumps((), "gone")))):
        assert out.status == 200
        assert not RPC.succeeded(made, out)
        with pytest.raises(xmlrpc.Fault):
            RPC.value(out)
    assert not RPC.succeeded(made, response(b"<html>"))
    with pytest.raises(ValueError, match="no XML-RPC response"):
        RPC.value(response(b"<html>"))
    with pytest.raises(ValueError, match="document type"):
        RPC.value(response(BOMB.encode("utf-16")))
    assert not RPC.succeeded(made, response(xmlrpc.dumps((1,), methodresponse=True).encode(), status=500))
