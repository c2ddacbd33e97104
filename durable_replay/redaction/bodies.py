"""A body on its way to the tape: read whole and by its type while it is small, through a window once it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from durable_replay.errors import LimitExceeded
from durable_replay.http import EMPTY, Body, BytesBody, Headers
from durable_replay.redaction.coding import Decoder, Encoder, coding_of, decode, decoder, encoder
from durable_replay.redaction.documents import kind_of
from durable_replay.redaction.window import Searcher, Window

__all__ = ["WHOLE", "BodySink", "BodyStore", "Redacted"]

WHOLE = 8 * 1024 * 1024
"""Bodies up to this size, decoded too, are searched whole; larger ones through a window."""
_DECODED = 16 * 1024 * 1024 * 1024

_SUMS = ("content-md5", "digest", "repr-digest", "content-digest", "x-goog-hash", "x-amz-content-sha256")


class BodyStore(Protocol):
    """Where redacted bytes go; a cassette's BodyWriter is one."""

    def write(self, data: bytes) -> object: ...

    def finish(self) -> Body: ...

    def abort(self) -> None: ...


class BodySearch(Protocol):
    """What bodies are searched with."""

    def content(self, kind: str, data: bytes) -> bytes:
        """The content without secrets; the same object where there were none."""

    def windowed(self, kind: str) -> Searcher: ...

    def fitted(self) -> Searcher:
        """Shapes only, each replaced by as many characters: for bodies whose framing counts bytes."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A body without secrets, and its headers corrected to it. `note` says what was changed, for the interaction."""

    body: Body
    headers: Headers
    note: str = ""


class BodySink:
    """Write a body's pieces, then `finish`. `new_body` opens a store for bodies over 8 MiB; None: there are none."""

    __slots__ = ("_headers", "_held", "_new_body", "_passing", "_search", "_size")

    def __init__(self, headers: Headers, search: BodySearch, new_body: Callable[[], BodyStore] | None) -> None:
        self._headers = headers
        self._search = search
        self._new_body = new_body
        self._held: list[bytes] = []
        self._size = 0
        self._passing: _Passing | None = None

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return 0 if self._passing else self._size

    def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._passing is not None:
            self._passing.write(data)
            return
        self._held.append(data)
        if self._size > WHOLE:
            self.spill()

    def spill(self) -> None:
        """Go over to the window now. Raises LimitExceeded where no store takes large bodies."""
        if self._passing is not None:
            return
        if self._new_body is None:
            raise LimitExceeded(f"a body of more than {WHOLE:,} bytes needs a store to be redacted into")
        held, self._held = self._held, []
        self._passing = _Passing(
            self._headers, kind_of(self._type, held[0] if held else b""), self._search, self._new_body
        )
        for data in held:
            self._passing.write(data)

    @property
    def _type(self) -> str:
        return self._headers.get("content-type")

    def finish(self) -> Redacted:
        if self._passing is not None:
            body, changed = self._passing.finish()
            return _corrected(self._headers, body, changed)
        if not self._held:
            return Redacted(EMPTY, self._headers)
        try:
            data, changed = self._whole(b"".join(self._held))
        except LimitExceeded:
            self.spill()
            return self.finish()
        return _corrected(self._headers, BytesBody(data), changed)

    def abort(self) -> None:
        """Forget the body."""
        self._held.clear()
        if self._passing is not None:
            self._passing.abort()

    def _whole(self, data: bytes) -> tuple[bytes, bool]:
        """The redacted bytes under their content coding, and whether they differ."""
        coding = coding_of(self._headers.get("content-encoding"))
        if coding is None:
            return self._fitted(data)
        try:
            plain = decode(coding, [data], WHOLE) if coding else data
        except ValueError:  # damaged or cut short: searched as it is
            return self._fitted(data)
        kind = kind_of(self._type, plain[:1024])
        shown = self._search.content(kind, plain)
        if shown is plain:
            return data, False
        packed = encoder(coding)
        return packed.feed(shown) + packed.end(), True

    def _fitted(self, data: bytes) -> tuple[bytes, bool]:
        shown = self._search.fitted().replace(data.decode("latin-1")).encode("latin-1", "replace")
        return shown, shown != data


class _Passing:
    """A large body: decoded, searched and encoded again as it passes. A body in which nothing was found is kept with
    the bytes that the wire had, so both go to the store and one is dropped."""

    def __init__(self, headers: Headers, kind: str, search: BodySearch, new_body: Callable[[], BodyStore]) -> None:
        coding = coding_of(headers.get("content-encoding"))
        self._raw = Window(search.windowed(kind) if coding == "" else search.fitted())
        self._raw_store = new_body()
        self._decoder: Decoder | None = None
        if coding:
            self._decoder, self._encoder = decoder(coding), encoder(coding)
            self._window = Window(search.windowed(kind_of(headers.get("content-type"), b"")))
            self._store: BodyStore = new_body()
            self._unpacked = 0

    def write(self, data: bytes) -> None:
        _put(self._raw_store, self._raw.feed(data))
        if self._decoder is not None:
            try:
                self._unpack(self._decoder, self._encoder, data)
            except ValueError:
                self._give_up()

    def _unpack(self, undo: Decoder, again: Encoder, data: bytes) -> None:
        for piece in undo.feed(data):
            self._unpacked += len(piece)
            if self._unpacked > _DECODED:
                raise ValueError("unpacks to more than any body is searched for")
            _put(self._store, again.feed(self._window.feed(piece)))

    def _give_up(self) -> None:
        """Damaged data under its coding: what the wire had is kept, searched as it is."""
        self._decoder = None
        self._store.abort()

    def finish(self) -> tuple[Body, bool]:
        _put(self._raw_store, self._raw.end())
        if self._decoder is None:
            return self._raw_store.finish(), self._raw.changed
        try:
            self._decoder.end()
        except ValueError:
            self._give_up()
            return self._raw_store.finish(), self._raw.changed
        _put(self._store, self._encoder.feed(self._window.end()) + self._encoder.end())
        if self._window.changed:
            self._raw_store.abort()
            return self._store.finish(), True
        self._store.abort()
        return self._raw_store.finish(), self._raw.changed

    def abort(self) -> None:
        self._raw_store.abort()
        if self._decoder is not None:
            self._store.abort()


def _put(store: BodyStore, data: bytes) -> None:
    if data:
        store.write(data)


def _corrected(headers: Headers, body: Body, changed: bool) -> Redacted:
    """Headers that fit the body that is stored: its length, and no sum over what it was."""
    if not changed:
        return Redacted(body, headers)
    sums = [name for name, _ in headers if name.lower() in _SUMS or name.lower().startswith("x-amz-checksum-")]
    fixed = headers.without(*(name for name in sums if name.lower() != "x-amz-content-sha256"))
    if "x-amz-content-sha256" in fixed and not fixed.get("x-amz-content-sha256").startswith("STREAMING"):
        fixed = _set(fixed, "x-amz-content-sha256", "UNSIGNED-PAYLOAD")
    if "content-length" in fixed:
        fixed = _set(fixed, "content-length", str(body.size))
    return Redacted(body, fixed, "secrets in the body were replaced")


def _set(headers: Headers, name: str, value: str) -> Headers:
    """The same fields in the same order, with another value for one."""
    return Headers((field, value if field.lower() == name else old) for field, old in headers)
