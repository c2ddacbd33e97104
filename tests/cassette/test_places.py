"""Numbers for what rows share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from durable_replay.cassette.places import Places, body_numbers, origin_of, origin_text
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Make = Callable[..., Interaction]
DIGEST = sha256(b"a body").digest()


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE body (id INTEGER PRIMARY KEY, digest, size, packing, data)")
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
    connection.execute("CREATE TABLE interaction (origin INTEGER)")
    yield connection
    connection.close()


def store(db: sqlite3.Connection, places: Places, digest: bytes) -> int:
    number, is_there = places.locate(digest)
    assert not is_there
    places.put(digest, 3, lambda: ("raw", b"abc"))
    places.put(digest, 3, lambda: ("raw", b"it is there already"))
    assert db.execute("SELECT digest, size, packing, data FROM body WHERE id = ?", (number,)).fetchall() == [
        (digest, 3, "raw", b"abc")
    ]
    return number


def alike(last: int) -> bytes:
    """A digest that begins as DIGEST does."""
    return DIGEST[:8] + last.to_bytes(24, "big")


def test_a_body_has_the_number_that_its_digest_says(db: sqlite3.Connection) -> None:
    places = Places(db)
    assert places.body(DIGEST) is None
    number = store(db, places, DIGEST)
    assert number == body_numbers(DIGEST)[0]
    assert number.bit_length() <= 28
    assert places.body(DIGEST) == Places(db).body(DIGEST) == number


def test_bodies_whose_digests_begin_alike_have_numbers_of_their_own(db: sqlite3.Connection) -> None:
    places = Places(db)
    first, last = body_numbers(DIGEST)
    assert [store(db, places, alike(at)) for at in range(16)] == list(range(first, last + 1))
    assert [Places(db).body(alike(at)) for at in range(16)] == list(range(first, last + 1))
    with pytest.raises(CassetteError, match="collides"):
        places.locate(alike(16))
    db.execute("DELETE FROM body WHERE id = ?", (first + 5,))
    assert store(db, Places(db), alike(16)) == first + 5
    assert Places(db).body(alike(7)) == first + 7


def test_no_body_has_the_number_zero(db: sqlite3.Connection) -> None:
    assert store(db, Places(db), bytes(32)) == 1


@pytest.mark.parametrize("origin", [("api.test", 443), ("::1", 8080), ("", 0), ("a:b", 80)])
def test_an_origin_is_read_from_its_text(origin: tuple[str, int]) -> None:
    assert origin_of(origin_text(*origin)) == origin


def test_origins_are_counted_up_and_remembered_by_the_file(db: sqlite3.Connection) -> None:
    places = Places(db)
    assert [places.origin("a", 1), places.origin("b", 1), places.origin("a", 1), places.origin("a", 2)] == [1, 2, 1, 3]
    assert Places(db).origin("b", 1) == 2
    db.execute("INSERT INTO interaction VALUES (3)")
    places.drop_unused()
    assert db.execute("SELECT key, value FROM meta").fetchall() == [("origin 3", "a:2")]
    assert places.origin("b", 1) == 4


def test_a_host_that_is_taken_off_the_tape_leaves_the_file(path: Path, make: Make) -> None:
    other = make(2)
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        writer.append(replace(other, request=replace(other.request, host="gone.test")))
    with CassetteWriter.open(path) as writer:
        writer.delete([2])
    assert b"gone.test" not in path.read_bytes()
    with Cassette.open(path) as cassette:
        assert cassette.summary().hosts == {"api.test": 1}


def test_a_host_that_is_missing_is_noticed(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM meta WHERE key = 'origin 1'")
    connection.commit()
    connection.close()
    with Cassette.open(path) as cassette, pytest.raises(CassetteError, match="host"):
        cassette.interaction(1)


@pytest.mark.parametrize("key", ["tape", "origin 1", "dictionary 1", "migration 1"])
def test_the_facts_of_the_tape_itself_are_not_for_others_to_set(path: Path, key: str) -> None:
    with CassetteWriter.open(path) as writer, pytest.raises(CassetteError, match="own"):
        writer.set_meta(key, "x")
