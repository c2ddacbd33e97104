"""What things were when the tape began, as far as the tape lets it be known."""

from __future__ import annotations

import json

import pytest

from durable_replay.answer import Answer
from durable_replay.http import Interaction
from durable_replay.service.api import Call, Reply, Scope, Service, kind, operation
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.faults import Conflict
from durable_replay.service.verbs import create, index, merge, remove, show
from durable_replay.testing import ask, engine_over, exchange

BOOK = kind("book", "book")
NOTE = kind("note", "book note")


@operation(writes=[NOTE], name="put")
def put(scope: Scope, call: Call) -> Reply:
    """There or not, it is there now (as S3's)."""
    scope.put(NOTE.key(call.params), {"id": call["note"], **call.json})
    return Reply(204)


@operation(writes=[NOTE], name="forget")
def forget(scope: Scope, call: Call) -> Reply:
    """There or not, it is gone now (as S3's)."""
    scope.delete(NOTE.key(call.params))
    return Reply(204)


@operation(reads=[NOTE], writes=[NOTE], name="lock")
def lock(scope: Scope, call: Call) -> Reply:
    if scope.get(NOTE.key(call.params)).get("locked"):
        raise Conflict("it is locked")
    scope.merge(NOTE.key(call.params), {"locked": True})
    return Reply(204)


ROUTES = {
    "GET /{book}": index(NOTE),
    "POST /{book}": create(NOTE, needs=(BOOK,)),
    "GET /{book}/{note}": show(NOTE),
    "PATCH /{book}/{note}": merge(NOTE),
    "PUT /{book}/{note}": put,
    "DELETE /{book}/{note}": remove(NOTE),
    "POST /{book}/{note}/forget": forget,
    "POST /{book}/{note}/lock": lock,
}
SERVICE = Service("notes", ("service.test",), JsonCodec(), ROUTES, (BOOK, NOTE))


def said(answer: Answer) -> object:
    return json.loads(answer.response.body.read() or b"null")


def at_first(*tape: Interaction, url: str = "/b/1") -> tuple[int, object]:
    answer = ask(engine_over(SERVICE, tape), "GET", url)
    return answer.response.status, said(answer) if answer.response.status == 200 else None


DELETE = exchange("DELETE", "/b/1", 204)
PATCH = exchange("PATCH", "/b/1", 200, {"id": "1", "a": 2, "b": 1}, send={"a": 2})


def test_a_thing_of_which_the_tape_shows_only_that_it_was_deleted_was_there_before() -> None:
    assert at_first(DELETE) == (200, {"id": "1"})
    engine = engine_over(SERVICE, [DELETE])
    assert said(ask(engine, "GET", "/b")) == [{"id": "1"}]
    assert ask(engine, "DELETE", "/b/1").interaction == 1
    assert ask(engine, "GET", "/b/1").response.status == 404
    assert ask(engine, "DELETE", "/b/1").response.status == 404
    other = engine_over(SERVICE, [DELETE])
    assert said(ask(other, "PATCH", "/b/1", {"a": 1})) == {"id": "1", "a": 1}
    assert ask(other, "DELETE", "/b/1").source == "emulated"
    assert ask(other, "GET", "/b/1").response.status == 404


def test_what_may_be_deleted_without_being_there_is_not_known_to_have_been() -> None:
    assert at_first(exchange("POST", "/b/1/forget", 204)) == (404, None)


def test_a_refused_delete_says_that_it_was_not_there() -> None:
    assert at_first(exchange("DELETE", "/b/1", 404)) == (404, None)


@pytest.mark.parametrize(
    ("tape", "before"),
    [
        ([PATCH], {"id": "1", "b": 1}),
        ([PATCH, DELETE], {"id": "1", "b": 1}),
        ([exchange("POST", "/b/1/lock", 204), exchange("GET", "/b/1", 200, {"id": "1", "locked": True})], {"id": "1"}),
        (
            [PATCH, exchange("PATCH", "/b/1", 200, {"id": "1", "a": 2, "b": 3, "c": 1}, send={"b": 3})],
            {"id": "1", "b": 1},
        ),
        ([exchange("GET", "/b/1", 200, {"id": "1", "a": 1}), PATCH], {"id": "1", "a": 1}),
    ],
)
def test_a_thing_was_at_first_as_it_is_shown_less_what_was_set_since(
    tape: list[Interaction], before: dict[str, object]
) -> None:
    probe = "/b/1?probe"
    assert at_first(*tape, url=probe) == (200, before)


@pytest.mark.parametrize(
    "tape",
    [
        [exchange("PUT", "/b/1", 204, send={"a": 1}), exchange("GET", "/b/1", 200, {"id": "1", "a": 1})],
        [exchange("POST", "/b", 201, {"id": "1"}, send={}), PATCH, DELETE],
        [exchange("POST", "/b", 201, {"id": "1"}, send={}), DELETE],
    ],
)
def test_a_thing_that_the_tape_makes_was_not_there_before(tape: list[Interaction]) -> None:
    assert at_first(*tape) == (404, None)


def test_a_create_shows_that_what_it_lies_in_was_there() -> None:
    engine = engine_over(SERVICE, [exchange("POST", "/b", 201, {"id": "7", "a": 1, "at": 9}, send={"a": 1})])
    assert ask(engine, "POST", "/b", {"a": 1}).interaction == 1
    assert said(ask(engine, "GET", "/b/7")) == {"id": "7", "a": 1, "at": 9}


def test_what_was_deleted_and_made_again_is_told_by_its_place_on_the_tape() -> None:
    again = exchange("PUT", "/b/1", 204, send={"a": 5})
    engine = engine_over(SERVICE, [DELETE, again, exchange("GET", "/b/1", 200, {"id": "1", "a": 5, "more": True})])
    assert said(ask(engine, "GET", "/b/1")) == {"id": "1", "more": True}
    for number, one in enumerate((DELETE, again), 1):
        assert engine.answer("default", one.request).interaction == number
    assert ask(engine, "GET", "/b/1").interaction == 3
