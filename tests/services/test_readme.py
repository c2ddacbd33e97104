"""The guide to writing a service cannot lie: its examples are run, one after the other."""

from __future__ import annotations

import re
import tomllib
from inspect import signature
from pathlib import Path

import pytest

from durable_replay.answer import Answer
from durable_replay.errors import Undeclared
from durable_replay.http import Frame
from durable_replay.service.api import Service
from durable_replay.service.contract import Contract
from durable_replay.testing import ask, engine_over, exchange, request

Names = dict[str, object]


def blocks(readme: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", readme.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def readme(repository: Path) -> Path:
    return repository / "services" / "README.md"


@pytest.fixture(scope="module")
def names(readme: Path) -> Names:
    """What the examples define, after all of them have run in order; their own assertions held."""
    defined: Names = {"__name__": "durable_todo"}
    for number, code in enumerate(blocks(readme, "python"), 1):
        exec(compile(code, f"services/README.md, example {number}", "exec"), defined)
    return defined


def service(names: Names, name: str) -> Service:
    found = names[name]
    assert isinstance(found, Service)
    return found


def test_the_smallest_service_is_at_most_thirty_lines_and_runs_alone(readme: Path) -> None:
    code = blocks(readme, "python")[0]
    assert len(code.splitlines()) <= 30
    alone: Names = {}
    exec(compile(code, "durable_todo.py", "exec"), alone)
    engine = engine_over(service(alone, "service"))
    made = ask(engine, "POST", "https://api.todo.example/tasks", {"name": "milk"})
    assert (made.source, made.response.status) == ("emulated", 201)
    assert ask(engine, "GET", "https://api.todo.example/tasks/1").response.body.read() == b'{"id":"1","name":"milk"}'
    assert ask(engine, "DELETE", "https://api.todo.example/tasks/1").response.status == 204
    assert ask(engine, "GET", "https://api.todo.example/tasks/1").response.status == 404


def test_every_example_runs_in_the_order_of_the_page(names: Names, readme: Path) -> None:
    assert len(blocks(readme, "python")) >= 10
    assert {"service", "lists", "enveloped", "notes", "pushing", "seeded"} <= set(names)


def test_the_contract_of_the_page_holds_for_every_service_of_the_page(names: Names) -> None:
    contract = names["TestContract"]
    assert isinstance(contract, type) and issubclass(contract, Contract)
    for name in ("service", "lists", "enveloped", "notes", "pushing"):
        made: Contract = type("Made", (contract,), {"service": service(names, name), "tapes": ()})()
        for row in made.service.addresses():
            for test in dir(made):
                if test.startswith("test_") and "row" in signature(getattr(made, test)).parameters:
                    getattr(made, test)(row)


def test_the_lesson_of_the_page_teaches_the_item_and_its_list(names: Names) -> None:
    routes = {"GET /lists/{list}/items/{item}": names["show_item"], "GET /lists/{list}": show_of(names)}
    made = Service("lists", ("l.test",), service(names, "lists").codec, routes, service(names, "lists").kinds)  # type: ignore[arg-type]
    engine = engine_over(made, [exchange("GET", "https://l.test/lists/1/items/2", 200, {"id": "2", "in": "food"})])
    assert ask(engine, "GET", "https://l.test/lists/1/items/2").source == "recorded"
    assert ask(engine, "GET", "https://l.test/lists/1").response.body.read() == b'{"id":"1","name":"food"}'


def show_of(names: Names) -> object:
    show, of = names["show"], names["LIST"]
    assert callable(show)
    return show(of)


def test_the_push_of_the_page_tells_what_rest_writes(names: Names) -> None:
    engine = engine_over(service(names, "pushing"))
    heard: list[Frame] = []
    conversation = engine.converse("default", request("GET", "wss://api.todo.example/gateway"), heard.append)
    assert not isinstance(conversation, Answer)
    assert [frame.data for frame in conversation.receive(Frame(True, "text", b'{"call": "ping"}'))] == [b'"pong"']
    ask(engine, "POST", "https://api.todo.example/tasks", {"name": "milk"})
    assert [frame.data for frame in heard] == [b'{"id": "1", "name": "milk"}']


def test_touching_more_than_is_declared_raises_as_the_page_says(names: Names) -> None:
    declare, of = names["operation"], names["LIST"]
    assert callable(declare)
    greedy = declare(reads=[of])(lambda scope, call: scope.get(("item", "1", "2")))
    made = Service("lists", ("l.test",), service(names, "lists").codec, {"GET /lists/{list}": greedy}, (of,))  # type: ignore[arg-type]
    with pytest.raises(Undeclared, match="read of item/1/2"):
        ask(engine_over(made), "GET", "https://l.test/lists/1")


def test_the_entry_point_of_the_page_is_the_group_that_is_read(readme: Path) -> None:
    (block,) = blocks(readme, "toml")
    assert tomllib.loads(block)["project"]["entry-points"] == {
        "durable_replay.services": {"todo": "durable_todo:service"}
    }
