"""Content codings, pushed through piece by piece in bounded memory: gzip, deflate, br, zstd."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, cast

from durable_replay.errors import LimitExceeded

__all__ = ["CODINGS", "Decoder", "Encoder", "coding_of", "decode", "decoder", "encoder"]

CODINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})
_PIECE = 1 << 18
# These two take no bound of what one step gives. A few bytes unpack to as much as a block may hold: 16 MiB of br by 25
# bytes, 128 KiB of zstd by 4.
_BROTLI_STEP, _ZSTD_STEP = 16, 512


class Decoder(Protocol):
    """Undoes a coding. Both raise ValueError where the data is damaged, `end` also where it stops too early."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def end(self) -> None: ...


class Encoder(Protocol):
    """Applies a coding; the same content in the same pieces gives the same bytes."""

    def feed(self, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


def coding_of(content_encoding: str) -> str | None:
    """The one coding of a body; "" for none, None for what cannot be undone here (several, unknown, aws-chunked)."""
    coding = content_encoding.strip().lower()
    if coding in ("", "identity"):
        return ""
    return coding if coding in CODINGS else None


def decode(coding: str, chunks: Iterable[bytes], limit: int) -> bytes:
    """A whole content. Raises LimitExceeded past `limit` bytes, ValueError where the data is damaged."""
    stream, pieces, total = decoder(coding), [], 0
    for chunk in chunks:
        for piece in stream.feed(chunk):
            total += len(piece)
            if total > limit:
                raise LimitExceeded(f"a {coding} body unpacks to more than {limit:,} bytes")
            pieces.append(piece)
    stream.end()
    return b"".join(pieces)


def decoder(coding: str) -> Decoder:
    """The decoder of a coding that `coding_of` names."""
    if coding == "":
        return _Plain()
    if coding == "br":
        return _Brotli()
    return _Zstd() if coding == "zstd" else _Zlib(coding)


def encoder(coding: str) -> Encoder:
    """The encoder of a coding that `coding_of` names."""
    if coding == "":
        return _Encode(bytes, bytes)
    if coding == "br":
        brotli = _brotli().Compressor(quality=4)
        return _Encode(brotli.process, brotli.finish)
    if coding == "zstd":
        import zstandard

        zstd = zstandard.ZstdCompressor(level=3).compressobj()
        return _Encode(zstd.compress, zstd.flush)
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31 if "gzip" in coding else 15)
    return _Encode(deflate.compress, deflate.flush)


class _Encode:
    def __init__(self, feed: Callable[[bytes], bytes], end: Callable[[], bytes]) -> None:
        self.feed = feed
        self.end = end


class _Plain:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def end(self) -> None:
        return


class _Zlib:
    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._bits = 31 if "gzip" in coding else 15
        self._stream = zlib.decompressobj(self._bits)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not self._begun and self._coding == "deflate" and data[:1] and data[0] & 0x0F != 8:
            self._stream = zlib.decompressobj(-15)  # raw deflate, as some servers send against RFC 9110 8.4.1.2
        self._begun = self._begun or bool(data)
        try:
            while data:
                if self._stream.eof:  # gzip members in a row, RFC 1952 2.2
                    self._stream = zlib.decompressobj(self._bits)
                yield self._stream.decompress(data, _PIECE)
                data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        except zlib.error as wrong:
            raise ValueError(f"damaged {self._coding} body: {wrong}") from None

    def end(self) -> None:
        if self._begun and not self._stream.eof:
            raise ValueError(f"damaged {self._coding} body: it ends too early")


class _BrotliModule(Protocol):
    """What is used of the brotli package, which has no types."""

    error: type[Exception]

    def Decompressor(self) -> _BrotliDecoder: ...  # noqa: N802  the package's own name

    def Compressor(self, *, quality: int) -> _BrotliEncoder: ...  # noqa: N802  the package's own name


class _BrotliDecoder(Protocol):
    def process(self, data: bytes) -> bytes: ...

    def is_finished(self) -> bool: ...


class _BrotliEncoder(Protocol):
    def process(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


def _brotli() -> _BrotliModule:
    try:
        return cast(_BrotliModule, importlib.import_module("brotli"))
    except ImportError:
        raise ValueError("a br body is only read where durable-replay[record] is installed") from None


class _Brotli:
    def __init__(self) -> None:
        self._error = _brotli().error
        self._stream = _brotli().Decompressor()

    def feed(self, data: bytes) -> Iterator[bytes]:
        try:
            for at in range(0, len(data), _BROTLI_STEP):
                yield self._stream.process(data[at : at + _BROTLI_STEP])
        except self._error as wrong:
            raise ValueError(f"damaged br body: {wrong}") from None

    def end(self) -> None:
        if not self._stream.is_finished():
            raise ValueError("damaged br body: it ends too early")


class _Zstd:
    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._module = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        self._stream = self._module.decompressobj()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(data)
        try:
            for at in range(0, len(data), _ZSTD_STEP):
                left = data[at : at + _ZSTD_STEP]
                while left:
                    if self._stream.eof:  # frames in a row, RFC 8878 3.1
                        self._stream = self._module.decompressobj()
                    yield self._stream.decompress(left)
                    left = self._stream.unused_data if self._stream.eof else b""
        except self._error as wrong:
            raise ValueError(f"damaged zstd body: {wrong}") from None

    def end(self) -> None:
        if self._begun and not self._stream.eof:
            raise ValueError("damaged zstd body: it ends too early")
