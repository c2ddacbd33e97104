"""What the messages of a cassette have in common is stored once, and nothing else of it changes."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.dictionary import SAMPLE, Dictionary, read_dictionary
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError, CorruptCassette, LimitExceeded
from durable_replay.http import Headers, Interaction

Make = Callable[..., Interaction]
Read = Callable[[Path], list[Interaction]]


def alike(number: int) -> bytes:
    """A body of some 500 bytes that resembles the others."""
    return json.dumps(
        {"number": number, "fields": {f"customfield_{at}": None for at in range(10_000, 10_020)}}
    ).encode()


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def change(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


def dictionary(path: Path) -> bytes:
    return one(path).content


def one(path: Path) -> Dictionary:
    """The one dictionary of a file."""
    connection = sqlite3.connect(path)
    try:
        ((key,),) = connection.execute("SELECT key FROM meta WHERE key LIKE 'dictionary %'").fetchall()
        found = read_dictionary(connection, int(key.split()[1]))
        assert found is not None
        return found
    finally:
        connection.close()


def written(path: Path, make: Make, numbers: range) -> list[Interaction]:
    interactions = [make(number, alike(number)) for number in numbers]
    with CassetteWriter.open(path) as writer:
        writer.extend(interactions)
    return interactions


def test_messages_that_are_alike_take_little(path: Path, make: Make, read: Read) -> None:
    expected = written(path, make, range(1, 101))
    ((heads, bodies),) = rows(path, "SELECT (SELECT sum(length(head)) FROM interaction), sum(length(data)) FROM body")
    assert isinstance(heads, int)
    assert isinstance(bodies, int)
    assert heads < 100 * 60
    assert bodies < 100 * 60
    assert read(path) == expected


def test_what_comes_late_on_a_tape_is_in_the_dictionary_too(path: Path, make: Make, read: Read) -> None:
    noise = random.Random(4)
    early = [make(number, alike(number) + noise.randbytes(100).hex().encode()) for number in range(1, 2 * SAMPLE)]
    late = b"".join(b"<column-%d>%d</column-%d>" % (at, at * at, at) for at in range(40))
    made = [*early, *(make(number, b"<%d>%s" % (number, late)) for number in range(2 * SAMPLE, 2 * SAMPLE + 200))]
    with CassetteWriter.open(path) as writer:
        writer.extend(made)
    ((late_size,),) = rows(
        path,
        "SELECT max(length(data)) FROM body WHERE id IN"
        f" (SELECT response_body FROM interaction WHERE number >= {2 * SAMPLE})",
    )
    assert isinstance(late_size, int)
    assert late_size < 60 < len(late)
    assert read(path) == made


def test_a_recording_that_has_doubled_past_the_first_is_packed_anew_when_it_ends(
    path: Path, make: Make, read: Read
) -> None:
    expected = [make(number, alike(number)) for number in range(1, 2 * SAMPLE + 1)]
    with CassetteWriter.open(path) as writer:
        for each in expected:
            writer.append(each)
    assert (one(path).number, one(path).interactions) == (2, 2 * SAMPLE)
    assert read(path) == expected


def test_the_identity_is_that_of_what_was_recorded(path: Path, make: Make, tmp_path: Path) -> None:
    with CassetteWriter.open(path) as writer:
        for number in range(1, 31):
            writer.append(make(number, alike(number)))
        before = writer.tape
    with Cassette.open(path) as cassette:
        assert cassette.tape() == before
    written(path, make, range(31, 101))
    written(tmp_path / "at once", make, range(1, 101))
    with Cassette.open(path) as one, Cassette.open(tmp_path / "at once") as other:
        assert one.identity == other.identity


def test_a_long_tape_has_its_dictionary_while_it_is_recorded(path: Path, make: Make, read: Read) -> None:
    expected = [make(number, alike(number)) for number in range(1, SAMPLE + 50)]
    with CassetteWriter.open(path) as writer, Cassette.open(path) as reader:
        for each in expected[: SAMPLE - 1]:
            writer.append(each)
        writer.flush()
        assert rows(path, "SELECT key FROM meta WHERE key LIKE 'dictionary %'") == []
        assert reader.interaction(1).request == expected[0].request
        for each in expected[SAMPLE - 1 :]:
            writer.append(each)
        writer.flush()
        assert (one(path).number, one(path).interactions) == (1, SAMPLE)
        assert reader.interaction(1).request == expected[0].request
        assert reader.interaction(1).response.body.read() == alike(1)
    assert read(path) == expected
    assert rows(path, "SELECT DISTINCT packing FROM interaction") == [("1",)]


def test_a_tape_that_has_doubled_gets_a_new_one(path: Path, make: Make, read: Read) -> None:
    expected = [*written(path, make, range(1, 11)), *written(path, make, range(11, 19))]
    assert (one(path).number, one(path).interactions) == (1, 10)
    expected += written(path, make, range(19, 21))
    assert (one(path).number, one(path).interactions) == (2, 20)
    assert read(path) == expected


def test_a_reader_that_stays_open_reads_what_was_packed_anew(path: Path, make: Make) -> None:
    written(path, make, range(1, 11))
    with Cassette.open(path) as reader:
        body = reader.interaction(3).response.body
        assert body.read() == alike(3)
        with CassetteWriter.open(path) as writer:
            writer.delete([1])
        assert body.read() == alike(3)
        assert reader.interaction(2).request.target == "/thing/3?a=%20b"
        assert [each.response.body.read() for each in reader.interactions()] == [alike(n) for n in range(2, 11)]


@pytest.mark.parametrize("how", ["delete", "replace"])
def test_what_is_taken_off_leaves_the_dictionary_too(path: Path, make: Make, how: str) -> None:
    secret = random.Random(1).randbytes(300).hex().encode()
    with CassetteWriter.open(path) as writer:
        writer.append(make(1, secret))
        for number in range(2, 11):
            writer.append(make(number, alike(number)))
    with CassetteWriter.open(path) as writer, Cassette.open(path) as cassette:
        assert secret[:100] in dictionary(path)
        if how == "delete":
            writer.delete([1])
        else:
            writer.replace_all(each for each in cassette.interactions() if each.number != 1)
        assert secret[:100] not in dictionary(path)
        assert b"customfield_10001" in dictionary(path)
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 9


def test_noise_is_in_no_dictionary(path: Path, make: Make) -> None:
    noise = random.Random(2)
    with CassetteWriter.open(path) as writer:
        for number in range(1, 21):
            writer.append(make(number, noise.randbytes(4000)))
    assert len(dictionary(path)) < 1000


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE meta SET value = CAST(substr(value, 1, 20) || zeroblob(500) AS BLOB) WHERE key = 'dictionary 1'",
        "UPDATE meta SET value = zeroblob(length(value)) WHERE key = 'dictionary 1'",
        "UPDATE meta SET value = CAST(x'00000003' || substr(value, 5) AS BLOB) WHERE key = 'dictionary 1'",
        "UPDATE meta SET value = 7 WHERE key = 'dictionary 1'",
        "UPDATE meta SET value = x'' WHERE key = 'dictionary 1'",
        "UPDATE meta SET key = 'dictionary 2' WHERE key = 'dictionary 1'",
        "DELETE FROM meta WHERE key = 'dictionary 1'",
    ],
)
def test_a_damaged_dictionary_is_refused(path: Path, make: Make, damage: str) -> None:
    written(path, make, range(1, 11))
    change(path, damage)
    with Cassette.open(path) as cassette, pytest.raises(CorruptCassette, match="dictionary"):
        cassette.verify()


def test_a_damaged_dictionary_is_not_written_to(path: Path, make: Make) -> None:
    written(path, make, range(1, 11))
    change(path, "UPDATE meta SET value = zeroblob(length(value)) WHERE key = 'dictionary 1'")
    with pytest.raises(CassetteError, match="dictionary"):
        CassetteWriter.open(path)
    with pytest.raises(CassetteError, match="dictionary"):  # and the lock was given up
        CassetteWriter.open(path)


def test_a_flush_that_never_came_takes_its_dictionary_along(path: Path, make: Make, read: Read) -> None:
    expected = written(path, make, range(1, 11))

    def broken() -> Iterator[Interaction]:
        for number in range(11, SAMPLE + 10):
            yield make(number, alike(number))
        raise RuntimeError("the source ends here")

    with CassetteWriter.open(path) as writer:
        with pytest.raises(RuntimeError):
            writer.extend(broken())
        writer.append(make(11, alike(11)))
    assert read(path) == [*expected, make(11, alike(11))]


def test_a_cassette_that_is_only_opened_stays_as_it_is(path: Path, make: Make) -> None:
    written(path, make, range(1, 11))
    before = rows(path, "SELECT key, value FROM meta")
    size = path.stat().st_size
    CassetteWriter.open(path).close()
    assert rows(path, "SELECT key, value FROM meta") == before
    assert path.stat().st_size == size


def test_a_small_file_has_small_pages_and_a_large_one_those_of_sqlite(path: Path, make: Make) -> None:
    written(path, make, range(1, 3))
    assert rows(path, "PRAGMA page_size") == [(512,)]
    noise = random.Random(3)
    for size, page in ((300_000, 1024), (3_000_000, 4096)):
        with CassetteWriter.open(path) as writer:
            writer.append(make(1, noise.randbytes(size)))
        assert rows(path, "PRAGMA page_size") == [(page,)]
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 4


_KILLED = """
import os, sys
from durable_replay.cassette.store import CassetteWriter
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
path, statement, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
writer = CassetteWriter.open(path)
left = [count]
def before(sql):
    if sql.startswith(statement):
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), 9)
for number in range(len(writer) + 1, 41):
    body = b'{"number": %d, "fields": {"customfield": null, "another": [%d]}}' % (number, number)
    request = Request("GET", "https", "api.test", 443, f"/thing/{number}")
    writer.append(Interaction(request, Response(200, Headers([("Server", "x" * 40)]), BytesBody(body * 9))))
writer.flush()
writer._connection.set_trace_callback(before)
writer.close()
"""


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("INSERT INTO meta", 1),
        ("UPDATE interaction SET packing", 1),
        ("UPDATE body SET packing", 20),
        ("DELETE FROM meta WHERE key = 'dictionary 1'", 1),
        ("COMMIT", 1),
        ("COMMIT", 2),
        ("PRAGMA wal_checkpoint", 1),
        ("PRAGMA journal_mode", 1),
        ("DROP TABLE", 2),
        ("VACUUM", 1),
    ],
)
def test_a_writer_killed_while_it_exchanges_the_dictionary_loses_nothing(
    path: Path, make: Make, read: Read, statement: str, count: int
) -> None:
    written(path, make, range(1, 11))
    code = [sys.executable, "-c", _KILLED, str(path), statement, str(count)]
    assert subprocess.run(code).returncode == -signal.SIGKILL
    before = read(path)
    assert [each.number for each in before] == list(range(1, 41))
    assert [each.response.body.read() for each in before[:10]] == [alike(number) for number in range(1, 11)]
    CassetteWriter.open(path).close()
    assert read(path) == before
    assert [each.name for each in path.parent.iterdir() if each.name.startswith(path.name)] == [path.name]
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 40
    assert len(rows(path, "SELECT key FROM meta WHERE key LIKE 'dictionary %'")) == 1


def test_readers_in_other_threads_read_on_while_tapes_grow_and_are_packed_anew(path: Path, make: Make) -> None:
    """Each opened cassette, and each one that was open before, sees what is on the tape, whatever it is packed with."""
    written(path, make, range(1, 6))
    ended, wrong, times = threading.Event(), list[object](), [0, 0]

    def reads(reader: int) -> None:
        with Cassette.open(path) as held:
            while not ended.is_set() or times[reader] < 3:
                with Cassette.open(path) as fresh:
                    for cassette in (held, fresh):
                        try:
                            found = [each.response.body.read() for each in cassette.interactions()]
                        except CassetteError as error:
                            wrong.append(error)
                            return
                        if found != [alike(number) for number in range(1, len(found) + 1)] or len(found) < 5:
                            wrong.append(found)
                            return
                times[reader] += 1

    threads = [threading.Thread(target=reads, args=(reader,)) for reader in range(2)]
    for thread in threads:
        thread.start()
    try:
        for length in (12, 25, 60, 130, 270):
            with CassetteWriter.open(path) as writer:
                for number in range(len(writer) + 1, length + 1):
                    writer.append(make(number, alike(number)))
                    if number % 5 == 0:
                        writer.flush()
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not wrong
    assert min(times) >= 3
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 270


@pytest.mark.parametrize("alike_bodies", [True, False])
def test_bodies_of_any_size_come_back_whole_and_in_parts(path: Path, make: Make, alike_bodies: bool) -> None:
    """Those of the limits at which they are stored otherwise, and one more and one less; of text and of noise."""
    limits = (0, 8, 64, 256 * 1024, 1024 * 1024, 2 * 1024 * 1024)
    sizes = sorted({max(0, limit + more) for limit in limits for more in (-1, 0, 1)})
    chance = random.Random(4)
    bodies = [alike(7) * (size // 400 + 1) if alike_bodies else chance.randbytes(size) for size in sizes]
    bodies = [body[:size] for body, size in zip(bodies, sizes, strict=True)]
    for number, body in enumerate(bodies, 1):  # closed each time: packed anew now and then
        with CassetteWriter.open(path) as writer:
            writer.append(make(number, body))
    with Cassette.open(path) as cassette:
        assert cassette.verify() == len(sizes)
        for interaction, body in zip(cassette.interactions(), bodies, strict=True):
            found = interaction.response.body
            assert found.size == len(body)
            assert b"".join(found.chunks()) == body
            half = len(body) // 2
            assert b"".join(found.chunks(half)) == body[half:]
            assert b"".join(found.chunks(max(0, len(body) - 1), len(body) + 5)) == body[-1:]


@pytest.mark.parametrize("size", [1024 * 1024 - 100, 1024 * 1024, 3 * 1024 * 1024])
def test_headers_of_any_size_come_back(path: Path, make: Make, size: int) -> None:
    long = replace(make(1), response=replace(make(1).response, headers=Headers([("X", "ab" * (size // 2))])))
    with CassetteWriter.open(path) as writer:
        writer.append(long)
    with CassetteWriter.open(path) as writer:  # with a new dictionary
        writer.append(make(2))
        writer.delete([2])
        writer.append(make(3))
    with Cassette.open(path) as cassette:
        assert cassette.interaction(1).response.headers == long.response.headers
        assert cassette.verify() == 2


def test_headers_that_are_larger_than_any_message_are_refused(path: Path, make: Make) -> None:
    much = replace(make(2), note="n" * (64 * 1024 * 1024))
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        with pytest.raises(LimitExceeded, match="67,108,864"):
            writer.append(much)
        writer.append(make(3))
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 2
