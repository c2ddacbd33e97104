"""What is derived from a tape, so that nothing has to be read twice: footprints, histories, and where things are seen.

The index is made by `timeline.indexing` when a cassette is finished, and kept in the cassette beside the tape; it can
always be made again. `fingerprint` says for which services and matching rules it holds. A cassette without a fitting
index gets one in memory when it is opened for replay.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from durable_replay.errors import CorruptCassette
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key, decode, encode, upper_bound
from durable_replay.timeline.tape import Seen

__all__ = ["Index", "IndexRows"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS index_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact (
    number INTEGER PRIMARY KEY, request_key BLOB NOT NULL, listing_key BLOB, host TEXT NOT NULL,
    service TEXT NOT NULL, operation TEXT NOT NULL, reads TEXT NOT NULL, writes TEXT NOT NULL, before INTEGER NOT NULL,
    checksum INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS fact_request ON fact (request_key, number);
CREATE INDEX IF NOT EXISTS fact_listing ON fact (listing_key, number) WHERE listing_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS fact_host ON fact (host, number);
CREATE INDEX IF NOT EXISTS fact_write ON fact (number) WHERE writes <> '[]';
CREATE TABLE IF NOT EXISTS seen (
    key BLOB NOT NULL, number INTEGER NOT NULL, digest INTEGER NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (key, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS highest (
    space BLOB NOT NULL, head TEXT NOT NULL, value INTEGER NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (space, head)) WITHOUT ROWID;
"""
_TABLES = ("index_meta", "fact", "seen", "highest")
_LAYOUT = "2"
"""Goes before each fingerprint: an index in other tables than these does not fit."""
_COLUMNS = "number, reads, writes, before, service, operation, request_key, listing_key, host, checksum"


@dataclass(frozen=True, slots=True)
class IndexRows:
    """All rows of one interaction."""

    fact: Fact
    request_key: bytes
    listing_key: bytes | None
    host: str
    seen: tuple[tuple[Key, int], ...]
    """Keys with the digest of the history over each."""


FactRow = tuple[int, str, str, int, str, str, bytes, bytes | None, str, int]


def _fact(row: FactRow) -> Fact:
    number, reads, writes, before, service, operation, _, _, _, checksum = row
    _require(row[:-1], checksum)
    return Fact(number, _keys(reads), _keys(writes), before, service, operation)


def _require(row: tuple[object, ...], checksum: object) -> None:
    if checksum != _checksum(row):
        raise ValueError(f"the index row {row[:2]!a} is not what was written")


def _checksum(row: tuple[object, ...]) -> int:
    # SQLite does not notice a flipped bit inside a value; a wrong footprint would be a wrong truth.
    return crc32(ascii(row).encode())


def _checked(*row: object) -> tuple[object, ...]:
    return (*row, _checksum(row))


@lru_cache(4096)
def _keys(text: str) -> tuple[Key, ...]:
    return tuple(tuple(key) for key in json.loads(text))


class Index:
    """The derived tables of one cassette, in its file or in memory."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._lock = threading.Lock()

    @classmethod
    def in_memory(cls) -> Index:
        """An index that lives as long as the process."""
        db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        db.executescript(_SCHEMA)
        return cls(lambda: db)

    def fits(self, fingerprint: str) -> bool:
        """Whether the index is there and holds for these services and rules."""
        if not self._rows("SELECT 1 FROM sqlite_master WHERE name='index_meta'"):  # an older or unfinished cassette
            return False
        found = self._rows("SELECT value FROM index_meta WHERE name='fingerprint'")
        return bool(found) and found[0][0] == f"{_LAYOUT} {fingerprint}"

    def replace(
        self, fingerprint: str, rows: Iterable[IndexRows], highest: Callable[[], Iterable[tuple[Key, str, int]]]
    ) -> None:
        """Makes the index anew, in one transaction. `highest` is asked when all rows are through."""
        db = self._connect()
        if not db.in_transaction:
            db.execute("BEGIN IMMEDIATE")
        db.execute("SAVEPOINT anew")
        try:
            self._fill(db, fingerprint, rows, highest)
        except BaseException:  # the old one stays, and what else this transaction holds
            db.execute("ROLLBACK TO anew")
            raise
        finally:
            db.execute("RELEASE anew")
            db.execute("COMMIT")

    def _fill(
        self,
        db: sqlite3.Connection,
        fingerprint: str,
        rows: Iterable[IndexRows],
        highest: Callable[[], Iterable[tuple[Key, str, int]]],
    ) -> None:
        for table in _TABLES:
            db.execute(f"DROP TABLE IF EXISTS {table}")
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        for row in rows:
            self._insert(db, row)
        db.executemany(
            "INSERT INTO highest VALUES (?, ?, ?, ?)",
            (_checked(encode(space), head, value) for space, head, value in highest()),
        )
        db.execute("INSERT INTO index_meta VALUES ('fingerprint', ?)", (f"{_LAYOUT} {fingerprint}",))

    @staticmethod
    def _insert(db: sqlite3.Connection, row: IndexRows) -> None:
        fact = row.fact
        reads, writes = (json.dumps(keys, separators=(",", ":")) for keys in (fact.reads, fact.writes))
        told = (fact.number, reads, writes, fact.before, fact.service, fact.operation)
        db.execute(
            f"INSERT INTO fact ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
            _checked(*told, row.request_key, row.listing_key, row.host),
        )
        db.executemany(
            "INSERT OR REPLACE INTO seen VALUES (?,?,?,?)",
            [_checked(encode(key), fact.number, digest) for key, digest in row.seen],
        )

    def candidates(self, request_key: bytes) -> list[Fact]:
        """The recordings of one request, in tape order."""
        query = f"SELECT {_COLUMNS} FROM fact WHERE request_key=? ORDER BY number"  # noqa: S608
        return self._facts(query, request_key)

    def listing(self, listing_key: bytes) -> list[Fact]:
        """The recordings of one listing, in tape order."""
        query = f"SELECT {_COLUMNS} FROM fact WHERE listing_key=? ORDER BY number"  # noqa: S608
        return self._facts(query, listing_key)

    def fact(self, number: int) -> Fact:
        """One interaction's; raises LookupError."""
        found = self._facts(f"SELECT {_COLUMNS} FROM fact WHERE number=?", number)  # noqa: S608
        if not found:
            raise LookupError(number)
        return found[0]

    def writes(self) -> list[Fact]:
        """All recorded writes."""
        query = f"SELECT {_COLUMNS} FROM fact WHERE writes <> '[]' ORDER BY number"  # noqa: S608
        return self._facts(query)

    def seen(self, key: Key) -> list[Seen]:
        """What shows this very key."""
        query = "SELECT key, number, digest, checksum FROM seen WHERE key=? ORDER BY number"
        return [Seen(number, digest) for _, number, digest in self._sound(query, encode(key))]

    def seen_below(self, prefix: Key) -> list[Key]:
        """The keys at or below a prefix."""
        low = encode(prefix)
        rows = self._rows("SELECT DISTINCT key FROM seen WHERE key>=? AND key<?", low, upper_bound(low))
        return [decode(key) for (key,) in rows]

    def highest(self, space: Key, head: str) -> int:
        """The highest number behind a head."""
        query = "SELECT space, head, value, checksum FROM highest WHERE space=? AND head=?"
        return max((value for _, _, value in self._sound(query, encode(space), head)), default=0)

    def nearest(self, host: str, limit: int) -> list[int]:
        """The first interactions with this host; with any, when there are none."""
        found = self._rows("SELECT number FROM fact WHERE host=? ORDER BY number LIMIT ?", host, limit)
        return [number for (number,) in found or self._rows("SELECT number FROM fact ORDER BY number LIMIT ?", limit)]

    def used(self) -> dict[str, int]:
        """Interactions by service."""
        return dict(self._rows("SELECT service, count(*) FROM fact GROUP BY service"))

    def _facts(self, query: str, *values: object) -> list[Fact]:
        try:
            return [_fact(row) for row in self._rows(query, *values)]
        except (ValueError, TypeError) as error:
            raise self._damaged(error) from error

    def _sound(self, query: str, *values: object) -> list[tuple[object, int, int]]:
        """Rows of three values each, that are as they were written."""
        rows = self._rows(query, *values)
        try:
            for row in rows:
                _require(row[:-1], row[-1])
        except ValueError as error:
            raise self._damaged(error) from error
        return [row[:-1] for row in rows]

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            try:
                return self._connect().execute(query, values).fetchall()
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                raise self._damaged(error) from error

    @staticmethod
    def _damaged(error: Exception) -> CorruptCassette:
        return CorruptCassette(
            f"the index inside the cassette is damaged ({error}); make it anew: `durable-replay cassette index FILE`"
        )
