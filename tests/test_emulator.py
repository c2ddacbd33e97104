"""What the emulator knows from the tape, and what it does on a session's state."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.answer import Answer
from durable_replay.engine import Policy
from durable_replay.http import BytesBody, Response
from durable_replay.service.api import Call, Operation, Reply, Scope, Service, Sighting, kind, operation
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.verbs import create, index, merge, remove, show
from durable_replay.testing import ask, engine_over, exchange, request

BOOK = kind("book", "book", names="title")
NOTE = kind("note", "book note")


def odd(call: Call, response: Response) -> Iterable[Sighting]:
    raise RuntimeError("a parser fell over")


def started_together(barrier: threading.Barrier | None) -> Operation:
    @operation(reads=[NOTE], writes=[NOTE], name="count")
    def count(scope: Scope, call: Call) -> Reply:
        document = scope.get(NOTE.key(call.params))
        if barrier is not None:
            barrier.wait()
        scope.merge(NOTE.key(call.params), {"n": int(str(document.get("n", 0))) + 1})
        return Reply(200, {"n": document.get("n", 0)})

    return count


def notes(barrier: threading.Barrier | None = None, seeds: list[str] | None = None) -> Service:
    def seed(scope: Scope) -> None:
        if seeds is not None:
            seeds.append(scope.mint(BOOK))
            scope.put(BOOK.of(seeds[-1]), {"id": seeds[-1], "title": "given"})

    @operation(reads=[BOOK], writes=[NOTE], name="put")
    def put(scope: Scope, call: Call) -> Reply:
        scope.get(BOOK.key(call.params))
        scope.put(NOTE.key(call.params), {"id": call["note"], **call.json})
        return Reply(200, {})

    routes = {
        "GET /books": index(BOOK),
        "GET /books/{book}": show(BOOK),
        "PUT /books/{book}": merge(BOOK, status=204),
        "DELETE /books/{book}": remove(BOOK, below=(NOTE,)),
        "GET /books/{book}/notes": index(NOTE),
        "POST /books/{book}/notes": create(NOTE),
        "GET /books/{book}/notes/{note}": show(NOTE),
        "GET /books/{book}/notes/{note}/raw": Operation("raw", None, (NOTE,), (), odd),
        "PUT /books/{book}/notes/{note}": merge(NOTE),
        "POST /books/{book}/notes/{note}": put,
        "POST /books/{book}/notes/{note}/count": started_together(barrier),
        "POST /books/{book}/notes/{note}/star": Operation("star", None, (NOTE,), (NOTE,)),
        "DELETE /books/{book}/notes/{note}": remove(NOTE),
    }
    one = Service("notes", ("service.test",), JsonCodec(), routes, (BOOK, NOTE))
    return one if seeds is None else replace(one, seed=seed)


def said(answer: Answer) -> object:
    return json.loads(answer.response.body.read() or b"null")


MILK = {"id": "1", "name": "milk", "extra": {"deep": 1}}


def test_a_thing_that_the_tape_first_shows_edited_was_there_before_without_what_the_edit_set() -> None:
    tape = [
        exchange("PUT", "/books/1/notes/1", 200, {**MILK, "name": "oats"}, send={"name": "oats"}),
        exchange("GET", "/books/1/notes/1", 200, {**MILK, "name": "oats"}),
    ]
    engine = engine_over(notes(), tape)
    before = ask(engine, "GET", "/books/1/notes/1")
    assert (before.source, before.response.status, said(before)) == ("emulated", 200, {"id": "1", "extra": {"deep": 1}})
    assert said(ask(engine, "GET", "/books/1/notes")) == [{"id": "1", "extra": {"deep": 1}}]
    assert ask(engine, "PUT", "/books/1/notes/1", {"name": "oats"}).interaction == 1
    assert ask(engine, "GET", "/books/1/notes/1").interaction == 2


def test_an_edit_whose_answer_shows_nothing_proves_as_much() -> None:
    tape = [
        exchange("PUT", "/books/1", 204, send={"title": "new"}),
        exchange("GET", "/books/1", 200, {"id": "1", "title": "new", "by": "ann"}),
    ]
    engine = engine_over(notes(), tape)
    assert said(ask(engine, "GET", "/books/1")) == {"id": "1", "by": "ann"}
    changed = ask(engine, "PUT", "/books/1", {"by": "bob"})
    assert (changed.source, changed.response.status) == ("emulated", 204)
    assert said(ask(engine, "GET", "/books/1")) == {"id": "1", "by": "bob"}


def test_a_thing_that_the_tape_first_shows_created_or_put_was_not_there_before() -> None:
    tape = [
        exchange("POST", "/books/1/notes", 201, MILK, send={"name": "milk"}),
        exchange("POST", "/books/1/notes/2", 200, {}, send={"name": "tea"}),
        exchange("GET", "/books/1/notes/2", 200, {"id": "2", "name": "tea"}),
    ]
    engine = engine_over(notes(), tape)
    assert ask(engine, "GET", "/books/1/notes/1").response.status == 404
    assert ask(engine, "GET", "/books/1/notes/2").response.status == 404


def test_a_played_write_that_we_cannot_emulate_loses_nothing_of_what_was_known() -> None:
    tape = [
        exchange("GET", "/books/1/notes/1", 200, MILK),
        exchange("POST", "/books/1/notes/1/star", 200, {"ok": True}),
    ]
    engine = engine_over(notes(), tape)
    assert ask(engine, "POST", "/books/1/notes/1/star").source == "recorded"
    after = ask(engine, "GET", "/books/1/notes/1")
    assert (after.source, said(after)) == ("emulated", MILK)


def test_a_played_write_is_in_listings_although_its_parent_was_never_seen() -> None:
    engine = engine_over(notes(), [exchange("POST", "/books/1/notes/2", 200, {}, send={"name": "tea"})])
    assert ask(engine, "POST", "/books/1/notes/2", {"name": "tea"}).source == "recorded"
    assert said(ask(engine, "GET", "/books/1/notes")) == [{"id": "2", "name": "tea"}]


def test_a_recorded_answer_that_breaks_its_plug_ins_parser_is_served_and_teaches_nothing() -> None:
    tape = [
        exchange("GET", "/books/1/notes/1/raw", 200, b"\x00odd"),
        exchange("GET", "/books/1/notes/1", 200, b"not json"),
        exchange("PUT", "/books/1/notes/1", 200, b"not json either", send={"name": "x"}),
    ]
    engine = engine_over(notes(), tape)
    for number, one in enumerate(tape, 1):
        answer = engine.answer("s", one.request)
        assert (answer.source, answer.interaction) == ("recorded", number)
    assert said(ask(engine, "GET", "/books/1/notes", session="s")) == [{"name": "x", "id": "1"}]


def test_an_exchange_without_a_response_answers_nothing() -> None:
    lost = replace(exchange("GET", "/books/1/notes/1", 200), response=Response(0), outcome="aborted")
    engine = engine_over(notes(), [lost, exchange("GET", "/books/1/notes/1", 200, MILK)])
    assert ask(engine, "GET", "/books/1/notes/1").interaction == 2


def test_a_renamed_thing_no_longer_answers_to_its_old_name() -> None:
    tape = [
        exchange("GET", "/books/old", 200, {"id": "1", "title": "old"}),
        exchange("PUT", "/books/1", 204, send={"title": "new"}),
        exchange("GET", "/books/new", 200, {"id": "1", "title": "new"}),
    ]
    engine = engine_over(notes(), tape)
    for one in tape:
        assert engine.answer("s", one.request).source == "recorded"
    assert ask(engine, "GET", "/books/old", session="s").response.status == 404
    ask(engine, "PUT", "/books/new", {"title": "newer"}, session="s")
    assert ask(engine, "GET", "/books/new", session="s").response.status == 404
    assert said(ask(engine, "GET", "/books/newer", session="s")) == {"id": "1", "title": "newer"}
    assert ask(engine, "GET", "/books/old", session="untouched").interaction == 1


def test_what_lies_below_a_deleted_thing_is_gone_even_where_no_emulator_knew_it() -> None:
    tape = [exchange("GET", "/books/1", 200, {"id": "1"}), exchange("GET", "/books/1/notes/7/raw", 200, b"bytes")]
    engine = engine_over(notes(), tape)
    assert ask(engine, "GET", "/books/1/notes/7/raw").source == "recorded"
    assert ask(engine, "DELETE", "/books/1").response.status == 204
    assert ask(engine, "GET", "/books/1/notes/7/raw").source == "refused"


def test_a_recorded_refusal_of_a_write_is_true_until_something_it_looked_at_is_written() -> None:
    tape = [
        exchange("DELETE", "/books/1/notes/1", 409, {"error": "locked"}),
        exchange("GET", "/books/1/notes/1", 200, MILK),
    ]
    engine = engine_over(notes(), tape)
    for _ in range(2):
        assert ask(engine, "DELETE", "/books/1/notes/1").interaction == 1
    ask(engine, "PUT", "/books/1/notes/1", {"name": "x"})
    assert ask(engine, "DELETE", "/books/1/notes/1").response.status == 204


def test_pages_that_were_recorded_one_by_one_are_one_listing_after_a_write() -> None:
    service = notes()
    service = replace(service, routes={**service.routes, "GET /books/{book}/notes": index(NOTE, paging=("page",))})
    tape = [
        exchange("GET", "/books/1/notes?page=1", 200, [{"id": "1"}, {"id": "2"}]),
        exchange("GET", "/books/1/notes?page=2", 200, [{"id": "3"}]),
    ]
    engine = engine_over(service, tape)
    ask(engine, "DELETE", "/books/1/notes/2")
    ask(engine, "POST", "/books/1/notes", {"name": "new"})
    assert [one["id"] for one in said(ask(engine, "GET", "/books/1/notes?page=1"))] == ["1", "3", "4"]  # type: ignore[attr-defined]


def test_a_service_is_seeded_once_over_threads_restarts_and_forks(tmp_path: Path) -> None:
    seeds: list[str] = []
    engine = engine_over(notes(seeds=seeds), data_dir=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: said(ask(engine, "GET", "/books")), range(16)))
    assert answers == [[{"id": "1", "title": "given"}]] * 16
    engine.sessions.fork("default", "other")
    ask(engine, "GET", "/books", session="other")
    engine.sessions.close()
    again = engine_over(notes(seeds=seeds), data_dir=tmp_path)
    assert said(ask(again, "GET", "/books")) == [{"id": "1", "title": "given"}]
    assert seeds == ["1"]
    again.sessions.reset("default")
    assert said(ask(again, "GET", "/books")) == [{"id": "1", "title": "given"}]
    assert seeds == ["1", "1"]
    again.sessions.close()


def test_a_forwarded_write_makes_recordings_stale_too() -> None:
    tape = [exchange("GET", "/books/1/notes/1", 200, MILK), exchange("GET", "/books/1/notes/2", 200, MILK)]
    told = Response(200, body=BytesBody(b'{"id": "1", "name": "real"}'))
    engine = engine_over(notes(), tape, policy=Policy("forward", lambda one: told))
    assert ask(engine, "PUT", "/books/1/notes/1", {"name": "real"}).source == "forwarded"
    assert ask(engine, "GET", "/books/1/notes/1").source == "forwarded"
    assert ask(engine, "GET", "/books/1/notes/2").source == "recorded"


def test_a_read_modify_write_loses_no_update_under_many_threads() -> None:
    engine = engine_over(notes(), [exchange("GET", "/books/1/notes/1", 200, {"id": "1", "n": 0})])
    with ThreadPoolExecutor(8) as pool:
        before = sorted(
            pool.map(lambda _: said(ask(engine, "POST", "/books/1/notes/1/count"))["n"], range(80))  # type: ignore[index]
        )
    assert before == list(range(80))
    assert said(ask(engine, "GET", "/books/1/notes/1")) == {"id": "1", "n": 80}


def test_writes_to_two_things_are_done_at_the_same_time() -> None:
    barrier = threading.Barrier(2, timeout=10)
    tape = [exchange("GET", f"/books/1/notes/{one}", 200, {"id": one}) for one in ("1", "2")]
    engine = engine_over(notes(barrier), tape)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: ask(engine, "POST", f"/books/1/notes/{one}/count"), ("1", "2")))
    assert [one.response.status for one in answers] == [200, 200]
    listing = ask(engine, "GET", "/books/1/notes")
    assert listing.source == "emulated"


def test_creates_of_many_threads_get_different_ids() -> None:
    engine = engine_over(notes())
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: said(ask(engine, "POST", "/books/1/notes", {}))["id"], range(60)))  # type: ignore[index]
    assert len(set(made)) == 60


def test_recall_never_tells_what_was_before_an_acknowledged_write() -> None:
    engine = engine_over(notes(), [exchange("GET", "/books/1/notes/1", 200, MILK)])
    recall = engine.recall("default", request("GET", "/books/1/notes/1"))
    assert recall is not None
    acknowledged, wrong = threading.Event(), []

    def read() -> None:
        while True:
            over = acknowledged.is_set()
            answer = recall()
            if over:
                wrong.extend([answer] if answer is not None else [])
                return

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert ask(engine, "PUT", "/books/1/notes/1", {"name": "x"}).source == "emulated"
    acknowledged.set()
    for thread in threads:
        thread.join(10)
    assert not wrong


@pytest.mark.parametrize("kept", ["fork", "restore"])
def test_cursors_go_with_a_session_into_its_copies(kept: str) -> None:
    tape = [exchange("GET", "/books/1", 200, {"id": "1", "state": state}) for state in ("pending", "pending", "done")]
    engine = engine_over(notes(), tape)
    told = [said(ask(engine, "GET", "/books/1"))["state"] for _ in range(2)]  # type: ignore[index]
    if kept == "fork":
        engine.sessions.fork("default", "copy")
    else:
        engine.sessions.snapshot("default", "copy")
    name = "copy" if kept == "fork" else "default"
    told += [said(ask(engine, "GET", "/books/1"))["state"] for _ in range(2)]  # type: ignore[index]
    assert told == ["pending", "pending", "done", "done"]
    if kept == "restore":
        engine.sessions.restore("default", "copy")
    assert ask(engine, "GET", "/books/1", session=name).interaction == 3
    engine.sessions.reset("default")
    assert ask(engine, "GET", "/books/1").interaction == 1
