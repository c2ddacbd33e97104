"""The contract holds for the four tiny services, and each of its tests fails for a service that breaks it."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import ClassVar
from xmlrpc import client as xmlrpc

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.errors import Undeclared
from durable_replay.http import EMPTY, Headers, Request, Response
from durable_replay.service.address import parse_address
from durable_replay.service.api import Call, Key, Operation, Reply, Scope, Service, Sighting, kind, operation
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.contract import Contract
from durable_replay.service.faults import Fault
from durable_replay.service.verbs import create, index, merge, show
from durable_replay.testing import exchange


def _tiny() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tiny_of_contract", Path(__file__).with_name("tiny_services.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tiny = _tiny()
MILK = {"id": "10", "name": "milk"}


class TestRestAndJson(Contract):
    service = tiny.TODO
    samples: ClassVar = {"project": {"slug": "home"}, "task": {"name": "milk", "tags": ["dairy"]}}
    tapes: ClassVar = [
        [
            exchange("GET", "https://todo.test/projects/1", 200, {"data": {"id": "1", "slug": "home"}}),
            exchange("GET", "https://todo.test/projects/1/tasks", 200, {"data": [MILK]}),
            exchange("POST", "https://todo.test/projects/1/tasks", 201, {"data": {"id": "11"}}, send={"data": {}}),
            exchange("GET", "https://todo.test/projects/1/tasks/11", 200, {"data": {"id": "11"}}),
            exchange("DELETE", "https://todo.test/projects/1/tasks/11", 204),
            exchange("GET", "https://todo.test/projects/1/tasks/11", 404, {"error": "gone"}),
        ],
        [],
    ]


class TestXmlOverPathsAndFlags(Contract):
    service = tiny.STORE
    samples: ClassVar = {"box": {}, "thing": {"text": "old"}}
    tapes: ClassVar = [
        [
            exchange("PUT", "https://store.test/b/a/%C3%A4%20%25", 200, send="new"),
            exchange("GET", "https://store.test/b/a/%C3%A4%20%25", 200, b"<Thing>new</Thing>"),
            exchange("GET", "https://store.test/b/none", 404, b"<Error/>"),
        ]
    ]


class TestXmlRpc(Contract):
    service = tiny.CLOUD
    samples: ClassVar = {"vm": {"template": "CPU=1"}}
    tapes: ClassVar = [
        [
            exchange(
                "POST",
                "https://cloud.test/RPC2",
                200,
                xmlrpc.dumps(([True, 7, 0],), methodresponse=True).encode(),
                send=xmlrpc.dumps(("ann:secret", "CPU=1", False), "one.vm.allocate").encode(),
            )
        ]
    ]


class TestWebSocketAndRest(Contract):
    service = tiny.CHAT


# ---- what breaks it

TASK = kind("task", "task")
LIST = kind("list", "list")
ITEM = kind("item", "list item")
HOST = "https://todo.test"


def contract(service: Service, **attributes: object) -> Contract:
    made: Contract = type("TestMade", (Contract,), {"service": service, **attributes})()
    return made


def todo(row: str, do: Operation, codec: JsonCodec | None = None) -> Service:
    return Service("todo", ("todo.test",), codec or JsonCodec(), {row: do}, (TASK, LIST, ITEM))


def test_a_contract_without_a_service_says_what_it_needs() -> None:
    class Empty(Contract):
        pass

    with pytest.raises(TypeError, match="Empty needs `service"):
        Empty().pytest_generate_tests(None)  # type: ignore[arg-type]


def test_a_row_that_none_of_its_requests_reaches_is_found() -> None:
    made = contract(todo("GET /lists/{list}", show(LIST)))
    unreached = (parse_address("GET /lists/{task}"), show(TASK))
    with pytest.raises(AssertionError, match="other rows take all of its requests"):
        made.test_an_address_finds_its_row_with_the_parameters_it_was_made_of(unreached)
    absent = (parse_address("GET /tasks/{task}"), show(TASK))
    with pytest.raises(AssertionError, match="no row finds '/tasks/"):
        made.test_an_address_finds_its_row_with_the_parameters_it_was_made_of(absent)


def test_a_codec_that_sends_a_request_elsewhere_is_found() -> None:
    class Astray(JsonCodec):
        def locate(self, request: Request) -> None:
            return None

    made = contract(todo("GET /tasks/{task}", show(TASK), Astray()))
    with pytest.raises(AssertionError, match="no row finds the request"):
        made.test_a_request_made_from_an_address_reaches_its_operation(made.service.addresses()[0])


def test_an_operation_without_a_name_is_found() -> None:
    made = contract(todo("GET /tasks/{task}", operation(reads=[TASK])(lambda scope, call: Reply())))
    with pytest.raises(AssertionError, match=r"GET /tasks/\{task\}: give its operation `name=`"):
        made.test_every_operation_has_a_name(made.service.addresses()[0])


def test_a_footprint_of_an_undeclared_kind_is_found() -> None:
    @operation(reads=[lambda call: [("tsak", call["task"])]])
    def look(scope: Scope, call: Call) -> Reply:
        return Reply()

    made = contract(todo("GET /tasks/{task}", look))
    with pytest.raises(AssertionError, match="tsak/1234567 is of no kind of the service"):
        made.test_a_footprint_names_kinds_of_the_service_and_leaves_no_gap(made.service.addresses()[0])


def test_a_key_that_is_cut_short_before_a_part_that_is_there_is_found() -> None:
    made = contract(todo("GET /items/{item}", show(ITEM)))
    with pytest.raises(AssertionError, match="item is cut short before 'item'"):
        made.test_a_footprint_names_kinds_of_the_service_and_leaves_no_gap(made.service.addresses()[0])
    listing = contract(todo("GET /lists/{list}/items", index(ITEM)))
    listing.test_a_footprint_names_kinds_of_the_service_and_leaves_no_gap(listing.service.addresses()[0])


def test_a_touch_outside_the_footprint_is_found_where_only_a_filled_world_shows_it() -> None:
    @operation(reads=[TASK])
    def look(scope: Scope, call: Call) -> Reply:
        task = scope.get(TASK.key(call.params))
        return Reply(200, scope.find(LIST.of(task["list"])))

    made = contract(todo("GET /tasks/{task}", look), samples={"task": {"list": "1"}})
    with pytest.raises(Undeclared, match="read of list/1"):
        made.test_an_operation_touches_what_it_declares_and_answers(made.service.addresses()[0])


def test_a_touch_outside_the_footprint_is_found_where_only_a_tape_shows_it() -> None:
    def learns(call: Call, response: Response) -> list[Sighting]:
        return [Sighting(TASK.of("9"), json.loads(response.body.read()))]

    @operation(reads=[TASK], learns=learns)
    def look(scope: Scope, call: Call) -> Reply:
        return Reply(200, scope.find(LIST.of(scope.get(TASK.key(call.params))["list"])))

    tape = [exchange("GET", f"{HOST}/tasks/9", 200, {"id": "9", "list": "4"})]
    made = contract(todo("GET /tasks/{task}", look), tapes=[tape])
    with pytest.raises(Undeclared, match="read of list/4"):
        made.test_an_operation_touches_what_it_declares_and_answers(made.service.addresses()[0])


@pytest.mark.parametrize(
    ("spoils", "says"),
    [
        (lambda task: task.update(name="tea"), "task/1234567: changed, and never put"),
        (lambda task: task["tags"].append("green"), "task/1234567: inside tags; copy it first"),
    ],
)
def test_a_document_that_is_changed_in_place_is_found(spoils: object, says: str) -> None:
    @operation(reads=[TASK])
    def look(scope: Scope, call: Call) -> Reply:
        task = scope.get(TASK.key(call.params))
        assert callable(spoils)
        spoils(task)
        return Reply(200, task)

    made = contract(todo("GET /tasks/{task}", look), samples={"task": {"name": "milk", "tags": []}})
    with pytest.raises(AssertionError, match="changes in place") as found:
        made.test_an_operation_changes_no_document_but_by_put(made.service.addresses()[0])
    assert says in str(found.value)


def test_a_list_inside_that_is_changed_in_place_is_found_though_the_document_is_put() -> None:
    @operation(reads=[TASK], writes=[TASK])
    def tag(scope: Scope, call: Call) -> Reply:
        task = scope.get(TASK.key(call.params))
        task["tags"].append("green")  # type: ignore[union-attr]
        scope.put(TASK.key(call.params), task)
        return Reply(200, task)

    made = contract(todo("PUT /tasks/{task}", tag), samples={"task": {"tags": []}})
    with pytest.raises(AssertionError, match="inside tags; copy it first"):
        made.test_an_operation_changes_no_document_but_by_put(made.service.addresses()[0])
    sound = contract(todo("PUT /tasks/{task}", merge(TASK)), samples={"task": {"tags": []}})
    sound.test_an_operation_changes_no_document_but_by_put(sound.service.addresses()[0])


class Mute(JsonCodec):
    """Says what is not there with status 200, and what went wrong as text."""

    def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
        return self.json(200, {})

    def unknown(self, request: Request) -> Response:
        return Response(500, Headers(), EMPTY)


def test_an_unknown_thing_that_is_answered_as_if_it_were_there_is_found() -> None:
    made = contract(todo("GET /tasks/{task}", show(TASK), Mute()))
    row = made.service.addresses()[0]
    with pytest.raises(AssertionError, match="answers 200, wanted 404"):
        made.test_a_thing_that_is_not_there_is_told_in_the_services_own_words(row)
    excused = contract(made.service, absent={"show task": 200})
    excused.test_a_thing_that_is_not_there_is_told_in_the_services_own_words(row)


def test_an_error_that_clients_of_the_service_cannot_parse_is_found() -> None:
    class Plain(JsonCodec):
        def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
            return replace(super().fault(request, fault, call), headers=Headers([("Content-Type", "text/plain")]))

    made = contract(todo("GET /tasks/{task}", show(TASK), Plain()))
    with pytest.raises(AssertionError, match="the error is not called JSON"):
        made.test_a_thing_that_is_not_there_is_told_in_the_services_own_words(made.service.addresses()[0])


def test_a_server_error_for_an_unknown_operation_is_found() -> None:
    with pytest.raises(AssertionError, match="the error is a 500"):
        contract(todo("GET /tasks/{task}", show(TASK), Mute())).test_an_unknown_operation_gets_the_services_own_error()


def test_an_operation_that_is_not_emulated_passes_by_saying_so() -> None:
    made = contract(todo("POST /tasks/{task}/archive", Operation("archive", None, (TASK,), (TASK,))))
    made.test_an_operation_that_is_not_emulated_says_so(made.service.addresses()[0])


def test_a_recording_that_its_own_request_does_not_find_again_is_found() -> None:
    class Restless(JsonCodec):
        """Makes another request of the same one each time, as a codec would that leaves a nonce in."""

        def __init__(self) -> None:
            self.asked = 0

        def plain(self, request: Request) -> Request:
            self.asked += 1
            return replace(request, target=f"{request.target}?nonce={self.asked}")

    tape = [exchange("GET", f"{HOST}/tasks/9", 200, {"id": "9"})]
    made = contract(todo("GET /tasks/{task}", show(TASK), Restless()), tapes=[tape])
    with pytest.raises(AssertionError, match="#1 GET /tasks/9: it is not on the tape"):
        made.test_a_tape_that_is_played_in_order_is_told_as_it_was_recorded(tape)


@pytest.mark.parametrize(
    ("key", "says"),
    [(("tsak", "9"), "shows tsak/9, of no kind"), (("list", "1"), "shows list/1, which it does not declare")],
)
def test_a_lesson_beyond_the_declaration_is_found(key: Key, says: str) -> None:
    taught = replace(show(TASK), learns=lambda call, response: [Sighting(key, {"id": "9"})])
    tape = [exchange("GET", f"{HOST}/tasks/9", 200, {"id": "9"})]
    made = contract(todo("GET /tasks/{task}", taught))
    with pytest.raises(AssertionError, match=says):
        made.test_every_recorded_answer_can_be_learnt_from(tape)


def test_a_kind_that_is_declared_as_embedded_may_be_shown() -> None:
    taught = replace(show(TASK), learns=lambda call, response: [Sighting(LIST.of("1"), {"id": "1"}, whole=False)])
    made = contract(todo("GET /tasks/{task}", taught), embedded=frozenset({"list"}))
    made.test_every_recorded_answer_can_be_learnt_from([exchange("GET", f"{HOST}/tasks/9", 200, {"id": "9"})])


def test_an_answer_that_a_lesson_cannot_take_is_found() -> None:
    made = contract(todo("GET /tasks/{task}", show(TASK)))
    with pytest.raises(json.JSONDecodeError):
        made.test_every_recorded_answer_can_be_learnt_from([exchange("GET", f"{HOST}/tasks/9", 200, b"<html>")])


def test_examples_are_sent_as_query_and_body() -> None:
    heard: list[tuple[dict[str, str], dict[str, object]]] = []

    @operation(writes=[TASK], example='?fields=name\n{"name": "milk"}')
    def store(scope: Scope, call: Call) -> Reply:
        heard.append((call.query, dict(call.json)))
        return Reply(200, {})

    made = contract(todo("PUT /tasks/{task}?force={force}", store))
    made.test_an_operation_touches_what_it_declares_and_answers(made.service.addresses()[0])
    assert heard == [({"force": "1234567", "fields": "name"}, {"name": "milk"})] * 2


def test_a_create_runs_with_ids_of_the_services_form() -> None:
    made = contract(
        todo("POST /lists/{list}/items", create(ITEM, needs=(LIST,))), ids={"list": "L1"}, samples={"list": {}}
    )
    made.test_an_operation_touches_what_it_declares_and_answers(made.service.addresses()[0])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A cassette in which the real service says more than ours."""
    path = tmp_path / "todo.cassette"
    task = {"id": "9", "name": "milk"}
    with CassetteWriter.open(path) as writer:
        writer.append(exchange("GET", "https://tasks.test/tasks/9", 200, task, at=1.0))
        writer.append(exchange("PUT", "https://tasks.test/tasks/9", 200, {**task, "by": "ann"}, send={}, at=2.0))
    return path


KNOWN = "todo.merge task: body.$.by missing"


def test_a_difference_from_a_recording_is_found_unless_it_is_known(recording: Path) -> None:
    rows = {"GET /tasks/{task}": show(TASK), "PUT /tasks/{task}": merge(TASK)}
    service = Service("todo", ("todo.test",), JsonCodec(), rows, (TASK, LIST, ITEM))
    with pytest.raises(AssertionError, match=re.escape(KNOWN)):
        contract(
            service, recordings=[recording]
        ).test_emulated_answers_differ_from_recorded_ones_in_what_is_known_and_no_more()
    contract(
        service, recordings=[recording], differences=frozenset({KNOWN})
    ).test_emulated_answers_differ_from_recorded_ones_in_what_is_known_and_no_more()


def test_a_known_difference_that_is_no_more_must_leave_the_list(recording: Path) -> None:
    known = frozenset({"todo.show task: body.$.id other"})
    made = contract(todo("GET /tasks/{task}", show(TASK)), recordings=[recording], differences=known)
    with pytest.raises(AssertionError, match=r"take them off `differences`:\s+todo\.show task"):
        made.test_emulated_answers_differ_from_recorded_ones_in_what_is_known_and_no_more()


def test_what_an_absent_recording_would_show_stays_on_the_list(tmp_path: Path) -> None:
    made = contract(
        todo("GET /tasks/{task}", show(TASK)), recordings=[tmp_path / "absent"], differences=frozenset({KNOWN})
    )
    made.test_emulated_answers_differ_from_recorded_ones_in_what_is_known_and_no_more()
