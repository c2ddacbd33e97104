"""Facts, and places on the tape, as few bytes: values in, values out.

# Rule: what comes back equals what was put in, or ValueError is raised.

The footprints of one tape resemble one another – the same service, tenant and kinds – so each is compressed with a
dictionary of the first ones, and read alone all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from threading import local
from zlib import crc32

import zstandard

from durable_replay.cassette.bodies import unpacked
from durable_replay.cassette.dictionary import Dictionary, chosen
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key

__all__ = ["FactPacker", "numbers_packed", "numbers_unpacked", "seen_packed", "seen_unpacked"]

_DIGEST_BYTES = 8
_LIMIT = 64 * 1024 * 1024
_PACKINGS = ("raw", "zstd", "1")
"""In the first byte of a fact; "1" is the one dictionary."""
_HAS_BEFORE = 0x80
_dump = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_load = json.JSONDecoder().raw_decode


class FactPacker:
    """Facts as bytes and back, for any number of threads."""

    def __init__(self, stored: bytes) -> None:
        """From what `stored` was. Raises DamagedBody."""
        self.stored = stored
        self.mark = crc32(stored).to_bytes(4, "big")
        """Differs where facts are packed otherwise."""
        self._content = unpacked("zstd", None, stored, limit=_LIMIT) if stored else b""
        self._local = local()

    @classmethod
    def made_of(cls, facts: Iterable[Fact]) -> FactPacker:
        """A packer that knows what these have in common."""
        content = chosen(_text(fact) for fact in facts if fact.service)
        return cls(zstandard.ZstdCompressor(level=19).compress(content) if content else b"")

    def packed(self, fact: Fact) -> bytes:
        """All of a fact but its number."""
        if fact == Fact(fact.number, (), (), 0):
            return b""
        packing, data = self._dictionary().packed(_text(fact))
        before = fact.before.to_bytes(_DIGEST_BYTES, "big") if fact.before else b""
        return bytes((_PACKINGS.index(packing) | (_HAS_BEFORE if before else 0),)) + before + data

    def unpacked(self, number: int, data: bytes) -> Fact:
        """The reverse of `packed`."""
        if not data:
            return Fact(number, (), (), 0)
        end = 1 + (_DIGEST_BYTES if data[0] & _HAS_BEFORE else 0)
        packing = _PACKINGS[data[0] & ~_HAS_BEFORE & 0xFF]
        text = unpacked(packing, None, data[end:], self._decompressor, _LIMIT)
        (reads, writes, service, operation), _ = _load(text.decode())  # a checksum says that nothing follows
        return Fact(number, _keys(reads), _keys(writes), int.from_bytes(data[1:end], "big"), service, operation)

    def _decompressor(self, _: str) -> zstandard.ZstdDecompressor:
        return self._dictionary().decompressor

    def _dictionary(self) -> Dictionary:
        found: Dictionary | None = getattr(self._local, "dictionary", None)
        if found is None:
            found = self._local.dictionary = Dictionary(1, 0, self._content)
        return found


def _text(fact: Fact) -> bytes:
    return _dump((fact.reads, fact.writes, fact.service, fact.operation)).encode()


def _keys(lists: Iterable[Iterable[str]]) -> tuple[Key, ...]:
    return tuple(map(tuple, lists))


def numbers_packed(numbers: Iterable[int]) -> bytes:
    """Numbers that do not fall, as the distances between them."""
    packed, last = bytearray(), 0
    for number in numbers:
        _put(packed, number - last)
        last = number
    return bytes(packed)


def numbers_unpacked(data: bytes) -> list[int]:
    """The reverse of `numbers_packed`."""
    if data.isascii():  # each is one byte
        return list(accumulate(data))
    return list(accumulate(_taken(iter(data))))


def seen_packed(seen: Iterable[tuple[int, int]]) -> bytes:
    """Places, each with a digest of 63 bits, which is often that of the place before."""
    packed, last, before = bytearray(), 0, 0
    for number, digest in seen:
        _put(packed, (number - last) << 1 | (digest != before))
        if digest != before:
            packed += digest.to_bytes(_DIGEST_BYTES, "big")
        last, before = number, digest
    return bytes(packed)


def seen_unpacked(data: bytes) -> list[tuple[int, int]]:
    """The reverse of `seen_packed`."""
    seen: list[tuple[int, int]] = []
    number = digest = 0
    rest = iter(data)
    for step in _taken(rest):
        number += step >> 1
        if step & 1:
            digest = int.from_bytes(bytes(islice(rest, _DIGEST_BYTES)), "big")
        seen.append((number, digest))
    return seen


def _put(packed: bytearray, number: int) -> None:
    """Seven bits a byte, the lowest first; the last byte has its eighth bit clear."""
    while number > 0x7F:
        packed.append(number & 0x7F | 0x80)
        number >>= 7
    packed.append(number)


def _taken(data: Iterator[int]) -> Iterator[int]:
    for byte in data:
        number, shift = byte & 0x7F, 7
        while byte & 0x80:
            byte = next(data, 0)
            number |= (byte & 0x7F) << shift
            shift += 7
        yield number
