"""HTTP as values: what travels between the front, the engine, the tape and the services.

No socket, no SQL, no mitmproxy. A message's text is str in latin-1, so that every byte that came over the wire
has exactly one form here and goes back as the same byte.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote_plus

from durable_replay.errors import LimitExceeded

__all__ = [
    "EMPTY",
    "HOP_BY_HOP",
    "Body",
    "BytesBody",
    "FileBody",
    "Frame",
    "Headers",
    "Interaction",
    "Request",
    "Response",
    "parse_query",
]

HOP_BY_HOP = (
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
"""Header fields that belong to one connection (RFC 9110 7.6.1), lower case; `Connection` may name more."""

CHUNK = 256 * 1024
IN_MEMORY = 64 * 1024 * 1024


class Headers:
    """The fields of a message in wire order, with the case they had; look-ups ignore case.

    >>> Headers([("Content-Type", "text/plain")]).get("content-type")
    'text/plain'
    """

    __slots__ = ("_index", "fields")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self.fields: tuple[tuple[str, str], ...] = tuple(fields)
        self._index: dict[str, list[str]] | None = None

    def _by_name(self) -> dict[str, list[str]]:
        if self._index is None:
            index: dict[str, list[str]] = {}
            for name, value in self.fields:
                index.setdefault(name.lower(), []).append(value)
            self._index = index
        return self._index

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, or `default`."""
        values = self._by_name().get(name.lower())
        return values[0] if values else default

    def get_all(self, name: str) -> list[str]:
        """Every value of a field, in order."""
        return list(self._by_name().get(name.lower(), ()))

    def with_(self, *fields: tuple[str, str]) -> Headers:
        """A copy in which these fields replace those of the same name."""
        return Headers((*self.without(*(name for name, _ in fields)).fields, *fields))

    def without(self, *names: str) -> Headers:
        """A copy that lacks these fields."""
        gone = {name.lower() for name in names}
        return Headers(pair for pair in self.fields if pair[0].lower() not in gone)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self.fields == other.fields

    def __hash__(self) -> int:
        return hash(self.fields)

    def __repr__(self) -> str:
        return f"Headers({list(self.fields)!r})"


class Body(ABC):
    """The content of a message, which may be larger than memory. Can be read any number of times."""

    __slots__ = ()
    size: int

    @abstractmethod
    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to `stop` (exclusive; None: the end), in pieces of at most 256 KiB."""

    def read(self) -> bytes:
        """All of it; raises LimitExceeded over 64 MiB, for which `chunks` is meant."""
        if self.size > IN_MEMORY:
            raise LimitExceeded(f"a body of {self.size:,} bytes is read whole; the limit is {IN_MEMORY:,}")
        return b"".join(self.chunks())

    def __bool__(self) -> bool:
        return self.size > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.size == other.size and self.read() == other.read()

    def __hash__(self) -> int:
        return hash(self.size)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.size:,} bytes>"


class BytesBody(Body):
    """A body in memory."""

    __slots__ = ("data", "size")

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.size = len(data)

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        end = self.size if stop is None else min(stop, self.size)
        for at in range(start, end, CHUNK):
            yield self.data[at : min(at + CHUNK, end)]

    def read(self) -> bytes:
        return self.data


class FileBody(Body):
    """A body in a file on disk; whoever made the file removes it."""

    __slots__ = ("path", "size")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        left = max(0, (self.size if stop is None else min(stop, self.size)) - start)
        with self.path.open("rb") as file:
            file.seek(start)
            while left and (data := file.read(min(CHUNK, left))):
                left -= len(data)
                yield data


EMPTY: Body = BytesBody()


def parse_query(text: str) -> tuple[tuple[str, str], ...]:
    """The pairs of a query string or form in order, decoded; a name without `=` has an empty value."""
    pairs = (part.partition("=") for part in text.split("&") if part)
    return tuple((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was on the wire.

    `target` is the origin form (path and query, still percent-encoded); `host` is lower case without port. The body
    is as it was sent, minus HTTP's own chunked framing.
    """

    method: str
    scheme: Literal["http", "https", "ws", "wss"]
    host: str
    port: int
    target: str
    headers: Headers = field(default_factory=Headers)
    body: Body = EMPTY

    @property
    def path(self) -> str:
        """The path as sent: percent-encoded, never normalised."""
        return self.target.partition("?")[0]

    @property
    def query_string(self) -> str:
        """What follows the first question mark."""
        return self.target.partition("?")[2]

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's pairs in order, decoded."""
        return parse_query(self.query_string)

    @property
    def authority(self) -> str:
        """Host with the port where it is not the scheme's own."""
        usual = 443 if self.scheme in ("https", "wss") else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The absolute URL."""
        return f"{self.scheme}://{self.authority}{self.target}"


@dataclass(frozen=True, slots=True)
class Response:
    """One response. Its body is without HTTP's chunked framing, but with its content encoding."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: Body = EMPTY
    reason: str = ""
    trailers: Headers = field(default_factory=Headers)


@dataclass(frozen=True, slots=True)
class Frame:
    """One WebSocket message (fragments joined). A close carries its code in `code` and its reason in `data`."""

    from_client: bool
    kind: Literal["text", "binary", "ping", "pong", "close"]
    data: bytes
    code: int | None = None
    at: float = 0.0
    """Seconds after the start of the interaction."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """A recorded request with its response or WebSocket conversation, at its place on the tape.

    `number` counts from 1 (0: not on a tape yet); `started` is seconds since the epoch, `duration` seconds.
    `outcome` is `aborted` when the connection ended before the response was whole.
    """

    request: Request
    response: Response
    number: int = 0
    frames: tuple[Frame, ...] = ()
    started: float = 0.0
    duration: float = 0.0
    http_version: str = "HTTP/1.1"
    outcome: Literal["complete", "aborted"] = "complete"
    note: str = ""
