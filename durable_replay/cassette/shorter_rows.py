"""The third schema from the second: fewer bytes for each row.

# Rule: what was sound stays so, and what was damaged is refused as before: no checksum is made for a row, or a piece of
a body, whose former one did not match.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from typing import cast

from durable_replay.cassette import rows
from durable_replay.cassette.bodies import DIGEST_BYTES, DamagedBody, chunk_checksum, packed
from durable_replay.cassette.dictionary import Dictionary, read_dictionary
from durable_replay.cassette.places import origin_of
from durable_replay.cassette.reader import Tape

__all__ = ["shorter_rows"]

_INTERACTION = """CREATE TABLE interaction (
    number INTEGER NOT NULL, origin INTEGER NOT NULL,
    request_body INTEGER, request_size INTEGER, response_body INTEGER, response_size INTEGER,
    started FLOAT NOT NULL, duration FLOAT NOT NULL, frames INTEGER NOT NULL,
    packing TEXT NOT NULL, head BLOB NOT NULL, checksum BLOB NOT NULL,
    PRIMARY KEY (number)
)"""
_OLD = (
    "SELECT number, origin, request_body, request_size, status, response_body, response_size, started, duration,"
    " frames, packing, head, checksum, (SELECT value FROM meta WHERE key = 'origin ' || origin),"
    " (SELECT digest FROM body WHERE id = request_body), (SELECT digest FROM body WHERE id = response_body)"
    " FROM old_interaction ORDER BY number"
)
_INSERT = "INSERT INTO interaction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_FRAMES = (
    "SELECT position, from_client, kind, code, at, packing, size, data FROM frame WHERE interaction = ?"
    " ORDER BY position"
)
_CHUNK = "SELECT digest, position, checksum, data FROM body_chunk WHERE id = ?"
_NONE = b""
"""A checksum that nothing has."""
_DAMAGE = (ValueError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)
"""What values that are not what was stored lead to."""


def shorter_rows(connection: sqlite3.Connection) -> None:
    """Digests of 16 bytes and checksums of 8; a status among the texts; no size that the body's row tells."""
    execute = connection.execute
    tables = {name for (name,) in execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    execute("ALTER TABLE interaction RENAME TO old_interaction")
    execute(_INTERACTION)
    tape, renewing = Tape(), _Renewing(connection, has_frames="frame" in tables)
    for row in execute(_OLD):
        stored = renewing.of(row)
        execute(_INSERT, stored)
        tape = tape.then(cast(bytes, stored[-1]))
    execute("DROP TABLE old_interaction")
    execute("UPDATE body SET digest = substr(digest, 1, ?)", (DIGEST_BYTES,))
    if "body_chunk" in tables:
        _chunks(connection)
    _identified(connection, tape)


class _Renewing:
    """Rows of the second schema as those of the third."""

    def __init__(self, connection: sqlite3.Connection, *, has_frames: bool) -> None:
        self._connection = connection
        self._has_frames = has_frames
        self._dictionaries: dict[str, Dictionary] = {}

    def of(self, old: tuple[rows.Value, ...]) -> tuple[rows.Value, ...]:
        (number, origin, request, request_size, _, response, response_size, started, duration, frames) = old[:10]
        try:
            packing, head, checksum = self._renewed(old)
        except _DAMAGE:  # it is damaged: its texts, its dictionary, its body or its host
            packing, head, checksum = cast(str, old[10]), cast(bytes, old[11]), _NONE
        sizes = (
            None if request is not None and checksum else request_size,
            None if response is not None and checksum else response_size,
        )
        return (
            number,
            origin,
            request,
            sizes[0],
            response,
            sizes[1],
            started,
            duration,
            frames,
            packing,
            head,
            checksum,
        )

    def _renewed(self, old: tuple[rows.Value, ...]) -> tuple[str, bytes, bytes]:
        packing, head, expected, origin, request, response = cast(
            "tuple[str, bytes, bytes, str, bytes, bytes]", old[10:]
        )
        if (old[2] is None) != (request is None) or (old[5] is None) != (response is None):
            raise ValueError("its body is missing")
        text = rows.unpacked_value(packing, None, head, lambda name: self._dictionary(name).decompressor)
        first, *headers = text.decode().split("\n")
        (method, scheme, target, reason, version, outcome, note) = json.loads(first)
        frames = self._connection.execute(_FRAMES, (old[0],)).fetchall() if self._has_frames else []

        def row(request: bytes | None, response: bytes | None) -> rows.Row:
            asked = (old[0], method, scheme, *origin_of(origin), target, headers[0], request, old[3])
            answered = (old[4], reason, headers[1], headers[2], response, old[6])
            return (*asked, *answered, version, *old[7:9], outcome, note, old[9])

        if _former_checksum(row(request, response), frames) != expected:
            raise ValueError("its checksum does not match")
        new = row(request and request[:DIGEST_BYTES], response and response[:DIGEST_BYTES])
        text = rows.text_of(new)
        return (*self._pack(packing)(text), rows.checksum(new, text, frames))

    def _pack(self, packing: str) -> Callable[[bytes], tuple[str, bytes]]:
        return self._dictionary(packing).packed if packing.isdecimal() else packed

    def _dictionary(self, name: str) -> Dictionary:
        found = self._dictionaries.get(name) or read_dictionary(self._connection, int(name))
        if found is None:
            raise DamagedBody("its dictionary is missing")
        self._dictionaries[name] = found
        return found


def _former_checksum(row: rows.Row, frames: list[rows.FrameRow]) -> bytes:
    digest = blake2b(digest_size=16)
    for *values, data in frames:
        digest.update(ascii(values).encode("ascii"))
        digest.update(cast(bytes, data))
    digest.update(ascii(row).encode("ascii"))
    return digest.digest()


def _chunks(connection: sqlite3.Connection) -> None:
    for (id,) in connection.execute("SELECT id FROM body_chunk ORDER BY id").fetchall():
        ((digest, position, checksum, data),) = connection.execute(_CHUNK, (id,)).fetchall()
        try:
            short = digest[:DIGEST_BYTES]
            is_sound = chunk_checksum(digest, position, data) == checksum
            values = (short, chunk_checksum(short, position, data) if is_sound else _NONE, id)
        except _DAMAGE:
            values = (digest, _NONE, id)
        connection.execute("UPDATE body_chunk SET digest = ?, checksum = ? WHERE id = ?", values)


def _identified(connection: sqlite3.Connection, tape: Tape) -> None:
    for (text,) in connection.execute("SELECT value FROM meta WHERE key = 'tape'").fetchall():
        former = Tape.parse(text) if isinstance(text, str) else None
        if former is not None:  # a length that was wrong stays so
            new = Tape(former.length, tape.identity)
            connection.execute("UPDATE meta SET value = ? WHERE key = 'tape'", (str(new),))
