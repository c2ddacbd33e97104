"""A service that contradicts itself is refused when it is loaded, by name, row and reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from xmlrpc import client as xmlrpc

import pytest

from durable_replay.errors import BadService
from durable_replay.http import BytesBody, Headers, Response
from durable_replay.service.api import Call, Operation, Reply, Scope, Service, Socket, kind, operation
from durable_replay.service.codecs import JsonCodec, XmlRpcCodec
from durable_replay.service.faults import Invalid
from durable_replay.service.verbs import create, index, merge, show
from durable_replay.testing import ask, engine_over, request

TASK = kind("task", "task")
USER = kind("user", "user")


@operation(reads=[TASK])
def peek(scope: Scope, call: Call) -> Reply:
    return Reply(200, scope.get(TASK.key(call.params)))


def service(routes: Mapping[str, Operation] | None = None, **changes: object) -> Service:
    """A sound service of one row, with these changes."""
    made = Service("todo", ("todo.test",), JsonCodec(), {"GET /tasks/{task}": show(TASK)}, (TASK,))
    return replace(made, **({"routes": routes} if routes else {}), **changes)  # type: ignore[arg-type]


def test_a_sound_service_is_loaded() -> None:
    assert service().find(request("GET", "https://todo.test/tasks/7")) is not None


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: service({"GET /tasks/{task}": show(TASK), "GET /tasks/{id}": peek}),
            "'GET /tasks/{id}' and 'GET /tasks/{task}' match the same request",
        ),
        (
            lambda: service({"GET /v/{task:a|b}": show(TASK), "GET /v/{old:b|c}": peek}),
            "'GET /v/{old:b|c}' and 'GET /v/{task:a|b}' match the same request",
        ),
        (
            lambda: service({"GET /users/{user}": show(USER)}),
            "row 'GET /users/{user}': the kind 'user' is not one of the service's kinds",
        ),
        (
            lambda: service({"GET /tasks/{task}": show(kind("taks", "task"))}),
            "the kind 'taks' is not one of the service's kinds; did you mean 'task'?",
        ),
        (
            lambda: service({"GET /tasks/{task}": show(kind("task", "task", identity="gid"))}),
            "the kind 'task' is not the one of that name among the service's kinds",
        ),
        (
            lambda: service({"GET /tasks/{tsak}": show(TASK)}),
            "row 'GET /tasks/{tsak}': {tsak} is no part of a kind; did you mean {task}, of 'task'?",
        ),
        (
            lambda: service({"GET /tasks/{task}": show(TASK), "GET /jobs/{task}": show(TASK)}),
            "row 'GET /jobs/{task}' and row 'GET /tasks/{task}' are two operations of one name, 'show task'",
        ),
        (lambda: service(kinds=(TASK, kind("task", "list task"))), "two kinds are called 'task'"),
        (lambda: service(kinds=(TASK, kind("empty", ""))), "the kind 'empty' has no parts"),
        (
            lambda: service(kinds=(TASK, kind("one", "key", names="name"), kind("two", "key", names="name"))),
            "the kinds 'one' and 'two' both give names to the parameter 'key'",
        ),
        (lambda: service({"GET /{task}/{task}": show(TASK)}), "row 'GET /{task}/{task}': {task} stands there twice"),
        (
            lambda: service({"GET /{task:path}/more": show(TASK)}),
            "a {name:path} takes the rest of the path, so it must be the last segment",
        ),
        (lambda: service({"GET tasks": show(TASK)}), "'GET tasks' is no address"),
        (lambda: service(name="To Do"), "service 'To Do': its name must be lower-case letters"),
        (lambda: service(hosts=("https://todo.test",)), "the host 'https://todo.test' is no name"),
        (lambda: service(hosts=("Todo.test",)), "the host 'Todo.test' is no name"),
        (
            lambda: service({"task.peek(session, task)": peek}, credentials=("sesion",)),
            "the credential 'sesion' is a parameter of no row; did you mean 'session'?",
        ),
        (lambda: service(socket=Socket), "`socket` and `socket_paths` need each other"),
        (lambda: service(socket_paths=("/gateway",)), "`socket` and `socket_paths` need each other"),
        (
            lambda: service({"POST /tasks": create(TASK)}, examples=True),
            "row 'POST /tasks': 'create task' has no example",
        ),
        (lambda: service({"task.peek(task)": peek}, examples=True), "'peek' has no example"),
    ],
)
def test_a_contradiction_is_refused_with_the_place_and_the_reason(make: Callable[[], Service], says: str) -> None:
    with pytest.raises(BadService) as refused:
        make()
    assert str(refused.value).startswith("service 'To Do'" if "To Do" in says else "service 'todo'")
    assert says in str(refused.value)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadService) as refused:
        service({"GET /tasks/{tsak}": show(TASK), "GET /users/{user}": show(USER)})
    assert len(str(refused.value).splitlines()) == 2


def test_one_operation_may_stand_in_two_rows() -> None:
    two = service({"GET /tasks/{task}": peek, "GET /old/tasks/{task}": peek})
    assert [operation_.name for _, operation_ in two.addresses()] == ["peek", "peek"]


def test_rows_whose_words_or_literals_tell_them_apart_do_not_meet() -> None:
    rows = {
        "GET /{v:1|2}/tasks/{task}": show(TASK),
        "GET /{w:2|3}/jobs/{task}": peek,
        "GET /{w:2|3}/tasks/{task}?full": Operation("full", None),
        "GET /{v:4|5}/tasks/{task}": Operation("later", None),
        "PUT /{w:2|3}/tasks/{task}": Operation("put", None),
    }
    assert len(service(rows).addresses()) == 5


def test_examples_are_asked_for_only_where_the_address_does_not_say_it_all() -> None:
    sound = {
        "GET /tasks": index(TASK),
        "GET /tasks/{task}": show(TASK),
        "PUT /tasks/{task}": merge(TASK).such_as('{"name": "milk"}'),
        "POST /tasks/{task}/later": Operation("later", None),
        "ping()": operation(name="ping")(lambda scope, call: Reply()),
    }
    assert service(sound, examples=True).routes["PUT /tasks/{task}"].example == '{"name": "milk"}'


def test_an_example_is_a_part_of_an_operation() -> None:
    @operation(reads=[TASK], example="?fields=name", name="look")
    def decorated(scope: Scope, call: Call) -> Reply:
        return Reply()

    assert (decorated.name, decorated.example) == ("look", "?fields=name")


def test_the_first_of_a_query_parameter_or_form_field_counts() -> None:
    call = service().find(request("GET", "https://todo.test/tasks/7?a=1&a=2&b=", b"c=3&c=4"))
    assert call is not None
    assert (call.query, call.form, call["task"]) == ({"a": "1", "b": ""}, {"c": "3"}, "7")


@pytest.mark.parametrize("sent", ["[1]", "{", "nul", b"\xff", pytest.param("[" * 100_000, id="deep")])
def test_a_body_that_is_no_json_object_is_the_clients_fault(sent: str | bytes) -> None:
    call = service().find(request("GET", "https://todo.test/tasks/7", sent))
    assert call is not None
    with pytest.raises(Invalid, match="the body is not"):
        _ = call.json


def test_an_empty_body_is_an_empty_document() -> None:
    call = service().find(request("GET", "https://todo.test/tasks/7"))
    assert call is not None and call.json == {}


def test_an_operation_that_is_not_emulated_says_so() -> None:
    engine = engine_over(service({"POST /tasks/{task}/archive": Operation("archive", None)}))
    answer = ask(engine, "POST", "https://todo.test/tasks/7/archive")
    assert (answer.source, answer.response.status) == ("refused", 501)
    assert "'archive', which is not emulated" in answer.why


def test_an_xml_rpc_fault_or_an_error_page_is_no_success() -> None:
    codec = XmlRpcCodec()
    rpc = Service("cloud", ("cloud.test",), codec, {"task.peek(task)": peek}, (TASK,))
    sent = xmlrpc.dumps(("7",), "task.peek").encode()
    call = rpc.find(request("POST", "https://cloud.test/RPC2", sent))
    assert call is not None and call["task"] == "7"
    fault = xmlrpc.dumps(xmlrpc.Fault(1, "no"), methodresponse=True)
    value = xmlrpc.dumps((json.dumps({}),), methodresponse=True)
    said = [Response(200, Headers(), BytesBody(text.encode())) for text in (value, fault, "<html>oops")]
    assert [codec.succeeded(call, response) for response in said] == [True, False, False]
