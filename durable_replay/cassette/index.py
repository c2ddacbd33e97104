"""What is derived from a tape, so that nothing has to be read twice: footprints, histories, and where things are seen.

The index is made by `timeline.indexing` when a cassette is finished, and kept in the cassette beside the tape; it can
always be made again. `fingerprint` says for which services and matching rules it holds. A cassette without a fitting
index gets one in memory when it is opened for replay.

It is one ordered table of parts (`_Part`); places on the tape are kept as the distances between them. How a fact is
packed is in facts.py.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from zlib import crc32

from durable_replay.cassette.facts import FactPacker, numbers_packed, numbers_unpacked, seen_packed, seen_unpacked
from durable_replay.errors import CorruptCassette
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key, decode, encode, upper_bound
from durable_replay.timeline.tape import Seen

__all__ = ["Index", "IndexRows"]

_Result = TypeVar("_Result")

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS derived (part INTEGER, key BLOB, value BLOB, PRIMARY KEY (part, key)) WITHOUT ROWID"
)
_FORMER = ("index_meta", "fact", "seen", "highest")
"""Tables of earlier layouts."""
_LAYOUT = "3"
"""Goes before each fingerprint: an index laid out otherwise does not fit."""
_INSERT = "INSERT INTO derived (part, key, value) VALUES (?, ?, ?)"
_ONE = "SELECT value FROM derived WHERE part = ? AND key = ?"
_RANGE = "SELECT key, value FROM derived WHERE part = ? AND key >= ? AND key < ?"
_FIRST = "SELECT key FROM derived WHERE part = ? ORDER BY key LIMIT ?"
_BATCH = 512
_KEY_BYTES = 12
"""Of the 16 of a request's key: enough to tell apart the requests of any tape."""
_NEAR = 1000
"""So many places are kept for each host."""
_HEAD = 3
"""Parts of a key that things have in common: service, tenant, kind."""


class _Part:
    """What a row is about: its key, and its value after the checksum. Plain numbers, which SQLite takes fastest."""

    FINGERPRINT = 0
    """b"" → text."""
    FACT = 1
    """Place on the tape → facts.FactPacker."""
    REQUEST = 2
    """Request key, cut short → places."""
    LISTING = 3
    """Listing key, cut short → places."""
    HOST = 4
    """Host → the first places."""
    WRITES = 5
    """b"" → places."""
    HEAD = 6
    """The head of a key, encoded → its number."""
    SEEN = 7
    """The number of a head and the rest of the key → places and digests."""
    HIGHEST = 8
    """Space and head of a name, encoded → the number."""
    USED = 9
    """Service → how many interactions."""
    DICTIONARY = 10
    """b"" → what facts have in common."""


@dataclass(frozen=True, slots=True)
class IndexRows:
    """All rows of one interaction."""

    fact: Fact
    request_key: bytes
    listing_key: bytes | None
    host: str
    seen: tuple[tuple[Key, int], ...]
    """Keys with the digest of the history over each."""


Row = tuple[int, bytes, bytes]


def _row(part: int, key: bytes, value: bytes, context: bytes = b"") -> Row:
    """`context` is what the row's meaning depends on, beside what it holds."""
    # SQLite does not notice a flipped bit inside a value; a wrong footprint would be a wrong truth.
    return part, key, _checksum(part, key, value, context) + value


def _checksum(part: int, key: bytes, value: bytes, context: bytes) -> bytes:
    return crc32(value, crc32(key, crc32(context, part) if context else part)).to_bytes(4, "big")


def _sound(part: int, key: object, stored: object, context: bytes) -> bytes:
    if isinstance(key, bytes) and isinstance(stored, bytes):
        value = stored[4:]
        if stored[:4] == _checksum(part, key, value, context):
            return value
    raise ValueError(f"the index row {part}, {key!a} is not what was written")


def _place(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _fact_row(packer: FactPacker, fact: Fact) -> Row:
    """The row of a fact; what it means depends on what facts have in common."""
    return _row(_Part.FACT, _place(fact.number), packer.packed(fact), packer.mark)


class _Gathered:
    """What is known of a tape once all its rows were seen."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, bytes], list[int]] = {}
        self._used: dict[str, int] = {}
        self._heads: dict[Key, int] = {}
        self._seen: dict[Key, tuple[Key, bytes, list[tuple[int, int]]]] = {}

    def add(self, row: IndexRows) -> None:
        fact, number = row.fact, row.fact.number
        self._add(_Part.REQUEST, row.request_key[:_KEY_BYTES], number)
        if row.listing_key is not None:
            self._add(_Part.LISTING, row.listing_key[:_KEY_BYTES], number)
        if fact.writes:
            self._add(_Part.WRITES, b"", number)
        host = self._places.setdefault((_Part.HOST, row.host.encode("utf-8", "surrogatepass")), [])
        if len(host) < _NEAR:
            host.append(number)
        self._used[fact.service] = self._used.get(fact.service, 0) + 1
        for key, digest in dict(row.seen).items():
            found = self._seen.get(key)
            if found is None:
                head = key[:_HEAD]
                self._heads.setdefault(head, len(self._heads))
                found = self._seen[key] = (head, encode(key[_HEAD:]), [])
            found[2].append((number, digest))

    def _add(self, part: int, key: bytes, number: int) -> None:
        self._places.setdefault((part, key), []).append(number)

    def rows(self) -> Iterator[Row]:
        for (part, key), numbers in sorted(self._places.items()):
            yield _row(part, key, numbers_packed(numbers))
        for head, number in self._heads.items():
            yield _row(_Part.HEAD, encode(head), _below(number))
        for head, rest, digests in self._seen.values():
            yield _row(_Part.SEEN, _below(self._heads[head]) + rest, seen_packed(digests), encode(head))
        for service, count in self._used.items():
            yield _row(_Part.USED, service.encode(), numbers_packed([count]))


def _below(head: int) -> bytes:
    """Where the keys of a head begin; no such text begins another."""
    return head.to_bytes(2, "big") if head < 0xFFFF else b"\xff\xff" + head.to_bytes(4, "big")


class Index:
    """The derived table of one cassette, in its file or in memory."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._lock = threading.RLock()
        self._facts: FactPacker | None = None
        self._heads: dict[Key, bytes] | None = None

    @classmethod
    def in_memory(cls) -> Index:
        """An index that lives as long as the process."""
        db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        db.execute(_SCHEMA)
        return cls(lambda: db)

    def fits(self, fingerprint: str) -> bool:
        """Whether the index is there and holds for these services and rules."""
        if not self._query("SELECT 1 FROM sqlite_master WHERE name='derived'"):  # an older or unfinished cassette
            return False
        return self._one(_Part.FINGERPRINT, b"") == f"{_LAYOUT} {fingerprint}".encode()

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
            self._facts = self._heads = None
            db.execute("RELEASE anew")
            db.execute("COMMIT")

    @staticmethod
    def _fill(
        db: sqlite3.Connection,
        fingerprint: str,
        rows: Iterable[IndexRows],
        highest: Callable[[], Iterable[tuple[Key, str, int]]],
    ) -> None:
        for table in (*_FORMER, "derived"):
            db.execute(f"DROP TABLE IF EXISTS {table}")
        db.execute(_SCHEMA)
        gathered = _Gathered()
        remaining = iter(rows)
        packer: FactPacker | None = None
        while batch := list(islice(remaining, _BATCH)):
            if packer is None:
                packer = FactPacker.made_of([row.fact for row in batch])
                db.execute(_INSERT, _row(_Part.DICTIONARY, b"", packer.stored))
            db.executemany(_INSERT, (_fact_row(packer, row.fact) for row in batch))
            for row in batch:
                gathered.add(row)
        db.executemany(_INSERT, gathered.rows())
        tops = {encode((*space, head)): value for space, head, value in highest()}
        db.executemany(_INSERT, (_row(_Part.HIGHEST, key, numbers_packed([value])) for key, value in tops.items()))
        db.execute(_INSERT, _row(_Part.FINGERPRINT, b"", f"{_LAYOUT} {fingerprint}".encode()))

    def candidates(self, request_key: bytes) -> list[Fact]:
        """The recordings of one request, in tape order."""
        return self._facts_of(_Part.REQUEST, request_key[:_KEY_BYTES])

    def listing(self, listing_key: bytes) -> list[Fact]:
        """The recordings of one listing, in tape order."""
        return self._facts_of(_Part.LISTING, listing_key[:_KEY_BYTES])

    def fact(self, number: int) -> Fact:
        """One interaction's; raises LookupError."""
        if not 0 < number < 1 << 32:
            raise LookupError(number)
        packer = self._facts or self._packer()
        data = self._one(_Part.FACT, _place(number), packer.mark)
        if data is None:
            raise LookupError(number)
        try:
            return packer.unpacked(number, data)
        except (ValueError, TypeError) as error:
            raise self._damaged(error) from error

    def writes(self) -> list[Fact]:
        """All recorded writes."""
        return self._facts_of(_Part.WRITES, b"")

    def seen(self, key: Key) -> list[Seen]:
        """What shows this very key."""
        head = key[:_HEAD]
        place = self._known_heads().get(head)
        data = None if place is None else self._one(_Part.SEEN, place + encode(key[_HEAD:]), encode(head))
        return [] if data is None else [Seen(*one) for one in self._read(seen_unpacked, data)]

    def seen_below(self, prefix: Key) -> list[Key]:
        """The keys at or below a prefix."""
        found: list[Key] = []
        rest = encode(prefix[_HEAD:])
        for head, place in self._known_heads().items():
            if head[: len(prefix)] == prefix[:_HEAD]:
                rows = self._range(_Part.SEEN, place + rest, place + upper_bound(rest), encode(head))
                found += [(*head, *decode(key[len(place) :])) for key, _ in rows]
        return sorted(found)

    def highest(self, space: Key, head: str) -> int:
        """The highest number behind a head."""
        return next(iter(self._places(_Part.HIGHEST, encode((*space, head)))), 0)

    def nearest(self, host: str, limit: int) -> list[int]:
        """The first interactions with this host, up to 1000; with any, when there are none."""
        found = self._places(_Part.HOST, host.encode("utf-8", "surrogatepass"))
        if not found:
            found = [int.from_bytes(key, "big") for (key,) in self._query(_FIRST, _Part.FACT, limit)]
        return list(found[:limit])

    def used(self) -> dict[str, int]:
        """Interactions by service."""
        return {
            key.decode(): self._read(numbers_unpacked, value)[0] for key, value in self._range(_Part.USED, b"", b"\xff")
        }

    def _places(self, part: int, key: bytes) -> Sequence[int]:
        data = self._one(part, key)
        return [] if data is None else self._read(numbers_unpacked, data)

    def _facts_of(self, part: int, key: bytes) -> list[Fact]:
        """The facts at a row's places. In one transaction: taking SQLite's lock for each costs more than reading it."""
        with self._lock:
            if self._connect().in_transaction:
                return self._at(self._places(part, key))
            self._query("BEGIN")
            try:
                return self._at(self._places(part, key))
            finally:
                self._query("ROLLBACK")  # nothing was written

    def _at(self, numbers: Sequence[int]) -> list[Fact]:
        try:
            return [self.fact(number) for number in numbers]
        except LookupError as error:
            raise self._damaged(ValueError(f"interaction {error} is missing")) from error

    def _packer(self) -> FactPacker:
        if self._facts is None:
            self._facts = self._read(FactPacker, self._one(_Part.DICTIONARY, b"") or b"")
        return self._facts

    def _known_heads(self) -> dict[Key, bytes]:
        if self._heads is None:
            self._heads = {decode(key): value for key, value in self._range(_Part.HEAD, b"", b"\xff\xff")}
        return self._heads

    def _read(self, how: Callable[[bytes], _Result], data: bytes) -> _Result:
        try:
            return how(data)
        except (ValueError, TypeError) as error:
            raise self._damaged(error) from error

    def _one(self, part: int, key: bytes, context: bytes = b"") -> bytes | None:
        # without a call that can be spared: this is what the first look-up of a request waits for
        try:
            with self._lock:
                found = self._connect().execute(_ONE, (part, key)).fetchone()
            return None if found is None else _sound(part, key, found[0], context)
        except (sqlite3.DatabaseError, UnicodeDecodeError, ValueError) as error:
            raise self._damaged(error) from error

    def _range(self, part: int, low: bytes, high: bytes, context: bytes = b"") -> list[tuple[bytes, bytes]]:
        return self._checked(part, self._query(_RANGE, part, low, high), context)

    def _checked(self, part: int, rows: list[tuple[bytes, bytes]], context: bytes) -> list[tuple[bytes, bytes]]:
        try:
            return [(key, _sound(part, key, stored, context)) for key, stored in rows]
        except ValueError as error:
            raise self._damaged(error) from error

    def _query(self, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
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
