"""One coherent world on a tape, in each of the four kinds of service."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from xmlrpc import client as xmlrpc

import pytest

from durable_replay.answer import Answer, Conversation
from durable_replay.engine import Engine, Policy
from durable_replay.http import Frame
from durable_replay.service.api import Call, Key, Reply, Scope, kind, operation
from durable_replay.service.verbs import create, merge, show
from durable_replay.testing import ask, engine_over, exchange, request


@pytest.fixture(scope="module")
def tiny() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tiny_services", Path(__file__).with_name("tiny_services.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text(answer: Answer) -> str:
    return answer.response.body.read().decode()


def data(answer: Answer) -> object:
    return json.loads(answer.response.body.read())["data"]


TAPE = [
    exchange(
        "GET",
        "https://todo.test/projects/1",
        200,
        {"data": {"id": "1", "slug": "home", "name": "Home", "owner": "ann"}},
    ),
    exchange(
        "GET",
        "https://todo.test/projects/1/tasks",
        200,
        {"data": [{"id": "10", "name": "milk"}, {"id": "11", "name": "tea"}]},
    ),
    exchange(
        "GET", "https://todo.test/projects/1/tasks/10", 200, {"data": {"id": "10", "name": "milk", "extra": {"a": 1}}}
    ),
    exchange(
        "POST",
        "https://todo.test/projects/1/tasks",
        201,
        {"data": {"id": "12", "name": "rye", "by": "ann"}},
        send={"data": {"name": "rye"}},
    ),
    exchange("GET", "https://todo.test/projects/1/tasks", 200, {"data": [{"id": "10"}, {"id": "11"}, {"id": "12"}]}),
    exchange(
        "GET",
        "https://todo.test/projects/1/tasks/12",
        200,
        {"data": {"id": "12", "name": "rye", "by": "ann", "seen": True}},
    ),
    exchange(
        "PUT",
        "https://todo.test/projects/1/tasks/10",
        200,
        {"data": {"id": "10", "name": "oat milk", "extra": {"a": 1}}},
        send={"data": {"name": "oat milk"}},
    ),
    exchange(
        "GET",
        "https://todo.test/projects/1/tasks/10",
        200,
        {"data": {"id": "10", "name": "oat milk", "extra": {"a": 1}}},
    ),
    exchange("DELETE", "https://todo.test/projects/1/tasks/11", 204),
    exchange("GET", "https://todo.test/projects/1/tasks/11", 404, {"error": "gone, really"}),
]


@pytest.fixture
def todo(tiny: ModuleType) -> Engine:
    return engine_over(tiny.TODO, TAPE)


def test_the_tapes_own_requests_in_order_give_the_recorded_answers(todo: Engine) -> None:
    for number, one in enumerate(TAPE, 1):
        answer = todo.answer("s", one.request)
        assert (answer.source, answer.interaction) == ("recorded", number)
        assert answer.response.body.read() == one.response.body.read()
        assert answer.response.status == one.response.status


def test_after_a_live_write_what_shows_the_thing_is_emulated_and_all_else_is_recorded(todo: Engine) -> None:
    answer = ask(todo, "PUT", "https://todo.test/projects/1/tasks/11", {"data": {"name": "coffee"}})
    assert (answer.source, data(answer)) == ("emulated", {"id": "11", "name": "coffee"})
    listing = ask(todo, "GET", "https://todo.test/projects/1/tasks")
    assert listing.source == "emulated"
    assert "task/1/11 was written by this session" in listing.why
    assert data(listing) == [{"id": "10", "name": "milk", "extra": {"a": 1}}, {"id": "11", "name": "coffee"}]
    untouched = ask(todo, "GET", "https://todo.test/projects/1/tasks/10")
    assert (untouched.source, untouched.interaction) == ("recorded", 3)


def test_a_thing_of_a_recorded_create_is_not_there_before_the_create_is_played(todo: Engine) -> None:
    assert ask(todo, "GET", "https://todo.test/projects/1/tasks/12").response.status == 404
    created = ask(todo, "POST", "https://todo.test/projects/1/tasks", {"data": {"name": "rye"}})
    assert (created.source, created.interaction) == ("recorded", 4)
    assert ask(todo, "GET", "https://todo.test/projects/1/tasks/12").source == "recorded"


def test_a_played_write_is_state_for_the_emulator_with_the_recorded_fields(todo: Engine) -> None:
    ask(todo, "POST", "https://todo.test/projects/1/tasks", {"data": {"name": "rye"}})
    changed = ask(todo, "PUT", "https://todo.test/projects/1/tasks/12", {"data": {"name": "spelt"}})
    assert data(changed) == {"id": "12", "name": "spelt", "by": "ann", "seen": True}
    listing = ask(todo, "GET", "https://todo.test/projects/1/tasks")
    assert [one["name"] for one in data(listing)] == ["milk", "tea", "spelt"]  # type: ignore[attr-defined]


def test_a_second_equal_create_is_live_and_its_id_is_above_all_on_the_tape(todo: Engine) -> None:
    ask(todo, "POST", "https://todo.test/projects/1/tasks", {"data": {"name": "rye"}})
    again = ask(todo, "POST", "https://todo.test/projects/1/tasks", {"data": {"name": "rye"}})
    assert (again.source, data(again)) == ("emulated", {"id": "13", "name": "rye"})
    assert "has been played already" in again.why


def test_a_name_and_an_id_name_the_same_thing(todo: Engine) -> None:
    by_name = ask(todo, "GET", "https://todo.test/projects/home")
    assert (by_name.source, data(by_name)) == ("emulated", {"id": "1", "slug": "home", "name": "Home", "owner": "ann"})
    ask(todo, "PUT", "https://todo.test/projects/home", {"data": {"slug": "house"}})
    by_id = ask(todo, "GET", "https://todo.test/projects/1")
    assert (by_id.source, data(by_id)["slug"]) == ("emulated", "house")  # type: ignore[index]
    assert ask(todo, "GET", "https://todo.test/projects/home").response.status == 404
    assert ask(todo, "GET", "https://todo.test/projects/house").response.status == 200


def test_deleting_a_parent_takes_what_lies_below(todo: Engine) -> None:
    assert ask(todo, "DELETE", "https://todo.test/projects/1").response.status == 204
    assert ask(todo, "GET", "https://todo.test/projects/1/tasks/10").response.status == 404
    assert ask(todo, "GET", "https://todo.test/projects/1/tasks").response.status == 404


def test_sessions_do_not_see_each_other(todo: Engine) -> None:
    ask(todo, "DELETE", "https://todo.test/projects/1/tasks/10", session="one")
    assert ask(todo, "GET", "https://todo.test/projects/1/tasks/10", session="one").response.status == 404
    assert ask(todo, "GET", "https://todo.test/projects/1/tasks/10", session="two").interaction == 3


def test_a_filtered_listing_that_was_never_recorded_comes_from_all_that_is_known(todo: Engine) -> None:
    ask(todo, "PUT", "https://todo.test/projects/1/tasks/11", {"data": {"done": True}})
    done = ask(todo, "GET", "https://todo.test/projects/1/tasks?done=true")
    assert [one["id"] for one in data(done)] == ["11"]  # type: ignore[attr-defined]


def test_a_head_is_a_get_that_teaches_nothing(tiny: ModuleType) -> None:
    engine = engine_over(tiny.TODO, [exchange("HEAD", "https://todo.test/projects", 200)])
    assert ask(engine, "HEAD", "https://todo.test/projects").source == "recorded"
    ask(engine, "POST", "https://todo.test/projects", {"data": {"slug": "new"}})
    assert ask(engine, "HEAD", "https://todo.test/projects").source == "emulated"
    assert "never seen" in ask(engine, "GET", "https://todo.test/projects/9").why


def test_an_unknown_operation_gets_the_services_own_error(todo: Engine) -> None:
    answer = ask(todo, "PATCH", "https://todo.test/projects/1")
    assert (answer.source, answer.response.status) == ("refused", 404)


def test_a_host_of_no_service_is_recorded_or_refused_with_the_nearest_recording(tiny: ModuleType) -> None:
    engine = engine_over(tiny.TODO, [exchange("GET", "https://other.test/v1/app?page=1", 200, {"a": 1})])
    assert ask(engine, "GET", "https://other.test/v1/app?page=1").source == "recorded"
    refused = ask(engine, "GET", "https://other.test/v1/app?page=2")
    assert (refused.source, refused.response.status) == ("refused", 501)
    assert "Nearest: #1, differs in query 'page' (2, recorded 1)" in refused.why


def test_a_write_to_a_host_of_no_service_is_answered_as_often_as_it_was_recorded(tiny: ModuleType) -> None:
    engine = engine_over(tiny.TODO, [exchange("POST", "https://other.test/jobs", 201, {"id": 7}, send={"x": 1})])
    assert ask(engine, "POST", "https://other.test/jobs", {"x": 1}).source == "recorded"
    assert ask(engine, "POST", "https://other.test/jobs", {"x": 1}).source == "refused"


def test_refusing_policy_refuses_what_an_emulator_could_do(tiny: ModuleType) -> None:
    engine = engine_over(tiny.TODO, TAPE, policy=Policy("refuse"))
    assert ask(engine, "PUT", "https://todo.test/projects/1", {"data": {}}).source == "refused"


def test_xml_over_paths_and_flags_is_patched_too(tiny: ModuleType) -> None:
    tape = [
        exchange("GET", "https://store.test/b/a/x", 200, b"<Thing>old</Thing>"),
        exchange("GET", "https://store.test/b/c", 404, b"<Error/>"),
    ]
    engine = engine_over(tiny.STORE, tape)
    assert ask(engine, "PUT", "https://store.test/b/a/y", "new").response.status == 200
    assert ask(engine, "GET", "https://store.test/b/a/x").source == "recorded"
    assert (
        text(ask(engine, "GET", "https://store.test/b?list&prefix=a/"))
        == "<Things><Name>a/x</Name><Name>a/y</Name></Things>"
    )
    assert text(ask(engine, "GET", "https://store.test/b?list&prefix=c")) == "<Things/>"
    missing = ask(engine, "GET", "https://store.test/b/none")
    assert (missing.response.status, text(missing)) == (404, "<Error>NoSuchThing</Error>")
    assert "task/b" not in missing.why and "never seen" in missing.why


def rpc(engine: Engine, name: str, *arguments: object) -> object:
    body = xmlrpc.dumps(arguments, name).encode()  # type: ignore[arg-type]
    answer = ask(engine, "POST", "https://cloud.test/RPC2", body, headers={"Content-Type": "text/xml"})
    (value,), _ = xmlrpc.loads(text(answer))
    return value, answer.source


def test_xml_rpc_calls_are_matched_by_their_arguments_without_the_session(tiny: ModuleType) -> None:
    sent = xmlrpc.dumps(("ann:secret", "CPU=1", False), "one.vm.allocate").encode()
    recorded = xmlrpc.dumps(([True, 7, 0],), methodresponse=True).encode()
    engine = engine_over(tiny.CLOUD, [exchange("POST", "https://cloud.test/RPC2", 200, recorded, send=sent)])
    assert rpc(engine, "one.vm.info", "bob:other", 7)[0][0] is False  # type: ignore[index]
    assert rpc(engine, "one.vm.allocate", "bob:other", "CPU=1", False) == ([True, 7, 0], "recorded")
    assert rpc(engine, "one.vm.info", "x", 7) == ([True, "<VM><T>CPU=1</T></VM>", 0], "emulated")
    assert rpc(engine, "one.vm.allocate", "x", "CPU=1", False) == ([True, 8, 0], "emulated")
    assert rpc(engine, "one.vm.allocate", "x", "", False) == ([False, "an empty template", 0x1000], "emulated")


def test_a_websocket_tells_what_rest_writes_in_its_own_session_only(tiny: ModuleType) -> None:
    engine = engine_over(tiny.CHAT)
    heard: list[Frame] = []
    conversation = engine.converse("s", request("GET", "wss://chat.test/gateway"), heard.append)
    assert not isinstance(conversation, Answer)
    open_: Conversation = conversation
    assert [json.loads(frame.data) for frame in open_.opened()] == [{"op": 10}]
    said = open_.receive(Frame(True, "text", b'{"op": 1, "d": null}'))
    assert [json.loads(frame.data) for frame in said] == [{"op": 11}]
    ask(engine, "POST", "https://chat.test/channels/5/messages", {"content": "hi"}, session="s")
    ask(engine, "POST", "https://chat.test/channels/5/messages", {"content": "not here"}, session="other")
    assert [json.loads(frame.data)["d"]["content"] for frame in heard] == ["hi"]
    open_.closed()
    ask(engine, "POST", "https://chat.test/channels/5/messages", {"content": "late"}, session="s")
    assert len(heard) == 1


def test_a_recorded_conversation_is_told_turn_by_turn(tiny: ModuleType) -> None:
    frames = (
        Frame(False, "text", b"hello"),
        Frame(True, "text", b"identify 1"),
        Frame(False, "text", b"ready"),
        Frame(False, "text", b"guild"),
        Frame(True, "text", b"bye"),
        Frame(False, "close", b"", 1000),
    )
    engine = engine_over(tiny.TODO, [replace(exchange("GET", "wss://other.test/ws", 101), frames=frames)])
    told = engine.converse("s", request("GET", "wss://other.test/ws"), lambda frame: None)
    assert not isinstance(told, Answer)
    assert [frame.data for frame in told.opened()] == [b"hello"]
    assert [frame.data for frame in told.receive(Frame(True, "text", b"identify 2"))] == [b"ready", b"guild"]
    assert [frame.code for frame in told.receive(Frame(True, "text", b"whatever"))] == [1000]


def test_each_tiny_service_is_at_most_fifty_lines(tiny: ModuleType) -> None:
    source = Path(str(tiny.__file__)).read_text()
    parts = source.split("\n# --- ")[1:]
    sizes = [len([line for line in part.splitlines()[1:] if line.strip()]) for part in parts]
    assert len(sizes) == 4
    assert max(sizes) <= 50


def test_a_name_inside_a_body_is_part_of_the_footprint(tiny: ModuleType) -> None:
    note = kind("note", "note")

    def about(call: Call) -> list[Key]:
        return [tiny.PROJECT.of(call.identify(tiny.PROJECT, str(call.json["project"])))]

    @operation(reads=[about], writes=[lambda call: [note.of()]])
    def add_note(scope: Scope, call: Call) -> Reply:
        project = scope.get(about(call)[0])
        scope.put(note.of(scope.mint(note)), {"of": project["id"]})
        return Reply(201, project)

    routes = {**tiny.TODO.routes, "POST /notes": add_note}
    service = replace(tiny.TODO, routes=routes, kinds=(*tiny.TODO.kinds, note))
    said = {"project": "home"}
    engine = engine_over(service, [TAPE[0], exchange("POST", "https://todo.test/notes", 201, send=said)])
    assert ask(engine, "POST", "https://todo.test/notes", said, session="one").source == "recorded"
    ask(engine, "PUT", "https://todo.test/projects/1", {"data": {"slug": "house"}}, session="two")
    assert ask(engine, "POST", "https://todo.test/notes", said, session="two").response.status == 404
    by_new_name = ask(engine, "POST", "https://todo.test/notes", {"project": "house"}, session="two")
    assert (by_new_name.source, data(by_new_name)["slug"]) == ("emulated", "house")  # type: ignore[index]


def test_a_page_chosen_in_the_body_is_a_page_of_the_same_listing(tiny: ModuleType) -> None:
    search = replace(tiny.TODO.routes["GET    /projects"], name="search", paging=("$.start",))
    service = replace(tiny.TODO, routes={**tiny.TODO.routes, "POST /projects/search": search})
    pages = [
        exchange("POST", "https://todo.test/projects/search", 200, {"data": [{"id": id_}]}, send={"start": start})
        for start, id_ in ((0, "8"), (1, "3"))
    ]
    engine = engine_over(service, pages)
    ask(engine, "POST", "https://todo.test/projects", {"data": {"slug": "new"}})
    patched = ask(engine, "POST", "https://todo.test/projects/search", {"start": 0})
    assert (patched.source, [one["id"] for one in data(patched)]) == ("emulated", ["8", "3", "9"])  # type: ignore[attr-defined]


def test_a_folded_name_is_found_in_any_case(tiny: ModuleType) -> None:
    folded = replace(tiny.PROJECT, fold=True)
    routes = {"GET /projects/{project}": show(folded), "PUT /projects/{project}": merge(folded)}
    service = replace(tiny.TODO, routes=routes, kinds=(folded,))
    engine = engine_over(service, TAPE[:1])
    assert ask(engine, "GET", "https://todo.test/projects/HOME").response.status == 200
    ask(engine, "PUT", "https://todo.test/projects/Home", {"data": {"slug": "House"}})
    assert ask(engine, "GET", "https://todo.test/projects/hOUSE").response.status == 200
    assert ask(engine, "GET", "https://todo.test/projects/home").response.status == 404


def test_a_number_shared_by_a_kind_is_above_all_of_them_wherever_they_lie(tiny: ModuleType) -> None:
    shared = create(tiny.TASK, lambda mint: str(mint.shared()))
    routes = {**tiny.TODO.routes, "POST   /projects/{project}/tasks": shared}
    tape = [*TAPE[:2], exchange("GET", "https://todo.test/projects/2/tasks/77", 200, {"data": {"id": "77"}})]
    engine = engine_over(replace(tiny.TODO, routes=routes), tape)
    made = ask(engine, "POST", "https://todo.test/projects/1/tasks", {"data": {}})
    assert data(made) == {"id": "78"}


def test_a_recorded_id_below_a_parents_other_name_is_never_given_out(tiny: ModuleType) -> None:
    made = exchange("POST", "https://todo.test/projects/home/tasks", 201, {"data": {"id": "12"}}, send={"data": {}})
    engine = engine_over(tiny.TODO, [*TAPE[:2], made])
    answer = ask(engine, "POST", "https://todo.test/projects/1/tasks", {"data": {"name": "another"}})
    assert (answer.source, data(answer)) == ("emulated", {"id": "13", "name": "another"})
