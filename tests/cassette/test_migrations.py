"""An old file that was migrated equals a new one."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from durable_replay.cassette.migrations import MIGRATIONS, empty_cassette, migrate
from durable_replay.cassette.sqlite_file import APPLICATION_ID, SCHEMA_VERSION
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError, CorruptCassette


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
    CassetteWriter.open(old).close()
    assert _schema(old) == _schema(new)
    assert len([kind for kind, *_ in _schema(new) if kind == "table"]) == 7


def test_each_migration_is_recorded_in_old_files_and_new_ones(tmp_path: Path) -> None:
    new, old = tmp_path / "new", _before_all_migrations(tmp_path / "old")
    empty_cassette(new)
    CassetteWriter.open(old).close()
    for path in (old, new):
        with Cassette.open(path) as cassette:
            rows = cassette.connection().execute("SELECT number, name FROM migration ORDER BY number").fetchall()
        assert rows == [(number, made.__name__) for number, made in enumerate(MIGRATIONS, 1)]
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
