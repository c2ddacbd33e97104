"""WebSocket messages that are compressed by the application, not by the protocol: Discord's `zlib-stream` and
`zstd-stream`, where all messages of one side are one stream, and messages that are each compressed alone.

# Rule: what can be read by the client can be read here, so that no secret passes only because it is compressed.
"""

from __future__ import annotations

import zlib
from typing import Protocol

import zstandard

from durable_replay.errors import LimitExceeded

__all__ = ["Deflating", "Inflating", "Packing", "Unpacking", "ZstdPacking", "ZstdUnpacking", "unpacking_of"]

LIMIT = 64 * 1024 * 1024
"""What one message may unpack to."""
_FLUSHED = b"\0\0\xff\xff"  # RFC 7692 7.2.1; Discord: a payload is whole when the data ends so
_ZLIB_32K = 0x78
_GZIP, _ZSTD = b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"
_PIECE = 1 << 16
_ZLIB_HEAD = b"\x78\x9c"
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


class Unpacking(Protocol):
    """Reads one side's messages. Both raise ValueError where the data is damaged, LimitExceeded past 64 MiB."""

    def feed(self, data: bytes) -> bytes: ...

    @property
    def whole(self) -> bool:
        """Whether what was fed so far ends with a payload's end."""

    @property
    def ended(self) -> bool:
        """Whether the stream itself has ended."""


class Packing(Protocol):
    """Writes one side's messages again."""

    def passed(self, text: bytes, last: bool) -> None:
        """This content was kept as it came; `last`: the stream ended with it."""

    def pack(self, text: bytes, last: bool) -> bytes:
        """A payload; `last`: the stream ended with it."""


def unpacking_of(data: bytes) -> tuple[Unpacking, Packing] | None:
    """What reads and writes a side whose first message begins so; None where it is not compressed."""
    if data[:3] == _GZIP:
        return Inflating(31), Deflating(gzip=True)
    if len(data) > 1 and data[0] == _ZLIB_32K and int.from_bytes(data[:2], "big") % 31 == 0:
        return Inflating(15), Deflating(gzip=False)
    return (ZstdUnpacking(), ZstdPacking()) if data[:4] == _ZSTD else None


class Inflating:
    """zlib or gzip; a stream that goes on from message to message, or one after the other."""

    __slots__ = ("_bits", "_end", "_stream")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._stream = zlib.decompressobj(bits)
        self._end = b""

    @property
    def ended(self) -> bool:
        return self._stream.eof

    @property
    def whole(self) -> bool:
        return self._stream.eof or self._end == _FLUSHED

    def feed(self, data: bytes) -> bytes:
        self._end = (self._end + data)[-4:]
        pieces: list[bytes] = []
        size = 0
        try:
            while data:
                if self._stream.eof:
                    self._stream = zlib.decompressobj(self._bits)
                pieces.append(self._stream.decompress(data, _PIECE))
                size += len(pieces[-1])
                if size > LIMIT:
                    raise _too_large()
                data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        except zlib.error as wrong:
            raise ValueError(f"damaged compressed message: {wrong}") from None
        return b"".join(pieces)


class Deflating:
    """Takes over in the middle of a stream: a flush ends at a byte, and what follows refers to nothing before it."""

    __slots__ = ("_begun", "_gzip", "_size", "_stream", "_sum")

    def __init__(self, gzip: bool) -> None:
        self._gzip = gzip
        self._start()

    def _start(self) -> None:
        self._stream = zlib.compressobj(6, zlib.DEFLATED, -15)
        self._sum = zlib.crc32(b"") if self._gzip else zlib.adler32(b"")
        self._size = 0
        self._begun = False

    def passed(self, text: bytes, last: bool) -> None:
        self._sum = zlib.crc32(text, self._sum) if self._gzip else zlib.adler32(text, self._sum)
        self._size += len(text)
        self._begun = True
        if last:
            self._start()

    def pack(self, text: bytes, last: bool) -> bytes:
        head = b"" if self._begun else _GZIP_HEAD if self._gzip else _ZLIB_HEAD
        self.passed(text, last=False)
        data = head + self._stream.compress(text) + self._stream.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
        if last:
            data += self._trailer()
            self._start()
        return data

    def _trailer(self) -> bytes:
        if not self._gzip:
            return self._sum.to_bytes(4, "big")
        return self._sum.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little")


class ZstdUnpacking:
    """zstd; each message is flushed, so each is whole."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj(read_across_frames=True)

    @property
    def whole(self) -> bool:
        return True

    @property
    def ended(self) -> bool:
        """A frame's end is not told from a flush, and need not be: the next frame may follow either."""
        return False

    def feed(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        size = 0
        try:
            for at in range(0, len(data), 4096):
                pieces.append(self._stream.decompress(data[at : at + 4096]))
                size += len(pieces[-1])
                if size > LIMIT:
                    raise _too_large()
        except zstandard.ZstdError as wrong:
            raise ValueError(f"damaged compressed message: {wrong}") from None
        return b"".join(pieces)


class ZstdPacking:
    """Cannot take over in the middle, so it writes a side from its first message on."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream = zstandard.ZstdCompressor(level=3).compressobj()

    def passed(self, text: bytes, last: bool) -> None:
        raise NotImplementedError("a zstd stream is written from its start")

    def pack(self, text: bytes, last: bool) -> bytes:
        return self._stream.compress(text) + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


def _too_large() -> LimitExceeded:
    return LimitExceeded(
        f"a compressed WebSocket message unpacks to more than {LIMIT:,} bytes, so that it cannot be searched for "
        "secrets; leave this connection out of the recording"
    )
