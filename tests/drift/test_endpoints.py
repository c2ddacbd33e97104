"""What a request asks for: an operation, a procedure, or a method with a path."""

from __future__ import annotations

import pytest

from durable_replay.drift.endpoints import Asked, Asking, answer_is_like
from durable_replay.service.api import Call, Reply, Scope, Service, operation
from durable_replay.service.codecs import JsonCodec, XmlRpcCodec
from durable_replay.service.registry import Registry
from durable_replay.testing import exchange, request
from durable_replay.timeline.indexing import Indexing


@operation()
def get_task(scope: Scope, call: Call) -> Reply:
    raise NotImplementedError


@operation()
def find_tasks(scope: Scope, call: Call) -> Reply:
    raise NotImplementedError


class Tenants(JsonCodec):
    def tenant(self, request: object) -> str:
        return str(getattr(request, "host", "")).partition(".")[0]


TASKS = Service(
    "tasks",
    ("*.tasks.test",),
    Tenants(),
    {
        "GET  /v1/tasks/{task}": get_task,
        "GET  /v1/search": find_tasks,
        "POST /v1/search": find_tasks,
    },
)
CALLS = Service("calls", ("calls.test",), XmlRpcCodec(), {"one.vm.info(session, id)": get_task})
XML_RPC = b"<?xml version='1.0'?><methodCall><methodName>one.vm.info</methodName><params/></methodCall>"
SOAP = b'<s:Envelope xmlns:s="urn:s"><s:Header/><s:Body><m:GetPrice xmlns:m="urn:m"/></s:Body></s:Envelope>'


@pytest.fixture
def asking() -> Asking:
    return Asking(Indexing(Registry([TASKS, CALLS])))


def shown(asked: Asked) -> tuple[str, str, str, str]:
    return asked.world, asked.method, asked.path, asked.operation


def test_a_known_request_is_a_row_of_the_table(asking: Asking) -> None:
    asked = asking.asked(request("GET", "https://acme.tasks.test/v1/tasks/17"))
    assert shown(asked) == ("tasks", "GET", "/v1/tasks/{task}", "tasks.get_task")
    assert (asked.place, asked.known) == ("tasks:acme", True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_operation_with_several_rows_has_the_row_that_was_asked(asking: Asking, method: str) -> None:
    asked = asking.asked(request(method, "https://acme.tasks.test/v1/search"))
    assert shown(asked) == ("tasks", method, "/v1/search", "tasks.find_tasks")


def test_head_is_told_from_get(asking: Asking) -> None:
    asked = asking.asked(request("HEAD", "https://acme.tasks.test/v1/tasks/17"))
    assert shown(asked) == ("tasks", "HEAD", "/v1/tasks/{task}", "tasks.get_task")


def test_a_procedure_is_a_call(asking: Asking) -> None:
    asked = asking.asked(request("POST", "http://calls.test/RPC2", XML_RPC, {"Content-Type": "text/xml"}))
    assert shown(asked) == ("calls", "CALL", "one.vm.info", "calls.get_task")


def test_a_path_that_a_known_service_does_not_know_belongs_to_it_still(asking: Asking) -> None:
    asked = asking.asked(request("GET", "https://acme.tasks.test/v2/other/17"))
    assert shown(asked) == ("tasks", "GET", "/v2/other/17", "")
    assert (asked.place, asked.known) == ("tasks:acme", False)


def test_an_unknown_host_has_its_port(asking: Asking) -> None:
    asked = asking.asked(request("GET", "http://127.0.0.1:41001/users/17?page=2"))
    assert shown(asked) == ("127.0.0.1:41001", "GET", "/users/17", "")


def test_the_same_request_to_another_host_has_the_same_key(asking: Asking) -> None:
    keys = {
        asking.asked(request("GET", url)).key
        for url in ("http://127.0.0.1:1/a?x=1&y=2", "http://127.0.0.1:2/a?y=2&x=1", "https://acme.tasks.test/a?x=1&y=2")
    }
    assert len(keys) == 1
    assert asking.asked(request("GET", "http://127.0.0.1:1/a?x=2&y=2")).key not in keys


def test_the_names_of_a_query_count_and_its_values_do_not(asking: Asking) -> None:
    urls = ("https://x.test/a?p=1&q=2", "https://x.test/a?q=8&p=9", "https://x.test/a?p=1", "https://x.test/a")
    one, other, fewer, none = (asking.asked(request("GET", url)).names for url in urls)
    assert one == other
    assert len({one, fewer, none}) == 3


def test_a_websocket_is_no_get(asking: Asking) -> None:
    assert asking.asked(request("GET", "wss://x.test/gateway")).method == "WEBSOCKET"


@pytest.mark.parametrize(
    ("content", "headers", "operation"),
    [
        ({"operationName": "Viewer", "query": "query Viewer { viewer { id } }"}, {}, "Viewer"),
        ({"query": "mutation Rename($a: ID!) { rename(id: $a) { id } }"}, {}, "Rename"),
        ({"query": "# who\n{ me: viewer { id } }"}, {}, "viewer"),
        ({"query": "milk"}, {}, ""),
        ({"query": "query the docs", "size": 3}, {}, ""),
        ({"operationName": "Viewer", "extensions": {"persistedQuery": {}}}, {}, "Viewer"),
        ({"jsonrpc": "2.0", "method": "eth_call", "params": [], "id": 1}, {}, "eth_call"),
        ([{"jsonrpc": "2.0", "method": "a"}, {"jsonrpc": "2.0", "method": "b"}], {}, "a+b"),
        ({"method": "card", "amount": 3}, {}, ""),
        ({"TableName": "x"}, {"X-Amz-Target": "DynamoDB_20120810.GetItem"}, "GetItem"),
        (b"Action=ListUsers&Version=2010-05-08", {"Content-Type": "application/x-www-form-urlencoded"}, "ListUsers"),
        (b"Action=jump", {"Content-Type": "application/x-www-form-urlencoded"}, ""),
        (SOAP, {"Content-Type": "text/xml", "SOAPAction": '"urn:prices#GetPrice"'}, "GetPrice"),
        (SOAP, {"Content-Type": 'application/soap+xml; action="urn:prices/GetPrice"'}, "GetPrice"),
        (SOAP, {"Content-Type": "text/xml"}, "GetPrice"),
        (b"<!DOCTYPE x><x/>", {"Content-Type": "text/xml"}, ""),
        (b"<a><b>not whole", {"Content-Type": "text/xml"}, ""),
    ],
)
def test_one_path_serves_many_operations(
    asking: Asking, content: object, headers: dict[str, str], operation: str
) -> None:
    asked = asking.asked(request("POST", "https://x.test/api", content, headers))
    assert shown(asked) == ("x.test", "POST", "/api", operation)


def test_xml_rpc_of_an_unknown_host_is_a_call(asking: Asking) -> None:
    asked = asking.asked(request("POST", "https://x.test/RPC", XML_RPC, {"Content-Type": "text/xml"}))
    assert shown(asked) == ("x.test", "CALL", "one.vm.info", "one.vm.info")


def test_answers_are_alike_by_the_names_at_their_top() -> None:
    document = {"id": 1, "name": {"first": "a"}}
    assert answer_is_like(exchange("GET", "/", 200, document).response) == {"id", "name"}
    assert answer_is_like(exchange("GET", "/", 200, [document]).response) == {"id", "name"}
    assert answer_is_like(exchange("GET", "/", 200, "text").response) == {"text/plain"}
    assert answer_is_like(exchange("GET", "/", 404, document).response) == frozenset()
    broken = exchange("GET", "/", 200, b"{", answer_headers={"Content-Type": "application/json"})
    assert answer_is_like(broken.response) == {"application/json"}
