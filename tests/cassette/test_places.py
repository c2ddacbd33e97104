"""Numbers for what rows share."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from durable_replay.cassette import places as places_module
from durable_replay.cassette.places import Places, body_numbers, number_above, origin_of, origin_text
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

Make = Callable[..., Interaction]
DIGEST = sha256(b"a body").digest()
ALIKE = (
    10_224_207,
    11_911_023,
    12_920_863,
    16_862_776,
    21_548_661,
    23_283_588,
    25_387_689,
    30_600_969,
    30_851_582,
    32_298_069,
    33_201_068,
    33_641_465,
    36_202_136,
    39_923_873,
    42_686_524,
    43_435_161,
    55_072_210,
    55_396_365,
)
"""The sha256 of these numbers, written out, all begin with the same 24 bits."""


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
    above = number_above(DIGEST)
    assert [store(db, places, alike(at)) for at in range(16, 20)] == list(range(above, above + 4))
    assert [Places(db).body(alike(at)) for at in range(15, 20)] == [last, *range(above, above + 4)]
    db.execute("DELETE FROM body WHERE id IN (?, ?)", (first + 5, above + 1))
    assert store(db, Places(db), alike(20)) == first + 5
    assert store(db, Places(db), alike(21)) == above + 1
    assert Places(db).body(alike(7)) == first + 7
    assert Places(db).body(alike(19)) == above + 3


def test_a_body_that_had_to_be_put_elsewhere_is_found_there_also_when_its_place_is_free(db: sqlite3.Connection) -> None:
    for at in range(18):
        store(db, Places(db), alike(at))
    db.execute("DELETE FROM body WHERE id < ? OR id = ?", (1 << 40, number_above(DIGEST)))
    places = Places(db)
    assert places.body(alike(17)) == number_above(DIGEST) + 1
    assert places.body(alike(16)) is None
    assert store(db, places, alike(16)) == body_numbers(DIGEST)[0]


def test_the_last_numbers_are_never_reached(db: sqlite3.Connection) -> None:
    highest = b"\xff" * 32
    first, last = body_numbers(highest)
    db.executemany("INSERT INTO body (id, digest) VALUES (?, ?)", [(id, b"x") for id in range(first, last + 1)])
    assert last == (1 << 28) - 1
    assert (1 << 61) < store(db, Places(db), highest) < (1 << 62)


@pytest.fixture
def two_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers follow from two bits of a digest, so that any few contents are as those that somebody has sought out."""

    def body_numbers(digest: bytes) -> tuple[int, int]:
        first = (digest[0] & 3) * 16
        return first, first + 15

    def number_above(digest: bytes) -> int:
        return (1 << 61) + (digest[1] & 1)

    monkeypatch.setattr(places_module, "body_numbers", body_numbers)
    monkeypatch.setattr(places_module, "number_above", number_above)


@pytest.mark.usefixtures("two_bits")
def test_any_number_of_bodies_that_begin_alike_is_recorded_changed_and_read(path: Path, make: Make) -> None:
    made = [make(number, b"body %d" % number) for number in range(1, 301)]
    with CassetteWriter.open(path) as writer:
        for interaction in made[:200]:
            writer.append(interaction)
    with CassetteWriter.open(path) as writer:
        for interaction in made:  # the first are there
            writer.append(interaction)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT digest) FROM body").fetchone() == (300, 300)
        ((above,),) = connection.execute("SELECT count(*) FROM body WHERE id >= ?", (1 << 61,)).fetchall()
    assert above >= 300 - 64
    with CassetteWriter.open(path) as writer:
        writer.delete(range(1, 230))
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 271
        found = [each.response.body.read() for each in cassette.interactions()]
        assert found == [each.response.body.read() for each in (made[:200] + made)[229:]]
        digest = sha256(b"body 299").hexdigest()
        assert (body := cassette.body(digest)) is not None
        assert body.read() == b"body 299"
        assert cassette.body(sha256(b"none of them").hexdigest()) is None


def test_bodies_that_somebody_has_sought_out_are_recorded(path: Path, make: Make) -> None:
    contents = [b"%d" % number for number in ALIKE]
    assert len({sha256(content).digest()[:3] for content in contents}) == 1
    with CassetteWriter.open(path) as writer:
        for number, content in enumerate(contents, 1):
            writer.append(make(number, content))
    with Cassette.open(path) as cassette:
        assert cassette.verify() == len(contents) == 18
        assert [each.response.body.read() for each in cassette.interactions()] == contents


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


def test_thousands_of_hosts_have_numbers_of_their_own(path: Path, make: Make) -> None:
    made = make(1)
    with CassetteWriter.open(path) as writer:
        for number in range(5000):
            writer.append(replace(made, request=replace(made.request, host=f"h{number}.test", port=number % 7 + 1)))
    with CassetteWriter.open(path) as writer:
        writer.delete(range(1, 4001))
        writer.append(replace(made, request=replace(made.request, host="new.test")))
    with Cassette.open(path) as cassette:
        assert [each.request.host for each in cassette.interactions()] == [
            *(f"h{number}.test" for number in range(4000, 5000)),
            "new.test",
        ]
        assert len(cassette.summary().hosts) == 1001


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
