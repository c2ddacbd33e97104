"""Writing: order, one writer, crashes, full disks, deletions."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError, CorruptCassette
from durable_replay.http import Body, BytesBody, FileBody, Frame, Headers, Interaction, Request, Response

Make = Callable[..., Interaction]
MIB = 1024 * 1024


def _with_body(body: Body) -> Interaction:
    return Interaction(Request("PUT", "http", "h", 80, "/", Headers(), body), Response(200))


def _names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def test_a_cassette_is_continued_where_it_ended(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        assert writer.append(make(1)) == 1
    with CassetteWriter.open(path) as writer:
        assert len(writer) == 1
        assert writer.append(make(2)) == 2
        tape = writer.tape
    with Cassette.open(path) as cassette:
        assert [each.request.path for each in cassette.interactions()] == ["/thing/1", "/thing/2"]
        assert cassette.tape() == tape
    assert _names(path) == [path.name]


def test_a_second_writer_is_refused_at_once(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        with pytest.raises(CassetteError, match="being written by another recording"):
            CassetteWriter.open(path)
        link = path.with_name("link")
        link.symlink_to(path)
        with pytest.raises(CassetteError, match="being written by another recording"):
            CassetteWriter.open(link)
        assert writer.append(make(1)) == 1
    link.unlink()
    CassetteWriter.open(path).close()
    assert _names(path) == [path.name]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="No such file or directory"):
        CassetteWriter.open(tmp_path / "no" / "a.cassette")


def test_a_closed_writer_says_so(path: Path, make: Make) -> None:
    writer = CassetteWriter.open(path)
    writer.close()
    writer.close()
    with pytest.raises(CassetteError, match="closed"):
        writer.append(make(1))


def test_the_same_content_is_stored_once(path: Path, make: Make) -> None:
    noise = random.Random(1).randbytes(3 * MIB)
    with CassetteWriter.open(path) as writer:
        for _ in range(4):
            writer.append(_with_body(BytesBody(noise)))
            writer.append(make(1, noise[:5000]))
    assert path.stat().st_size < 3.3 * MIB
    with Cassette.open(path) as cassette:
        assert cassette.summary().bodies == 2 and cassette.verify() == 8


def test_a_body_that_comes_in_pieces_is_stored_and_read_in_parts(path: Path) -> None:
    noise = random.Random(2).randbytes(3 * MIB + 7)
    with CassetteWriter.open(path) as writer:
        spool = writer.new_body()
        for at in range(0, len(noise), 70_000):
            spool.write(noise[at : at + 70_000])
        body = spool.finish()
        assert _names(path) == sorted([path.name, f"{path.name}-lock", f"{path.name}-shm", f"{path.name}-wal"])
        writer.append(_with_body(body))
        writer.append(_with_body(body))
    assert body.size == len(noise) and body.read() == noise
    with Cassette.open(path) as cassette:
        stored = cassette.interaction(2).request.body
        assert stored == body and stored.read() == noise
        for start, stop in [(0, 1), (MIB - 1, MIB + 1), (2 * MIB, None), (5, 5), (9, 3), (3 * MIB + 6, 9**9)]:
            assert b"".join(stored.chunks(start, stop)) == noise[start:stop] == b"".join(body.chunks(start, stop))
        assert max(map(len, stored.chunks())) <= 256 * 1024


def test_an_aborted_body_leaves_nothing(path: Path) -> None:
    with CassetteWriter.open(path) as writer:
        spool = writer.new_body()
        spool.write(os.urandom(2 * MIB))
        spool.abort()
    assert _names(path) == [path.name]


def test_a_large_body_is_written_and_read_in_bounded_memory(tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(300 * MIB)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from durable_replay.cassette.store import Cassette, CassetteWriter\n"
        "from durable_replay.http import *\n"
        "folder = Path(sys.argv[1])\n"
        "writer = CassetteWriter.open(folder / 'a')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "body = FileBody(folder / 'big')\n"
        "writer.append(Interaction(Request('PUT', 'http', 'h', 80, '/', Headers(), body), Response(200)))\n"
        "writer.close()\n"
        "with Cassette.open(folder / 'a') as cassette:\n"
        "    stored = cassette.interaction(1).request.body\n"
        "    print(sum(map(len, stored.chunks())))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    size, kilobytes = map(int, done.stdout.split())
    assert size == 300 * MIB
    assert kilobytes < 40 * 1024


def test_a_body_that_breaks_off_is_not_recorded_as_whole(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "source"
    file.write_bytes(b"x" * (2 * MIB))
    body = FileBody(file)
    os.truncate(file, MIB + 5)
    with CassetteWriter.open(path) as writer, pytest.raises(CassetteError, match="gave 1,048,581 bytes of its 2,097"):
        writer.append(_with_body(body))
    with Cassette.open(path) as cassette:
        assert len(cassette) == 0


def test_threads_append_at_once_and_each_gets_its_number(path: Path, make: Make) -> None:
    numbers: list[tuple[int, int]] = []

    def append(writer: CassetteWriter, thread: int) -> None:
        for index in range(50):
            body = b"%d" % thread * (MIB + 9 if index == 25 else 10)
            numbers.append((writer.append(make(thread * 1000 + index, body)), thread * 1000 + index))
            if index % 10 == 0:
                writer.flush()

    with CassetteWriter.open(path) as writer:
        threads = [threading.Thread(target=append, args=(writer, thread)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 200
        assert {(each.number, int(each.request.path.split("/")[-1])) for each in cassette.interactions()} == set(
            numbers
        )


def test_what_cannot_be_stored_is_refused_and_what_was_flushed_stays(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        writer.flush()
        bad = Interaction(Request("GET", "http", "h", 80, "/\udcff"), Response(200))
        with pytest.raises(CassetteError, match="cannot hold this interaction"):
            writer.append(bad)
        assert writer.append(make(2)) == 2
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 2


def test_deleted_interactions_leave_no_gap_and_no_bytes(path: Path, make: Make, read: Callable[..., object]) -> None:
    frames = (Frame(True, "text", b"one"), Frame(False, "text", b"two"))
    interactions = [make(number, b"SECRET-%d-" % number * 9, frames if number == 5 else ()) for number in range(1, 7)]
    with CassetteWriter.open(path) as writer:
        for each in interactions:
            writer.append(each)
        writer.delete([2, 4, 99])
        assert len(writer) == 4
    with Cassette.open(path) as cassette:
        kept = list(cassette.interactions())
        assert [each.request.path for each in kept] == ["/thing/1", "/thing/3", "/thing/5", "/thing/6"]
        assert [len(each.frames) for each in kept] == [0, 0, 2, 0]
        assert cassette.verify() == 4
        identity = cassette.identity
    assert b"/thing/2" not in path.read_bytes() and b"SECRET-4-" not in path.read_bytes()
    other = path.with_name("other")
    with CassetteWriter.open(other) as writer:
        for each in (interactions[0], interactions[2], interactions[4], interactions[5]):
            writer.append(each)
        assert writer.tape.identity == identity


def test_all_is_replaced_at_once_by_interactions_of_the_same_cassette(path: Path, make: Make) -> None:
    big = make(4, random.Random(3).randbytes(2 * MIB))
    with CassetteWriter.open(path) as writer, Cassette.open(path) as cassette:
        for each in (make(1), make(2, b"other"), make(3), big):
            writer.append(each)
        writer.flush()
        kept = [cassette.interaction(4), cassette.interaction(2), make(9, b"new")]
        writer.replace_all(kept)
        assert [each.request.path for each in cassette.interactions()] == ["/thing/4", "/thing/2", "/thing/9"]
        assert cassette.verify() == 3
        assert cassette.summary().bodies == 3


def test_a_replacement_that_fails_changes_nothing(path: Path, make: Make) -> None:
    def broken() -> Iterator[Interaction]:
        yield make(7)
        raise RuntimeError("the source broke")

    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        with pytest.raises(RuntimeError):
            writer.replace_all(broken())
        assert len(writer) == 1
        assert writer.append(make(2)) == 2
    with Cassette.open(path) as cassette:
        assert [each.request.path for each in cassette.interactions()] == ["/thing/1", "/thing/2"]


def test_another_modules_own_commit_leaves_the_tape_whole(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        connection = writer.index_connection()
        connection.execute("CREATE TABLE fact (number INTEGER PRIMARY KEY)")
        writer.append(make(2))
        connection.execute("COMMIT")
        writer.flush()
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 2


def test_tables_of_another_module_are_committed_with_the_tape(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        writer.index_connection().execute("CREATE TABLE fact (number INTEGER PRIMARY KEY)")
        writer.index_connection().execute("INSERT INTO fact VALUES (1)")
    with Cassette.open(path) as cassette:
        assert cassette.connection().execute("SELECT number FROM fact").fetchall() == [(1,)]
        assert cassette.verify() == 1


_RECORDER = """
import sys
from durable_replay.cassette.store import CassetteWriter
from durable_replay.http import *
writer = CassetteWriter.open(sys.argv[1])
start = len(writer) + 1
for number in range(start, start + 10**6):
    body = b"%d," % number * (300_000 if number % 40 == 0 else 30)
    request = Request("GET", "http", "h", 80, f"/{number}")
    assert writer.append(Interaction(request, Response(200, Headers(), BytesBody(body)))) == number
    if number % 7 == 0:
        writer.flush()
        print(number, flush=True)
"""


def test_what_was_flushed_survives_kill_9_at_any_moment(path: Path) -> None:
    CassetteWriter.open(path).close()
    luck = random.Random()
    for _ in range(6):
        done = subprocess.Popen([sys.executable, "-c", _RECORDER, str(path)], stdout=subprocess.PIPE, text=True)
        assert done.stdout is not None
        lines = [done.stdout.readline() for _ in range(luck.randrange(1, 40))]
        done.send_signal(signal.SIGKILL)
        lines += done.stdout.readlines()
        done.stdout.close()
        assert done.wait() == -signal.SIGKILL
        flushed = [int(line) for line in lines if line.endswith("\n")]
        with Cassette.open(path) as cassette:
            assert len(cassette) >= flushed[-1]
            for each in cassette.interactions():
                size = 300_000 if each.number % 40 == 0 else 30
                assert each.request.target == f"/{each.number}"
                assert each.response.body.read() == b"%d," % each.number * size
    CassetteWriter.open(path).close()
    assert _names(path) == [path.name]


def test_a_writer_killed_within_a_large_body_leaves_none_of_its_chunks(path: Path) -> None:
    CassetteWriter.open(path).close()
    code = (
        "import os, sys; from durable_replay.cassette.store import CassetteWriter\n"
        "writer = CassetteWriter.open(sys.argv[1])\n"
        "connection = writer.index_connection()\n"
        'connection.execute("INSERT INTO body_chunk (digest, position, size, checksum, data) '
        "VALUES (x'00', 0, 1, x'00', zeroblob(9999))\")\n"
        "writer.flush(); os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == -signal.SIGKILL
    with CassetteWriter.open(path) as writer:
        assert writer.index_connection().execute("SELECT count(*) FROM body_chunk").fetchone() == (0,)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("size", [900, 40_000, 700_000])
def test_a_full_disk_is_named_and_what_was_flushed_stays_readable(small_disk: Path, make: Make, size: int) -> None:
    path = small_disk / "a.cassette"
    noise = random.Random(4)
    writer = CassetteWriter.open(path)
    flushed = 0
    with pytest.raises(CassetteError, match=r"a\.cassette.*disk is full.*Make room") as caught:
        while flushed < 10_000:
            writer.append(make(flushed + 1, noise.randbytes(size)))
            writer.flush()
            flushed += 1
    assert not isinstance(caught.value, CorruptCassette)
    assert flushed > 0 and len(writer) == flushed
    with Cassette.open(path) as cassette:
        assert cassette.verify() == flushed
    try:
        writer.close()
    except CassetteError as error:
        assert "disk is full" in str(error)
    with Cassette.open(path) as cassette:
        assert cassette.verify() == flushed


def test_a_large_body_that_finds_no_room_is_named(small_disk: Path, make: Make) -> None:
    path = small_disk / "a.cassette"
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        spool = writer.new_body()
        with pytest.raises(CassetteError, match="No space left"):
            for _ in range(8):
                spool.write(os.urandom(MIB))
        writer.append(make(2))
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 2


def test_a_new_cassette_on_a_full_disk_is_named_and_nothing_stays(small_disk: Path) -> None:
    (small_disk / "fill").write_bytes(bytes(4 * MIB))
    with pytest.raises(CassetteError, match="No space left"):
        CassetteWriter.open(small_disk / "a.cassette")
    assert [each.name for each in small_disk.iterdir()] == ["fill"]
