"""Several cassettes are one side."""

from __future__ import annotations

from pathlib import Path

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.drift.sources import Tapes
from durable_replay.errors import CassetteError
from durable_replay.testing import exchange


def write(path: Path, *urls: str) -> Path:
    with CassetteWriter.open(path) as writer:
        for url in urls:
            writer.append(exchange("GET", url))
    return path


def test_the_second_cassette_begins_where_the_first_ends(tmp_path: Path) -> None:
    one, other = write(tmp_path / "one.cassette", "/a", "/b"), write(tmp_path / "other.cassette", "/c")
    with Tapes([one, other]) as tapes:
        assert [(each.number, each.request.target) for each in tapes] == [(1, "/a"), (2, "/b"), (3, "/c")]
        assert [tapes.interaction(number).request.target for number in (3, 1, 2)] == ["/c", "/a", "/b"]
        assert tapes.interaction(3).number == len(tapes) == 3


@pytest.mark.parametrize("number", [0, 2])
def test_there_is_nothing_beyond_the_ends(tmp_path: Path, number: int) -> None:
    with Tapes([write(tmp_path / "one.cassette", "/a")]) as tapes, pytest.raises(LookupError):
        tapes.interaction(number)


def test_one_bad_cassette_lets_the_others_go(tmp_path: Path) -> None:
    bad = tmp_path / "bad.cassette"
    bad.write_bytes(b"no cassette")
    with pytest.raises(CassetteError, match=r"bad\.cassette"):
        Tapes([write(tmp_path / "one.cassette", "/a"), bad])
