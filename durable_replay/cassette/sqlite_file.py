"""Opening a cassette's file, telling what it is, and naming what is wrong with it.

# Rule: only SQLite opens the file. A second descriptor of our own would, when closed, drop the locks that SQLite holds.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from durable_replay.errors import CassetteError, CorruptCassette, NewerCassette, NotACassette

__all__ = [
    "APPLICATION_ID",
    "FAILURES",
    "SCHEMA_VERSION",
    "connect",
    "damaged",
    "inspect",
    "named",
    "open_read_only",
    "outdated",
    "require_file",
    "tidy",
]

APPLICATION_ID = 0x44524331
"""Bytes 68 to 71 of the file, "DRC1": it is a durable-replay cassette."""

SCHEMA_VERSION = 3
"""The schema that this version reads and writes; `PRAGMA user_version` of the file."""

FAILURES = (sqlite3.Error, UnicodeError)
"""What SQLite raises. UnicodeError: text that is no UTF-8, be it a value or a part of SQLite's own message."""

_BUSY_SECONDS = 5.0
_SMALLEST = 512
"""Bytes of an SQLite file; a shorter one, whatever is in it, SQLite takes for an empty database."""
_NOT_OURS = "Name a file that durable-replay recorded, or a new one to record into."
_DAMAGED = "The file was left as it is: restore it from version control or a copy, or record again into a new file."


def require_file(path: Path) -> None:
    """Raises CassetteError unless `path` is a regular file that we may read and that is not empty."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise CassetteError(
            f"There is no cassette {path}. Record one with `durable-replay record -c {path} -- COMMAND`."
        ) from None
    except OSError as error:
        raise CassetteError(f"{path} cannot be read: {error.strerror}. Name another file.") from error
    if path.is_dir():
        raise CassetteError(f"{path} is a directory, a cassette is a file. Name the file in it.")
    if not path.is_file():
        raise NotACassette(f"{path} is no regular file. {_NOT_OURS}")
    if not os.access(path, os.R_OK):
        raise CassetteError(f"{path} cannot be read: permission denied. Change its mode, or name another file.")
    if size == 0:
        raise NotACassette(
            f"{path} is empty, a cassette never is. Remove it to record into this name, or name another."
        )


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection in autocommit mode; `mode` is a URI query such as `mode=ro`. It may be closed by another thread."""
    uri = f"{path.absolute().as_uri()}?{mode}"
    return sqlite3.connect(uri, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True)


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot change the file, on media that cannot be written too. Raises CassetteError."""
    try:
        return _readable(path, "mode=ro")
    except FAILURES as error:
        if _code(error) == sqlite3.SQLITE_READONLY_ROLLBACK:
            return _after_rollback(path)
        if _primary(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) and not _unfinished(path):
            return _without_locks(path)
        raise named(path, error) from error


def _readable(path: Path, mode: str) -> sqlite3.Connection:
    connection = connect(path, mode)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _after_rollback(path: Path) -> sqlite3.Connection:
    # a writer was killed within the instant that it switches journals: what it had begun must be undone first
    try:
        _touch(path)
        return _readable(path, "mode=ro")
    except FAILURES as error:
        raise named(path, error) from error


def _touch(path: Path) -> None:
    """Open for writing and close again: SQLite puts its journals in order, and changes nothing else."""
    with closing(connect(path, "mode=rw")) as connection:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def _without_locks(path: Path) -> sqlite3.Connection:
    # in write-ahead form without its log, on a medium where SQLite can make no lock files: nobody can write it either
    try:
        return _readable(path, "mode=ro&immutable=1")
    except FAILURES as error:
        raise named(path, error) from error


def _log_of(path: Path) -> Path:
    real = path.resolve()
    return real.with_name(real.name + "-wal")


def _unfinished(path: Path) -> bool:
    try:
        return _log_of(path).stat().st_size > 0
    except OSError:
        return False


def inspect(path: Path, connection: sqlite3.Connection) -> int:
    """The schema version of a cassette; takes constant time. Raises NotACassette, NewerCassette, CorruptCassette."""
    try:
        connection.execute("BEGIN")  # from here to COMMIT nobody changes the file's length
        try:
            schema = _version(path, connection)
            _require_whole(path, connection)
        finally:
            connection.execute("COMMIT")
    except FAILURES as error:
        raise named(path, error) from error
    return schema


def _version(path: Path, connection: sqlite3.Connection) -> int:
    connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()  # takes the lock that BEGIN only announced
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID and path.stat().st_size < _SMALLEST:
        raise NotACassette(f"{path} is no SQLite file, so it is not a cassette. {_NOT_OURS}")
    if application != APPLICATION_ID:
        raise NotACassette(f"{path} is an SQLite file of another program, not a cassette. {_NOT_OURS}")
    if schema > SCHEMA_VERSION:
        raise NewerCassette(
            f"{path} has schema {schema}, this version of durable-replay knows {SCHEMA_VERSION}. "
            "Upgrade with `pip install -U durable-replay`."
        )
    return int(schema)


def _require_whole(path: Path, connection: sqlite3.Connection) -> None:
    if _unfinished(path):
        return  # part of the content is in the log; SQLite itself puts the two together
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    size = path.stat().st_size
    if size < pages * page_size or size % page_size:
        raise CorruptCassette(
            f"{path} is truncated: {size:,} bytes, where its header announces {pages * page_size:,}. {_DAMAGED}"
        )


def outdated(path: Path, schema: int) -> CassetteError:
    """The error for a file of an older schema, which only a writer brings up to date."""
    if os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK):
        where = path
        step = "Bring it up to date by recording into it once"
    else:
        where = Path(path.name)
        step = "Copy it to a folder that you may write, and bring the copy up to date by recording into it once"
    return CassetteError(f"{path} has the older schema {schema}. {step}: `durable-replay record -c {where} -- true`.")


def tidy(path: Path) -> None:
    """Remove the empty log and lock file of SQLite beside a file that nobody has open any more.

    A reader that outlives the writer keeps them in use, and cannot remove them through its read-only connections.
    """
    log = _log_of(path)
    if not log.exists() or _unfinished(path) or not os.access(log.parent, os.W_OK):
        return
    try:
        _touch(path)  # the last one to close removes both, under SQLite's own locks
    except FAILURES:
        return  # they are in use, or not ours to remove; they are empty and do no harm


def _code(error: sqlite3.Error | UnicodeError) -> int | None:
    return getattr(error, "sqlite_errorcode", None)


def _primary(error: sqlite3.Error | UnicodeError) -> int:
    code = _code(error)
    return sqlite3.SQLITE_ERROR if code is None else code & 0xFF


def named(path: Path, error: sqlite3.Error | UnicodeError) -> CassetteError:
    """SQLite's error as ours: which file, what is wrong, what to do."""
    if isinstance(error, UnicodeError):
        return damaged(path, "text in it is no UTF-8")
    match _primary(error):
        case sqlite3.SQLITE_NOTADB:
            return NotACassette(f"{path} is no SQLite file, so it is not a cassette. {_NOT_OURS}")
        case sqlite3.SQLITE_FULL:
            return _full(path)
        case sqlite3.SQLITE_IOERR if _code(error) in (sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE):
            return _full(path)
        case sqlite3.SQLITE_IOERR if _code(error) != sqlite3.SQLITE_IOERR_SHORT_READ:
            return CassetteError(f"{path} cannot be read or written: {error}. Look at the disk, then try again.")
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return CassetteError(f"{path} is in use by another program ({error}). Try again when that has ended.")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return CassetteError(_not_permitted(path, error))
        case _:
            return damaged(path, str(error))


def _full(path: Path) -> CassetteError:
    return CassetteError(
        f"{path}: the disk is full. What was flushed before is kept, what came since then is not. "
        "Make room, then record again."
    )


def _not_permitted(path: Path, error: sqlite3.Error) -> str:
    if _unfinished(path):
        return (
            f"{path} is in the middle of a recording, or its recorder was killed, and {error}. "
            f"Copy it together with {_log_of(path).name} to a folder that you may write, and open it there."
        )
    return f"{path} cannot be opened: {error}. Look at the permissions of the file and of its folder."


def damaged(path: Path, what: str) -> CorruptCassette:
    """The error for a file that is damaged: `what` says where."""
    return CorruptCassette(f"{path} is damaged: {what}. {_DAMAGED}")
