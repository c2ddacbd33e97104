"""What sessions have written, behind the one seam of storage.

A `Store` keeps, for each session, its overlay (documents by key, and the keys that are gone), its events (recorded
writes played, live writes made), its counters and cursors, and contents too large for a document. All of a write
goes in one `Change`: when `commit` returns, it is as durable as this store is. Nothing but this module knows SQL,
and nothing that only one process could know lives outside a store.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal, Protocol, TypeAlias
from uuid import uuid4

from durable_replay.errors import UsageError
from durable_replay.http import Body, BytesBody, FileBody
from durable_replay.timeline.resource import Key, decode, encode, upper_bound

__all__ = ["Change", "Document", "Event", "Json", "Record", "SQLiteStore", "Store"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Document: TypeAlias = dict[str, Json]

GONE = None
"""In an overlay: the thing is known not to be there (which is not the same as nothing known)."""


@dataclass(frozen=True, slots=True)
class Event:
    """One write of a session: `number` is a place on the tape (played) or the session's own ordinal (live)."""

    kind: Literal["played", "live"]
    number: int
    keys: tuple[Key, ...]
    at: float = 0.0
    """Seconds since the epoch on the session's clock."""


@dataclass(frozen=True, slots=True)
class Change:
    """All that one write does. It is committed whole or not at all."""

    documents: Mapping[Key, Document | None] = field(default_factory=dict)
    event: Event | None = None
    counters: Mapping[str, int] = field(default_factory=dict)
    cursors: Mapping[bytes, int] = field(default_factory=dict)
    served: Mapping[int, int] = field(default_factory=dict)
    """Interactions served, with the order of the last serving of each."""


@dataclass(slots=True)
class Record:
    """A session as a store keeps it, without its documents."""

    seed: int
    events: list[Event] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    cursors: dict[bytes, int] = field(default_factory=dict)
    served: dict[int, int] = field(default_factory=dict)


class Store(Protocol):
    """Where sessions live."""

    def names(self) -> list[str]:
        """All sessions and snapshots."""

    def create(self, name: str, seed: int) -> None: ...

    def load(self, name: str) -> Record | None: ...

    def entry(self, name: str, key: Key) -> tuple[bool, Document | None]:
        """Whether the overlay knows this key, and its document (None: gone)."""

    def entries(self, name: str, prefix: Key) -> dict[Key, Document | None]:
        """The overlay at and below a prefix."""

    def commit(self, name: str, change: Change) -> None:
        """All of it or nothing. A counter never goes back, in whatever order changes arrive."""

    def copy(self, source: str, target: str) -> None:
        """Makes `target` equal to `source`; replaces what `target` was."""

    def remove(self, name: str) -> None: ...

    def keep(self, body: Iterator[bytes]) -> str:
        """Stores a content, durable when this returns; gives its `sha256:…` name."""

    def content(self, digest: str) -> Body | None: ...

    def close(self) -> None: ...


_SCHEMA = """
CREATE TABLE IF NOT EXISTS session (name TEXT PRIMARY KEY, seed INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    session TEXT NOT NULL, ordinal INTEGER NOT NULL, kind TEXT NOT NULL, number INTEGER NOT NULL,
    keys TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (session, ordinal)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entry (
    session TEXT NOT NULL, key BLOB NOT NULL, document TEXT, PRIMARY KEY (session, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (
    session TEXT NOT NULL, name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (session, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cursor (
    session TEXT NOT NULL, request BLOB NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (session, request)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS served (
    session TEXT NOT NULL, number INTEGER NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (session, number)) WITHOUT ROWID;
"""
_TABLES = ("event", "entry", "counter", "cursor", "served")
_APPLICATION = 0x64725374  # "drSt"
_INLINE = 256 * 1024


class SQLiteStore:
    """A store in one SQLite file of a data directory, or in memory.

    With a directory, a commit is synced to disk before it returns. Contents over 256 KiB, or all of them with a
    directory, are files named by their sha256; `sweep` removes those that no document names.
    """

    def __init__(self, directory: Path | None = None, spool: Path | None = None) -> None:
        self._directory = directory
        self._contents = (directory or spool) and (directory or spool or Path()) / "contents"
        self._small: dict[str, bytes] = {}
        self._lock = threading.RLock()
        self._db = self._open(directory)
        if directory is not None:
            self.sweep()

    def _open(self, directory: Path | None) -> sqlite3.Connection:
        if directory is None:
            db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            db.executescript(_SCHEMA)
            return db
        path = directory / "state.sqlite"
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            application = db.execute("PRAGMA application_id").fetchone()[0]
            if application not in (0, _APPLICATION):
                raise UsageError(f"{path} belongs to another program; give an empty --data-dir")
            db.execute(f"PRAGMA application_id={_APPLICATION}")
            db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise UsageError(
                f"the data directory {directory} cannot be used ({error}); give another --data-dir"
            ) from error
        return db

    def names(self) -> list[str]:
        with self._lock:
            return [name for (name,) in self._db.execute("SELECT name FROM session ORDER BY name")]

    def create(self, name: str, seed: int) -> None:
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO session VALUES (?, ?)", (name, seed))

    def load(self, name: str) -> Record | None:
        with self._lock:
            found = self._db.execute("SELECT seed FROM session WHERE name=?", (name,)).fetchone()
            if found is None:
                return None
            events = self._db.execute(
                "SELECT kind, number, keys, at FROM event WHERE session=? ORDER BY ordinal", (name,)
            ).fetchall()
            counters = dict(self._db.execute("SELECT name, value FROM counter WHERE session=?", (name,)))
            cursors = dict(self._db.execute("SELECT request, number FROM cursor WHERE session=?", (name,)))
            served = dict(self._db.execute("SELECT number, place FROM served WHERE session=?", (name,)))
        made = [Event(kind, number, tuple(map(tuple, json.loads(keys))), at) for kind, number, keys, at in events]
        return Record(found[0], made, counters, cursors, served)

    def entry(self, name: str, key: Key) -> tuple[bool, Document | None]:
        with self._lock:
            found = self._db.execute(
                "SELECT document FROM entry WHERE session=? AND key=?", (name, encode(key))
            ).fetchone()
        return (False, None) if found is None else (True, None if found[0] is None else json.loads(found[0]))

    def entries(self, name: str, prefix: Key) -> dict[Key, Document | None]:
        low = encode(prefix)
        with self._lock:
            rows = self._db.execute(
                "SELECT key, document FROM entry WHERE session=? AND key>=? AND key<?", (name, low, upper_bound(low))
            ).fetchall()
        return {decode(key): None if text is None else json.loads(text) for key, text in rows}

    def commit(self, name: str, change: Change) -> None:
        documents = [
            (name, encode(key), None if document is None else json.dumps(document, separators=(",", ":")))
            for key, document in change.documents.items()
        ]
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", documents)
                self._write_event(name, change.event)
                self._db.executemany(
                    "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
                    [(name, *item) for item in change.counters.items()],
                )
                self._db.executemany(
                    "INSERT OR REPLACE INTO cursor VALUES (?, ?, ?)", [(name, *item) for item in change.cursors.items()]
                )
                self._db.executemany(
                    "INSERT OR REPLACE INTO served VALUES (?, ?, ?)", [(name, *item) for item in change.served.items()]
                )
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def _write_event(self, name: str, event: Event | None) -> None:
        if event is not None:
            self._db.execute(
                "INSERT INTO event SELECT ?, coalesce(max(ordinal), 0) + 1, ?, ?, ?, ? FROM event WHERE session=?",
                (name, event.kind, event.number, json.dumps(event.keys), event.at, name),
            )

    def copy(self, source: str, target: str) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._delete(target)
            self._db.execute("INSERT INTO session SELECT ?, seed FROM session WHERE name=?", (target, source))
            for table in _TABLES:
                columns = [row[1] for row in self._db.execute(f"PRAGMA table_info({table})")][1:]
                names = ", ".join(columns)
                self._db.execute(
                    f"INSERT INTO {table} (session, {names}) SELECT ?, {names} FROM {table} WHERE session=?",  # noqa: S608
                    (target, source),
                )
            self._db.execute("COMMIT")

    def remove(self, name: str) -> None:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            self._delete(name)
            self._db.execute("COMMIT")

    def _delete(self, name: str) -> None:
        self._db.execute("DELETE FROM session WHERE name=?", (name,))
        for table in _TABLES:
            self._db.execute(f"DELETE FROM {table} WHERE session=?", (name,))  # noqa: S608 - names from this module

    def keep(self, body: Iterator[bytes]) -> str:
        digest, small = sha256(), bytearray()
        for chunk in body:
            digest.update(chunk)
            small += chunk
            if self._contents is not None and (self._directory is not None or len(small) > _INLINE):
                return f"sha256:{self._keep_file(self._contents, bytes(small), body)}"
        self._small[digest.hexdigest()] = bytes(small)
        return f"sha256:{digest.hexdigest()}"

    def _keep_file(self, folder: Path, first: bytes, rest: Iterator[bytes]) -> str:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path, digest = folder / f"new-{uuid4().hex}", sha256(first)
        try:
            with path.open("wb") as file:
                file.write(first)
                for chunk in rest:
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                if self._directory is not None:
                    os.fsync(file.fileno())
            path.rename(folder / digest.hexdigest())
        except BaseException:  # a content that turns out bad at its end is not kept, nor is a part of it
            path.unlink(missing_ok=True)
            raise
        return digest.hexdigest()

    def content(self, digest: str) -> Body | None:
        name = digest.removeprefix("sha256:")
        if name in self._small:
            return BytesBody(self._small[name])
        path = self._contents / name if self._contents else None
        return FileBody(path) if path is not None and path.exists() else None

    def sweep(self) -> int:
        """Removes contents that no document names, and those half written; gives how many."""
        if self._contents is None or not self._contents.exists():
            return 0
        with self._lock:
            rows = self._db.execute("SELECT document FROM entry WHERE document LIKE '%sha256:%'")
            named = {piece[:64] for (text,) in rows for piece in text.split("sha256:")[1:]}
        loose = [path for path in self._contents.iterdir() if path.name not in named]
        for path in loose:
            path.unlink()
        return len(loose)

    def close(self) -> None:
        with self._lock:
            self._db.close()
