"""Reading the tape.

# Rule: what is read is checked before it is given out: an interaction against its checksum, a body against its digest,
# the length against the number of rows.

A reader opens in constant time and may be used from any number of threads, beside one writer. The identity of a tape is
a chain of sha256 over the interactions' checksums, so it covers all that replay uses – requests, responses, bodies by
digest, frames, order, times – and nothing else; it is kept in `meta` with the length and brought up to date by `flush`.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path
from threading import Lock, local
from types import TracebackType
from typing import Self, TypeVar, cast
from weakref import WeakSet

from zstandard import ZstdDecompressor

from durable_replay.cassette import rows, sqlite_file
from durable_replay.cassette.bodies import DIGEST_BYTES, DamagedBody, StoredBody, chunk_checksum
from durable_replay.cassette.dictionary import read_dictionary
from durable_replay.cassette.places import body_row
from durable_replay.errors import CassetteError
from durable_replay.http import EMPTY, Body, Interaction

__all__ = ["Cassette", "Summary", "Tape"]

_Result = TypeVar("_Result")

_PAGE = 256
_COLUMNS = ", ".join(rows.READ)
_FRAME_COUNT, _PACKING = rows.STORED.index("frames"), rows.STORED.index("packing")
_DICTIONARIES = 4
_ONE = f"SELECT {_COLUMNS} FROM interaction WHERE number = ?"  # noqa: S608 - names of our own
_MANY = f"SELECT {_COLUMNS} FROM interaction WHERE number BETWEEN ? AND ? ORDER BY number"  # noqa: S608
_FRAMES = f"SELECT {', '.join(rows.FRAME_COLUMNS)} FROM frame WHERE interaction = ? ORDER BY position"  # noqa: S608
_CHUNK = "SELECT size, checksum, data FROM body_chunk WHERE digest = ? AND position = ?"
_TAPE = (
    "SELECT (SELECT value FROM meta WHERE key = 'tape'), (SELECT max(number) FROM interaction),"
    " (SELECT min(number) FROM interaction)"
)
_HOSTS = "SELECT (SELECT value FROM meta WHERE key = 'origin ' || origin), count(*) FROM interaction GROUP BY origin"
_TOTALS = (
    f"SELECT coalesce(sum({rows.SIZES[0]}), 0), coalesce(sum({rows.SIZES[1]}), 0), coalesce(sum(frames), 0),"  # noqa: S608
    " min(started), max(started) FROM interaction"
)
_CONTENT = "SELECT count(*), coalesce(sum(size), 0) FROM body"


@dataclass(frozen=True, slots=True)
class Tape:
    """Length and identity of a tape, as `meta` keeps them."""

    length: int = 0
    identity: str = sha256(b"durable-replay tape").hexdigest()
    """64 hex digits."""

    def then(self, checksum: bytes) -> Tape:
        """The tape with one interaction more."""
        return Tape(self.length + 1, sha256(bytes.fromhex(self.identity) + checksum).hexdigest())

    def __str__(self) -> str:
        text = f"{self.length}:{self.identity}"
        return f"{text}:{blake2b(text.encode(), digest_size=8).hexdigest()}"

    @classmethod
    def parse(cls, text: str) -> Tape | None:
        """None when it is not what `str` gave."""
        length, _, rest = text.partition(":")
        if not (length.isascii() and length.isdigit() and len(length) < 19):
            return None
        tape = cls(int(length), rest.partition(":")[0])
        return tape if str(tape) == text else None


@dataclass(frozen=True, slots=True)
class Summary:
    """What a cassette holds, for people. Sizes are bytes; times are seconds since the epoch, None on an empty tape."""

    interactions: int
    frames: int
    hosts: Mapping[str, int]
    """Interactions by host, the busiest first."""
    request_bytes: int
    response_bytes: int
    bodies: int
    """Different bodies, and their size before compression."""
    body_bytes: int
    file_bytes: int
    first: float | None
    last: float | None


class _Handle:
    """One thread's connection; its lock keeps `close` from another thread out while a statement runs."""

    __slots__ = ("__weakref__", "connection", "lock")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.lock = Lock()

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    def __del__(self) -> None:
        self.connection.close()


class Cassette:
    """A cassette opened for reading. Safe for threads: each has a connection of its own until the cassette is closed.

    Every method raises CassetteError, CorruptCassette where it meets damage; the text names the file and a next step.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = local()
        self._handles: WeakSet[_Handle] = WeakSet()
        self._lock = Lock()
        self._first: tuple[_Handle, tuple[int, int]] | None = None
        self._closed = False

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open in constant time. Raises NotACassette, NewerCassette, CorruptCassette; the file stays untouched."""
        cassette = cls(Path(path))
        sqlite_file.require_file(cassette.path)
        try:
            schema = sqlite_file.inspect(cassette.path, cassette.connection())
            if schema < sqlite_file.SCHEMA_VERSION:
                raise sqlite_file.outdated(cassette.path, schema)
            cassette.tape()
        except BaseException:
            cassette.close()
            raise
        return cassette

    def close(self) -> None:
        """Close the connections of all threads; waits for statements that run."""
        with self._lock:
            was_open, self._closed = not self._closed, True
            handles = list(self._handles)
        for handle in handles:
            handle.close()
        if was_open and handles:
            sqlite_file.tidy(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def connection(self) -> sqlite3.Connection:
        """This thread's read-only connection, for modules that keep tables of their own in the file. Don't close it."""
        return self._handle().connection

    def _handle(self) -> _Handle:
        handle: _Handle | None = getattr(self._local, "handle", None)
        if self._closed:
            raise CassetteError(f"{self.path} was closed. Open it again to read from it.")
        if handle is None:
            handle = self._local.handle = self._opened()
        return handle

    def _opened(self) -> _Handle:
        """A connection for one more thread; the first one, shared, where another file has taken the name by now: who
        has a cassette open goes on with it as it was."""
        first = self._first
        if first is not None and first[1] != _file_at(self.path):
            return first[0]
        before = _file_at(self.path)
        handle = _Handle(sqlite_file.open_read_only(self.path))
        if before != _file_at(self.path):  # it was replaced while we opened it
            handle.close()
            return self._opened()
        with self._lock:
            self._first = self._first or (handle, before)
            self._handles.add(handle)
            return handle if self._first[1] == before else self._first[0]

    def _all(self, sql: str, *values: rows.Value) -> list[tuple[rows.Value, ...]]:
        return self._read(lambda connection: connection.execute(sql, values).fetchall())

    def _read(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        handle = self._handle()
        with handle.lock:
            if self._closed:
                raise CassetteError(f"{self.path} was closed. Open it again to read from it.")
            try:
                return work(handle.connection)
            except sqlite_file.FAILURES as error:
                raise sqlite_file.named(self.path, error) from error
            except (MemoryError, OverflowError) as error:  # a damaged length
                raise self.damaged(f"a value announces an impossible size ({error})") from error

    def damaged(self, what: str) -> CassetteError:
        """The error that names this file and what is damaged in it."""
        return sqlite_file.damaged(self.path, what)

    def tape(self) -> Tape:
        """Length and identity, of the same moment; constant time."""
        ((text, last, first),) = self._all(_TAPE)
        tape = Tape.parse(text) if isinstance(text, str) else None
        if tape is None or tape.length != (last or 0) or (tape.length and first != 1):
            raise self.damaged("its number of interactions is not what was recorded")
        return tape

    def __len__(self) -> int:
        return self.tape().length

    def meta(self, key: str) -> str | None:
        """The fact on this cassette that `CassetteWriter.set_meta` kept under a name; None where there is none."""
        found = self._all("SELECT value FROM meta WHERE key = ?", key)
        return cast(str, found[0][0]) if found else None

    @property
    def identity(self) -> str:
        """64 hex digits that change with the tape's content, and only with it."""
        return self.tape().identity

    def interaction(self, number: int) -> Interaction:
        """The interaction at this place, counted from 1. Its bodies are read from the file when they are asked for."""
        found = self._all(_ONE, number)
        if found:
            return self._made(found[0], number)
        length = len(self)
        if 1 <= number <= length:
            raise self.damaged(f"interaction #{number} is missing")
        there = f"Name one from 1 to {length}." if length else "It is empty: record into it first."
        raise CassetteError(f"{self.path} has no interaction #{number}. {there}")

    def interactions(self, first: int = 1, last: int | None = None) -> Iterator[Interaction]:
        """Those from `first` to `last` (None: the end at the time of the call) in order, in bounded memory."""
        tape = self.tape()
        end = tape.length if last is None else min(last, tape.length)
        for at in range(max(first, 1), end + 1, _PAGE):
            until = min(at + _PAGE - 1, end)
            page = self._all(_MANY, at, until)
            if [row[0] for row in page] != list(range(at, until + 1)):
                raise self._gap(tape)
            for row in page:
                yield self._made(row, cast(int, row[0]))

    def _gap(self, before: Tape) -> CassetteError:
        if len(self) < before.length:
            return CassetteError(f"{self.path} was shortened while it was read. Read it again.")
        return self.damaged("interactions are missing")

    def _made(self, row: rows.StoredRow, number: int) -> Interaction:
        frames: Sequence[rows.FrameRow] = ()
        try:
            if row[_FRAME_COUNT] or not self._is_readable(row[_PACKING]):
                row, frames = self._with_frames(number)
            return rows.from_row(*rows.logical(row, self._unpacked), frames, self._stored)
        except (rows.Damaged, DamagedBody, UnicodeError) as error:
            raise self.damaged(f"interaction #{number}: {error}") from error

    def _with_frames(self, number: int) -> tuple[rows.StoredRow, list[rows.FrameRow]]:
        found, frames = self._read(
            lambda connection: _at_once(connection, lambda: self._row_and_frames(connection, number))
        )
        if not found:
            raise CassetteError(f"{self.path} was shortened while it was read. Read it again.")
        return found[0], frames

    def _row_and_frames(
        self, connection: sqlite3.Connection, number: int
    ) -> tuple[list[rows.StoredRow], list[rows.FrameRow]]:
        found = connection.execute(_ONE, (number,)).fetchall()
        if found:
            self._learn(connection, found[0][_PACKING])
        frames = bool(found) and bool(found[0][_FRAME_COUNT])
        return found, connection.execute(_FRAMES, (number,)).fetchall() if frames else []

    def _stored(self, digest: bytes | None, size: int) -> Body:
        return EMPTY if digest is None else StoredBody(self, digest, size)

    def body(self, digest: str) -> Body | None:
        """The body with this sha256 (hex, or its first 32 digits), or None where the cassette holds no such body."""
        try:
            key = bytes.fromhex(digest)[:DIGEST_BYTES]
        except ValueError:
            return None
        found = self._read(lambda connection: body_row(connection, key))
        return StoredBody(self, key, cast(int, found[0][1])) if found else None

    def _unpacked(self, packing: str, size: int | None, data: bytes) -> bytes:
        return rows.unpacked_value(packing, size, data, self._decompressor)

    def _known(self) -> dict[str, ZstdDecompressor]:
        """By the names of dictionaries; each thread has its own, like its connection."""
        known: dict[str, ZstdDecompressor] | None = getattr(self._local, "known", None)
        if known is None:
            known = self._local.known = {}
        return known

    def _is_readable(self, packing: rows.Value) -> bool:
        return packing in ("raw", "zstd") or packing in self._known()

    def _decompressor(self, name: str) -> ZstdDecompressor:
        try:
            return self._known()[name]
        except KeyError:
            raise DamagedBody("its dictionary is missing") from None

    def _learn(self, connection: sqlite3.Connection, packing: rows.Value) -> None:
        """The dictionary, of the moment that its value is read: a writer may make another, and drop this one."""
        if self._is_readable(packing) or not isinstance(packing, str) or not packing.isdecimal():
            return
        found = read_dictionary(connection, int(packing))
        if found is not None:
            known = self._known()
            if len(known) >= _DICTIONARIES:
                known.clear()
            known[packing] = found.decompressor

    def inline(self, digest: bytes) -> bytes:
        """A body of up to 1 MiB, unpacked. Raises DamagedBody where it cannot be."""
        found = self._read(lambda connection: body_row(connection, digest))
        if found and not self._is_readable(found[0][0]):
            found = self._read(lambda connection: _at_once(connection, lambda: self._body_row(connection, digest)))
        if not found:
            raise self.damaged(f"body {digest.hex()[:12]} is missing")
        packing, size, data = found[0]
        if not (isinstance(packing, str) and isinstance(size, int) and isinstance(data, bytes)):
            raise self.damaged(f"body {digest.hex()[:12]} is not what was recorded")
        return self._unpacked(packing, size, data)

    def _body_row(self, connection: sqlite3.Connection, digest: bytes) -> list[tuple[rows.Value, ...]]:
        found = body_row(connection, digest)
        if found:
            self._learn(connection, found[0][0])
        return found

    def chunk(self, digest: bytes, position: int) -> tuple[int, bytes]:
        """Size and zstd frame of one chunk of a larger body, checked."""
        found = self._all(_CHUNK, digest, position)
        if not found:
            raise self.damaged(f"chunk {position} of body {digest.hex()[:12]} is missing")
        size, checksum, data = found[0]
        if not isinstance(size, int) or not isinstance(data, bytes):
            raise self.damaged(f"chunk {position} of body {digest.hex()[:12]} is not what was recorded")
        if chunk_checksum(digest, position, data) != checksum:
            raise self.damaged(f"the checksum of chunk {position} of body {digest.hex()[:12]} does not match")
        return size, data

    def summary(self) -> Summary:
        """Counts, hosts and bytes; reads all rows, no bodies."""
        hosts = self._hosts()
        ((requested, responded, frames, first, last),) = cast(
            "list[tuple[int, int, int, float | None, float | None]]", self._all(_TOTALS)
        )
        ((bodies, body_bytes),) = cast("list[tuple[int, int]]", self._all(_CONTENT))
        size = self.path.stat().st_size
        return Summary(len(self), frames, hosts, requested, responded, bodies, body_bytes, size, first, last)

    def _hosts(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for origin, count in self._all(_HOSTS):
            counts[str(origin).rpartition(":")[0]] += cast(int, count)
        return dict(sorted(counts.items(), key=lambda host: (-host[1], host[0])))

    def verify(self) -> int:
        """Read every interaction and every byte of every body; gives their number. Raises CorruptCassette."""
        count = 0
        for interaction in self.interactions():
            for body in (interaction.request.body, interaction.response.body):
                for _ in body.chunks():
                    pass
            count += 1
        return count


def _file_at(path: Path) -> tuple[int, int]:
    """Which file has this name now; none: zeros, with which opening it fails or the first connection stays."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _at_once(connection: sqlite3.Connection, work: Callable[[], _Result]) -> _Result:
    """Do `work`, of which all is of one moment: a conversation may be going on, a dictionary be replaced."""
    if connection.in_transaction:
        return work()
    connection.execute("BEGIN")
    try:
        return work()
    finally:
        connection.execute("ROLLBACK")  # nothing was written
