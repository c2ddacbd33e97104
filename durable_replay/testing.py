"""Builders for the authors of services: exchanges in one line, a tape in memory, an engine over both.

::

    engine = engine_over(service, [exchange("GET", "/tasks/1", 200, {"gid": "1", "name": "milk"})])
    ask(engine, "PUT", "/tasks/1", {"name": "bread"})
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from durable_replay.answer import Answer
from durable_replay.cassette.index import Index
from durable_replay.engine import Engine, Policy
from durable_replay.http import Body, BytesBody, Headers, Interaction, Request, Response
from durable_replay.service.api import Service
from durable_replay.service.registry import Registry
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.recordings import build_index
from durable_replay.timeline.resource import Key
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import SQLiteStore
from durable_replay.timeline.tape import Seen

__all__ = ["MemoryTape", "ask", "engine_over", "exchange", "request"]

Content = object
"""Bytes, text, or anything that JSON can say; None: no body."""
Fields = Mapping[str, str] | Sequence[tuple[str, str]]


def request(method: str, url: str, content: Content = None, headers: Fields = ()) -> Request:
    """A request; `url` may lack scheme and host (`https://service.test`)."""
    parts = urlsplit(url if "://" in url else f"https://service.test{url}")
    data, kind = _encoded(content)
    fields = [*(headers.items() if isinstance(headers, Mapping) else headers)]
    if kind and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", kind))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    scheme = parts.scheme
    assert scheme in ("http", "https", "ws", "wss"), scheme
    port = parts.port or (443 if scheme in ("https", "wss") else 80)
    return Request(method, scheme, parts.hostname or "", port, target, Headers(fields), BytesBody(data))  # type: ignore[arg-type]


def exchange(
    method: str,
    url: str,
    status: int = 200,
    body: Content = None,
    *,
    send: Content = None,
    headers: Fields = (),
    answer_headers: Fields = (),
    at: float = 0.0,
) -> Interaction:
    """A recorded request with its response; `at` is seconds since the epoch."""
    data, kind = _encoded(body)
    fields = [*(answer_headers.items() if isinstance(answer_headers, Mapping) else answer_headers)]
    if kind and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", kind))
    response = Response(status, Headers(fields), BytesBody(data))
    return Interaction(request(method, url, send, headers), response, started=at)


def _encoded(content: Content) -> tuple[bytes, str]:
    if content is None:
        return b"", ""
    if isinstance(content, bytes):
        return content, ""
    if isinstance(content, str):
        return content.encode(), "text/plain"
    return json.dumps(content).encode(), "application/json"


class MemoryTape:
    """A `Tape` of interactions in memory, numbered as they come."""

    def __init__(self, interactions: Iterable[Interaction], indexing: Indexing) -> None:
        self.interactions = [replace(one, number=number) for number, one in enumerate(interactions, 1)]
        self.start = self.interactions[0].started if self.interactions else 0.0
        self._index = Index.in_memory()
        self._writes: Sequence[Fact] | None = None
        bodies = [body for one in self.interactions for body in (one.request.body, one.response.body)]
        self._bodies = {sha256(body.read()).hexdigest(): body for body in bodies}
        build_index(self._index, self.interactions, len(self), indexing, "", lambda done, total: None)

    def __len__(self) -> int:
        return len(self.interactions)

    def __iter__(self) -> Iterator[Interaction]:
        return iter(self.interactions)

    def candidates(self, request_key: bytes) -> Sequence[Fact]:
        """See `Tape`."""
        return self._index.candidates(request_key)

    def listing(self, listing_key: bytes) -> Sequence[Fact]:
        """See `Tape`."""
        return self._index.listing(listing_key)

    def fact(self, number: int) -> Fact:
        """See `Tape`."""
        return self._index.fact(number)

    def interaction(self, number: int) -> Interaction:
        """See `Tape`."""
        if not 0 < number <= len(self):
            raise LookupError(number)
        return self.interactions[number - 1]

    def seen(self, key: Key) -> Sequence[Seen]:
        """See `Tape`."""
        return self._index.seen(key)

    def seen_below(self, prefix: Key) -> Sequence[Key]:
        """See `Tape`."""
        return self._index.seen_below(prefix)

    def highest(self, prefix: Key, head: str) -> int:
        """See `Tape`."""
        return self._index.highest(prefix, head)

    def writes(self) -> Sequence[Fact]:
        """See `Tape`."""
        if self._writes is None:
            self._writes = self._index.writes()
        return self._writes

    def nearest(self, host: str, limit: int) -> Sequence[int]:
        """See `Tape`."""
        return self._index.nearest(host, limit)

    def body(self, digest: str) -> Body | None:
        """See `Tape`."""
        return self._bodies.get(digest.removeprefix("sha256:"))


def engine_over(
    services: Service | Sequence[Service],
    interactions: Iterable[Interaction] = (),
    *,
    policy: Policy | None = None,
    clock: str = "2026-01-31T10:00:00+00:00",
    seed: int = 0,
    data_dir: Path | None = None,
) -> Engine:
    """An engine over these services and a tape of these interactions."""
    registry = Registry([services] if isinstance(services, Service) else services)
    indexing = Indexing(registry)
    tape = MemoryTape(interactions, indexing)
    return Engine(tape, indexing, Sessions(tape, SQLiteStore(data_dir), clock=clock, seed=seed), policy)


def ask(
    engine: Engine, method: str, url: str, content: Content = None, *, headers: Fields = (), session: str = "default"
) -> Answer:
    """One request, answered."""
    return engine.answer(session, request(method, url, content, headers))
