"""What an operation may touch, what it is told, and how sightings become knowledge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from durable_replay.errors import Undeclared
from durable_replay.http import BytesBody, FileBody
from durable_replay.service.faults import Missing, Unrecorded
from durable_replay.timeline.resource import Key, Kind, kind
from durable_replay.timeline.scope import Knowledge, Scope, Sighting, World, content_name, name_key
from durable_replay.timeline.session import FixedClock, Session
from durable_replay.timeline.state import Change, Document, Event, Record, SQLiteStore
from durable_replay.timeline.tape import EmptyTape, Seen

BOOK = kind("book", "book", names="title")
NOTE = kind("note", "book note")
A = NOTE.of("1", "a")
FULL: Key = ("s", "", *A)
BOOKS = NOTE.of("1")


@dataclass
class Shown(EmptyTape):
    """A tape on which each of these interactions shows `A` (or what lies around it) before anything was written."""

    told: Mapping[int, Sighting]
    tops: Mapping[tuple[Key, str], int] = field(default_factory=dict)

    def seen(self, key: Key) -> Sequence[Seen]:
        return [Seen(number, 0) for number, one in self.told.items() if ("s", "", *one.key) == key]

    def seen_below(self, prefix: Key) -> Sequence[Key]:
        keys = {("s", "", *one.key) for one in self.told.values()}
        return [key for key in keys if key[: len(prefix)] == prefix]

    def highest(self, prefix: Key, head: str) -> int:
        return self.tops.get((prefix, head), 0)


Make = Callable[..., World]


@pytest.fixture
def world() -> Make:
    def make(*told: Sighting, tops: Mapping[tuple[Key, str], int] | None = None) -> World:
        tape, store = Shown(dict(enumerate(told, 1)), tops or {}), SQLiteStore()
        store.create("s", 0)
        session = Session("s", Record(0), tape, store, FixedClock(0.0))
        kinds: dict[str, Kind] = {one.name: one for one in (BOOK, NOTE)}
        return World(session, "s", "", kinds, lambda number: {("s", "", *tape.told[number].key): tape.told[number]})

    return make


def scope(world: World, reads: Sequence[Key] = ((),), writes: Sequence[Key] = ((),), **more: Sequence[Key]) -> Scope:
    return Scope(world, reads, writes, now=0.0, pinned=more.get("pinned", ()))


def written(world: World, key: Key, document: Document | None) -> None:
    session = world.session
    full = world.full(key)
    session.commit(Change({full: document}, Event("live", session.next_ordinal(), (full,))))


def rehearsed(world: World, document: Document | None) -> None:
    """In the overlay, but with no write of its own: what a rehearsal or a seed leaves."""
    world.session.commit(Change({FULL: document}))


# ---- what is known


SEEN = (Sighting(A, {"n": 1, "x": 1}), Sighting(A, {"n": 2, "y": 2}, whole=False), Sighting(A, None))


@pytest.mark.parametrize(
    ("told", "served", "base", "known"),
    [
        ((), (), None, "unknown"),
        (SEEN[:1], (), None, {"n": 1, "x": 1}),
        (SEEN[:2], (), None, {"n": 1, "x": 1, "y": 2}),  # the first sighting wins, later ones add
        (SEEN[:2], (2,), None, {"n": 2, "x": 1, "y": 2}),  # what was served wins
        (SEEN[:2], (2, 1), None, {"n": 1, "x": 1, "y": 2}),  # and what was served last most of all
        (SEEN, (), None, {"n": 1, "x": 1, "y": 2}),  # seen first, gone later: it was there when the tape began
        (SEEN, (3,), None, None),  # it was told to be gone
        (SEEN, (3, 2), None, {"n": 2, "y": 2}),  # and to be there again: nothing from before
        (SEEN, (1, 3), None, None),
        ((SEEN[2], SEEN[0]), (), None, None),  # first told to be gone
        ((SEEN[2], SEEN[0]), (2,), None, {"n": 1, "x": 1}),
        ((SEEN[2], SEEN[0]), (2, 1), None, None),
        (SEEN[:1], (), {"n": 9, "z": 9}, {"n": 1, "x": 1, "z": 9}),  # recorded over rehearsed
        ((), (), {"z": 9}, {"z": 9}),
    ],
)
def test_sightings_become_knowledge_by_who_was_first_and_who_was_served(
    world: Make, told: Sequence[Sighting], served: Sequence[int], base: Document | None, known: Knowledge
) -> None:
    one = world(*told)
    if base is not None:
        rehearsed(one, base)
    for number in served:
        one.session.serve(b"%d" % number, number)
    assert one.known(A) == known
    assert one.below(BOOKS) == ({A: known} if isinstance(known, dict) else {})


def test_what_a_session_wrote_away_is_back_only_when_it_was_told_so_since(world: Make) -> None:
    one = world(SEEN[0])
    rehearsed(one, None)
    assert one.known(A) is None
    one.session.serve(b"1", 1)
    assert one.known(A) == {"n": 1, "x": 1}


def test_after_a_write_only_what_was_written_is_known(world: Make) -> None:
    one = world(*SEEN, Sighting(BOOKS, {}, complete=True))
    assert one.is_complete(BOOKS)
    assert one.is_complete(A)
    assert not one.is_complete(("note",))
    written(one, A, {"n": 7})
    assert one.known(A) == {"n": 7}
    assert not one.is_complete(BOOKS)
    written(one, A, None)
    assert one.known(A) is None
    assert one.below(BOOKS) == {}


def test_a_renamed_thing_is_found_by_its_new_name_alone(world: Make) -> None:
    told = (Sighting(BOOK.of("1"), {"id": "1", "title": "old"}), Sighting(name_key(BOOK, "old"), {"id": "1"}))
    one = world(*told)
    work = scope(one)
    assert work.identify(BOOK, "old") == "1"
    work.merge(BOOK.of("1"), {"title": "new"})
    assert (work.identify(BOOK, "old"), work.identify(BOOK, "new")) == ("old", "1")
    work.delete(BOOK.of("1"))
    assert work.identify(BOOK, "new") == "new"
    assert set(work.changes) == {BOOK.of("1"), name_key(BOOK, "old"), name_key(BOOK, "new")}


# ---- what is declared


@pytest.mark.parametrize(
    "act",
    [
        lambda one: one.find(NOTE.of("2", "a")),
        lambda one: one.get(NOTE.of("2", "a")),
        lambda one: one.all(("note",)),
        lambda one: one.all(()),
        lambda one: one.put(NOTE.of("1", "b"), {}),
        lambda one: one.delete(NOTE.of("1", "b")),
        lambda one: one.clear(NOTE.of("1")),
        lambda one: one.merge(NOTE.of("1", "b"), {}),
    ],
)
def test_what_is_not_declared_cannot_be_touched(world: Make, act: Callable[[Scope], object]) -> None:
    work = scope(world(Sighting(NOTE.of("1", "b"), {"n": 1})), reads=[BOOKS], writes=[A])
    with pytest.raises(Undeclared):
        act(work)


def test_what_may_be_written_may_be_read_and_a_prefix_allows_all_below_it(world: Make) -> None:
    work = scope(world(SEEN[0]), reads=[], writes=[BOOKS])
    assert work.get(A) == {"n": 1, "x": 1}
    work.put(NOTE.of("1", "b"), {"n": 2})
    assert [key for key, _ in work.all(BOOKS)] == [A, NOTE.of("1", "b")]
    with pytest.raises(Undeclared, match="read of book/1, but the operation declares note/1/…"):
        work.find(BOOK.of("1"))


# ---- what an operation works on


def test_nothing_that_an_operation_changes_in_place_is_changed_for_anyone_else(world: Make) -> None:
    deep: Document = {"tags": ["a", {"n": 1}], "by": {"name": "ann", "at": [1]}}
    before = repr(deep)
    one = world(Sighting(A, deep))

    def spoil(document: Document) -> None:
        tags, by = document["tags"], document["by"]
        assert isinstance(tags, list)
        assert isinstance(by, dict)
        tags.append("b")
        assert isinstance(tags[1], dict)
        tags[1]["n"] = 2
        by["at"] = None

    reads: list[Callable[[Scope], Document]] = [lambda work: work.get(A), lambda work: dict(work.all(BOOKS))[A]]
    for read in reads:
        spoil(read(scope(one)))
        assert repr(deep) == before
        assert one.known(A) == deep
    work = scope(one)
    work.put(A, work.get(A))
    for read in reads:
        spoil(read(work))
        assert work.changes[A] == deep


def test_an_operation_sees_its_own_changes(world: Make) -> None:
    work = scope(world(SEEN[0]))
    work.put(NOTE.of("1", "b"), {"n": 2})
    assert work.merge(A, {"n": 5}) == {"n": 5, "x": 1}
    assert dict(work.all(BOOKS)) == {A: {"n": 5, "x": 1}, NOTE.of("1", "b"): {"n": 2}}
    work.delete(A)
    assert not work.exists(A)
    with pytest.raises(Missing, match="note/1/a is not there"):
        work.get(A)
    work.clear(BOOKS)
    assert list(work.all(BOOKS)) == []
    assert (work.changes, work.cleared) == ({A: None, NOTE.of("1", "b"): None}, [BOOKS])
    work.drop()
    assert work.get(A) == {"n": 1, "x": 1}
    assert (work.changes, work.cleared, work.counters) == ({}, [], {})


def test_what_is_taken_for_absent_is_told_unless_a_whole_listing_says_so(world: Make) -> None:
    work = scope(world())
    assert work.find(A) is None
    assert work.assumed == [A]
    work = scope(world(Sighting(BOOKS, {}, complete=True)))
    assert work.find(A) is None
    assert work.assumed == []


def test_a_new_identity_is_one_that_nobody_used(world: Make) -> None:
    tops = {(("s", "", "note", "1"), ""): 8, (("s", "", "book.name"), "P-"): 41}
    work = scope(world(Sighting(NOTE.of("1", "9"), {"n": 1}), Sighting(NOTE.of("1", "11"), None), tops=tops))
    assert [work.mint(NOTE, "1") for _ in range(3)] == ["10", "12", "13"]
    assert work.mint(NOTE, "2") == "1"
    assert work.mint(BOOK, form=lambda mint: f"P-{mint.number('P-')}") == "P-42"
    work.drop()
    assert work.mint(NOTE, "1") == "10"


def test_while_a_recorded_create_is_played_its_identities_are_the_recorded_ones(world: Make) -> None:
    work = scope(world(), pinned=[NOTE.of("1", "77"), BOOK.of("5"), NOTE.of("1", "78"), ("note", "1")])
    assert [work.mint(NOTE, "2"), work.mint(NOTE, 1), work.mint(NOTE, "1"), work.mint(BOOK)] == ["1", "77", "78", "5"]
    assert work.mint(BOOK) == "1"


def test_randomness_follows_from_the_seed_and_the_past_and_nothing_else(world: Make) -> None:
    first, again = scope(world()), scope(world())
    told = [first.random.random() for _ in range(3)]
    assert [again.random.random() for _ in range(3)] == told
    assert scope(again.world).random.random() not in told
    assert again.next("mine") == 1
    assert again.next("mine") == 2


# ---- contents


def test_a_content_is_named_by_its_bytes_wherever_it_lies(world: Make) -> None:
    work = scope(world())
    name = work.keep(iter([b"he", b"llo"]))
    assert work.content(name).read() == b"hello"
    assert content_name(BytesBody(b"hello")) == name
    with pytest.raises(Unrecorded, match="was not recorded"):
        work.content("sha256:" + "0" * 64)


def test_a_body_that_knows_its_name_is_not_read_for_it() -> None:
    class Named(FileBody):
        def __init__(self) -> None:
            self.size = 5
            self.digest = "ab" * 32

    assert content_name(Named()) == "sha256:" + "ab" * 32
