"""The tape of one or several cassettes: numbers, bodies, and an index that is the same in the file and in memory."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durable_replay.cassette.index import Index
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.engine import Engine
from durable_replay.errors import CassetteError, CorruptCassette
from durable_replay.http import Interaction
from durable_replay.service.api import Service
from durable_replay.service.registry import Registry
from durable_replay.testing import MemoryTape, exchange
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.recordings import Recordings, build_index, open_tape
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import SQLiteStore
from durable_replay.timeline.tape import EmptyTape, Tape
from tests.properties import reference

TODO: Service = reference.tiny_services().TODO
LARGE = "x" * 3_000_000


def write(path: Path, tape: Iterable[Interaction]) -> Path:
    with CassetteWriter.open(path) as writer:
        for one in tape:
            writer.append(one)
    return path


def with_index(path: Path, indexing: Indexing) -> Path:
    with CassetteWriter.open(path) as writer, Cassette.open(path) as reader:
        index = Index(writer.index_connection)
        build_index(index, reader.interactions(), len(reader), indexing, writer.tape.identity, lambda done, total: None)
    return path


def engine_on(tape: Tape, indexing: Indexing) -> Engine:
    return Engine(tape, indexing, Sessions(tape, SQLiteStore(), clock="2026-01-31T10:00:00+00:00"))


def note(number: int, text: str) -> dict[str, object]:
    return {"id": str(number), "text": text}


@pytest.fixture
def indexing(notes: Service) -> Indexing:
    return Indexing(Registry([notes]))


FIRST = [exchange("GET", "/b/1", 200, note(1, "a"), at=50.0), exchange("GET", "/b/2", 200, note(2, "two"), at=51.0)]
SECOND = [
    exchange("PUT", "/b/1", 200, note(1, "b"), send={"text": "b"}, at=10.0),
    exchange("GET", "/b/1", 200, note(1, "b"), at=11.0),
    exchange("GET", "/b/3", 200, note(3, LARGE), at=12.0),
]


@pytest.fixture
def joined(tmp_path: Path, indexing: Indexing) -> Iterable[Recordings]:
    paths = [write(tmp_path / "one.cassette", FIRST), write(tmp_path / "two.cassette", SECOND)]
    tape = open_tape([paths[0], write(tmp_path / "none.cassette", []), paths[1]], indexing)
    assert isinstance(tape, Recordings)
    yield tape
    tape.close()


def test_of_several_cassettes_the_next_begins_where_the_one_before_ends(joined: Recordings) -> None:
    assert len(joined) == 5
    targets = [one.request.target for one in (*FIRST, *SECOND)]
    assert [joined.interaction(number).request.target for number in range(1, 6)] == targets
    assert [(one.number, one.request.target) for one in joined] == list(enumerate(targets, 1))
    assert [joined.fact(number).number for number in range(1, 6)] == [1, 2, 3, 4, 5]
    assert [fact.number for fact in joined.writes()] == [3]
    assert joined.start == 50.0
    assert joined.hosts() == {"service.test"}


@pytest.mark.parametrize("number", [-1, 0, 6, 1000])
def test_a_number_that_is_not_on_the_tape_names_nothing(joined: Recordings, number: int) -> None:
    with pytest.raises(LookupError):
        joined.interaction(number)
    with pytest.raises(LookupError):
        joined.fact(number)


def test_a_write_of_the_second_cassette_parts_what_the_first_and_it_say(joined: Recordings, indexing: Indexing) -> None:
    engine = engine_on(joined, indexing)
    told = [engine.answer("s", one.request) for one in (FIRST[0], FIRST[0], SECOND[0], FIRST[0], FIRST[1])]
    assert [(one.source, one.interaction) for one in told] == [("recorded", number) for number in (1, 1, 3, 4, 2)]


def test_a_body_is_found_in_whichever_cassette_has_it(joined: Recordings) -> None:
    for number in (1, 5):
        body = joined.interaction(number).response.body
        digest = getattr(body, "digest", None)
        assert isinstance(digest, str)
        for name in (digest, f"sha256:{digest}"):
            found = joined.body(name)
            assert found is not None
            assert b"".join(found.chunks()) == b"".join(body.chunks())
    assert joined.body("sha256:" + "0" * 64) is None


def test_the_same_cassette_twice_is_a_tape_of_twice_the_length(tmp_path: Path, indexing: Indexing) -> None:
    path = write(tmp_path / "one.cassette", FIRST)
    tape = open_tape([path, path], indexing)
    understood = indexing.understand(FIRST[0].request)
    assert [fact.number for fact in tape.candidates(understood.key)] == [1, 3]
    assert isinstance(tape, Recordings)
    tape.close()


def test_no_cassette_is_an_empty_tape(indexing: Indexing) -> None:
    assert isinstance(open_tape([], indexing), EmptyTape)


def test_a_bad_cassette_among_several_is_named_and_the_others_are_let_go(tmp_path: Path, indexing: Indexing) -> None:
    bad = tmp_path / "bad.cassette"
    bad.write_bytes(b"no cassette at all")
    with pytest.raises(CassetteError, match=r"bad\.cassette"):
        open_tape([write(tmp_path / "one.cassette", FIRST), bad], indexing)


def test_an_index_is_read_from_the_file_while_it_fits_and_made_in_memory_otherwise(
    tmp_path: Path, indexing: Indexing, notes: Service
) -> None:
    told: list[tuple[int, int]] = []
    path = with_index(write(tmp_path / "one.cassette", FIRST), indexing)
    before = path.read_bytes()

    def opened(by: Indexing) -> Recordings:
        tape = open_tape([path], by, lambda done, total: told.append((done, total)))
        assert isinstance(tape, Recordings)
        return tape

    opened(indexing).close()
    assert told == []
    opened(Indexing(Registry([notes]), rules="others")).close()
    assert told == [(0, 2), (2, 2)]
    told.clear()
    write(path, SECOND[:1])  # a longer tape than the index knows
    tape = opened(indexing)
    assert told == [(0, 3), (3, 3)]
    assert [fact.number for fact in tape.writes()] == [3]
    tape.close()
    assert path.read_bytes() != before


def looks(tape: Tape, indexing: Indexing, interactions: Sequence[Interaction]) -> list[object]:
    """All that an index can be asked."""
    keys = list(tape.seen_below(()))
    heads = [(key[:length], head) for key in keys for length in range(3, len(key) + 1) for head in ("", "P-")]
    said: list[object] = [keys, [tape.seen(key) for key in keys], [tape.highest(*one) for one in heads]]
    said += [tape.fact(number) for number in range(1, len(tape) + 1)]
    said += [list(tape.writes()), list(tape.nearest("todo.test", 3)), list(tape.nearest("other.test", 3))]
    for one in interactions:
        understood = indexing.understand(one.request)
        said.append(list(tape.candidates(understood.key)))
        said.append(list(tape.listing(understood.listing_key)) if understood.listing_key else [])
    return [[*map(tuple, one)] if one and isinstance(one, list) and isinstance(one[0], list) else one for one in said]


@given(reference.todo_tapes(refuses=True, longest=8), st.integers(0, 8))
@settings(max_examples=10)
def test_an_index_in_the_file_in_memory_and_of_a_tape_in_two_parts_say_the_same(
    world: tuple[reference.Todo, list[Interaction]], cut: int
) -> None:
    tape, indexing = world[1], Indexing(Registry([TODO]))
    with TemporaryDirectory() as folder:
        whole = with_index(write(Path(folder, "whole"), tape), indexing)
        parts = [write(Path(folder, "one"), tape[:cut]), write(Path(folder, "two"), tape[cut:])]
        tapes = [open_tape([whole], indexing), open_tape(parts, indexing), MemoryTape(tape, indexing)]
        said = [looks(one, indexing, tape) for one in tapes]
        for one in tapes[:2]:
            assert isinstance(one, Recordings)
            one.close()
    assert said[0] == said[1] == said[2]


# ---- damage


def pages_of_the_index(path: Path) -> list[int]:
    """The pages (from 0) of a cassette that hold its derived tables: those that an index adds or changes."""
    with sqlite3.connect(path) as db:
        roots = db.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'derived'").fetchall()
    db.close()
    return sorted(root - 1 for (root,) in roots)


TAPE = [
    exchange("GET", "/b/1", 200, note(1, "a")),
    exchange("PUT", "/b/1", 200, note(1, "b"), send={"text": "b"}),
    exchange("GET", "/b/1", 200, note(1, "b")),
    exchange("POST", "/b", 201, note(40, "n"), send={"text": "n"}),
    exchange("GET", "/b/40", 200, note(40, "n")),
    exchange("PUT", "/b/40", 200, note(40, "o"), send={"text": "o"}),
    exchange("GET", "/b", 200, [note(1, "b"), note(40, "o")]),
]


def test_a_damaged_index_is_refused_or_found_wanting_and_never_tells_a_wrong_truth(
    tmp_path: Path, indexing: Indexing
) -> None:
    """Each answer is the recorded one of its place, or an error that says what to do; never another recording."""
    path = with_index(write(tmp_path / "one.cassette", TAPE), indexing)
    sound = path.read_bytes()
    size = int.from_bytes(sound[16:18], "big") or 65536
    noise, outcomes = random.Random(5), []
    for page in pages_of_the_index(path):
        used = [at for at in range(page * size, (page + 1) * size) if sound[at]]
        for _ in range(100):
            data = bytearray(sound)
            data[noise.choice(used)] ^= 1 << noise.randrange(8)
            path.write_bytes(data)
            outcomes.append(_told(path, indexing))
    assert outcomes.count("refused") > len(outcomes) // 4
    assert outcomes.count("not found") < len(outcomes) // 3  # a row whose key cannot be found any more is not missed


def _told(path: Path, indexing: Indexing) -> str:
    try:
        tape = open_tape([path], indexing)
    except CassetteError as error:
        assert "durable-replay" in str(error) or path.name in str(error)
        return "refused"
    assert isinstance(tape, Recordings)
    try:
        engine = engine_on(tape, indexing)
        told = [engine.answer("s", one.request) for one in TAPE]
        said = [one.response.body.read() for one in told]
        deviation = engine.answer("t", exchange("PUT", "/b/1", send={"text": "z"}).request)
    except CorruptCassette as error:
        assert "durable-replay cassette index" in str(error) or path.name in str(error)
        return "refused"
    finally:
        tape.close()
    for number, (one, text) in enumerate(zip(told, said, strict=True), 1):
        assert one.source != "recorded" or (one.interaction, text) == (number, TAPE[number - 1].response.body.read())
    if any(one.source != "recorded" for one in told) or deviation.response.status != 200:
        return "not found"
    assert deviation.response.body.read() == b'{"id":"1","text":"z"}'
    return "right"
