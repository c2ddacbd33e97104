"""One tape as several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.care.splitting import by_host, every, split
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Interaction

Exchange = Callable[..., Interaction]
Tape = Callable[..., Path]
Targets = Callable[[Path], list[str]]


def test_each_host_has_a_cassette_of_its_own(tmp_path: Path, exchange: Exchange, tape: Tape, targets: Targets) -> None:
    source = tape("all.cassette", [exchange("/1"), exchange("/2", host="b.test"), exchange("/3")])
    made = split(source, by_host, tmp_path / "parts")
    a, b = tmp_path / "parts" / "all-api.test.cassette", tmp_path / "parts" / "all-b.test.cassette"
    assert made == {a: 2, b: 1}
    assert targets(a) == ["/1", "/3"]
    assert targets(b) == ["/2"]
    assert targets(source) == ["/1", "/2", "/3"]


def test_a_tape_is_cut_into_equal_parts(tmp_path: Path, exchange: Exchange, tape: Tape, targets: Targets) -> None:
    made = split(tape("t.cassette", [exchange(f"/{n}") for n in range(5)]), every(2), tmp_path / "parts")
    assert [targets(path) for path in made] == [["/0", "/1"], ["/2", "/3"], ["/4"]]


def test_a_part_knows_its_own_mapped_hosts(tmp_path: Path, exchange: Exchange, tape: Tape) -> None:
    hosts = '{"api.test": "jira", "b.test": "s3"}'
    made = split(tape("t.cassette", [exchange(), exchange(host="b.test")], hosts), by_host, tmp_path)
    metas = []
    for path in made:
        with Cassette.open(path) as cassette:
            metas.append(cassette.meta("hosts"))
    assert metas == ['{"api.test": "jira"}', '{"b.test": "s3"}']


def test_names_that_a_file_system_would_mix_up_stay_apart(tmp_path: Path, exchange: Exchange, tape: Tape) -> None:
    source = tape("t.cassette", [exchange(f"/{n}") for n in range(3)])
    names = {"/0": "a/b", "/1": "A:B", "/2": "../.."}
    made = split(source, lambda each: names[each.request.target], tmp_path)
    assert sorted(path.name for path in made) == ["t-A-B-2.cassette", "t-a-b.cassette", "t-other.cassette"]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, exchange: Exchange, tape: Tape) -> None:
    source = tape("t.cassette", [exchange(), exchange(host="b.test")])
    (tmp_path / "t-b.test.cassette").write_text("mine")
    with pytest.raises(CassetteError, match=r"t-b\.test\.cassette is there already"):
        split(source, by_host, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t-b.test.cassette", "t.cassette"]
    assert (tmp_path / "t-b.test.cassette").read_text() == "mine"


def test_parts_that_are_too_many_are_refused(tmp_path: Path, exchange: Exchange, tape: Tape) -> None:
    source = tape("t.cassette", [exchange(f"/{n}") for n in range(1001)])
    with pytest.raises(UsageError, match="more than 1,000 files"):
        split(source, every(1), tmp_path / "parts")
    assert not (tmp_path / "parts").exists()


def test_a_part_of_nothing_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="name 1 or more"):
        every(0)
