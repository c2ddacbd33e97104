"""Opening a cassette to write to it: made where there is none, refused where it is not sound, brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from durable_replay.cassette import sqlite_file
from durable_replay.cassette.migrations import empty_cassette, migrate
from durable_replay.cassette.reader import Cassette
from durable_replay.errors import CassetteError

__all__ = ["UNUSED_CHUNKS", "opened"]

_QUICK_CHECK_BYTES = 512 * 1024 * 1024
UNUSED_CHUNKS = "DELETE FROM body_chunk WHERE digest NOT IN (SELECT digest FROM body)"


def opened(path: Path) -> sqlite3.Connection:
    """The writer's connection, for the holder of the writer's lock. Raises CassetteError; such a file is untouched."""
    if not path.exists():
        _create(path)
    _require_sound(path)
    return _connected(path)


def _create(path: Path) -> None:
    try:
        empty_cassette(path.resolve())
    except OSError as error:
        raise CassetteError(
            f"{path} cannot be created: {error.strerror}. Name a file in a folder that you may write."
        ) from error


def _require_sound(path: Path) -> None:
    """Raises CassetteError for a file that must not be written to. Structure is checked whole up to 512 MiB."""
    sqlite_file.require_file(path)
    with Cassette(path) as cassette:
        if sqlite_file.inspect(path, cassette.connection()) < sqlite_file.SCHEMA_VERSION:
            return
        cassette.tape()
        if path.stat().st_size > _QUICK_CHECK_BYTES:
            return
        try:
            ((result,),) = cassette.connection().execute("PRAGMA quick_check(1)").fetchall()
        except sqlite_file.FAILURES as error:
            raise sqlite_file.named(path, error) from error
        if result != "ok":
            raise cassette.damaged(result)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite_file.connect(path, "mode=rw")
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA secure_delete = ON")  # what was taken off the tape is not left in free pages
        migrate(connection)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(UNUSED_CHUNKS)  # of a body whose recorder was killed
    except sqlite_file.FAILURES as error:
        connection.close()
        raise sqlite_file.named(path, error) from error
    return connection
