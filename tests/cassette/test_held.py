"""What was appended is written in one go, and all of it is there whenever somebody asks."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette import held as held_module
from durable_replay.cassette import places as places_module
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError, LimitExceeded
from durable_replay.http import Body, BytesBody, Frame, Interaction

Make = Callable[..., Interaction]
Read = Callable[[Path], list[Interaction]]


def count(connection: sqlite3.Connection) -> tuple[int, int]:
    """Rows that are in the file as the writer sees it: interactions and bodies."""
    sql = "SELECT (SELECT count(*) FROM interaction), (SELECT count(*) FROM body)"
    ((interactions, bodies),) = connection.execute(sql).fetchall()
    return interactions, bodies


def test_rows_wait_for_the_flush_and_are_then_all_there(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer, Cassette.open(path) as reader:
        for number in range(1, 8):
            writer.append(make(number, b"body %d" % (number % 3)))
        assert len(reader) == 0
        writer.flush()
        assert count(reader.connection()) == (7, 3)
        assert reader.verify() == 7


@pytest.mark.parametrize("limit", ["_BYTES", "_ROWS"])
@pytest.mark.parametrize("at_once", [True, False])
def test_no_more_is_held_than_the_bound(
    path: Path, make: Make, read: Read, monkeypatch: pytest.MonkeyPatch, limit: str, at_once: bool
) -> None:
    monkeypatch.setattr(held_module, limit, 40_000 if limit == "_BYTES" else 20)
    noise = random.Random(1)
    made = [make(number, noise.randbytes(2000)) for number in range(1, 101)]
    seen: list[int] = []

    def source(writer: CassetteWriter) -> Iterator[Interaction]:
        for each in made:
            seen.append(count(writer._connection)[0])
            yield each

    with CassetteWriter.open(path) as writer:
        if at_once:
            writer.extend(source(writer))
        else:
            for each in source(writer):
                writer.append(each)
    assert all(number - written <= 21 for number, written in enumerate(seen))
    assert read(path) == made
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM meta WHERE key LIKE 'dictionary %'").fetchone() == (1,)


def test_an_undone_append_takes_along_what_was_held(path: Path, make: Make, read: Read) -> None:
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        writer.flush()
        writer.append(make(2, b"held"))
        with pytest.raises(CassetteError, match="time is no number"):
            writer.append(replace(make(3), started=float("nan")))
        writer.append(make(2, b"held"))
    assert read(path) == [make(1), make(2, b"held")]
    with Cassette.open(path) as cassette:
        assert cassette.summary().bodies == 2


def test_an_interaction_that_is_still_held_grows(path: Path, make: Make) -> None:
    with CassetteWriter.open(path) as writer:
        number = writer.append(make(1, b""))
        writer.grow(number, [Frame(True, "text", b"hello")], b"piece")
        writer.settle(number, outcome="complete", duration=1.0)
        writer.append(make(2))
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 2
        assert cassette.interaction(1).response.body.read() == b"piece"


@pytest.mark.parametrize("few", [0, 4096])
def test_bodies_that_begin_alike_are_held_beside_each_other(
    path: Path, make: Make, read: Read, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whether or not all numbers are remembered."""
    monkeypatch.setattr(places_module, "_FEW", few)
    monkeypatch.setattr(places_module, "body_numbers", lambda digest: (0, 15) if digest[0] < 128 else (16, 19))
    made = [make(number, b"body %d" % (number % 60)) for number in range(1, 101)]
    with CassetteWriter.open(path) as writer:
        for each in made[:10]:
            writer.append(each)
        writer.flush()
        for each in made[10:]:
            writer.append(each)
    assert read(path) == made
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT digest) FROM body").fetchone() == (60, 60)


def test_any_status_is_kept(path: Path, make: Make, read: Read) -> None:
    made = [replace(make(1), response=replace(make(1).response, status=status)) for status in (0, 999, 1 << 70)]
    with CassetteWriter.open(path) as writer:
        writer.extend(made)
    assert [each.response.status for each in read(path)] == [0, 999, 1 << 70]


class _Interrupted(Body):
    """While it is read for the first time, `meanwhile` happens, as it may in another thread."""

    def __init__(self, data: bytes, meanwhile: Callable[[], object]) -> None:
        self._data = data
        self._meanwhile: Callable[[], object] | None = meanwhile
        self.size = len(data)

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile is not None:
            meanwhile()
        yield from BytesBody(self._data).chunks(start, stop)


def _fail(writer: CassetteWriter, make: Make) -> None:
    with pytest.raises(CassetteError):
        writer.append(replace(make(9), started=float("nan")))


def _delete(writer: CassetteWriter, make: Make) -> None:
    writer.delete([1])


@pytest.mark.parametrize("size", [10, 2 << 20])
@pytest.mark.parametrize("meanwhile", [_fail, _delete])
def test_an_append_is_whole_whatever_is_undone_or_deleted_between_its_bodies(
    path: Path, make: Make, read: Read, size: int, meanwhile: Callable[[CassetteWriter, Make], None]
) -> None:
    first = random.Random(2).randbytes(size)
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        writer.flush()
        two = make(2)
        response = replace(two.response, body=_Interrupted(b"second", lambda: meanwhile(writer, make)))
        request = replace(two.request, body=BytesBody(first))
        writer.append(replace(two, request=request, response=response))
    last = read(path)[-1]
    assert (last.request.body.read(), last.response.body.read()) == (first, b"second")
    with Cassette.open(path) as cassette:
        assert cassette.verify() == len(cassette) == (2 if meanwhile is _fail else 1)


class _Short(Body):
    size = 3 << 20

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield b"much too short"


@pytest.mark.parametrize("size", [10, 2 << 20])
@pytest.mark.parametrize("what", ["target", "message", "body"])
def test_what_is_refused_leaves_no_body_behind(path: Path, make: Make, size: int, what: str) -> None:
    refused = make(2, b"response" if what != "body" else b"")
    request = replace(refused.request, body=BytesBody(random.Random(3).randbytes(size)))
    refused = replace(refused, request=request)
    much = "x" * ((64 << 20) + 1)
    if what == "target":
        refused = replace(refused, request=replace(request, target=much))
    elif what == "message":
        refused = replace(refused, frames=(Frame(True, "text", much.encode()),))
    else:
        refused = replace(refused, response=replace(refused.response, body=_Short()))
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        with pytest.raises((LimitExceeded, CassetteError)):
            writer.append(refused)
        assert len(writer) == 1
    with Cassette.open(path) as cassette:
        assert count(cassette.connection()) == (1, 1) and cassette.verify() == 1
