"""Bodies: stored once per content, compressed, in chunks when large.

# Rule: no byte of a body leaves this module before it was checked against what was stored, and none of its functions
# holds more than one chunk (1 MiB) of a body that is larger than that; `Body.read` alone does, up to its own limit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import blake2b, sha256
from pathlib import Path
from threading import Lock
from typing import IO, Protocol

import zstandard

from durable_replay.errors import CassetteError
from durable_replay.http import Body, BytesBody

__all__ = [
    "DIGEST_BYTES",
    "INLINE",
    "BodyGone",
    "BodySource",
    "BodyWriter",
    "DamagedBody",
    "SpooledBody",
    "StoredBody",
    "chunk_checksum",
    "compressed",
    "digest_of",
    "packed",
    "spooled",
    "unpacked",
]

INLINE = 1024 * 1024
"""Bodies up to this size are one value; larger ones are chunks of this size (the last one shorter)."""

DIGEST_BYTES = 16
"""Of the sha256 of a content, which is what it is known by. Two contents that are alike in these come by accident once
in 2**64 different ones; to find a pair takes 2**64 tries, and then one of the two is replayed for the other, in a
cassette that whoever tried has made both for."""

_LEVEL = 3
_MAGIC = b"\x28\xb5\x2f\xfd"
"""What each zstd frame begins with; it is left out of values that are stored packed. No frame goes on so."""


class DamagedBody(ValueError):
    """Stored bytes are not what was stored."""


def digest_of(data: bytes) -> bytes:
    """What a content is known by."""
    return sha256(data).digest()[:DIGEST_BYTES]


def packed(data: bytes, compressor: zstandard.ZstdCompressor | None = None) -> tuple[str, bytes]:
    """`("zstd" | "raw", bytes)`, whichever is smaller."""
    if len(data) < 64:  # a frame's header and checksum eat what such a text could save
        return "raw", data
    small = compressed(compressor or zstandard.ZstdCompressor(level=_LEVEL), data)
    return ("zstd", small) if len(small) < len(data) else ("raw", data)


def compressed(compressor: zstandard.ZstdCompressor, data: bytes) -> bytes:
    """A frame without the four bytes that all have."""
    return compressor.compress(data)[len(_MAGIC) :]


def unpacked(
    packing: str,
    size: int | None,
    data: bytes,
    dictionary: Callable[[str], zstandard.ZstdDecompressor] | None = None,
    limit: int = INLINE,
) -> bytes:
    """The `size` bytes (None: not known) that were packed; raises DamagedBody. No frame over `limit` bytes is inflated.

    `dictionary` gives the decompressor for a packing that is neither "raw" nor "zstd", and raises DamagedBody.
    """
    if packing == "raw":
        if size is not None and len(data) != size:
            raise DamagedBody("its length is wrong")
        return data
    if data[:4] != _MAGIC:
        data = _MAGIC + data
    try:
        announced = zstandard.frame_content_size(data)
        if announced < 0 or announced > limit or size not in (None, announced):
            raise DamagedBody("its packing is wrong")
        if packing == "zstd":
            return zstandard.ZstdDecompressor().decompress(data)
        if dictionary is None or not packing.isdecimal():
            raise DamagedBody("its packing is wrong")
        return dictionary(packing).decompress(data)
    except (zstandard.ZstdError, MemoryError) as error:
        raise DamagedBody(f"it cannot be decompressed ({error})") from error


def chunk_checksum(digest: bytes, position: int, data: bytes) -> bytes:
    """16 bytes that bind a chunk's stored bytes to their place, so that a part of a body can be checked alone."""
    return blake2b(data, digest_size=16, key=digest, salt=position.to_bytes(8, "big")).digest()


class BodyGone(CassetteError):
    """A body that was in the file is not any more."""


class BodySource(Protocol):
    """Where stored bodies are read from. Its methods raise CassetteError."""

    def inline(self, digest: bytes) -> bytes:
        """A body of up to INLINE bytes, unpacked, not checked against its digest. Raises DamagedBody too."""

    def chunk(self, digest: bytes, position: int) -> tuple[int, bytes]:
        """Size and zstd frame of a chunk whose checksum was right."""

    def damaged(self, what: str) -> CassetteError:
        """The error that names the file and what is damaged in it."""


class StoredBody(Body):
    """A body in a cassette. It is read when asked for, and only the chunks that are asked for."""

    __slots__ = ("_source", "key", "size")

    def __init__(self, source: BodySource, digest: bytes, size: int) -> None:
        self._source = source
        self.key = digest
        """What it is known by: `digest_of` its bytes."""
        self.size = size

    @property
    def digest(self) -> str:
        """The same in hex: 32 digits."""
        return self.key.hex()

    def read(self) -> bytes:
        return self._inline() if self.size <= INLINE else super().read()

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        end = self.size if stop is None else min(stop, self.size)
        if start >= end:
            return
        if self.size <= INLINE:
            yield from BytesBody(self._inline()).chunks(start, end)
        elif start <= 0 and end == self.size:
            yield from self._verified()
        else:
            yield from self._parts(start, end)

    def _inline(self) -> bytes:
        try:
            data = self._source.inline(self.key)
        except DamagedBody as error:
            raise self._source.damaged(f"body {self.digest[:12]}: {error}") from error
        if len(data) != self.size or digest_of(data) != self.key:
            raise self._source.damaged(f"body {self.digest[:12]} is not what was recorded")
        return data

    def _verified(self) -> Iterator[bytes]:
        """All of it; the digest is compared at the end, after each chunk's own checksum was."""
        whole = sha256()
        for piece in self._parts(0, self.size):
            whole.update(piece)
            yield piece
        if whole.digest()[:DIGEST_BYTES] != self.key:
            raise self._source.damaged(f"body {self.digest[:12]} is not what was recorded")

    def _parts(self, start: int, end: int) -> Iterator[bytes]:
        for position in range(start // INLINE, (end - 1) // INLINE + 1):
            base = position * INLINE
            data = self._chunk(position, min(INLINE, self.size - base))
            yield from BytesBody(data).chunks(max(0, start - base), min(len(data), end - base))

    def _chunk(self, position: int, expected: int) -> bytes:
        size, stored = self._source.chunk(self.key, position)
        try:
            if size != expected:
                raise DamagedBody("its length is wrong")
            return unpacked("zstd", size, stored)
        except DamagedBody as error:
            raise self._source.damaged(f"chunk {position} of body {self.digest[:12]}: {error}") from error

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredBody | SpooledBody):
            return self.digest == other.digest
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self.size)


class SpooledBody(Body):
    """A large body on its way into a cassette: zstd frames in a nameless temporary file that goes with this object."""

    __slots__ = ("_ends", "_file", "_lock", "key", "size")

    def __init__(self, file: IO[bytes], ends: list[int], size: int, digest: bytes) -> None:
        self._file = file
        self._ends = ends
        self.key = digest
        """What it is known by: `digest_of` its bytes."""
        self._lock = Lock()
        self.size = size

    @property
    def digest(self) -> str:
        """The same in hex: 32 digits."""
        return self.key.hex()

    def frame(self, position: int) -> tuple[int, bytes]:
        """Raw size and zstd frame of one chunk."""
        start = self._ends[position - 1] if position else 0
        with self._lock:
            self._file.seek(start)
            stored = self._file.read(self._ends[position] - start)
        return min(INLINE, self.size - position * INLINE), stored

    def __len__(self) -> int:
        return len(self._ends)

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        end = self.size if stop is None else min(stop, self.size)
        for position in range(start // INLINE, (max(end, 1) - 1) // INLINE + 1 if start < end else 0):
            size, stored = self.frame(position)
            data, base = unpacked("zstd", size, stored), position * INLINE
            yield from BytesBody(data).chunks(max(0, start - base), min(len(data), end - base))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StoredBody | SpooledBody):
            return self.digest == other.digest
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self.size)

    def __del__(self) -> None:
        self._file.close()


class BodyWriter:
    """Takes a body as it comes, in bounded memory: past 1 MiB it goes, compressed, to a temporary file.

    That file has no name, so nothing is left of it however the process ends. Write what may be kept: a secret that
    is to be redacted must be gone before it comes here. For one thread at a time.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._buffer = bytearray()
        self._digest = sha256()
        self._size = 0
        self._file: IO[bytes] | None = None
        self._ends: list[int] = []
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)

    def write(self, data: bytes) -> None:
        """The next bytes. Raises CassetteError when the disk takes no more."""
        self._digest.update(data)
        self._size += len(data)
        view = memoryview(data)
        for at in range(0, len(data), INLINE):
            self._buffer += view[at : at + INLINE]
            if len(self._buffer) > INLINE:
                self._spill(INLINE)

    def finish(self) -> Body:
        """The body, to be put into an interaction."""
        if self._file is None:
            return BytesBody(bytes(self._buffer))
        if self._buffer:
            self._spill(len(self._buffer))
        file, self._file = self._file, None
        return SpooledBody(file, self._ends, self._size, self._digest.digest()[:DIGEST_BYTES])

    def abort(self) -> None:
        """Forget it."""
        self._buffer.clear()
        if self._file is not None:
            with suppress(OSError):  # where the disk was full, closing tries to write the rest again
                self._file.close()
            self._file = None

    def _spill(self, size: int) -> None:
        frame = self._compressor.compress(bytes(self._buffer[:size]))
        del self._buffer[:size]
        try:
            if self._file is None:
                self._file = _nameless_file(self._directory)
            self._file.write(frame)
            self._file.flush()
        except OSError as error:
            self.abort()
            raise CassetteError(
                f"a body of more than {self._size:,} bytes cannot be kept in {self._directory}: {error.strerror}. "
                "Make room there, or record to another disk."
            ) from error
        self._ends.append((self._ends[-1] if self._ends else 0) + len(frame))

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()


def spooled(body: Body, path: Path) -> SpooledBody:
    """A body over 1 MiB on its way into the cassette at `path`. Raises CassetteError."""
    spool = BodyWriter(path.resolve().parent)
    try:
        for piece in body.chunks():
            spool.write(piece)
        whole = spool.finish()
    finally:
        spool.abort()
    if not isinstance(whole, SpooledBody) or whole.size != body.size:
        raise CassetteError(f"{path}: a body gave {whole.size:,} bytes of its {body.size:,}. Record it again.")
    return whole


def _nameless_file(directory: Path) -> IO[bytes]:
    # not in /tmp, which may be memory; the cassette's own folder has to hold the body anyway
    return tempfile.TemporaryFile(dir=directory, prefix=".body-")
