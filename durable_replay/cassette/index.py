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
    key BLOB NOT NULL, number INTEGER NOT NULL, digest INTEGER NOT NULL, PRIMARY KEY (key, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS highest (
    space BLOB NOT NULL, head TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (space, head)) WITHOUT ROWID;
"""
_COLUMNS = "number, reads, writes, before, service, operation, checksum"


@dataclass(frozen=True, slots=True)
class IndexRows:
    """All rows of one interaction."""

    fact: Fact
    request_key: bytes
    listing_key: bytes | None
    host: str
    seen: tuple[tuple[Key, int], ...]
    """Keys with the digest of the history over each."""


FactRow = tuple[int, str, str, int, str, str, int]


def _fact(row: FactRow) -> Fact:
    number, reads, writes, before, service, operation, checksum = row
    if checksum != _checksum(row[:-1]):
        raise ValueError(f"the index row of interaction {number} is not what was written")
    return Fact(number, _keys(reads), _keys(writes), before, service, operation)


def _checksum(row: tuple[object, ...]) -> int:
    # SQLite does not notice a flipped bit inside a value; a wrong footprint would be a wrong truth.
    return crc32(ascii(row).encode())


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
        try:
            found = self._rows("SELECT value FROM index_meta WHERE name='fingerprint'")
        except sqlite3.OperationalError:  # no such table: an older or unfinished cassette
            return False
        return bool(found) and found[0][0] == fingerprint

    def replace(
        self, fingerprint: str, rows: Iterable[IndexRows], highest: Callable[[], Iterable[tuple[Key, str, int]]]
    ) -> None:
        """Makes the index anew, in one transaction. `highest` is asked when all rows are through."""
        db = self._connect()
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        if not db.in_transaction:
            db.execute("BEGIN IMMEDIATE")
        for table in ("index_meta", "fact", "seen", "highest"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from this line
        for row in rows:
            self._insert(db, row)
        db.executemany(
            "INSERT INTO highest VALUES (?, ?, ?)", ((encode(space), head, value) for space, head, value in highest())
        )
        db.execute("INSERT INTO index_meta VALUES ('fingerprint', ?)", (fingerprint,))
        db.execute("COMMIT")

    @staticmethod
    def _insert(db: sqlite3.Connection, row: IndexRows) -> None:
        fact = row.fact
        reads, writes = (json.dumps(keys, separators=(",", ":")) for keys in (fact.reads, fact.writes))
        checked = (fact.number, reads, writes, fact.before, fact.service, fact.operation)
        db.execute(
            f"INSERT INTO fact ({_COLUMNS}, request_key, listing_key, host) VALUES (?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
            (*checked, _checksum(checked), row.request_key, row.listing_key, row.host),
        )
        db.executemany(
            "INSERT OR REPLACE INTO seen VALUES (?,?,?)",
            [(encode(key), fact.number, digest) for key, digest in row.seen],
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
        return [
            Seen(*row) for row in self._rows("SELECT number, digest FROM seen WHERE key=? ORDER BY number", encode(key))
        ]

    def seen_below(self, prefix: Key) -> list[Key]:
        """The keys at or below a prefix."""
        low = encode(prefix)
        rows = self._rows("SELECT DISTINCT key FROM seen WHERE key>=? AND key<?", low, upper_bound(low))
        return [decode(key) for (key,) in rows]

    def highest(self, space: Key, head: str) -> int:
        """The highest number behind a head."""
        found = self._rows("SELECT value FROM highest WHERE space=? AND head=?", encode(space), head)
        return int(found[0][0]) if found else 0

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

    def _rows(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            try:
                return self._connect().execute(query, values).fetchall()
            except sqlite3.OperationalError:  # a missing table, or a file that cannot be read: the caller knows which
                raise
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                raise self._damaged(error) from error

    @staticmethod
    def _damaged(error: Exception) -> CorruptCassette:
        return CorruptCassette(
            f"the index inside the cassette is damaged ({error}); make it anew: `durable-replay cassette index FILE`"
        )
