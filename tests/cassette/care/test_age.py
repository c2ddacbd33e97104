"""How old is too old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from durable_replay.cassette.care.age import Age, age, check_age, parse_age
from durable_replay.errors import UsageError
from durable_replay.http import Interaction

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def path(exchange: Callable[..., Interaction], tape: Callable[..., Path]) -> Path:
    days = (NOW - timedelta(days=40), NOW - timedelta(days=2))
    return tape("t", [*(exchange(at=day.timestamp()) for day in days), exchange(at=0.0)])


def test_age_is_of_the_interactions_whose_time_is_known(path: Path) -> None:
    assert age(path) == Age(NOW - timedelta(days=40), NOW - timedelta(days=2), 1)


def test_a_cassette_that_is_too_old_is_told_of(path: Path) -> None:
    assert "has recordings of 2026-01-20, 40 days old; the limit is 30" in check_age(path, timedelta(days=30), NOW)
    assert check_age(path, timedelta(days=41), NOW) == ""


@pytest.mark.parametrize("text", ["", "30", "d", "3 years", "-1d", "٣d"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="30d"):
        parse_age(text)


def test_an_age_is_told_by_its_unit() -> None:
    assert [parse_age(text) for text in ("90m", "12h", " 5W ")] == [
        timedelta(minutes=90),
        timedelta(hours=12),
        timedelta(weeks=5),
    ]


def test_imported_recordings_without_a_time_are_not_too_old(
    exchange: Callable[..., Interaction], tape: Callable[..., Path]
) -> None:
    path = tape("u", [exchange(at=0.0)])
    assert age(path) == Age(None, None, 1)
    assert check_age(path, timedelta(days=1), NOW) == ""


def test_a_time_that_an_import_made_up_is_no_age(tmp_path: Path) -> None:
    import json

    from durable_replay.cassette.care.pruning import Unneeded, prune
    from durable_replay.cassette.formats.importing import import_into

    mapping = {"request": {"method": "GET", "url": "/a"}, "response": {"status": 200, "body": "x"}}
    (tmp_path / "stub.json").write_text(json.dumps(mapping))
    import_into(tmp_path / "i.cassette", [tmp_path / "stub.json"], base="https://api.test")
    assert age(tmp_path / "i.cassette") == Age(None, None, 1)
    old = Unneeded(older_than=timedelta(days=1), now=NOW)
    assert prune(tmp_path / "i.cassette", old).gone == {}
    assert check_age(tmp_path / "i.cassette", timedelta(days=1), NOW) == ""
