"""An emulator is asked with the knowledge of the tape before a request, never with the request's own answer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from durable_replay.drift.emulated import Asked, Horizon, ask_emulators
from durable_replay.http import Frame, Interaction, Request, Response
from durable_replay.service.api import Call, Codec, Operation, Reply, Scope, Service, kind, operation
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.registry import Registry
from durable_replay.service.verbs import create, index, merge, remove, show
from durable_replay.testing import MemoryTape, exchange
from durable_replay.timeline.indexing import Indexing

NOTE = kind("note", "note")
H = "https://notes.test"


def service(codec: Codec | None = None) -> Service:
    routes = {
        "GET /notes": index(NOTE),
        "POST /notes": create(NOTE),
        "GET /notes/{note}": show(NOTE),
        "PUT /notes/{note}": merge(NOTE),
        "DELETE /notes/{note}": remove(NOTE),
        "GET /exports": Operation("export", None),
    }
    return Service("notes", ("notes.test",), codec or JsonCodec(), routes, (NOTE,))


def asked(*tape: Interaction, of: Service | None = None) -> list[Asked]:
    indexing = Indexing(Registry([of or service()]))
    return list(ask_emulators(MemoryTape(tape, indexing), indexing))


def told(one: Asked) -> tuple[int, bytes]:
    assert one.answer is not None
    return one.answer.response.status, one.answer.response.body.read()


def standings(found: Sequence[Asked]) -> list[str]:
    return [one.standing for one in found]


def test_what_an_answer_shows_first_is_not_known_to_the_emulator_that_is_asked_for_it() -> None:
    first, second = asked(
        exchange("GET", f"{H}/notes/7", 200, {"id": "7", "text": "milk"}),
        exchange("GET", f"{H}/notes/7", 200, {"id": "7", "text": "milk"}),
    )
    assert standings([first, second]) == ["first", "asked"]
    assert told(first)[0] == 404
    assert told(second) == (200, b'{"id":"7","text":"milk"}')


def test_recorded_writes_have_happened_when_what_follows_is_asked() -> None:
    found = asked(
        exchange("POST", f"{H}/notes", 201, {"id": "8", "text": "tea"}, send={"text": "tea"}),
        exchange("PUT", f"{H}/notes/8", 200, {"id": "8", "text": "rye"}, send={"text": "rye"}),
        exchange("GET", f"{H}/notes/8", 200, {"id": "8", "text": "rye"}),
        exchange("DELETE", f"{H}/notes/8", 204),
        exchange("GET", f"{H}/notes/8", 404, {"error": "gone"}),
    )
    assert standings(found) == ["asked"] * 5
    assert told(found[2]) == (200, b'{"id":"8","text":"rye"}')
    assert [told(one)[0] for one in found] == [201, 200, 200, 204, 404]


def test_a_write_that_was_asked_has_not_happened() -> None:
    """The emulator's own create would make a second note."""
    found = asked(
        exchange("GET", f"{H}/notes", 200, []),
        exchange("POST", f"{H}/notes", 201, {"id": "8", "text": "tea"}, send={"text": "tea"}),
        exchange("GET", f"{H}/notes", 200, [{"id": "8", "text": "tea"}]),
    )
    assert told(found[2]) == (200, b'[{"id":"8","text":"tea"}]')


def test_an_edit_of_a_thing_that_was_never_seen_is_a_first_sight() -> None:
    [one] = asked(exchange("PUT", f"{H}/notes/7", 200, {"id": "7", "text": "rye"}, send={"text": "rye"}))
    assert one.standing == "first"


def test_what_nobody_emulates_is_told_apart() -> None:
    socket = Interaction(
        Request("GET", "wss", "notes.test", 443, "/notes"), Response(101), frames=(Frame(False, "text", b"hi"),)
    )
    found = asked(
        exchange("GET", f"{H}/exports", 200, []),
        exchange("GET", f"{H}/nowhere", 200, []),
        exchange("GET", "https://elsewhere.test/", 200, []),
        socket,
    )
    assert standings(found) == ["not emulated", "unknown", "unknown", "conversation"]
    assert [one.answer for one in found] == [None] * 4
    assert [one.operation for one in found] == ["notes.export", "", "", "notes.index note"]


def test_the_emulators_clock_stands_at_the_recorded_time() -> None:
    @operation(reads=[NOTE])
    def get_time(scope: Scope, call: Call) -> Reply:
        return Reply(200, {"at": scope.now.isoformat()})

    clock = Service("clock", ("clock.test",), JsonCodec(), {"GET /time": get_time}, (NOTE,))
    found = asked(
        exchange("GET", "https://clock.test/time", 200, {}, at=1_700_000_000.0),
        exchange("GET", "https://clock.test/time", 200, {}, at=1_700_000_060.0),
        of=clock,
    )
    assert [told(one)[1] for one in found] == [
        b'{"at":"2023-11-14T22:13:20+00:00"}',
        b'{"at":"2023-11-14T22:14:20+00:00"}',
    ]


def test_a_horizon_shows_a_tape_up_to_one_interaction() -> None:
    indexing = Indexing(Registry([service()]))
    tape = MemoryTape(
        [
            exchange("GET", f"{H}/notes/7", 200, {"id": "7"}),
            exchange("POST", f"{H}/notes", 201, {"id": "8"}, send={}),
            exchange("GET", f"{H}/notes/7", 200, {"id": "7"}),
        ],
        indexing,
    )
    horizon = Horizon(tape)
    key = tape.fact(1).reads[0]
    assert (len(horizon), list(horizon.seen(key)), list(horizon.writes())) == (0, [], [])
    horizon.upto = 2
    assert [fact.number for fact in horizon.writes()] == [2]
    assert [seen.number for seen in horizon.seen(key)] == [1]
    assert horizon.interaction(2).response.status == 201
    with pytest.raises(LookupError):
        horizon.interaction(3)
    with pytest.raises(LookupError):
        horizon.fact(3)
