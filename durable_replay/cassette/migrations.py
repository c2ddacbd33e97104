"""From older schemas to this one.

# Rule: a migration that was released is never edited. A change of tables.py needs a new one at the end, and a test
# holds that a file which had them all equals a new one.

A migration is a function of a connection, numbered by its place; each is recorded in `meta` within the transaction
that it runs in. (The first schema had a table for that.)
"""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from durable_replay.cassette.dictionary import dictionary_value
from durable_replay.cassette.places import ORIGIN, Places, origin_text
from durable_replay.cassette.reader import Tape
from durable_replay.cassette.shorter_rows import shorter_rows
from durable_replay.cassette.sqlite_file import APPLICATION_ID, SCHEMA_VERSION

__all__ = ["MIGRATIONS", "SPARE", "empty_cassette", "make_spare", "migrate"]


def first_tables(connection: sqlite3.Connection) -> None:
    """Interactions, frames, content-addressed bodies, and what they have in common."""
    for statement in _FIRST_TABLES.split(";"):
        connection.execute(statement)


_FIRST_TABLES = """
CREATE TABLE migration (
    number INTEGER NOT NULL, name TEXT NOT NULL, applied_at TEXT NOT NULL, PRIMARY KEY (number)
);
CREATE TABLE meta ("key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key"));
CREATE TABLE interaction (
    number INTEGER NOT NULL,
    host TEXT NOT NULL, port INTEGER NOT NULL,
    request_body BLOB, request_size INTEGER NOT NULL,
    status INTEGER NOT NULL, response_body BLOB, response_size INTEGER NOT NULL,
    started FLOAT NOT NULL, duration FLOAT NOT NULL, frames INTEGER NOT NULL,
    packing TEXT NOT NULL, head BLOB NOT NULL, checksum BLOB NOT NULL,
    PRIMARY KEY (number)
);
CREATE TABLE frame (
    interaction INTEGER NOT NULL, position INTEGER NOT NULL,
    from_client INTEGER NOT NULL, kind TEXT NOT NULL, code INTEGER, at FLOAT NOT NULL,
    packing TEXT NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (interaction, position)
) WITHOUT ROWID;
CREATE TABLE body (
    id INTEGER NOT NULL, digest BLOB NOT NULL, size INTEGER NOT NULL, packing TEXT NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (id), UNIQUE (digest)
);
CREATE TABLE body_chunk (
    id INTEGER NOT NULL, digest BLOB NOT NULL, position INTEGER NOT NULL,
    size INTEGER NOT NULL, checksum BLOB NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (id), UNIQUE (digest, position)
);
CREATE TABLE dictionary (
    number INTEGER NOT NULL, interactions INTEGER NOT NULL, checksum BLOB NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (number)
)
"""


def numbers_for_what_is_shared(connection: sqlite3.Connection) -> None:
    """Rows name bodies and origins by number; no index and no table is there for what a number tells."""
    execute = connection.execute
    for table in ("meta", "interaction", "body"):
        execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in _NUMBERED_TABLES.split(";"):
        execute(statement)
    execute("INSERT INTO meta (key, value) SELECT key, value FROM old_meta")
    execute(
        "INSERT INTO meta (key, value) SELECT 'migration ' || number, name || ' ' || applied_at FROM migration"
        " WHERE number < 2"
    )
    for number, interactions, data in execute("SELECT number, interactions, data FROM dictionary").fetchall():
        value = dictionary_value(number, interactions, data)
        execute("INSERT INTO meta (key, value) VALUES (?, ?)", (f"dictionary {number}", value))
    _number_bodies(connection)
    connection.create_function("origin_text", 2, origin_text, deterministic=True)
    pairs = execute("SELECT host, port FROM old_interaction GROUP BY host, port ORDER BY min(number)").fetchall()
    execute("CREATE TEMP TABLE origins (number INTEGER PRIMARY KEY, text TEXT UNIQUE)")
    connection.executemany("INSERT INTO origins (text) VALUES (?)", [(origin_text(*pair),) for pair in pairs])
    execute(f"INSERT INTO meta (key, value) SELECT '{ORIGIN}' || number, text FROM origins")  # noqa: S608
    execute(_NUMBERED_ROWS)
    for table in ("origins", "numbers", "old_meta", "old_interaction", "old_body", "migration", "dictionary"):
        execute(f"DROP TABLE {table}")


def _number_bodies(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TEMP TABLE numbers (digest BLOB PRIMARY KEY, id INTEGER) WITHOUT ROWID")
    places = Places(connection)
    for old, digest in connection.execute("SELECT id, digest FROM old_body ORDER BY digest").fetchall():
        number = places.take(digest)
        connection.execute(
            "INSERT INTO body (id, digest, size, packing, data)"
            " SELECT ?, digest, size, packing, data FROM old_body WHERE id = ?",
            (number, old),
        )
        connection.execute("INSERT INTO numbers VALUES (?, ?)", (digest, number))
        places.all_are_written()


_NUMBERED_TABLES = """
CREATE TABLE meta ("key" TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY ("key")) WITHOUT ROWID;
CREATE TABLE interaction (
    number INTEGER NOT NULL, origin INTEGER NOT NULL,
    request_body INTEGER, request_size INTEGER NOT NULL,
    status INTEGER NOT NULL, response_body INTEGER, response_size INTEGER NOT NULL,
    started FLOAT NOT NULL, duration FLOAT NOT NULL, frames INTEGER NOT NULL,
    packing TEXT NOT NULL, head BLOB NOT NULL, checksum BLOB NOT NULL,
    PRIMARY KEY (number)
);
CREATE TABLE body (
    id INTEGER NOT NULL, digest BLOB NOT NULL, size INTEGER NOT NULL, packing TEXT NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (id)
)
"""
# a digest of no body, where a first schema's file is damaged, becomes the number of none: reading tells
_NUMBERED_ROWS = """
INSERT INTO interaction
SELECT number, (SELECT origins.number FROM origins WHERE text = origin_text(host, port)),
    CASE WHEN request_body IS NOT NULL THEN
        coalesce((SELECT numbers.id FROM numbers WHERE numbers.digest = request_body), 0) END, request_size,
    status, CASE WHEN response_body IS NOT NULL THEN
        coalesce((SELECT numbers.id FROM numbers WHERE numbers.digest = response_body), 0) END, response_size,
    started, duration, frames, packing, head, checksum
FROM old_interaction
"""

MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    first_tables,
    numbers_for_what_is_shared,
    shorter_rows,
)
"""In order; the first has number 1."""

_SCHEMA = Path(__file__).with_name("schema.sql")

SPARE = {
    "frame": """CREATE TABLE frame (
    interaction INTEGER NOT NULL, position INTEGER NOT NULL,
    from_client INTEGER NOT NULL, kind TEXT NOT NULL, code INTEGER, at FLOAT NOT NULL,
    packing TEXT NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (interaction, position)
) WITHOUT ROWID""",
    "body_chunk": """CREATE TABLE body_chunk (
    id INTEGER NOT NULL, digest BLOB NOT NULL, position INTEGER NOT NULL,
    size INTEGER NOT NULL, checksum BLOB NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (id), UNIQUE (digest, position)
)""",
}
"""Tables that most cassettes have no row for: a small file is left without them, and a writer makes them again."""


def make_spare(connection: sqlite3.Connection) -> None:
    """Make those that are not there."""
    for statement in SPARE.values():
        connection.execute(statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))


def migrate(connection: sqlite3.Connection) -> list[int]:
    """Run what this file has not had, all or nothing; gives the numbers. Raises sqlite3.Error."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    pending = list(range(version + 1, SCHEMA_VERSION + 1))
    if not pending:
        return []
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in pending:
            MIGRATIONS[number - 1](connection)
        for number in pending:
            _record(connection, number)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return pending


def _statements(text: str) -> Iterator[str]:
    """Without comments, and without the space between words that each file would have to keep."""
    for statement in re.sub("--.*", "", text).split(";"):
        if short := " ".join(statement.split()).replace("( ", "(").replace(" )", ")"):
            yield short


def empty_cassette(path: Path) -> None:
    """Make a new cassette where nothing is yet; for the holder of the writer's lock. Raises OSError.

    It is made in memory and put in its place whole, so that nobody ever meets half a cassette.
    """
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        for statement in _statements(_SCHEMA.read_text("utf-8")):
            connection.execute(statement)
        for number in range(1, SCHEMA_VERSION + 1):
            _record(connection, number)
        connection.execute("INSERT INTO meta (key, value) VALUES ('tape', ?)", (str(Tape()),))
        image = connection.serialize()
    finally:
        connection.close()
    _put(image, path)


def _put(image: bytes, path: Path) -> None:
    new = path.with_name(path.name + "-new")
    try:
        with new.open("wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            raise FileExistsError(errno.EEXIST, "another program has just made such a file", str(path))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _record(connection: sqlite3.Connection, number: int) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    name = MIGRATIONS[number - 1].__name__
    connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (f"migration {number}", f"{name} {now}"))
