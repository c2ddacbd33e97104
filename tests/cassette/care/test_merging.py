"""Several tapes as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.care.merging import merge
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Interaction

Exchange = Callable[..., Interaction]
Tape = Callable[..., Path]
Targets = Callable[[Path], list[str]]


def test_tapes_stand_one_behind_the_other(tmp_path: Path, exchange: Exchange, tape: Tape, targets: Targets) -> None:
    a, b = tape("a", [exchange("/1"), exchange("/2")]), tape("b", [exchange("/3")])
    assert merge(tmp_path / "all", [b, a]) == 3
    assert targets(tmp_path / "all") == ["/3", "/1", "/2"]


def test_by_time_they_interleave_and_keep_their_own_order(
    tmp_path: Path, exchange: Exchange, tape: Tape, targets: Targets
) -> None:
    a, b = tape("a", [exchange("/1", at=1.0), exchange("/3", at=3.0)]), tape("b", [exchange("/2", at=2.0)])
    merge(tmp_path / "all", [a, b], by_time=True)
    assert targets(tmp_path / "all") == ["/1", "/2", "/3"]


def test_a_target_that_is_there_is_appended_to(exchange: Exchange, tape: Tape, targets: Targets) -> None:
    a, b = tape("a", [exchange("/1")]), tape("b", [exchange("/2")])
    assert merge(a, [b]) == 1
    assert targets(a) == ["/1", "/2"]


def test_a_damaged_source_leaves_the_target_as_it_was(exchange: Exchange, tape: Tape, tmp_path: Path) -> None:
    a = tape("a", [exchange("/1")])
    b = tape("b", [exchange(f"/{number}", body=b"x%d" % number * 500) for number in range(50)])
    import sqlite3

    with sqlite3.connect(b) as connection:
        connection.execute("UPDATE interaction SET started = 5 WHERE number = 40")
    connection.close()
    before = a.read_bytes()
    with pytest.raises(CassetteError, match="interaction #40"):
        merge(a, [b])
    assert a.read_bytes() == before
    with pytest.raises(CassetteError, match="interaction #40"):
        merge(tmp_path / "all", [b])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_mapped_hosts_are_kept(tmp_path: Path, exchange: Exchange, tape: Tape) -> None:
    a = tape("a", [exchange()], '{"minio.local:9000": "s3"}')
    b = tape("b", [exchange()], '{"jira.local": "jira"}')
    merge(tmp_path / "all", [a, b])
    with Cassette.open(tmp_path / "all") as cassette:
        assert cassette.meta("hosts") == '{"jira.local": "jira", "minio.local:9000": "s3"}'


def test_a_host_of_two_services_is_refused(tmp_path: Path, exchange: Exchange, tape: Tape) -> None:
    a = tape("a", [exchange()], '{"x.local": "s3"}')
    b = tape("b", [exchange()], '{"x.local": "jira"}')
    with pytest.raises(UsageError, match=r"maps x\.local to jira, another cassette to s3"):
        merge(tmp_path / "all", [a, b])
    assert not (tmp_path / "all").exists()


def test_a_cassette_is_not_merged_into_itself(exchange: Exchange, tape: Tape) -> None:
    a = tape("a", [exchange()])
    with pytest.raises(UsageError, match="into itself"):
        merge(a, [a])


def test_nothing_to_merge_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the cassettes"):
        merge(tmp_path / "all", [])
