"""Opening and reading cassettes, and refusing what is none."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from durable_replay.cassette.sqlite_file import SCHEMA_VERSION
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError, CorruptCassette, NewerCassette, NotACassette
from durable_replay.http import Interaction

Make = Callable[..., Interaction]
Write = Callable[[list[Interaction]], Path]


def _files(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}


def _other_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE interaction (number INTEGER PRIMARY KEY)")
    connection.close()


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        (b"", NotACassette, "is empty"),
        (b"GET / HTTP/1.1\r\n" * 900, NotACassette, "no SQLite file"),
        (b"{}", NotACassette, "no SQLite file"),
        (b"x", NotACassette, "no SQLite file"),
        (b"SQLite format 3\x00", CassetteError, "no SQLite file"),
    ],
)
@pytest.mark.parametrize("open_", [Cassette.open, CassetteWriter.open])
def test_a_file_that_is_no_cassette_is_named_and_left_alone(
    path: Path, content: bytes, kind: type[CassetteError], text: str, open_: Callable[[Path], object]
) -> None:
    path.write_bytes(content)
    with pytest.raises(kind, match=text) as caught:
        open_(path)
    assert str(path) in str(caught.value)
    assert _files(path) == {path.name: content}


@pytest.mark.parametrize("open_", [Cassette.open, CassetteWriter.open])
def test_another_programs_sqlite_file_is_left_alone(path: Path, open_: Callable[[Path], object]) -> None:
    _other_sqlite(path)
    before = _files(path)
    with pytest.raises(NotACassette, match="another program"):
        open_(path)
    assert _files(path) == before


@pytest.mark.parametrize("open_", [Cassette.open, CassetteWriter.open])
def test_a_newer_cassette_is_left_alone(write: Write, open_: Callable[[Path], object]) -> None:
    path = write([])
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = _files(path)
    with pytest.raises(NewerCassette, match=rf"schema {SCHEMA_VERSION + 1}.*pip install -U"):
        open_(path)
    assert _files(path) == before


def test_a_missing_file_is_named_with_the_command_that_makes_one(path: Path) -> None:
    with pytest.raises(CassetteError, match=r"There is no cassette .*durable-replay record -c"):
        Cassette.open(path)
    assert not path.exists()


@pytest.mark.parametrize("open_", [Cassette.open, CassetteWriter.open])
def test_a_directory_is_named(tmp_path: Path, open_: Callable[[Path], object]) -> None:
    with pytest.raises(CassetteError, match="is a directory"):
        open_(tmp_path)


@pytest.mark.parametrize("open_", [Cassette.open, CassetteWriter.open])
def test_a_pipe_is_no_cassette_and_is_not_waited_for(path: Path, open_: Callable[[Path], object]) -> None:
    os.mkfifo(path)
    with pytest.raises(NotACassette, match="no regular file"):
        open_(path)


def test_a_file_that_may_not_be_read_is_named(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write([])
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, whom no mode stops
    with pytest.raises(CassetteError, match="permission denied"):
        Cassette.open(path)


def test_reading_changes_nothing_and_leaves_nothing_behind(write: Write, make: Make) -> None:
    path = write([make(number) for number in range(1, 20)])
    before = _files(path)
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 19
        assert _files(path) == before
    assert _files(path) == before
    assert list(before) == [path.name]


def test_a_cassette_copied_in_its_write_ahead_form_is_read_and_nothing_stays_behind(write: Write, make: Make) -> None:
    path = write([make(1)])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.close()
    before = _files(path)
    with Cassette.open(path) as cassette:
        assert len(cassette) == 1
    assert _files(path) == before and list(before) == [path.name]


@pytest.fixture
def medium(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own."""
    folder = tmp_path / "medium"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_cassette_on_read_only_media_is_read(medium: Path, make: Make, journal: str) -> None:
    path = medium / "a.cassette"
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {journal}").fetchall()
    connection.close()
    subprocess.run(["mount", "-o", "remount,ro", str(medium)], check=True)
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 1
    with pytest.raises(CassetteError, match="Read-only"):
        CassetteWriter.open(path)


def test_a_recording_left_unfinished_on_read_only_media_names_the_next_step(medium: Path, make: Make) -> None:
    path = medium / "a.cassette"
    writer = CassetteWriter.open(path)
    writer.append(make(1))
    writer.flush()
    saved = {each.name: each.read_bytes() for each in medium.iterdir() if not each.name.endswith(("-shm", "-lock"))}
    writer.close()
    for each in medium.iterdir():
        each.unlink()
    for name, data in saved.items():
        (medium / name).write_bytes(data)
    subprocess.run(["mount", "-o", "remount,ro", str(medium)], check=True)
    with pytest.raises(CassetteError, match=r"a\.cassette-wal"):
        Cassette.open(path)


def test_an_unknown_number_is_named_with_those_that_exist(write: Write, make: Make) -> None:
    with Cassette.open(write([make(1), make(2)])) as cassette:
        for number in (0, -1, 3):
            with pytest.raises(CassetteError, match=f"no interaction #{number}.*1 to 2"):
                cassette.interaction(number)


def test_an_empty_cassette_has_no_number_to_name(write: Write) -> None:
    with (
        Cassette.open(write([])) as cassette,
        pytest.raises(CassetteError, match=r"no interaction #1\. It is empty: record into it first"),
    ):
        cassette.interaction(1)


def test_a_range_of_interactions_is_read_in_order_across_pages(write: Write, make: Make) -> None:
    with Cassette.open(write([make(number) for number in range(1, 601)])) as cassette:
        assert [each.number for each in cassette.interactions()] == list(range(1, 601))
        assert [each.number for each in cassette.interactions(250, 520)] == list(range(250, 521))
        assert [each.number for each in cassette.interactions(599, 9999)] == [599, 600]
        assert list(cassette.interactions(601)) == []


def test_a_missing_interaction_is_noticed(write: Write, make: Make) -> None:
    path = write([make(number) for number in range(1, 6)])
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM interaction WHERE number = 3")
    connection.commit()
    connection.close()
    with Cassette.open(path) as cassette:
        with pytest.raises(CorruptCassette, match="interactions are missing"):
            list(cassette.interactions())
        with pytest.raises(CorruptCassette, match="#3 is missing"):
            cassette.interaction(3)


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("UPDATE interaction SET started = 5", "checksum"),
        ("UPDATE interaction SET head = x'00'", "packing|length|texts|decompressed"),
        ("DELETE FROM frame", "frames"),
        ("UPDATE body SET data = x'00'", "decompressed|packing|length"),
        (
            "UPDATE body SET data = zeroblob(size), packing = 'raw'",
            "not what was recorded",
        ),
        ("DELETE FROM body", "missing"),
        ("UPDATE body SET size = 1 << 40", "checksum"),
    ],
)
def test_a_damaged_value_is_named(write: Write, make: Make, sql: str, text: str) -> None:
    from durable_replay.http import Frame

    path = write([make(1, b"abc" * 100, (Frame(True, "text", b"hi"),))])
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()
    with Cassette.open(path) as cassette, pytest.raises(CorruptCassette, match=text):
        cassette.verify()


def test_a_closed_cassette_says_so(write: Write, make: Make) -> None:
    cassette = Cassette.open(write([make(1)]))
    found = cassette.interaction(1)
    cassette.close()
    cassette.close()
    for use in (lambda: cassette.interaction(1), lambda: len(cassette), lambda: found.response.body.read()):
        with pytest.raises(CassetteError, match="closed"):
            use()


def test_many_threads_read_at_once_and_closing_ends_them_cleanly(write: Write, make: Make) -> None:
    cassette = Cassette.open(write([make(number, b"%d" % number * 50) for number in range(1, 101)]))
    wrong: list[BaseException] = []
    started = threading.Barrier(9)

    def read() -> None:
        try:
            for _ in range(3):
                for each in cassette.interactions():
                    assert each.response.body.read() == b"%d" % each.number * 50
            started.wait(30)
            while True:
                list(cassette.interactions())
        except CassetteError as error:
            if "closed" not in str(error):
                wrong.append(error)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    started.wait(30)
    cassette.close()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert not any(thread.is_alive() for thread in threads)


def test_a_thread_that_ended_leaves_no_connection(write: Write, make: Make) -> None:
    with Cassette.open(write([make(1)])) as cassette:
        for _ in range(50):
            thread = threading.Thread(target=lambda: len(cassette))
            thread.start()
            thread.join()
        assert len(cassette._handles) <= 2


def test_readers_see_what_the_writer_flushed_while_it_goes_on(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer, Cassette.open(path) as cassette:
        writer.append(make(1))
        assert len(cassette) == 0
        writer.flush()
        assert len(cassette) == 1 and cassette.interaction(1).response.body.read() == b'{"answer":42}'
        writer.append(make(2))
        writer.flush()
        assert [each.number for each in cassette.interactions()] == [1, 2]


def test_a_reader_that_outlives_the_writer_leaves_one_file(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        cassette = Cassette.open(path)
        writer.append(make(1))
    assert len(cassette) == 1
    cassette.close()
    assert list(_files(path)) == [path.name]


def test_the_identity_follows_the_content_and_nothing_else(tmp_path: Path, make: Make) -> None:
    def identity(name: str, *interactions: Interaction) -> str:
        with CassetteWriter.open(tmp_path / name) as writer:
            for each in interactions:
                writer.append(each)
        with Cassette.open(tmp_path / name) as cassette:
            return cassette.identity

    one, two = make(1), make(2)
    same = identity("a", one, two)
    assert same == identity("b", one, two)
    others = [identity("c", two, one), identity("d", one), identity("e", one, make(2, b"other")), identity("f")]
    assert len({same, *others}) == 5


def test_a_body_is_found_by_its_digest(write: Write, make: Make) -> None:
    import hashlib

    with Cassette.open(write([make(1, b"abc")])) as cassette:
        found = cassette.body(hashlib.sha256(b"abc").hexdigest())
        assert found is not None and found.read() == b"abc"
        assert cassette.body("00" * 32) is None and cassette.body("no hex") is None


def test_the_summary_counts(write: Write, make: Make) -> None:
    with Cassette.open(write([make(1, b"abc"), make(2, b"abc"), make(3, b"")])) as cassette:
        summary = cassette.summary()
    assert (summary.interactions, summary.hosts, summary.response_bytes) == (3, {"api.test": 3}, 6)
    assert (summary.bodies, summary.body_bytes) == (1, 3)
    assert (summary.first, summary.last) == (1_700_000_001.5, 1_700_000_003.5)


def test_a_deep_path_with_signs_of_urls_in_it_is_opened(tmp_path: Path, make: Make) -> None:
    folder = tmp_path / "a b%20#?c&mode=rw"
    folder.mkdir()
    with CassetteWriter.open(folder / "ä.cassette") as writer:
        writer.append(make(1))
    with Cassette.open(folder / "ä.cassette") as cassette:
        assert len(cassette) == 1
    assert [each.name for each in folder.iterdir()] == ["ä.cassette"]


@pytest.mark.skipif(os.name == "nt", reason="a file that is open cannot be replaced there")
@pytest.mark.parametrize("successor", ["another", "none"])
def test_who_has_a_cassette_open_goes_on_with_it_in_every_thread_when_another_takes_its_name(
    write: Write, make: Make, tmp_path: Path, successor: str
) -> None:
    path = write([make(1, b"old" * 500_000), make(2, b"old 2")])
    with Cassette.open(path) as cassette:
        if successor == "another":
            with CassetteWriter.open(tmp_path / "b.cassette") as writer:
                writer.append(make(1, b"new"))
            (tmp_path / "b.cassette").replace(path)
        else:
            path.unlink()
        found: list[bytes] = []
        threads = [
            threading.Thread(target=lambda: found.extend(each.response.body.read() for each in cassette.interactions()))
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(found) == [b"old 2"] * 3 + [b"old" * 500_000] * 3
    if successor == "another":
        with Cassette.open(path) as cassette:
            assert len(cassette) == 1
