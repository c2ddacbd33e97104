"""Recordings that nobody needs go; all others stay."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from durable_replay.cassette.care.pruning import Unneeded, prune, read_report
from durable_replay.errors import UsageError
from durable_replay.http import Interaction
from durable_replay.replaying import Summary

Exchange = Callable[..., Interaction]
Tape = Callable[..., Path]
Targets = Callable[[Path], list[str]]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DUPLICATES = Unneeded(duplicates=True)


def report(path: Path, recordings: int, *unused: tuple[int, str, str], numbers: tuple[int, ...] = ()) -> Path:
    """What a replay says at its end, behind lines of another kind."""
    answers = {"recorded": recordings, "emulated": 0, "forwarded": 0, "refused": 0}
    numbers = numbers or tuple(each[0] for each in unused)
    summary = Summary(answers, 0, (), recordings, len(numbers), unused, numbers)  # type: ignore[arg-type]
    path.write_text(f"a warning of the child\n{json.dumps(asdict(summary))}\n")
    return path


def test_a_repeated_read_goes_though_its_times_differ(exchange: Exchange, tape: Tape, targets: Targets) -> None:
    path = tape("t", [exchange("/a", at=1.0), exchange("/b", at=2.0), exchange("/a", at=3.0)])
    assert prune(path, DUPLICATES).gone == {3: "duplicate"}
    assert targets(path) == ["/a", "/b"]


def test_a_read_with_another_answer_stays(exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange("/a", body=b"1"), exchange("/a", body=b"2")])
    assert prune(path, DUPLICATES).gone == {}


def test_a_read_after_a_write_to_its_host_stays(exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange("/a"), exchange("/a", "PUT"), exchange("/a"), exchange("/a", "PUT", "b.test")])
    assert prune(path, DUPLICATES).gone == {}
    other = tape("u", [exchange("/a"), exchange("/a", "PUT", "b.test"), exchange("/a")])
    assert prune(other, DUPLICATES).gone == {3: "duplicate"}


def test_a_repeated_write_stays(exchange: Exchange, tape: Tape) -> None:
    assert prune(tape("t", [exchange("/a", "POST"), exchange("/a", "POST")]), DUPLICATES).gone == {}


def test_old_recordings_go_and_those_of_unknown_time_stay(exchange: Exchange, tape: Tape, targets: Targets) -> None:
    recent = (NOW - timedelta(days=9)).timestamp()
    path = tape("t", [exchange("/old", at=1_700_000_000.0), exchange("/new", at=recent), exchange("/undated", at=0.0)])
    done = prune(path, Unneeded(older_than=timedelta(days=10), now=NOW))
    assert done.by_reason() == {"old": 1}
    assert targets(path) == ["/new", "/undated"]


def test_a_dry_run_tells_and_changes_nothing(exchange: Exchange, tape: Tape, identity: Callable[[Path], str]) -> None:
    path = tape("t", [exchange("/a"), exchange("/a")])
    before, data = identity(path), path.read_bytes()
    done = prune(path, DUPLICATES, dry_run=True)
    assert (done.gone, done.left) == ({2: "duplicate"}, 1)
    assert identity(path) == before
    assert path.read_bytes() == data


def test_what_no_run_has_used_goes(exchange: Exchange, tape: Tape, targets: Targets, tmp_path: Path) -> None:
    path = tape("t", [exchange("/1"), exchange("/2"), exchange("/3")])
    two, three = (2, "GET", "https://api.test/2"), (3, "GET", "https://api.test/3")
    first, second = report(tmp_path / "first", 3, two, three), report(tmp_path / "second", 3, three)
    assert prune(path, Unneeded((first, second))).gone == {3: "unused"}
    assert targets(path) == ["/1", "/2"]


def test_a_report_shows_some_by_name_and_all_by_number(
    exchange: Exchange, tape: Tape, targets: Targets, tmp_path: Path
) -> None:
    path = tape("t", [exchange("/1"), exchange("/2"), exchange("/3")])
    prune(path, Unneeded((report(tmp_path / "r", 3, (1, "GET", "https://api.test/1"), numbers=(1, 3)),)))
    assert targets(path) == ["/2"]


@pytest.mark.parametrize(
    ("recordings", "unused", "told"),
    [
        (3, (1, "GET", "https://api.test/1"), "of 3 recordings"),
        (2, (1, "GET", "https://api.test/9"), "of another tape: its #1 is"),
        (2, (7, "GET", "https://api.test/1"), "no report"),
    ],
)
def test_a_report_of_another_tape_is_refused(
    recordings: int, unused: tuple[int, str, str], told: str, exchange: Exchange, tape: Tape, tmp_path: Path
) -> None:
    path = tape("t", [exchange("/1"), exchange("/2")])
    with pytest.raises(UsageError, match=told):
        prune(path, Unneeded((report(tmp_path / "r", recordings, unused),)))


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", '{"a": 1}', '{"never_used": 1', "[" * 100_000])
def test_a_file_that_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "r").write_text(text)
    with pytest.raises(UsageError, match="is no report of a run"):
        read_report(tmp_path / "r")


def test_a_report_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_report(tmp_path / "none")
