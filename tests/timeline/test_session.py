"""One session: footprints that wait for one another, numbers that nobody else gets, and an end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from durable_replay.errors import UsageError
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.session import FixedClock, RunningClock, Session, clock_named
from durable_replay.timeline.state import Change, Event, Record, SQLiteStore
from durable_replay.timeline.tape import EmptyTape


@pytest.fixture
def session() -> Session:
    store = SQLiteStore()
    store.create("s", 0)
    return Session("s", Record(0), EmptyTape(), store, FixedClock(0.0))


def test_two_requests_on_different_things_run_at_once(session: Session) -> None:
    together = threading.Barrier(2, timeout=10)

    def run(key: str) -> None:
        with session.footprint((), (("note", key),)):
            together.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, ["a", "b"]))
    assert not together.broken


def test_two_readers_of_one_thing_run_at_once(session: Session) -> None:
    together = threading.Barrier(2, timeout=10)

    def run(_: int) -> None:
        with session.footprint((("note",),), ()):
            together.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    assert not together.broken


@pytest.mark.parametrize("held", [("note", "a"), ("note",), ("note", "a", "deep"), ()])
def test_a_request_waits_for_an_earlier_one_that_overlaps(session: Session, held: tuple[str, ...]) -> None:
    entered, order = threading.Event(), []

    def later() -> None:
        entered.set()
        with session.footprint((("note", "a"),), ()):
            order.append("later")

    with session.footprint((), (held,)):
        thread = threading.Thread(target=later)
        thread.start()
        assert entered.wait(10)
        thread.join(0.05)
        assert thread.is_alive()
        order.append("earlier")
    thread.join(10)
    assert order == ["earlier", "later"]


def test_no_two_live_writes_share_an_ordinal_so_their_marks_never_cancel(session: Session) -> None:
    def write(number: int) -> None:
        key = ("note", str(number))
        session.commit(Change({key: {}}, Event("live", session.next_ordinal(), (key,))))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(200)))
    assert sorted(event.number for event in session.live) == list(range(1, 201))
    assert session.history.digest((("note",),)) != 0


def test_a_counter_gives_each_value_once_over_threads_and_restarts(session: Session) -> None:
    with ThreadPoolExecutor(8) as pool:
        taken = [value for _, value in pool.map(lambda _: session.take("id"), range(200))]
    assert sorted(taken) == list(range(200))
    session.commit(Change(counters={"id": 200}))
    session.commit(Change(counters={"id": 7}))  # a slower request that took its number earlier
    record = session.store.load("s")
    assert record is not None
    assert record.counters["id"] == 200
    assert session.take("id")[1] == 200


def test_numbers_of_a_failed_request_go_back_unless_others_took_more(session: Session) -> None:
    before, value = session.take("id")
    session.give_back({"id": (before, value + 1)})
    assert session.take("id")[1] == 0
    session.take("id")
    session.give_back({"id": (0, 1)})
    assert session.take("id")[1] == 2


def test_what_was_read_reaches_the_store_with_the_next_write_or_when_asked(session: Session) -> None:
    session.serve(b"request", 4)
    session.serve(b"other", 2)
    session.flush()
    record = session.store.load("s")
    assert record is not None
    assert (record.cursors, record.served) == ({b"request": 4, b"other": 2}, {4: 1, 2: 2})


def test_a_deleted_session_answers_nothing_and_writes_nothing(session: Session) -> None:
    fact = Fact(1, (), (), 0)
    assert session.choose(b"request", [fact]) is fact
    session.end()
    assert session.choose(b"request", [fact]) is None
    with pytest.raises(UsageError, match="was deleted"):
        session.commit(Change({("note", "a"): {}}))
    assert session.store.entry("s", ("note", "a")) == (False, None)


def test_what_was_written_is_found_above_and_below(session: Session) -> None:
    session.commit(Change({}, Event("live", 1, (("note", "a", "b"),))))
    assert session.wrote_over(("note",)) == ("note", "a", "b")
    assert session.wrote_over(("note", "a", "b", "c")) == ("note", "a", "b")
    assert session.wrote_over(("note", "b")) is None


def test_clocks_by_name() -> None:
    fixed = clock_named("2026-01-31T10:00:00Z", 0, Record(0, counters={"clock": 3}))
    assert fixed.now() == 1769853603.0
    fixed.tick()
    assert fixed.now() == 1769853604.0
    recorded = clock_named("recorded", 1000.0, Record(0, [Event("live", 1, (), 5000.0)]))
    assert 5000.0 <= recorded.now() < 5060.0
    recorded.reach(9000.0)
    assert 9000.0 <= recorded.now() < 9060.0
    assert isinstance(clock_named("recorded", 0, Record(0)), RunningClock)
    for wrong in ("yesterday", "2026-01-31T10:00:00"):
        with pytest.raises(UsageError, match="--clock"):
            clock_named(wrong, 0, Record(0))
