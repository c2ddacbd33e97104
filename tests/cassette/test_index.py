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
        ("UPDATE fact SET reads='[]'", lambda index: index.fact(1)),
        ("UPDATE fact SET writes='[[\"s\"]]'", lambda index: index.fact(1)),
        ("UPDATE fact SET before=before+1", lambda index: index.fact(1)),
        ("UPDATE fact SET number=number+10", lambda index: index.candidates(b"k1")),
        ("UPDATE fact SET request_key=x'00'", lambda index: index.candidates(b"\0")),
        ("UPDATE fact SET listing_key=x'00'", lambda index: index.listing(b"\0")),
        ("UPDATE fact SET operation='drop'", lambda index: index.writes()),
        ("UPDATE fact SET reads='[[' WHERE number=1", lambda index: index.fact(1)),
        ("UPDATE fact SET host=CAST(x'ff' AS TEXT)", lambda index: index.fact(1)),
        ("UPDATE seen SET digest=digest+1", lambda index: index.seen(A)),
        ("UPDATE seen SET number=7 WHERE digest=5", lambda index: index.seen(A)),
        ("UPDATE seen SET key=x'00' WHERE number=2", lambda index: index.seen(("",))),
        ("UPDATE highest SET value=0", lambda index: index.highest(A[:3], "P-")),
        ("DROP TABLE highest", lambda index: index.highest(A[:3], "P-")),
    ],
)
def test_a_row_that_is_not_what_was_written_is_refused_with_the_next_step(
    index: Index, db: sqlite3.Connection, change: str, ask: Ask
) -> None:
    db.execute(change)
    with pytest.raises(CorruptCassette, match=r"durable-replay cassette index"):
        ask(index)


def test_a_key_of_odd_text_is_found(db: sqlite3.Connection) -> None:
    odd: Key = ("s", "\x00", "note", "\udcff", "")
    index = Index(lambda: db)
    index.replace("", [replace(ROWS[0], seen=((odd, 3),))], list)
    assert index.seen(odd) == [Seen(1, 3)]
    assert index.seen_below(("s", "\x00")) == [odd]
    assert index.seen_below(("s", "\x00\x00")) == []
