"""Cassettes damaged at every page: the right data or a CassetteError, never anything else."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import Frame, Interaction

PAGE = 512
"""Bytes; those of a small file."""
Read = Callable[[Path], list[Interaction]]


@pytest.fixture
def sound(path: Path, make: Callable[..., Interaction]) -> Path:
    noise = random.Random(7)
    with CassetteWriter.open(path) as writer:
        for number in range(1, 31):
            frames = (Frame(True, "text", b"hello %d" % number), Frame(False, "close", b"", 1000, 0.5))
            writer.append(make(number, noise.randbytes(noise.randrange(1, 900)), frames if number % 3 == 0 else ()))
        writer.append(make(31, noise.randbytes(4096) * 300))
    return path


def _outcome(path: Path, read: Read, expected: list[Interaction]) -> str:
    """`right` or `refused`; anything else raises out of here."""
    before = path.read_bytes()
    try:
        found = read(path)
    except CassetteError as error:
        assert str(path) in str(error)
        outcome = "refused"
    else:
        assert found == expected
        outcome = "right"
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    return outcome


@pytest.fixture
def expected(sound: Path, read: Read) -> list[Interaction]:
    return read(sound)


def _copy(sound: Path, name: str) -> Path:
    folder = sound.parent.parent / f"{sound.parent.name}-{name}"
    folder.mkdir(exist_ok=True)
    return Path(shutil.copyfile(sound, folder / "b.cassette"))


def test_truncated_at_any_page_is_refused(sound: Path, read: Read, expected: list[Interaction]) -> None:
    size = sound.stat().st_size
    assert int.from_bytes(sound.read_bytes()[16:18]) == PAGE
    assert size // PAGE > 15
    for length in [*range(0, size, PAGE), *range(1, size, PAGE), 15, 50, 99, 101, 511, 513, size - 1]:
        path = _copy(sound, "cut")
        with path.open("r+b") as file:
            file.truncate(length)
        assert _outcome(path, read, expected) == "refused", length
    assert _outcome(_copy(sound, "whole"), read, expected) == "right"


def test_bytes_flipped_in_any_page_give_the_right_data_or_are_refused(
    sound: Path, read: Read, expected: list[Interaction]
) -> None:
    noise = random.Random(20)
    outcomes = []
    path = _copy(sound, "flip")
    for page in range(sound.stat().st_size // PAGE):
        for places in (
            *([noise.randrange(PAGE)] for _ in range(4)),
            [noise.randrange(100)],
            noise.sample(range(PAGE), 40),
            range(PAGE),
        ):
            data = bytearray(sound.read_bytes())
            for place in places:
                data[page * PAGE + place] ^= noise.randrange(1, 256)
            path.write_bytes(data)
            outcomes.append(_outcome(path, read, expected))
    assert outcomes.count("refused") > len(outcomes) // 3


def test_each_byte_of_a_page_of_interactions_is_guarded(path: Path, make: Callable[..., Interaction]) -> None:
    with CassetteWriter.open(path) as writer:
        writer.append(make(1, b"x" * 40))
    with Cassette.open(path) as cassette:
        expected = list(cassette.interactions())
        ((head, checksum),) = cassette.connection().execute("SELECT head, checksum FROM interaction")
        (body,) = [each.response.body.read() for each in expected]
    sound = path.read_bytes()
    row = sound.index(head + checksum)
    begin, end = row - 20, row + len(head) + 8  # numbers, sizes and times go before
    host = sound.index(b"api.test:443")
    for place in (*range(begin - 30, end + 30), *range(host, host + 12)):
        data = bytearray(sound)
        data[place] ^= 0x21
        path.write_bytes(data)
        try:
            with Cassette.open(path) as cassette:
                found = list(cassette.interactions())
                assert [each.response.body.read() for each in found] == [body]
                assert found == expected, place
        except CassetteError:
            continue
        else:
            # only bytes outside the row may be flipped unnoticed
            assert place < begin or place >= end, place
            assert not host <= place < host + 12, place


def test_a_damaged_cassette_is_never_written_to(sound: Path) -> None:
    data = bytearray(sound.read_bytes())
    for page in range(3, 15):
        data[page * PAGE : page * PAGE + 8] = b"\xff" * 8
    sound.write_bytes(data)
    with pytest.raises(CassetteError, match="damaged"):
        CassetteWriter.open(sound)
    assert sound.read_bytes() == bytes(data)
    assert [each.name for each in sound.parent.iterdir()] == [sound.name]
