"""Why a recording is not told, in one sentence that names what came between."""

from __future__ import annotations

import pytest

from durable_replay.engine import Engine
from durable_replay.service.api import Service
from durable_replay.testing import ask, engine_over, exchange
from durable_replay.timeline.why import staleness

TAPE = [
    exchange("GET", "/b/1", 200, {"id": "1", "n": 1}),
    exchange("PUT", "/b/1", 200, {"id": "1", "n": 2}, send={"n": 2}),
    exchange("GET", "/b/1?again", 200, {"id": "1", "n": 2}),
]


@pytest.fixture
def engine(notes: Service) -> Engine:
    return engine_over(notes, TAPE)


def why(engine: Engine, number: int) -> str:
    request = TAPE[number - 1].request
    return staleness(engine.sessions.get("s"), engine.tape.candidates(engine.indexing.understand(request).key))


def test_a_live_write_is_named(engine: Engine) -> None:
    ask(engine, "PUT", "/b/1", {"n": 7}, session="s")
    assert why(engine, 1) == "note/b/1 was written by this session after recording 1"
    assert engine.answer("s", TAPE[0].request).why == why(engine, 1)


def test_a_live_write_below_or_above_what_was_read_is_named(engine: Engine, notes: Service) -> None:
    listing = exchange("GET", "/b", 200, [{"id": "1"}])
    over = engine_over(notes, [listing])
    ask(over, "POST", "/b", {}, session="s")
    assert over.answer("s", listing.request).why == "note/b/2 was written by this session after recording 1"


def test_a_recorded_write_that_was_not_played_is_named(engine: Engine) -> None:
    assert why(engine, 3) == "recording 3 came after write 2 to note/b/1, not played here"


def test_a_recorded_write_that_was_played_is_named(engine: Engine) -> None:
    assert engine.answer("s", TAPE[1].request).interaction == 2
    assert why(engine, 1) == "write 2 to note/b/1 was played here, and came after recording 1"
    assert why(engine, 2) == "the recorded write 2 has been played already"


def test_of_several_recordings_the_last_that_could_be_told_is_spoken_of(notes: Service) -> None:
    put = exchange("PUT", "/b/1", 200, {"id": "1"}, send={})
    engine = engine_over(notes, [put, put])
    assert [engine.answer("s", put.request).interaction for _ in range(2)] == [1, 2]
    assert engine.answer("s", put.request).why == "the recorded write 2 has been played already"


def test_a_reason_is_found_near_its_place_on_a_long_tape(notes: Service) -> None:
    puts = [exchange("PUT", f"/b/{number}", 200, {"id": str(number)}, send={}) for number in range(3, 1500)]
    engine = engine_over(notes, [exchange("GET", "/b/2", 200, {"id": "2"}), *puts, *TAPE])
    told = engine.answer("s", TAPE[2].request).why
    assert told == "recording 1501 came after write 1500 to note/b/1, not played here"
