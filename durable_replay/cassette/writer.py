"""Writing the tape: `CassetteWriter`, beside which any number of readers may be open.

# Rule: what `flush` has returned for survives the end of this process, however it ends; what it has not is lost as a
# whole, never in part. While a writer is open the file has a write-ahead log beside it; `close` leaves one file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Literal, Self, TypeVar

from durable_replay.cassette import opening, rows, sqlite_file
from durable_replay.cassette.bodies import (
    INLINE,
    BodyGone,
    BodyWriter,
    SpooledBody,
    StoredBody,
    chunk_checksum,
    digest_of,
    spooled,
)
from durable_replay.cassette.dictionary import SAMPLE, Packer, as_it_is
from durable_replay.cassette.growing import Growth, last_values
from durable_replay.cassette.held import Held
from durable_replay.cassette.lock import WriterLock
from durable_replay.cassette.places import ORIGIN, Places
from durable_replay.cassette.reader import Tape
from durable_replay.errors import CassetteError
from durable_replay.http import Body, Frame, Headers, Interaction

__all__ = ["CassetteWriter"]

_Result = TypeVar("_Result")

_CHUNKS_A_COMMIT = 32
_INSERT_CHUNK = "INSERT OR REPLACE INTO body_chunk (digest, position, size, checksum, data) VALUES (?, ?, ?, ?, ?)"
_GROWN = "grown"
"""In `meta` while the identity is not the chain over all rows, because one of them has grown."""
_OWN = frozenset({opening.TAPE, _GROWN})
_OWN_KINDS = (ORIGIN, "dictionary ", "migration ")


class CassetteWriter:
    """The one writer of a cassette. Safe for threads. Every method raises CassetteError, with the file and a next step.

    >>> with CassetteWriter.open("jira.cassette") as writer:  # doctest: +SKIP
    ...     number = writer.append(interaction)
    ...     writer.flush()
    """

    def __init__(self, path: Path, lock: WriterLock, connection: sqlite3.Connection) -> None:
        self.path = path
        self._lock = RLock()
        self._writer_lock = lock
        self._connection = connection
        self._changes = connection.total_changes
        self._packer = Packer(connection, path)
        self._closed = False
        self._atomic = False
        self._places = Places(connection)
        self._held = Held(connection)
        self._growth = Growth(connection, self._packer, self._places)
        self._tape = self._flushed = opening.tape_of(connection)
        self._grown = opening.meta_of(connection, _GROWN) is not None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Create a cassette, or continue one. A file that is something else, newer or damaged is left untouched."""
        path = Path(path)
        if path.exists():
            sqlite_file.require_file(path)
        lock = WriterLock(path.resolve())
        try:
            writer = cls(path, lock, opening.opened(path))
            writer._settle_left_over()
            return writer
        except BaseException:
            lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        """How many interactions the tape has, those not flushed yet included."""
        return self._tape.length

    @property
    def tape(self) -> Tape:
        """Length and identity, what is not flushed yet included."""
        return self._tape

    def new_body(self) -> BodyWriter:
        """For a body that comes piece by piece; may be written from another thread than the one that appends."""
        return BodyWriter(self.path.resolve().parent)

    def append(self, interaction: Interaction) -> int:
        """Put it at the end of the tape; gives its number. Bodies that the cassette has already are not read again."""
        frames = rows.frame_rows(interaction.frames)
        row = rows.to_row(interaction, 0, None, None)
        with self._lock:
            text = self._run(lambda: rows.text_of(row))
        try:
            return self._append(interaction, row, text, frames)
        except BodyGone:
            with self._lock:
                return self._append(interaction, row, text, frames)

    def _append(self, interaction: Interaction, row: rows.Row, text: bytes, frames: Sequence[rows.FrameRow]) -> int:
        # a row and what it names are added together: between the two, another thread may undo, or delete
        request, response = self._ready(interaction.request.body), self._ready(interaction.response.body)
        with self._lock:
            self._run(lambda: self._hold(*request))
            self._run(lambda: self._hold(*response))
            number = self._tape.length + 1
            whole = rows.with_bodies(row, number, request[0], response[0])
            self._tape = self._tape.then(self._run(lambda: self._held.add(whole, text, frames, self._places)))
            if self._held.is_full or (number == SAMPLE and not self._atomic):
                self._run(self._write_packed)
        return number

    def grow(self, number: int, frames: Sequence[Frame] = (), data: bytes = b"") -> None:
        """Add to an interaction on the tape: frames to its conversation, or bytes to the end of its response's body.

        Costs what is added, however long it is already. Until `settle` such a body is read whole into memory.
        """
        with self._lock:
            self._run(self._write_held)
            self._run(lambda: self._has_grown(self._growth.extend(number, frames, data)))

    def settle(
        self,
        number: int,
        *,
        outcome: Literal["complete", "aborted"],
        duration: float,
        note: str = "",
        trailers: Headers = Headers(),  # noqa: B008 - immutable
    ) -> None:
        """An interaction that has grown is over: how it ended."""
        with self._lock:
            self._settle(number, last_values(outcome, duration, note, trailers))

    def _settle(self, number: int, last: dict[str, rows.Value]) -> None:
        spool = self.new_body()
        try:
            self._run(lambda: self._growth.pieces(number, spool.write))
            digest, data = self._ready(spool.finish())
            self._run(lambda: self._hold(digest, data))
            self._run(self._write_held)
        finally:
            spool.abort()
        self._run(lambda: self._has_grown(self._growth.settle(number, digest, last)))

    def _has_grown(self, checksum: bytes) -> None:
        # the chain over all rows is made when the file is closed; until then any new identity will do
        self._tape = Tape(self._tape.length, self._tape.then(checksum).identity)
        if not self._grown:
            self._connection.execute(opening.SET, (_GROWN, "1"))
            self._grown = True

    def _settle_left_over(self) -> None:
        """Bodies whose recorder was killed while they came are made like any other."""
        if not self._grown:
            return
        for number in self._run(self._growth.in_pieces):
            self._settle(number, {})
        self.flush()

    def _chained(self) -> None:
        if self._grown:
            self._run(self._write_held)
            self._tape = self._run(self._growth.chain)
            self._run(lambda: self._connection.execute("DELETE FROM meta WHERE key = ?", (_GROWN,)))
            self._grown = False

    def set_meta(self, key: str, value: str) -> None:
        """Keep a fact on the cassette under a name that is not the tape's own; `Cassette.meta` reads it."""
        if key in _OWN or key.startswith(_OWN_KINDS):
            raise CassetteError(f"{self.path}: {key!r} is the tape's own. Name it otherwise.")
        with self._lock:
            self._run(lambda: self._connection.execute(opening.SET, (key, value)))

    def meta(self, key: str) -> str | None:
        """The fact that `set_meta` kept, flushed or not."""
        with self._lock:
            return self._run(lambda: opening.meta_of(self._connection, key))

    def _write_held(self) -> None:
        self._held.write(self._packer.packed)
        self._places.all_are_written()

    def _write_packed(self) -> None:
        """With a dictionary that is made now, where it is time for one."""
        if self._packer.is_outgrown(len(self)):
            self._packer.renew(len(self), self._held)
        self._write_held()

    def _run(self, work: Callable[[], _Result]) -> _Result:
        """Do `work` in the running transaction; if it fails, all that was not flushed is undone."""
        if self._closed:
            raise CassetteError(f"{self.path} was closed. Open it again to write to it.")
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            return work()
        except (*sqlite_file.FAILURES, OverflowError) as error:
            self._undo()
            if isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.ProgrammingError):
                raise sqlite_file.named(self.path, error) from error
            raise CassetteError(f"{self.path} cannot hold this interaction: {error}. Leave it out.") from error

    def _undo(self) -> None:
        if self._connection.in_transaction:  # SQLite has ended it by itself where the disk was full
            self._connection.execute("ROLLBACK")
        self._tape = self._flushed
        self._grown = opening.meta_of(self._connection, _GROWN) is not None
        self._held.clear()
        self._growth.forget()
        self._packer.forget()
        self._places.forget()

    def _ready(self, body: Body) -> tuple[bytes | None, bytes | SpooledBody | None]:
        """The digest of the body (None: it is empty), and what `_hold` needs, if it is not in the file already."""
        if not body.size:
            return None, None
        if isinstance(body, StoredBody | SpooledBody):
            with self._lock:
                if self._run(lambda: self._places.body(body.key)) is not None:
                    return body.key, None
        if body.size <= INLINE:
            data = body.read()
            return digest_of(data), data
        whole = body if isinstance(body, SpooledBody) else spooled(body, self.path)
        self._store_chunks(whole)
        return whole.key, whole

    def _hold(self, digest: bytes | None, content: bytes | SpooledBody | None) -> None:
        if isinstance(content, SpooledBody):
            self._name_chunks(content)
        elif digest is not None and content is not None:
            number = self._places.take(digest)
            if number is not None:
                self._held.add_body(number, digest, content)
        elif digest is not None and self._places.body(digest) is None:
            raise BodyGone(f"{self.path}: a body went while what names it was appended. Append it again.")

    def _store_chunks(self, body: SpooledBody) -> None:
        # committed as they come, so that neither log nor lock is held for gigabytes: no body row names them yet
        for position in range(len(body)):
            size, frame = body.frame(position)
            values = (body.key, position, size, chunk_checksum(body.key, position, frame), frame)
            with self._lock:
                self._run(lambda values=values: self._connection.execute(_INSERT_CHUNK, values))  # type: ignore[misc]
                if position % _CHUNKS_A_COMMIT == _CHUNKS_A_COMMIT - 1:
                    self._commit()

    def _name_chunks(self, body: SpooledBody) -> None:
        sql = "SELECT count(*) FROM body_chunk WHERE digest = ?"
        if self._connection.execute(sql, (body.key,)).fetchone() != (len(body),):
            raise BodyGone(f"{self.path}: a write failed while a large body was stored. Append it again.")
        self._places.put(body.key, body.size, lambda: ("chunks", b""))

    def flush(self) -> None:
        """Commit: what was appended before survives the end of this process."""
        with self._lock:
            self._atomic = False
            self._commit()

    def _commit(self) -> None:
        if self._atomic or (self._tape == self._flushed and not self._connection.in_transaction):
            return
        tape = self._tape
        self._run(self._write_held)
        self._run(lambda: self._connection.execute(opening.SET, (opening.TAPE, str(tape))))
        self._run(lambda: self._connection.execute("COMMIT"))
        self._flushed = tape

    def delete(self, numbers: Iterable[int]) -> None:
        """Take interactions off the tape, at once for readers; those behind move up, so that no gap stays."""
        gone = set(numbers)
        with self._lock:
            self._whole(
                lambda: self._keep(number for number in range(1, len(self) + 1) if number not in gone), shorter=True
            )

    def extend(self, interactions: Iterable[Interaction]) -> None:
        """Append these, all or none, at once for readers: if one cannot be had, the tape is what it was."""
        with self._lock:
            self._whole(lambda: self._append_all(interactions), shorter=False)

    def _append_all(self, interactions: Iterable[Interaction]) -> None:
        for interaction in interactions:
            self.append(interaction)

    def replace_all(self, interactions: Iterable[Interaction]) -> None:
        """Make the tape these, at once for readers. They may be read from this same cassette, by a `Cassette`."""
        with self._lock:
            self._whole(lambda: self._refill(interactions), shorter=True)

    def _whole(self, work: Callable[[], None], *, shorter: bool) -> None:
        """Do `work` and what clears up after it in one transaction of its own; `shorter`: things may leave the tape."""
        self._chained()
        self.flush()
        self._growth.forget()
        self._atomic = True
        try:
            self._run(work)
            self._run(self._made_anew if shorter else self._write_packed)
        except BaseException:
            self._undo()
            raise
        finally:
            self._atomic = False
        self.flush()

    def _made_anew(self) -> None:
        self._held.write(as_it_is)
        self._drop_unused()
        self._packer.renew(len(self))

    def _refill(self, interactions: Iterable[Interaction]) -> None:
        self._connection.execute("DELETE FROM frame")
        self._connection.execute("DELETE FROM interaction")
        self._tape = Tape()
        self._append_all(interactions)

    def _keep(self, numbers: Iterable[int]) -> None:
        """Renumber these (ascending) from 1 and delete the others."""
        tape = Tape()
        columns = ", ".join(rows.READ)
        for number in numbers:
            row = self._connection.execute(f"SELECT {columns} FROM interaction WHERE number = ?", (number,)).fetchone()  # noqa: S608
            tape = tape.then(self._move(*rows.logical(row, self._packer.unpacked)[:2], tape.length + 1))
        self._connection.execute("DELETE FROM interaction WHERE number > ?", (tape.length,))
        self._connection.execute("DELETE FROM frame WHERE interaction > ?", (tape.length,))
        self._tape = tape

    def _move(self, row: rows.Row, text: bytes, number: int) -> bytes:
        execute = self._connection.execute
        names = ", ".join(rows.FRAME_COLUMNS)
        sql = f"SELECT {names} FROM frame WHERE interaction = ? ORDER BY position"  # noqa: S608
        checksum = rows.checksum((number, *row[1:]), text, execute(sql, (row[0],)).fetchall())
        if row[0] != number:
            execute("DELETE FROM interaction WHERE number = ?", (number,))
            execute("DELETE FROM frame WHERE interaction = ?", (number,))
            execute("UPDATE interaction SET number = ?, checksum = ? WHERE number = ?", (number, checksum, row[0]))
            execute("UPDATE frame SET interaction = ? WHERE interaction = ?", (number, row[0]))
        return checksum

    def _drop_unused(self) -> None:
        self._connection.execute(opening.UNUSED_BODIES)
        self._connection.execute(opening.UNUSED_CHUNKS)
        self._places.drop_unused()

    def index_connection(self) -> sqlite3.Connection:
        """The connection, for a module that keeps tables of its own in this file; in a new transaction.

        The tape is flushed first. What is written is committed by the caller, or by the next `flush`; nothing is
        appended in between. Never for the tape's own tables.
        """
        with self._lock:
            self.flush()
            self._run(lambda: None)
            return self._connection

    def close(self) -> None:
        """Flush and leave one file: no log beside it unless readers are still open, whose last one removes it."""
        with self._lock:
            if self._closed:
                return
            try:
                self._chained()
                self.flush()
                self._compact()
            finally:
                self._closed = True
                self._connection.close()
                self._writer_lock.release()

    def _compact(self) -> None:
        changed = self._connection.total_changes != self._changes
        if changed and self._packer.is_outgrown(len(self)):
            self._run(lambda: self._packer.renew(len(self)))
            self.flush()
        opening.alone_in_one_file(self._connection, self.path, changed)
