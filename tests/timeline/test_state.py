"""The store: what is committed is there again, what no document names is swept, what is not ours is left alone."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.errors import UsageError
from durable_replay.timeline.resource import Key
from durable_replay.timeline.state import Change, Document, Event, Record, SQLiteStore

A, B = ("s", "", "note", "a"), ("s", "", "note", "b")


@pytest.fixture
def store() -> Iterator[SQLiteStore]:
    one = SQLiteStore()
    one.create("s", 7)
    yield one
    one.close()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "contents").iterdir())


def test_gone_is_not_the_same_as_never_written(store: SQLiteStore) -> None:
    store.commit("s", Change({A: None, B: {"n": 1}}))
    assert store.entry("s", A) == (True, None)
    assert store.entry("s", B) == (True, {"n": 1})
    assert store.entry("s", ("s", "", "note", "c")) == (False, None)
    assert store.entries("s", ("s", "", "note")) == {A: None, B: {"n": 1}}
    assert store.entries("t", ()) == {}


def test_a_session_comes_back_with_all_of_its_past(tmp_path: Path) -> None:
    first = SQLiteStore(tmp_path)
    first.create("s", 7)
    events = [Event("played", 3, (A,), 1.5), Event("live", 1, (B, ("s",)), 2.5)]
    for event in events:
        first.commit("s", Change(event=event, counters={"id": event.number}, cursors={b"\x00k": 4}, served={4: 9}))
    first.close()
    second = SQLiteStore(tmp_path)
    assert second.load("s") == Record(7, events, {"id": 3}, {b"\x00k": 4}, {4: 9})
    assert second.load("t") is None
    second.close()


def test_a_change_is_committed_whole_or_not_at_all(store: SQLiteStore) -> None:
    odd: dict[Key, Document | None] = {A: {"n": 1}, B: {"n": object()}}  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        store.commit("s", Change(odd, Event("live", 1, (A,))))
    with pytest.raises(sqlite3.Error):
        store.commit("s", Change({A: {"n": 1}}, Event("live", 1, (A,)), cursors={object(): 1}))  # type: ignore[dict-item]
    assert store.entries("s", ()) == {}
    assert store.load("s") == Record(7)
    store.commit("s", Change({A: {"n": 2}}))
    assert store.entry("s", A) == (True, {"n": 2})


def test_a_copy_replaces_and_is_independent(store: SQLiteStore) -> None:
    store.commit("s", Change({A: {"n": 1}}, Event("live", 1, (A,)), {"id": 2}, {b"k": 1}, {1: 1}))
    store.create("t", 1)
    store.commit("t", Change({B: {"n": 9}}, Event("live", 8, (B,)), {"old": 2}))
    store.copy("s", "t")
    assert store.load("t") == store.load("s")
    assert store.entries("t", ()) == {A: {"n": 1}}
    store.commit("t", Change({A: None}))
    assert store.entry("s", A) == (True, {"n": 1})
    store.remove("s")
    assert (store.names(), store.load("s"), store.entries("s", ())) == (["t"], None, {})


@given(
    st.dictionaries(st.text(), st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text()), st.lists))
)
def test_any_document_comes_back_as_it_was(document: Document) -> None:
    store = SQLiteStore()
    store.commit("s", Change({A: document}))
    assert store.entry("s", A) == (True, json.loads(json.dumps(document)))
    store.close()


def test_threads_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    store.create("s", 0)

    def write(number: int) -> str:
        name = store.keep(iter([b"content %d" % (number % 10)]))
        key = ("s", "", "note", str(number))
        store.commit("s", Change({key: {"content": name}}, Event("live", number, (key,)), {"id": number}))
        assert store.entry("s", key)[0]
        return name

    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(write, range(80)))
    record = store.load("s")
    assert record is not None
    assert sorted(event.number for event in record.events) == list(range(80))
    assert record.counters == {"id": 79}
    assert len(store.entries("s", ("s", "", "note"))) == 80
    assert sorted({name.removeprefix("sha256:") for name in names}) == files(tmp_path)
    store.close()


# ---- contents


def test_a_sweep_removes_what_no_document_names_and_what_is_half_written(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    kept, nested, snapshot, loose = (store.keep(iter([word])) for word in (b"kept", b"deep", b"snap", b"loose"))
    store.create("s", 0)
    store.commit("s", Change({A: {"content": snapshot}}))
    store.copy("s", "s@before")
    store.commit("s", Change({A: {"content": kept, "parts": [{"n": 1, "content": nested}]}, B: None}))
    (tmp_path / "contents" / "new-0123").write_bytes(b"half of a cont")
    store.close()
    again = SQLiteStore(tmp_path)
    for name, data in ((kept, b"kept"), (nested, b"deep"), (snapshot, b"snap")):
        body = again.content(name)
        assert body is not None
        assert body.read() == data
    assert again.content(loose) is None
    assert len(files(tmp_path)) == 3
    again.remove("s@before")
    assert again.sweep() == 1
    assert again.content(snapshot) is None
    again.close()


def test_a_sweep_without_a_folder_has_nothing_to_do(tmp_path: Path) -> None:
    assert SQLiteStore().sweep() == 0
    assert SQLiteStore(None, tmp_path).sweep() == 0


def test_a_sweep_over_a_hundred_thousand_documents_is_a_matter_of_a_second(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    name = store.keep(iter([b"kept"]))
    document: Document = {"size": 1, "etag": "0" * 32, "owner": {"id": "1"}, "content": name}
    store.commit("s", Change({("s", "", "object", str(number)): document for number in range(100_000)}))
    started = time.process_time()
    assert store.sweep() == 0
    spent = time.process_time() - started
    assert store.content(name) is not None
    assert spent < 3, f"{spent:.2f} s"
    store.close()


# ---- what is not ours


def test_the_database_of_another_program_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    other = sqlite3.connect(path)
    other.execute("PRAGMA application_id=42")
    other.execute("CREATE TABLE theirs (value)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="another program"):
        SQLiteStore(tmp_path)
    assert path.read_bytes() == before


def test_a_database_of_nobody_in_particular_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (value)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="another program"):
        SQLiteStore(tmp_path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"my own notes, long enough to be taken for something" * 100)
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"cannot be used.*give another --data-dir"):
        SQLiteStore(tmp_path)
    assert path.read_bytes() == before


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(UsageError, match=r"data.*cannot be used"):
        SQLiteStore(tmp_path / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UsageError, match="cannot be used"):
            SQLiteStore(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_damaged_store_is_refused_not_begun_anew(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    store.create("s", 0)
    store.close()
    path = tmp_path / "state.sqlite"
    data = bytearray(path.read_bytes())
    data[100:4096] = b"\xff" * 3996
    path.write_bytes(data)
    with pytest.raises(UsageError, match="cannot be used"):
        SQLiteStore(tmp_path)
    assert path.read_bytes() == bytes(data)


def test_only_its_user_may_look_into_a_new_data_directory(tmp_path: Path) -> None:
    SQLiteStore(tmp_path / "data").close()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path)
    done = threading.Event()

    def bodies() -> Iterator[bytes]:
        yield b"one"
        store.commit("s", Change({A: {"n": 1}}))  # while a content is still coming, others write
        done.set()
        yield b"two"

    name = store.keep(bodies())
    assert done.is_set()
    body = store.content(name)
    assert body is not None
    assert body.read() == b"onetwo"
    store.close()


def test_a_data_directory_is_used_by_one_store_at_a_time(tmp_path: Path) -> None:
    first = SQLiteStore(tmp_path / "data")
    with pytest.raises(UsageError, match=r"the data directory .* is used by another process\. Wait until it ends"):
        SQLiteStore(tmp_path / "data")
    first.close()
    SQLiteStore(tmp_path / "data").close()
