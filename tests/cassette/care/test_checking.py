"""Damage is found wherever it is; what a service cannot read is told and is no damage."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.care.checking import verify
from durable_replay.http import Interaction
from durable_replay.settings import Settings
from durable_replay.tapes import understanding, write_index

Exchange = Callable[..., Interaction]
Tape = Callable[..., Path]


def change(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_sound_cassette_is_counted(exchange: Exchange, tape: Tape) -> None:
    report = verify(tape("t", [exchange("/1", body=b"aa"), exchange("/2", body=b"bbb"), exchange("/3", body=b"aa")]))
    assert report.sound
    assert (report.interactions, report.bodies, report.body_bytes, report.index) == (3, 2, 5, "unchecked")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE interaction SET started = 5 WHERE number = 2", "interaction #2"),
        ("UPDATE interaction SET head = x'00' WHERE number = 2", "interaction #2"),
        ("DELETE FROM interaction WHERE number = 2", "#2"),
        ("UPDATE body SET data = x'00' WHERE id = (SELECT max(id) FROM body)", "body"),
        ("DELETE FROM body WHERE id = (SELECT max(id) FROM body)", "body"),
        ("UPDATE meta SET value = '[' WHERE key = 'hosts'", "hosts"),
    ],
)
def test_every_damage_is_named(statement: str, told: str, exchange: Exchange, tape: Tape) -> None:
    bodies = [b"body %d" % number for number in range(3)]
    path = tape("t", [exchange(f"/{n}", body=body) for n, body in enumerate(bodies)], '{"a": "s3"}')
    change(path, statement)
    report = verify(path)
    assert not report.sound
    assert any(told in line for line in report.damage)


def test_all_damaged_interactions_are_listed_not_the_first_alone(exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange(f"/{number}") for number in range(5)])
    change(path, "UPDATE interaction SET started = 5 WHERE number IN (2, 4)")
    damage = " ".join(verify(path).damage)
    assert "#2" in damage
    assert "#4" in damage


def test_an_index_is_told_to_fit_or_not(exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange()])
    indexing = understanding([path], Settings(), {})
    assert verify(path, indexing).index == "absent"
    write_index(path, Settings())
    assert verify(path, indexing).index == "fits"


def test_an_answer_that_its_service_cannot_read_is_told_and_is_no_damage(exchange: Exchange, tape: Tape) -> None:
    path = tape("t", [exchange("/rest/api/2/issue/P-1", host="x.atlassian.net", body=b"no json")])
    report = verify(path, understanding([path], Settings(), {}))
    assert report.sound
    assert len(report.unread) == 1
    assert report.unread[0].startswith("#1: jira.")


def test_progress_is_told_to_the_end(exchange: Exchange, tape: Tape) -> None:
    told: list[tuple[int, int]] = []
    verify(tape("t", [exchange(), exchange()]), on_progress=lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (2, 2)]
