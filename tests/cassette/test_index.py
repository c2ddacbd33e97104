"""The derived tables: what is put in comes out, made anew in whole or not at all, guarded row by row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.index import Index, IndexRows
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CorruptCassette
from durable_replay.http import Interaction
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key
from durable_replay.timeline.tape import Seen

A, B = ("s", "", "note", "a"), ("s", "", "note", "b/ü")
READ = Fact(1, (A, B), (), 0, "s", "show")
WRITE = Fact(2, (A,), (A,), 77, "s", "merge")
UNKNOWN = Fact(3, (), (), 0)
ROWS = [
    IndexRows(READ, b"k1", b"l1", "one.test", ((A, 0), (B, 0))),
    IndexRows(WRITE, b"k2", None, "one.test", ((A, 5),)),
    IndexRows(UNKNOWN, b"k1", None, "two.test", ()),
]


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    one = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    yield one
    one.close()


@pytest.fixture
def index(db: sqlite3.Connection) -> Index:
    one = Index(lambda: db)
    one.replace("print", ROWS, lambda: [(A[:3], "P-", 9)])
    return one


def test_each_question_is_answered_from_what_was_put_in(index: Index) -> None:
    assert index.candidates(b"k1") == [READ, UNKNOWN]
    assert index.candidates(b"k3") == []
    assert index.listing(b"l1") == [READ]
    assert [index.fact(number) for number in (1, 2, 3)] == [READ, WRITE, UNKNOWN]
    assert index.writes() == [WRITE]
    assert index.seen(A) == [Seen(1, 0), Seen(2, 5)]
    assert index.seen_below(("s", "")) == index.seen_below(A[:3]) == [A, B]
    assert index.seen_below(A) == [A]
    assert (index.highest(A[:3], "P-"), index.highest(A[:3], ""), index.highest(A, "P-")) == (9, 0, 0)
    assert index.used() == {"s": 2, "": 1}
    with pytest.raises(LookupError):
        index.fact(4)


def test_the_nearest_are_of_the_host_and_of_any_when_it_has_none(index: Index) -> None:
    assert index.nearest("one.test", 1) == [1]
    assert index.nearest("one.test", 9) == [1, 2]
    assert index.nearest("three.test", 2) == [1, 2]


def test_an_index_fits_the_fingerprint_that_it_was_made_for(index: Index) -> None:
    assert index.fits("print")
    assert not index.fits("other")
    assert not Index.in_memory().fits("print")


def test_a_cassette_without_an_index_has_none_that_fits(
    write: Callable[[list[Interaction]], Path], make: Callable[..., Interaction]
) -> None:
    with Cassette.open(write([make(1)])) as cassette:
        assert not Index(cassette.connection).fits("")


def test_a_new_index_replaces_the_old_one_whatever_its_tables_were(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE seen (key BLOB, old INTEGER)")
    db.execute("CREATE TABLE index_meta (name TEXT, value TEXT)")
    db.execute("INSERT INTO index_meta VALUES ('fingerprint', 'print')")
    index = Index(lambda: db)
    assert not index.fits("print")
    index.replace("print", ROWS, list)
    index.replace("next", [replace(ROWS[0], seen=())], list)
    assert index.fits("next")
    assert (index.writes(), index.seen(A), index.highest(A[:3], "P-")) == ([], [], 0)


def test_an_index_that_cannot_be_finished_leaves_the_old_one(
    write: Callable[[list[Interaction]], Path], make: Callable[..., Interaction]
) -> None:
    def broken() -> Iterator[IndexRows]:
        yield replace(ROWS[0], host="new.test")
        raise RuntimeError("the plug-in fell over")

    path = write([make(1), make(2), make(3)])
    with CassetteWriter.open(path) as writer:
        Index(writer.index_connection).replace("print", ROWS, list)
    with pytest.raises(RuntimeError), CassetteWriter.open(path) as writer:
        Index(writer.index_connection).replace("next", broken(), list)
    with Cassette.open(path) as cassette:
        index = Index(cassette.connection)
        assert index.fits("print")
        assert index.nearest("one.test", 9) == [1, 2]
        assert cassette.verify() == 3


Ask = Callable[[Index], object]


@pytest.mark.parametrize(
    ("change", "ask"),
    [
        ("UPDATE derived SET value = value || x'00' WHERE part = 1", lambda index: index.fact(1)),
        ("UPDATE derived SET value = zeroblob(9) WHERE part = 1 AND key = x'00000002'", lambda index: index.writes()),
        ("UPDATE derived SET key = x'00000009' WHERE part = 1 AND key = x'00000001'", lambda index: index.fact(9)),
        ("DELETE FROM derived WHERE part = 1 AND key = x'00000001'", lambda index: index.candidates(b"k1")),
        ("UPDATE derived SET key = x'00' WHERE part = 2 AND key = x'6b31'", lambda index: index.candidates(b"\0")),
        ("UPDATE derived SET key = x'00' WHERE part = 3", lambda index: index.listing(b"\0")),
        ("UPDATE derived SET value = 'text' WHERE part = 2", lambda index: index.candidates(b"k1")),
        ("UPDATE derived SET value = x'00' WHERE part = 4", lambda index: index.nearest("one.test", 1)),
        ("UPDATE derived SET value = x'0000000001' WHERE part = 5", lambda index: index.writes()),
        ("UPDATE derived SET key = x'00' WHERE part = 6", lambda index: index.seen(A)),
        ("UPDATE derived SET value = value || x'00' WHERE part = 7", lambda index: index.seen(A)),
        ("UPDATE derived SET key = CAST(key || x'00' AS BLOB) WHERE part = 7", lambda index: index.seen_below(A[:3])),
        ("UPDATE derived SET value = x'0000000000' WHERE part = 8", lambda index: index.highest(A[:3], "P-")),
        ("UPDATE derived SET key = x'41' WHERE part = 9 AND key = x'73'", lambda index: index.used()),
        ("DELETE FROM derived WHERE part = 10", lambda index: index.fact(1)),
        ("UPDATE derived SET value = zeroblob(20) WHERE part = 10", lambda index: index.fact(1)),
        ("DROP TABLE derived", lambda index: index.highest(A[:3], "P-")),
    ],
)
def test_a_row_that_is_not_what_was_written_is_refused_with_the_next_step(
    index: Index, db: sqlite3.Connection, change: str, ask: Ask
) -> None:
    db.execute(change)
    index = Index(lambda: db)
    with pytest.raises(CorruptCassette, match=r"durable-replay cassette index"):
        ask(index)


def test_an_index_that_was_replaced_meanwhile_is_not_taken_for_the_one_that_was_opened(db: sqlite3.Connection) -> None:
    opened, other = Index(lambda: db), Index(lambda: db)
    other.replace("print", ROWS, list)
    assert opened.fact(1) == READ
    assert opened.seen(A) == [Seen(1, 0), Seen(2, 5)]
    more = [replace(ROWS[0], fact=replace(READ, operation=f"show {'x' * 99}"), seen=((("t", "", "u", "a"), 0),))]
    other.replace("next", more, list)
    assert other.fact(1) == more[0].fact
    with pytest.raises(CorruptCassette):
        opened.fact(1)
    with pytest.raises(CorruptCassette):
        opened.seen(A)


def test_each_host_keeps_its_first_thousand(db: sqlite3.Connection) -> None:
    index = Index(lambda: db)
    many = [replace(ROWS[2], fact=Fact(number, (), (), 0)) for number in range(1, 1201)]
    index.replace("", many, list)
    assert index.nearest("two.test", 5000) == list(range(1, 1001))
    assert len(index.candidates(b"k1")) == 1200


def test_a_request_is_found_by_its_whole_key(db: sqlite3.Connection) -> None:
    index = Index(lambda: db)
    index.replace("", [replace(ROWS[0], request_key=bytes(range(16)))], list)
    assert index.candidates(bytes(range(16))) == [READ]
    assert index.candidates(bytes(range(1, 17))) == []


def test_a_key_of_any_depth_is_found_and_below_each_of_its_prefixes(db: sqlite3.Connection) -> None:
    keys: list[Key] = [("s",), ("s", "t"), ("s", "t", "u"), ("s", "t", "u", "1"), ("s", "t", "u", "1", "2"), ("s", "v")]
    index = Index(lambda: db)
    index.replace("", [replace(ROWS[0], seen=tuple((key, at) for at, key in enumerate(keys)))], list)
    assert [index.seen(key) for key in keys] == [[Seen(1, at)] for at in range(len(keys))]
    for prefix in [(), *keys]:
        assert index.seen_below(prefix) == [key for key in keys if key[: len(prefix)] == prefix]


def test_a_key_of_odd_text_is_found(db: sqlite3.Connection) -> None:
    odd: Key = ("s", "\x00", "note", "\udcff", "")
    index = Index(lambda: db)
    index.replace("", [replace(ROWS[0], seen=((odd, 3),))], list)
    assert index.seen(odd) == [Seen(1, 3)]
    assert index.seen_below(("s", "\x00")) == [odd]
    assert index.seen_below(("s", "\x00\x00")) == []
