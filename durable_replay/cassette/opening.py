"""Opening a cassette to write to it: made where there is none, refused where it is not sound, brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from durable_replay.cassette import sqlite_file
from durable_replay.cassette.migrations import SPARE, empty_cassette, make_spare, migrate
from durable_replay.cassette.reader import Cassette, Tape
from durable_replay.errors import CassetteError

__all__ = [
    "SET",
    "TAPE",
    "UNUSED_BODIES",
    "UNUSED_CHUNKS",
    "alone_in_one_file",
    "meta_of",
    "opened",
    "require_sound",
    "tape_of",
]

_QUICK_CHECK_BYTES = 512 * 1024 * 1024
_COMPACTED = 8 * 1024 * 1024
_OUTGROWN = 64 * 1024 * 1024
"""A file with small pages is given large ones up to this size; one that has grown further at once keeps them."""
_PAGE = 4096
_PAGE_SIZES = ((64 * 1024, 512), (2 * 1024 * 1024, 1024))
"""Of files up to a size, in bytes; of others it is _PAGE."""
TAPE = "tape"
"""In `meta`: length and identity."""
SET = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"
UNUSED_BODIES = (
    "DELETE FROM body WHERE id NOT IN (SELECT request_body FROM interaction WHERE request_body IS NOT NULL"
    " UNION SELECT response_body FROM interaction WHERE response_body IS NOT NULL)"
)
UNUSED_CHUNKS = "DELETE FROM body_chunk WHERE digest NOT IN (SELECT digest FROM body)"


def opened(path: Path) -> sqlite3.Connection:
    """The writer's connection, for the holder of the writer's lock. Raises CassetteError; such a file is untouched."""
    if path.exists():
        require_sound(path)
    else:
        _create(path)
    return _connected(path)


def _create(path: Path) -> None:
    try:
        empty_cassette(path.resolve())
    except OSError as error:
        raise CassetteError(
            f"{path} cannot be created: {error.strerror}. Name a file in a folder that you may write."
        ) from error


def require_sound(path: Path) -> None:
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
        make_spare(connection)
        connection.execute(UNUSED_CHUNKS)  # of a body whose recorder was killed
    except sqlite_file.FAILURES as error:
        connection.close()
        raise sqlite_file.named(path, error) from error
    return connection


def alone_in_one_file(connection: sqlite3.Connection, path: Path, changed: bool) -> None:
    """Leave no log beside the file, and if it has changed and is small, no empty space in it. Raises CassetteError.

    A small file has small pages, since each table takes one at least; a large one has those that SQLite reads fastest.
    While others read it, nothing of that is done.
    """
    try:
        _fold(connection, changed)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise sqlite_file.named(path, error) from error


def _fold(connection: sqlite3.Connection, changed: bool) -> None:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.execute("PRAGMA busy_timeout = 0")
    ((mode,),) = connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    ((pages,),) = connection.execute("PRAGMA page_count").fetchall()
    ((page_size,),) = connection.execute("PRAGMA page_size").fetchall()
    size = pages * page_size
    if mode != "delete" or size > (_COMPACTED if page_size == _PAGE else _OUTGROWN):
        return
    dropped = _drop_spare(connection)
    if changed or dropped:
        fitting = next((page for below, page in _PAGE_SIZES if size <= below), _PAGE)
        connection.execute(f"PRAGMA page_size = {fitting}")
        connection.execute("VACUUM")


def _drop_spare(connection: sqlite3.Connection) -> int:
    """Take away the tables that hold nothing, each of which costs a small file two pages; gives how many."""
    empty = [table for table in SPARE if not connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()]  # noqa: S608
    if empty:
        connection.execute("BEGIN IMMEDIATE")  # together: each transaction waits for the disk
        for table in empty:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("COMMIT")
    return len(empty)


def meta_of(connection: sqlite3.Connection, key: str) -> str | None:
    """What `meta` holds under this name. Raises sqlite3.Error."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def tape_of(connection: sqlite3.Connection) -> Tape:
    """The tape of a file that `opened` has found sound. Raises sqlite3.Error."""
    text = meta_of(connection, TAPE)
    tape = Tape.parse(text) if text is not None else None
    if tape is None:  # none right after the first migration
        tape = Tape()
        connection.execute(SET, (TAPE, str(tape)))
    return tape
