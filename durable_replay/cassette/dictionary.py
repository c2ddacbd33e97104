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
from itertools import chain
from pathlib import Path

import zstandard

from durable_replay.cassette import sqlite_file
from durable_replay.cassette.bodies import DamagedBody, compressed, packed, unpacked
from durable_replay.cassette.held import Held
from durable_replay.cassette.rows import unpacked_value

__all__ = ["SAMPLE", "Dictionary", "Packer", "as_it_is", "chosen", "dictionary_value", "read_dictionary"]

SAMPLE = 512
"""Interactions after which a tape that is being recorded gets its first dictionary."""

_WHOLE, _WHOLE_BYTES = 4096, 16 * 1024 * 1024
"""A tape of up to so many interactions and bytes of bodies is packed anew when it has doubled."""
_SAMPLED = 16 * 1024 * 1024
"""Bytes that a dictionary is chosen from at most."""

_SIZE = 1024 * 1024
_STRETCHES = 16
"""Of the tape, which have each a share of the dictionary."""
_PIECE = 128 * 1024
_PACKED = 256 * 1024
"""Values up to this size are packed with the dictionary; larger ones hold enough of their own."""
_UNLIKE = 0.04
_NOISE = 0.9
_SHORT = 256
"""Texts up to this size are noise to a compressor that has seen nothing like them."""
_WORTH = 26
_PAGE = 256
_WINDOW_LOG = 23
_TABLES = 64 * 1024
"""The size of values that the compressor's tables are made for."""
_LARGE = 768 * 1024
"""A dictionary over this size is itself much to search, so that less of it is."""
_CONTENT_LEVELS = ((32 * 1024, 15), (_LARGE, 12), (_SIZE, 9))
"""How a dictionary itself is packed, by its size: a larger one takes longer, and there is less to be had."""
_THOROUGHLY = 32 * 1024
"""With a dictionary up to this size, all is packed into as few bytes as can be; with a larger one it takes too long."""
_CLOSE, _SMALL = 3, 12
_KEY = "dictionary "
"""In `meta`, followed by the number; the value: 4 bytes, of how many interactions, 16 of a checksum, a zstd frame."""
_COUNT_BYTES, _CHECKSUM_BYTES = 4, 16
_ALL = "SELECT key FROM meta WHERE key > 'dictionary ' AND key < 'dictionary!'"
_ONE = "SELECT value FROM meta WHERE key = ?"
_INSERT = "INSERT INTO meta (key, value) VALUES (?, ?)"
_HEADS = "SELECT number, packing, NULL, head FROM interaction WHERE number > ? ORDER BY number LIMIT ?"
_SET_HEAD = "UPDATE interaction SET packing = ?, head = ? WHERE number = ?"
_CONTENT = "SELECT coalesce(sum(size), 0) FROM body"
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
    if size <= _THOROUGHLY:
        return made
    is_large = size > _LARGE
    # a quarter of the time, for frames that are larger by a hundredth: measured with all recordings that we import
    return zstandard.ZstdCompressionParameters(
        window_log=made.window_log,
        chain_log=19 if is_large else 20,
        hash_log=19 if is_large else 20,
        search_log=1 if level < _SMALL else 5 if is_large else 6,
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
        if not 0 < length <= _WHOLE or 2 * self._current.interactions > length:
            return False
        return length <= SAMPLE or self._connection.execute(_CONTENT).fetchone()[0] <= _WHOLE_BYTES

    def renew(self, length: int, held: Held | None = None) -> None:
        """Make the dictionary from what the tape holds now, and pack all of it with that; the old one goes.

        What is `held` is part of the tape, and is written."""
        old = self._current
        content = chosen(_bounded(chain(self._samples(), held.values() if held else ())))
        new = Dictionary(old.number + 1, min(length, _WHOLE) if content else 0, content, _SMALL)
        level = next(level for below, level in _CONTENT_LEVELS if len(content) <= below)
        data = compressed(zstandard.ZstdCompressor(level=level), content)
        self._connection.execute(_INSERT, (f"{_KEY}{new.number}", dictionary_value(new.number, new.interactions, data)))
        for select, update in ((_HEADS, _SET_HEAD), (_BODIES, _SET_BODY)):
            self._repack(select, update, new.packed)
        self._connection.execute("DELETE FROM meta WHERE key = ?", (f"{_KEY}{old.number}",))
        if held is not None:
            held.write(new.packed)
        self._use(Dictionary(new.number, new.interactions, content))

    def _samples(self) -> Iterator[bytes]:
        for select, count in ((_HEADS, _WHOLE), (_BODIES, 2 * _WHOLE)):
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


def as_it_is(data: bytes) -> tuple[str, bytes]:
    """For what is packed soon after: packing and stored bytes."""
    return ("raw", data) if len(data) <= _PACKED else packed(data)


def _bounded(samples: Iterable[bytes]) -> Iterator[bytes]:
    """The first of them, of _SAMPLED bytes."""
    left = _SAMPLED
    for sample in samples:
        left -= len(sample)
        if left < 0:
            return
        yield sample


class _Novelty:
    """How much of a text was in none before it: a compressor reads them all as one stream, and tells what each adds."""

    def __init__(self) -> None:
        tables = zstandard.ZstdCompressionParameters(
            window_log=_WINDOW_LOG, hash_log=19, chain_log=19, min_match=5, strategy=zstandard.STRATEGY_FAST
        )
        self._stream = zstandard.ZstdCompressor(compression_params=tables).compressobj()

    def of(self, text: bytes) -> int:
        """In bytes, packed."""
        taken = len(self._stream.compress(text))
        return taken + len(self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))


def chosen(samples: Iterable[bytes]) -> bytes:
    """The text of those samples that were unlike all before them; no noise, which nothing else resembles."""
    novelty = _Novelty()
    unlike: list[tuple[float, bytes]] = []
    for sample in samples:
        piece = sample[:_PIECE]
        size = novelty.of(piece)
        is_noise = len(piece) > _SHORT and size > _NOISE * len(piece)
        if size > max(_WORTH, _UNLIKE * len(piece)) and not is_noise:
            unlike.append((size / len(piece), piece))
    return b"".join(_most(unlike))


def _most(unlike: list[tuple[float, bytes]]) -> Iterator[bytes]:
    """In their order, as many as a dictionary holds: of each stretch of the tape those that are most unlike, so that
    neither what comes late nor what is half noise is left with nothing, or with all."""
    total = sum(len(piece) for _, piece in unlike)
    if total <= _SIZE:
        return (piece for _, piece in unlike)
    stretches: list[list[int]] = [[] for _ in range(_STRETCHES)]
    before = 0
    for place, (_, piece) in enumerate(unlike):
        stretches[before * _STRETCHES // total].append(place)
        before += len(piece)
    taken, left = set[int](), 0
    for stretch in stretches:
        left += _SIZE // _STRETCHES
        for place in sorted(stretch, key=lambda place: -unlike[place][0]):
            if len(unlike[place][1]) <= left:
                left -= len(unlike[place][1])
                taken.add(place)
    return (piece for place, (_, piece) in enumerate(unlike) if place in taken)
