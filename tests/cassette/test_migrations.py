"""An old file that was migrated equals a new one."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from durable_replay.cassette import places
from durable_replay.cassette.migrations import MIGRATIONS, empty_cassette, migrate
from durable_replay.cassette.sqlite_file import APPLICATION_ID, SCHEMA_VERSION
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.cassette.tables import create_tables
from durable_replay.errors import CassetteError, CorruptCassette
from durable_replay.http import Frame, Interaction

Make = Callable[..., Interaction]


def _schema(path: Path) -> list[tuple[str, str, str | None]]:
    connection = sqlite3.connect(path)
    try:
        found = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").fetchall()
        return [(kind, name, sql and re.sub(r"\s+", "", sql)) for kind, name, sql in found]
    finally:
        connection.close()


def _before_all_migrations(path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("CREATE TABLE x (y)")
    connection.execute("DROP TABLE x")
    connection.commit()
    connection.close()
    return path


def test_a_file_that_had_all_migrations_has_the_schema_of_a_new_one(tmp_path: Path) -> None:
    new, old = tmp_path / "new", _before_all_migrations(tmp_path / "old")
    empty_cassette(new)
    with CassetteWriter.open(old):
        assert _schema(old) == _schema(new)
    assert len([kind for kind, *_ in _schema(new) if kind == "table"]) == 5


def test_the_schema_is_that_of_the_tables(tmp_path: Path) -> None:
    new, typed = tmp_path / "new", tmp_path / "typed"
    empty_cassette(new)
    with closing(sqlite3.connect(typed)) as connection:
        create_tables(connection)
    assert _schema(new) == _schema(typed)


def test_tables_that_hold_nothing_are_left_out_of_a_file_and_made_again(tmp_path: Path, make: Make) -> None:
    new, path = tmp_path / "new", tmp_path / "a.cassette"
    empty_cassette(new)
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
    assert {name for _, name, _ in _schema(path)} == {"meta", "interaction", "body"}
    with CassetteWriter.open(path) as writer:
        assert _schema(path) == _schema(new)
        writer.append(make(2, b"x", (Frame(True, "text", b"hello"),)))
    assert {name for _, name, _ in _schema(path)} == {"meta", "interaction", "body", "frame"}
    with Cassette.open(path) as cassette:
        assert [len(each.frames) for each in cassette.interactions()] == [0, 1]


OLD = {1: "first_schema.sql", 2: "second_schema.sql"}
"""One cassette, as the versions of these schemas wrote it: two hosts, frames, shared bodies, a dictionary, chunks."""


def _of_schema(schema: int, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parent / OLD[schema]).read_text("utf-8"))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {schema}")
    return path


@pytest.mark.parametrize("schema", OLD)
def test_a_cassette_of_an_older_schema_is_read_as_it_was_recorded(tmp_path: Path, schema: int) -> None:
    path = _of_schema(schema, tmp_path / "old")
    with closing(sqlite3.connect(path)) as connection:
        ((hosts,),) = connection.execute("SELECT value FROM meta WHERE key = 'hosts'").fetchall()
    CassetteWriter.open(path).close()
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 14
        with CassetteWriter.open(tmp_path / "new") as writer:
            writer.extend(cassette.interactions())
            assert writer.tape == cassette.tape()
        assert cassette.meta("hosts") == hosts
        found = list(cassette.interactions())
        assert cassette.summary().hosts == {"api.test": 12, "other.test": 2}
        assert cassette.summary().bodies == 13
        assert [json.loads(each.response.body.read())["number"] for each in found[:12]] == list(range(1, 13))
        assert found[12].request.body.read() == found[3].response.body.read()
    assert [len(each.frames) for each in found] == [0] * 12 + [2, 0]
    assert [each.request.port for each in found] == [443] * 12 + [8443] * 2
    assert found[13].response.body.size == 1024 * 1024 + 10
    with CassetteWriter.open(path) as writer:  # and it goes on
        writer.delete([2])
        writer.append(found[0])
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 14


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE interaction SET status = 500 WHERE number = 3", "#3"),
        ("UPDATE interaction SET head = x'00' WHERE number = 3", "#3"),
        ("UPDATE interaction SET checksum = 7 WHERE number = 3", "#3"),
        ("UPDATE interaction SET packing = '9' WHERE number = 3", "#3"),
        ("UPDATE interaction SET response_size = 1 WHERE number = 3", "#3"),
        ("UPDATE interaction SET response_body = 5 WHERE number = 3", "#3"),
        ("UPDATE interaction SET request_body = NULL WHERE number = 13", "#13"),
        ("UPDATE frame SET data = x'00' WHERE position = 0", "#13"),
        ("DELETE FROM meta WHERE key = 'origin 2'", "#13"),
        ("DELETE FROM interaction WHERE number = 3", "missing"),
        ("DELETE FROM interaction WHERE number = 14", "number of interactions"),
        ("UPDATE body SET digest = zeroblob(32) WHERE id = 255250928", "#3"),
        ("UPDATE body_chunk SET data = x'00' WHERE position = 1", "chunk 1"),
        ("UPDATE body_chunk SET position = 7 WHERE position = 1", "chunk 1"),
    ],
)
def test_what_was_damaged_before_a_migration_is_refused_after_it(tmp_path: Path, damage: str, said: str) -> None:
    path = _of_schema(2, tmp_path / "old")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    with pytest.raises(CorruptCassette, match=said):
        CassetteWriter.open(path).close()
        with Cassette.open(path) as cassette:
            cassette.verify()


def test_each_migration_is_recorded_in_old_files_and_new_ones(tmp_path: Path) -> None:
    new, old = tmp_path / "new", _before_all_migrations(tmp_path / "old")
    empty_cassette(new)
    CassetteWriter.open(old).close()
    for path in (old, new):
        with Cassette.open(path) as cassette:
            found = [(cassette.meta(f"migration {number}") or "").split() for number in range(1, SCHEMA_VERSION + 1)]
        assert [name for name, _ in found] == [made.__name__ for made in MIGRATIONS]
        assert all(datetime.fromisoformat(time).tzinfo for _, time in found)
    assert len(MIGRATIONS) == SCHEMA_VERSION


def test_a_migrated_file_takes_interactions(tmp_path: Path) -> None:
    old = _before_all_migrations(tmp_path / "old")
    CassetteWriter.open(old).close()
    with Cassette.open(old) as cassette:
        assert len(cassette) == 0


def test_a_reader_refuses_an_older_schema_with_the_next_step(tmp_path: Path) -> None:
    old = _before_all_migrations(tmp_path / "old")
    with pytest.raises(CassetteError, match=r"older schema 0.*recording into it once"):
        Cassette.open(old)


def test_bodies_that_begin_alike_are_found_after_a_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "body_numbers", lambda digest: (0, 15) if digest[0] < 128 else (16, 19))
    path = _of_schema(1, tmp_path / "old")
    CassetteWriter.open(path).close()
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 14
    with closing(sqlite3.connect(path)) as connection:
        ((above,),) = connection.execute("SELECT count(*) FROM body WHERE id >= ?", (1 << 61,)).fetchall()
    assert above


def test_an_older_cassette_that_nobody_may_write_is_to_be_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _of_schema(1, tmp_path / "old")
    before = path.read_bytes()
    monkeypatch.setattr(os, "access", lambda _, mode: mode == os.R_OK)  # a read-only file system
    with pytest.raises(CassetteError, match=r"older schema 1\. Copy it to a folder that you may write.*-c old "):
        Cassette.open(path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["old"]


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    old = _before_all_migrations(tmp_path / "old")
    connection = sqlite3.connect(old, isolation_level=None)
    connection.execute("CREATE TABLE frame (in_the_way)")
    before = old.read_bytes()
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    connection.close()
    assert old.read_bytes() == before
    with pytest.raises(CorruptCassette, match="frame"):
        CassetteWriter.open(old)
    assert old.read_bytes() == before


def test_tables_do_not_mix_with_those_of_a_program_that_uses_sqlmodel() -> None:
    from sqlmodel import SQLModel

    from durable_replay.cassette.tables import Table

    assert "interaction" in Table.metadata.tables
    assert "interaction" not in SQLModel.metadata.tables
