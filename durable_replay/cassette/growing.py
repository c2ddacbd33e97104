"""Interactions that are on the tape while they still go on: a WebSocket, an event stream.

# Rule: what has come is appended, never written anew, so that an hour of conversation costs an hour's bytes; and after
# every addition the row's checksum is that of what is there.

A body that still comes is kept in pieces, which readers join; `settle` makes it a body like any other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import cast

from durable_replay.cassette import rows
from durable_replay.cassette.dictionary import Packer
from durable_replay.cassette.places import Places
from durable_replay.cassette.reader import Tape
from durable_replay.errors import CassetteError
from durable_replay.http import Frame, Headers

__all__ = ["Growth", "last_values"]

_AT = {name: place for place, name in enumerate(rows.COLUMNS)}
_ROW = f"SELECT {', '.join(rows.READ)} FROM interaction WHERE number = ?"  # noqa: S608 - names of our own
_FRAMES = f"SELECT {', '.join(rows.FRAME_COLUMNS)} FROM frame WHERE interaction = ? ORDER BY position"  # noqa: S608
_PIECES = _FRAMES.replace("ORDER", f"AND kind = '{rows.PIECE}' ORDER")
_ADD = (
    f"INSERT INTO frame (interaction, {', '.join(rows.FRAME_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join('?' * (len(rows.FRAME_COLUMNS) + 1))})"
)
_DROP_PIECES = f"DELETE FROM frame WHERE interaction = ? AND kind = '{rows.PIECE}'"  # noqa: S608
_IN_PIECES = f"SELECT DISTINCT interaction FROM frame WHERE kind = '{rows.PIECE}' ORDER BY interaction"  # noqa: S608


class _Growing:
    """The columns of one interaction, and the sum of its frames so far."""

    __slots__ = ("row", "sums")

    def __init__(self, row: rows.Row) -> None:
        self.row = list(row)
        self.sums = rows.FrameSums()

    def __getitem__(self, column: str) -> rows.Value:
        return self.row[_AT[column]]

    def __setitem__(self, column: str, value: rows.Value) -> None:
        self.row[_AT[column]] = value

    @property
    def frames(self) -> int:
        return cast(int, self["frames"])

    def add(self, frames: Sequence[rows.FrameRow], size: int) -> None:
        self.sums.add(frames)
        self["frames"] = self.frames + len(frames)
        self["response_size"] = cast(int, self["response_size"]) + size

    @property
    def checksum(self) -> bytes:
        row = tuple(self.row)
        return self.sums.with_row(row, rows.text_of(row))


class Growth:
    """What grows in one cassette. Its methods run in the caller's transaction, and give the row's new checksum."""

    def __init__(self, connection: sqlite3.Connection, packer: Packer, places: Places) -> None:
        self._connection = connection
        self._packer = packer
        self._places = places
        self._growing: dict[int, _Growing] = {}

    def forget(self) -> None:
        """What was remembered of the file may not be true any more: a transaction was undone, or rows have moved."""
        self._growing.clear()

    def extend(self, number: int, frames: Sequence[Frame], data: bytes) -> bytes:
        """Frames after the others, or bytes at the end of the response's body."""
        growing = self._of(number)
        if data and growing["response_body"] is not None:
            raise CassetteError(f"The body of interaction #{number} is whole already; nothing can be added to it.")
        new = [*rows.frame_rows(frames, growing.frames), *rows.piece_rows(data, growing.frames + len(frames))]
        self._connection.executemany(_ADD, [(number, *frame) for frame in new])
        growing.add(new, len(data))
        return self._update(number, growing)

    def pieces(self, number: int, write: Callable[[bytes], object]) -> None:
        """Write out the body that has come, piece by piece."""
        for row in self._connection.execute(_PIECES, (number,)):
            write(rows.piece_of(row))

    def settle(self, number: int, body: bytes | None, last: dict[str, rows.Value]) -> bytes:
        """The body of that digest in place of its pieces (None: there were none), and the last values of columns."""
        growing = self._of(number)
        if body is not None:
            self._connection.execute(_DROP_PIECES, (number,))
            growing = self._read(number, {"response_body": body, "frames": self._count(number)})
        for column, value in last.items():
            growing[column] = value
        self._growing.pop(number, None)
        return self._update(number, growing)

    def in_pieces(self) -> list[int]:
        """Interactions whose recorder was killed while their bodies came."""
        return [number for (number,) in self._connection.execute(_IN_PIECES)]

    def chain(self) -> Tape:
        """Length and identity of the tape as its rows give them."""
        tape = Tape()
        for (checksum,) in self._connection.execute("SELECT checksum FROM interaction ORDER BY number"):
            tape = tape.then(checksum)
        return tape

    def _of(self, number: int) -> _Growing:
        growing = self._growing.get(number)
        if growing is None:
            growing = self._growing[number] = self._read(number, {})
        return growing

    def _read(self, number: int, changes: dict[str, rows.Value]) -> _Growing:
        row = self._connection.execute(_ROW, (number,)).fetchone()
        if row is None:
            raise CassetteError(f"There is no interaction #{number} that could be continued.")
        growing = _Growing(rows.logical(row, self._packer.unpacked)[0])
        for column, value in changes.items():
            growing[column] = value
        for frame in self._connection.execute(_FRAMES, (number,)):
            growing.sums.add([frame])
        return growing

    def _count(self, number: int) -> int:
        ((count,),) = self._connection.execute("SELECT count(*) FROM frame WHERE interaction = ?", (number,))
        return int(count)

    def _update(self, number: int, growing: _Growing) -> bytes:
        columns = ", ".join(f"{column} = ?" for column in rows.STORED)
        row, checksum = tuple(growing.row), growing.checksum
        sql = f"UPDATE interaction SET {columns} WHERE number = ?"  # noqa: S608
        stored = rows.stored(row, rows.text_of(row), checksum, self._packer.packed, self._places)
        self._connection.execute(sql, (*stored, number))
        return checksum


def last_values(outcome: str, duration: float, note: str, trailers: Headers) -> dict[str, rows.Value]:
    """The columns that an interaction's end decides."""
    return {
        "outcome": outcome,
        "duration": float(duration),
        "note": note,
        "response_trailers": rows.headers_text(trailers),
    }
