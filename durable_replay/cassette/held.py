"""What was appended and is not in the file yet: it is packed and written in one go.

# Rule: bounded. Who appends looks at `is_full`, and writes; nothing that a flush has returned for is held here.

A row alone costs a statement, and one that comes before there is a dictionary is packed twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import cast

from durable_replay.cassette import rows

__all__ = ["Held"]

_BYTES = 8 * 1024 * 1024
_ROWS = 4096
_INSERT = (
    f"INSERT INTO interaction ({', '.join(rows.STORED)})"  # noqa: S608 - names of our own
    f" VALUES ({', '.join('?' * len(rows.STORED))})"
)
_INSERT_FRAME = (
    f"INSERT INTO frame (interaction, {', '.join(rows.FRAME_COLUMNS)})"  # noqa: S608
    f" VALUES ({', '.join('?' * (len(rows.FRAME_COLUMNS) + 1))})"
)
_INSERT_BODY = "INSERT INTO body (id, digest, size, packing, data) VALUES (?, ?, ?, ?, ?)"
_PACKING, _HEAD = rows.STORED.index("packing"), rows.STORED.index("head")


class Held:
    """Rows and bodies of up to 1 MiB, in the order that they came in. Runs in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows: list[rows.StoredRow] = []
        self._bodies: list[tuple[int, bytes, bytes]] = []
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._rows or self._bodies)

    @property
    def is_full(self) -> bool:
        """Whether it is time to write."""
        return self._size > _BYTES or len(self._rows) >= _ROWS or len(self._bodies) >= 2 * _ROWS

    def add(self, row: rows.Row, text: bytes, frames: Sequence[rows.FrameRow], numbers: rows.Numbers) -> bytes:
        """A row whose bodies have their numbers, and its `rows.text_of`; gives its checksum. Frames, of which there may
        be any number, are written at once. Raises sqlite3.Error, and what `rows.stored` does."""
        checksum = rows.checksum(row, text, frames)
        self._rows.append(rows.stored(row, text, checksum, _unpacked, numbers))
        self._size += len(text)
        if frames:
            self._connection.executemany(_INSERT_FRAME, [(row[0], *frame) for frame in frames])
        return checksum

    def add_body(self, number: int, digest: bytes, data: bytes) -> None:
        """A content that the file does not hold yet."""
        self._bodies.append((number, digest, data))
        self._size += len(data)

    def values(self) -> Iterator[bytes]:
        """All heads, then all bodies."""
        for row in self._rows:
            yield cast(bytes, row[_HEAD])
        for _, _, data in self._bodies:
            yield data

    def write(self, pack: rows.Pack) -> None:
        """Put all into the file, packed; nothing is held any more. Raises sqlite3.Error."""
        self._connection.executemany(
            _INSERT, [(*row[:_PACKING], *pack(cast(bytes, row[_HEAD])), *row[_HEAD + 1 :]) for row in self._rows]
        )
        self._connection.executemany(
            _INSERT_BODY,
            [(number, digest, len(data), *pack(data)) for number, digest, data in sorted(self._bodies)],
        )
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()
        self._bodies.clear()
        self._size = 0


def _unpacked(text: bytes) -> tuple[str, bytes]:
    return "", text
