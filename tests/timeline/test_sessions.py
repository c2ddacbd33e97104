"""All sessions of a store: made when first named, limited in number, their past kept over restarts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from durable_replay.errors import UsageError
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import Change, Event, SQLiteStore
from durable_replay.timeline.tape import EmptyTape

A = ("s", "", "note", "a")


def write(sessions: Sessions, name: str, text: str) -> None:
    session = sessions.get(name)
    session.commit(Change({A: {"text": text}}, Event("live", session.next_ordinal(), (A,), session.clock.now())))


def text(sessions: Sessions, name: str) -> object:
    document = sessions.store.entry(name, A)[1]
    return document and document["text"]


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    one = Sessions(EmptyTape(), SQLiteStore(), clock="2026-01-31T10:00:00Z", seed=3, limit=5)
    yield one
    one.close()


def test_a_session_is_made_once_however_many_name_it_at_once(sessions: Sessions) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: sessions.get("s"), range(40)))
    assert len({id(one) for one in found}) == 1
    assert found[0].seed == 3


def test_what_one_session_writes_no_other_has(sessions: Sessions) -> None:
    write(sessions, "s", "mine")
    assert (text(sessions, "s"), text(sessions, "t")) == ("mine", None)
    assert sessions.get("t").live == []


def test_a_fork_and_its_source_go_their_own_ways(sessions: Sessions) -> None:
    write(sessions, "s", "before")
    fork = sessions.fork("s", "t")
    write(sessions, "s", "after")
    assert (text(sessions, "s"), text(sessions, "t")) == ("after", "before")
    assert (len(fork.live), fork.seed) == (1, 3)
    with pytest.raises(UsageError, match="session 't' already"):
        sessions.fork("s", "t")


def test_a_snapshot_can_be_returned_to_again_and_again_and_replaced(sessions: Sessions) -> None:
    held = sessions.get("s")
    for word in ("one", "two"):
        write(sessions, "s", word)
        sessions.snapshot("s", word)
    for word in ("one", "two", "one"):
        assert sessions.restore("s", word) is held
        assert text(sessions, "s") == word
        write(sessions, "s", "more")
    sessions.snapshot("s", "one")
    sessions.reset("s")
    assert (text(sessions, "s"), held.live, sessions.snapshots("s")) == (None, [], ("one", "two"))
    sessions.restore("s", "one")
    assert text(sessions, "s") == "more"
    assert sessions.names() == ["s"]


def test_snapshots_of_a_session_end_with_it_and_those_of_a_longer_name_do_not(sessions: Sessions) -> None:
    write(sessions, "s", "x")
    write(sessions, "s.2", "y")
    sessions.snapshot("s", "kept")
    sessions.snapshot("s.2", "kept")
    sessions.delete("s")
    assert (sessions.names(), sessions.snapshots("s"), sessions.snapshots("s.2")) == (["s.2"], (), ("kept",))
    assert sessions.store.names() == ["s.2", "s.2@kept"]
    assert text(sessions, "s") is None
    sessions.get("s")
    assert sessions.names() == ["s", "s.2"]


def test_no_more_sessions_are_open_than_the_limit_says(sessions: Sessions) -> None:
    for number in range(5):
        sessions.get(str(number))
    with pytest.raises(UsageError, match="5 sessions are open; delete some"):
        sessions.get("more")
    assert "more" not in sessions.names()
    sessions.get("4")
    sessions.delete("0")
    sessions.get("more")


def test_a_limit_holds_for_sessions_that_are_made_by_name_too(sessions: Sessions) -> None:
    sessions.get("s")
    for number in range(4):
        sessions.create(str(number))
    with pytest.raises(UsageError, match="5 sessions are open"):
        sessions.create("more")
    with pytest.raises(UsageError, match="5 sessions are open"):
        sessions.fork("s", "more")
    assert "more" not in sessions.names()


def test_all_that_a_session_was_is_there_after_a_restart(tmp_path: Path) -> None:
    def opened() -> Sessions:
        return Sessions(EmptyTape(), SQLiteStore(tmp_path), clock="2026-01-31T10:00:00Z")

    first = opened()
    first.create("s", 11)
    write(first, "s", "kept")
    first.snapshot("s", "then")
    first.get("s").tick()
    first.get("s").serve(b"key", 4)
    first.close()
    second = opened()
    session = second.get("s")
    assert (session.seed, len(session.live), text(second, "s"), second.snapshots("s")) == (11, 1, "kept", ("then",))
    assert (session.cursors, session.served) == ({b"key": 4}, {4: 1})
    assert session.clock.now() % 60 == 1.0
    second.close()


@pytest.mark.parametrize("clock", ["yesterday", "2026-01-31T10:00:00", ""])
def test_a_clock_that_is_none_is_refused_at_once(clock: str) -> None:
    with pytest.raises(UsageError, match="--clock"):
        Sessions(EmptyTape(), SQLiteStore(), clock=clock)
