"""XML-RPC by its values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from xmlrpc import client

import pytest

from durable_replay.drift.documents import Document

Read = Callable[..., Document]


def answer(value: object) -> bytes:
    return client.dumps((value,), methodresponse=True, allow_none=True).encode()  # type: ignore[arg-type]


def test_an_answer_of_several_types_is_told_by_position_and_its_document_is_read(read: Read) -> None:
    found = read("text/xml", answer([True, "<VM><ID>7</ID></VM>", 0]))
    assert found.form == "xmlrpc"
    assert found.root == {"value": {"#0": True, "#1": {"<xml>": {"VM": {"ID": ["7"]}}}, "#2": 0}}


def test_values_have_their_types(read: Read) -> None:
    value = {"i": 5, "f": 1.5, "n": None, "s": "x", "l": ["a", "b"], "e": "", "b": b"hi"}
    found = read("text/xml", answer({**value, "t": datetime(2024, 5, 1, 10)})).root  # noqa: DTZ001  it has no zone there
    assert found == {"value": {**value, "b": "aGk=", "t": "20240501T10:00:00"}}


def test_an_untyped_value_is_a_string(read: Read) -> None:
    data = b"<methodResponse><params><param><value>5</value></param></params></methodResponse>"
    assert read("text/xml", data).root == {"value": "5"}


def test_a_call_has_its_parameters_by_position(read: Read) -> None:
    data = client.dumps(("session", 7, [1, 2]), "one.vm.info").encode()
    assert read("text/xml", data).root == {
        "methodName": "one.vm.info",
        "params": {"#0": "session", "#1": 7, "#2": [1, 2]},
    }


def test_a_fault_is_one(read: Read) -> None:
    data = client.dumps(client.Fault(4, "no")).replace("<params>", "").encode()
    fault = b"<methodResponse>" + data + b"</methodResponse>" if b"methodResponse" not in data else data
    assert read("text/xml", fault).root == {"fault": {"faultCode": 4, "faultString": "no"}}


@pytest.mark.parametrize(
    "data",
    [
        b"<methodResponse/>",
        b"<methodResponse><params><param><value><int>x</int></value></param></params></methodResponse>",
        b"<methodResponse><params><param><value><struct><member/></struct></value></param></params></methodResponse>",
    ],
)
def test_what_is_not_built_like_an_answer_is_plain_xml(read: Read, data: bytes) -> None:
    assert read("text/xml", data).form == "xml"
