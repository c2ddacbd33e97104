"""What the messages of one cassette have in common, kept once: the dictionary that heads and small bodies name.

# Rule: packing changes how a value is stored, never what it is: checksums and identity are over what was recorded. And
what is taken off the tape leaves the dictionary too, which is then made anew from what stays.

An API's messages resemble one another, yet each is too short for a compressor to notice. The dictionary is the text of
those that were unlike all before them. It is made when a cassette is closed, or has grown to SAMPLE interactions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path

import zstandard

from durable_replay.cassette import sqlite_file
from durable_replay.cassette.bodies import DamagedBody, compressed, packed, unpacked
from durable_replay.cassette.rows import unpacked_value

__all__ = ["SAMPLE", "Dictionary", "Packer", "chosen", "dictionary_value", "read_dictionary"]

SAMPLE = 512
"""Interactions that a dictionary is chosen from."""

_SIZE = 512 * 1024
_PIECE = 128 * 1024
_PACKED = 256 * 1024
"""Values up to this size are packed with the dictionary; larger ones hold enough of their own."""
_UNLIKE = 0.08
_NOISE = 0.9
_SHORT = 256
"""Texts up to this size are noise to a compressor that has seen nothing like them."""
_WORTH = 48
_PAGE = 256
_TABLES = 64 * 1024
"""The size of values that the compressor's tables are made for."""
_TAIL = 32 * 1024
_QUICKLY = 64 * 1024
"""A dictionary up to this size is kept in almost as few bytes as can be; that takes a few milliseconds."""
_THOROUGHLY = 128 * 1024
"""With a dictionary up to this size, all is packed into as few bytes as can be; with a larger one it takes too long."""
_FAST, _CLOSE, _SMALL, _SMALLEST = 1, 3, 12, 15
_KEY = "dictionary "
"""In `meta`, followed by the number; the value: 4 bytes, of how many interactions, 16 of a checksum, a zstd frame."""
_COUNT_BYTES, _CHECKSUM_BYTES = 4, 16
_ALL = "SELECT key FROM meta WHERE key > 'dictionary ' AND key < 'dictionary!'"
_ONE = "SELECT value FROM meta WHERE key = ?"
_INSERT = "INSERT INTO meta (key, value) VALUES (?, ?)"
_HEADS = "SELECT number, packing, NULL, head FROM interaction WHERE number > ? ORDER BY number LIMIT ?"
_SET_HEAD = "UPDATE interaction SET packing = ?, head = ? WHERE number = ?"
_BODIES = "SELECT id, packing, size, data FROM body WHERE id > ? AND packing <> 'chunks' ORDER BY id LIMIT ?"
_SET_BODY = "UPDATE body SET packing = ?, data = ? WHERE id = ?"


class Dictionary:
    """One dictionary. `number` is never used twice in a file; an empty one holds its place. For one thread."""

    def __init__(self, number: int, interactions: int, content: bytes, level: int = _CLOSE) -> None:
        self.name = str(number)
        self.number = number
        self.interactions = interactions
        """Of how many it was made."""
        self.content = content
        raw = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if content else None
        self.decompressor = zstandard.ZstdDecompressor(dict_data=raw)
        self._compressor = zstandard.ZstdCompressor(compression_params=_tables(level, len(content)), dict_data=raw)
        self._plain = zstandard.ZstdCompressor(level=_CLOSE)

    def packed(self, data: bytes) -> tuple[str, bytes]:
        """Packing and stored bytes, as `bodies.unpacked` takes them."""
        if not self.number and len(data) <= _PACKED:  # soon there will be a dictionary, and all is packed with that
            return "raw", data
        if not self.content or not 8 < len(data) <= _PACKED:
            return packed(data, self._plain)
        small = compressed(self._compressor, data)
        return (self.name, small) if len(small) < len(data) else ("raw", data)


def _tables(level: int, size: int) -> zstandard.ZstdCompressionParameters:
    """What zstd searches with. For a level alone it would take tables for megabytes of input: 100 MB and more."""
    made = zstandard.ZstdCompressionParameters.from_level(level, source_size=_TABLES, dict_size=size)
    if level < _SMALL or size <= _THOROUGHLY:
        return made
    # a quarter of the time, for frames that are larger by a hundredth: measured with all recordings that we import
    return zstandard.ZstdCompressionParameters(
        window_log=made.window_log,
        chain_log=19,
        hash_log=19,
        search_log=6,
        min_match=5,
        strategy=zstandard.STRATEGY_LAZY2,
    )


def read_dictionary(connection: sqlite3.Connection, number: int) -> Dictionary | None:
    """The dictionary of this number, checked; None where there is none. Raises DamagedBody and sqlite3.Error."""
    row = connection.execute(_ONE, (f"{_KEY}{number}",)).fetchone()
    if row is None:
        return None
    value = row[0] if isinstance(row[0], bytes) else b""
    start = _COUNT_BYTES + _CHECKSUM_BYTES
    interactions, data = int.from_bytes(value[:_COUNT_BYTES], "big"), value[start:]
    if _checksum(number, interactions, data) != value[_COUNT_BYTES:start]:
        raise DamagedBody("the dictionary is not what was stored")
    return Dictionary(number, interactions, unpacked("zstd", None, data, limit=_SIZE))


def dictionary_value(number: int, interactions: int, data: bytes) -> bytes:
    """What `meta` holds of a dictionary, whose content is given as a zstd frame."""
    return interactions.to_bytes(_COUNT_BYTES, "big") + _checksum(number, interactions, data) + data


def _checksum(number: int, interactions: int, data: bytes) -> bytes:
    return blake2b(data, digest_size=16, person=f"{number}:{interactions}".encode()[:16]).digest()


class Packer:
    """The writer's side: packs with the newest dictionary, and makes it. Runs in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        try:
            self._current = self._newest()
        except DamagedBody as error:
            raise sqlite_file.damaged(path, str(error)) from error
        self.packed = self._current.packed

    def _newest(self) -> Dictionary:
        numbers = [int(key[len(_KEY) :]) for (key,) in self._connection.execute(_ALL)]
        found = read_dictionary(self._connection, max(numbers)) if numbers else None
        return found or Dictionary(0, 0, b"")

    def forget(self) -> None:
        """A transaction was undone, and the newest dictionary perhaps with it."""
        self._use(self._newest())

    def _use(self, dictionary: Dictionary) -> None:
        self._current = dictionary
        self.packed = dictionary.packed

    def unpacked(self, packing: str, size: int | None, data: bytes) -> bytes:
        """What was packed, whatever with. Raises DamagedBody."""
        return unpacked_value(packing, size, data, self._decompressor)

    def _decompressor(self, name: str) -> zstandard.ZstdDecompressor:
        if name != self._current.name:
            raise DamagedBody("its dictionary is missing")
        return self._current.decompressor

    def is_outgrown(self, length: int) -> bool:
        """Whether a tape of this length has at least twice what the dictionary was made of, and is not long yet."""
        return 0 < length <= SAMPLE and 2 * self._current.interactions <= length

    def renew(self, length: int) -> None:
        """Make the dictionary from what the tape holds now, and pack all of it with that; the old one goes."""
        old = self._current
        content = chosen(self._samples())
        new = Dictionary(old.number + 1, min(length, SAMPLE) if content else 0, content, _SMALL)
        level = _SMALLEST if len(content) <= _QUICKLY else _SMALL
        data = compressed(zstandard.ZstdCompressor(level=level), content)
        self._connection.execute(_INSERT, (f"{_KEY}{new.number}", dictionary_value(new.number, new.interactions, data)))
        for select, update in ((_HEADS, _SET_HEAD), (_BODIES, _SET_BODY)):
            self._repack(select, update, new.packed)
        self._connection.execute("DELETE FROM meta WHERE key = ?", (f"{_KEY}{old.number}",))
        self._use(Dictionary(new.number, new.interactions, content))

    def _samples(self) -> Iterator[bytes]:
        for select, count in ((_HEADS, SAMPLE), (_BODIES, 2 * SAMPLE)):
            for _, packing, size, data in self._connection.execute(select, (0, count)):
                yield self.unpacked(packing, size, data)

    def _repack(self, select: str, update: str, pack: Callable[[bytes], tuple[str, bytes]]) -> None:
        last = 0
        while page := self._connection.execute(select, (last, _PAGE)).fetchall():
            changes = [
                (*pack(self.unpacked(packing, size, data)), key)
                for key, packing, size, data in page
                if packing not in ("raw", "zstd") or size is None or size <= _PACKED
            ]
            self._connection.executemany(update, changes)
            last = page[-1][0]


class _Content:
    """What was chosen so far. Its end is looked at apart, so that not all of it is read anew for each piece."""

    def __init__(self) -> None:
        self.data = b""
        self._until = 0
        self._compressors = [_fast(b"")]

    def size_of(self, piece: bytes) -> int:
        """How many bytes `piece` takes that is packed with this."""
        return min(len(compressor.compress(piece)) for compressor in self._compressors)

    def add(self, piece: bytes) -> None:
        """It is part of this from now on."""
        self.data += piece
        if len(self.data) - self._until > _TAIL:
            self._until = len(self.data)
            self._compressors = [_fast(self.data)]
        else:
            self._compressors[1:] = [_fast(self.data[self._until :])]


def _fast(content: bytes) -> zstandard.ZstdCompressor:
    raw = zstandard.ZstdCompressionDict(content, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if content else None
    return zstandard.ZstdCompressor(level=_FAST, dict_data=raw)


def chosen(samples: Iterable[bytes]) -> bytes:
    """The text of those samples that were unlike all before them; no noise, which nothing else resembles."""
    content = _Content()
    for sample in samples:
        piece = sample[:_PIECE]
        if len(content.data) + len(piece) > _SIZE:
            continue
        size = content.size_of(piece)
        is_noise = len(piece) > _SHORT and size > _NOISE * len(piece)
        if size > max(_WORTH, _UNLIKE * len(piece)) and not is_noise:
            content.add(piece)
    return content.data
