"""Orders in which a tape is asked for: the engine answers each from the tape exactly while it is true."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.administration import Administration
from durable_replay.engine import Engine, OnMiss, Policy
from durable_replay.errors import UsageError
from durable_replay.http import BytesBody, Headers, Request, Response
from durable_replay.service.api import Service, kind
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.verbs import create, index, merge, remove, show
from durable_replay.testing import ask, engine_over, exchange, request

NOTE = kind("note", "note")


@pytest.fixture
def notes() -> Service:
    routes = {
        "GET /notes": index(NOTE),
        "POST /notes": create(NOTE),
        "GET /notes/{note}": show(NOTE),
        "PUT /notes/{note}": merge(NOTE),
        "DELETE /notes/{note}": remove(NOTE),
    }
    return Service("notes", ("service.test",), JsonCodec(), routes, (NOTE,))


TAPE = [
    exchange("GET", "/notes/1", 200, {"id": "1", "text": "a", "rev": 1}),
    exchange("PUT", "/notes/1", 200, {"id": "1", "text": "b", "rev": 2}, send={"text": "b"}),
    exchange("GET", "/notes/1", 200, {"id": "1", "text": "b", "rev": 2}),
    exchange("POST", "/notes", 201, {"id": "9", "text": "n"}, send={"text": "n"}),
    exchange("GET", "/notes/9", 200, {"id": "9", "text": "n"}),
    exchange("GET", "/notes/1?full", 200, {"id": "1", "text": "b", "rev": 2, "more": True}),
]


def numbers(engine: Engine, *places: int) -> list[int | None]:
    return [engine.answer("s", TAPE[place - 1].request).interaction for place in places]


def test_one_request_recorded_on_both_sides_of_a_write_gives_the_answer_of_its_side(notes: Service) -> None:
    assert numbers(engine_over(notes, TAPE), 1, 1, 2, 1, 3) == [1, 1, 2, 3, 3]


def test_writes_of_different_things_may_be_played_out_of_order(notes: Service) -> None:
    assert numbers(engine_over(notes, TAPE), 4, 5, 1, 2, 3, 5) == [4, 5, 1, 2, 3, 5]


def test_only_the_later_part_of_a_recording_may_be_asked_for(notes: Service) -> None:
    engine = engine_over(notes, TAPE)
    later = engine.answer("s", TAPE[5].request)
    shown = json.loads(later.response.body.read())
    assert (later.source, shown) == ("emulated", {"id": "1", "text": "a", "rev": 1})
    assert "came after write 2" in later.why
    assert numbers(engine, 4, 5) == [4, 5]


def test_a_deviation_stays_and_what_it_did_not_touch_returns_to_the_tape(notes: Service) -> None:
    engine = engine_over(notes, TAPE)
    assert ask(engine, "PUT", "/notes/1", {"text": "z"}, session="s").source == "emulated"
    assert numbers(engine, 1, 2, 3) == [None, None, None]
    assert numbers(engine, 4, 5) == [4, 5]
    shown = json.loads(ask(engine, "GET", "/notes/1", session="s").response.body.read())
    assert shown == {"id": "1", "text": "b", "rev": 1}


def test_a_write_is_played_once_and_is_live_then(notes: Service) -> None:
    engine = engine_over(notes, TAPE)
    assert numbers(engine, 4, 4) == [4, None]
    assert [one.kind for one in engine.sessions.get("s").live] == ["live"]
    assert ask(engine, "GET", "/notes/10", session="s").response.status == 200


def test_polling_gives_the_recorded_answers_in_turn_and_the_last_repeats(notes: Service) -> None:
    tape = [exchange("GET", "/notes/1", 200, {"id": "1", "state": state}) for state in ("pending", "pending", "done")]
    engine = engine_over(notes, tape)
    assert [ask(engine, "GET", "/notes/1").interaction for _ in range(5)] == [1, 2, 3, 3, 3]
    recall = engine.recall("other", tape[0].request)
    assert recall is not None
    told = [recall() for _ in range(5)]
    assert [one.interaction if one else None for one in told] == [1, 2, 3, 3, 3]


def test_the_default_policy_forwards_nothing_and_refusing_does_nothing(notes: Service) -> None:
    def never(one: Request) -> Response:
        raise AssertionError(one.url)

    engine = engine_over(notes, TAPE, policy=Policy("emulate", never))
    for method, url in (("GET", "/notes/7"), ("PUT", "/notes/7"), ("GET", "https://other.test/"), ("GET", "/odd/x/y")):
        assert ask(engine, method, url).source in ("emulated", "refused")
    refusing = engine_over(notes, TAPE, policy=Policy("refuse", never))
    assert ask(refusing, "PUT", "/notes/1", {"text": "z"}).source == "refused"
    assert ask(refusing, "GET", "/notes/1").interaction == 1


def test_a_head_recording_answers_heads_alone(notes: Service) -> None:
    engine = engine_over(notes, [exchange("HEAD", "/notes/1", 200)])
    assert ask(engine, "HEAD", "/notes/1").interaction == 1
    assert ask(engine, "GET", "/notes/1").response.status == 404


def test_a_recall_kept_from_a_deleted_session_answers_nothing(notes: Service) -> None:
    engine = engine_over(notes, TAPE)
    recall = engine.recall("gone", request("GET", "/notes/1"))
    assert recall is not None
    assert recall() is not None
    engine.sessions.delete("gone")
    assert recall() is None
    assert ask(engine, "GET", "/notes/1", session="gone").interaction == 1


def test_ids_are_never_given_twice_over_restart_and_fork(notes: Service, tmp_path: Path) -> None:
    def made(engine: Engine, session: str = "default") -> str:
        answer = ask(engine, "POST", "/notes", {"text": "new"}, session=session)
        return str(json.loads(answer.response.body.read())["id"])

    engine = engine_over(notes, TAPE, data_dir=tmp_path)
    assert [made(engine), made(engine)] == ["10", "11"]
    ask(engine, "DELETE", "/notes/11")
    engine.sessions.close()
    again = engine_over(notes, TAPE, data_dir=tmp_path)
    assert made(again) == "12"
    again.sessions.fork("default", "copy")
    assert [made(again, "copy"), made(again)] == ["13", "13"]
    again.sessions.close()


def test_the_administration_tells_sessions_log_and_state(notes: Service) -> None:
    engine = engine_over(notes, TAPE)
    told = Administration(engine)
    numbers(engine, 1, 2)
    ask(engine, "DELETE", "/notes/1", session="s")
    (info,) = told.sessions()
    assert (info.name, info.played, info.live, dict(info.answers)) == ("s", 1, 1, {"recorded": 2, "emulated": 1})
    assert [(one.method, one.source, one.interaction) for one in told.log("s")] == [
        ("GET", "recorded", 1),
        ("PUT", "recorded", 2),
        ("DELETE", "emulated", None),
    ]
    assert told.log("other") == []
    assert told.state("s") == {}
    told.create("t", 7)
    assert "notes/note/1" in told.state("t")
    told.snapshot("s", "kept")
    assert told.fork("s", "u").played == 1
    assert told.reset("s").played == 0
    restored = told.restore("s", "kept")
    assert (restored.played, restored.live, restored.snapshots) == (1, 1, ("kept",))
    told.delete("u")
    with pytest.raises(UsageError, match="no session 'u'"):
        told.delete("u")
    with pytest.raises(UsageError, match="already"):
        told.create("t")


def test_a_write_to_a_host_that_no_service_knows_is_answered_as_often_as_it_was_recorded(notes: Service) -> None:
    tape = [exchange("POST", "https://other.test/x", 200, {"n": n}, send={}) for n in range(3)]
    engine = engine_over(notes, tape)
    barrier = threading.Barrier(8, timeout=20)

    def post(_: int) -> int | None:
        barrier.wait()
        return engine.answer("s", tape[0].request).interaction

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(post, range(8)))
    assert sorted(one for one in told if one is not None) == [1, 2, 3]
    assert engine.usage.total("refused") == 5
    assert engine.answer("t", tape[0].request).interaction == 1
    why = engine.answer("t", tape[0].request).why
    assert why == "recording 2; no service knows what it may change"


WHOLE = exchange("GET", "/notes/1", 200, {"id": "1", "text": "whole"})
SHORT = replace(
    WHOLE,
    response=replace(WHOLE.response, headers=Headers([("Content-Length", "999")]), body=BytesBody(b'{"id": "1", "te')),
    outcome="aborted",
)


def test_an_answer_that_was_cut_short_is_never_told_as_if_it_were_whole(notes: Service) -> None:
    engine = engine_over(notes, [SHORT])
    assert ask(engine, "GET", "/notes/1").source == "emulated"
    chunked = replace(SHORT, response=replace(SHORT.response, headers=Headers([("Transfer-Encoding", "chunked")])))
    assert ask(engine_over(notes, [chunked]), "GET", "/notes/1").source == "emulated"
    listing = replace(SHORT, request=request("GET", "/notes"))
    assert json.loads(ask(engine_over(notes, [listing]), "GET", "/notes").response.body.read()) == []
    retried = engine_over(notes, [SHORT, WHOLE])
    assert [ask(retried, "GET", "/notes/1").interaction for _ in range(2)] == [2, 2]
    write = replace(SHORT, request=request("PUT", "/notes/1", {"text": "b"}))
    assert ask(engine_over(notes, [WHOLE, write]), "PUT", "/notes/1", {"text": "b"}).source == "emulated"


def test_what_came_of_a_stream_of_events_is_told_and_so_is_an_answer_whose_end_had_come(notes: Service) -> None:
    events = Response(200, Headers([("Content-Type", "text/event-stream; charset=utf-8")]), BytesBody(b"data: 1\n\n"))
    length = Headers([("Content-Length", str(WHOLE.response.body.size))])
    for response in (events, replace(WHOLE.response, headers=length), Response(204)):
        engine = engine_over(notes, [replace(WHOLE, response=response, outcome="aborted")])
        answer = ask(engine, "GET", "/notes/1")
        assert (answer.source, answer.response) == ("recorded", response)


def test_an_exchange_without_any_response_answers_nothing(notes: Service) -> None:
    engine = engine_over(notes, [replace(WHOLE, response=Response(0), outcome="aborted")])
    assert ask(engine, "GET", "/notes/1").source == "emulated"


@pytest.mark.parametrize(
    ("policy", "url", "advice"),
    [
        ("emulate", "https://other.test/", "Record it, or name the service that its host speaks: --map HOST=SERVICE."),
        ("refuse", "https://other.test/", "Record it, or name the service that its host speaks: --map HOST=SERVICE."),
        ("refuse", "/notes/7", "Record it, or replay with --on-miss emulate."),
    ],
)
def test_a_refusal_advises_what_would_help(notes: Service, policy: OnMiss, url: str, advice: str) -> None:
    answer = ask(engine_over(notes, TAPE, policy=Policy(policy)), "GET", url)
    assert json.loads(answer.response.body.read())["next"] == advice
    assert advice in answer.why
