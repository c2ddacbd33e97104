"""What all connections of one front share."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from durable_replay.answer import Administered, Answerer, Recall
from durable_replay.front.admin import Admin
from durable_replay.front.reply import WireCache
from durable_replay.front.settings import Settings
from durable_replay.front.spool import Spool
from durable_replay.front.tls import Authority

__all__ = ["Engine", "KnownRequests", "Served", "Shared", "log"]

log: Final = logging.getLogger("durable_replay.front")


class Engine(Answerer, Administered, Protocol):
    """What a front stands before."""


class Served(Protocol):
    """A connection, as the front looks after it."""

    def sweep(self, now: float) -> None:
        """Called a few times a second at most: whose time is up?"""

    def stop(self) -> None:
        """The front stops: what runs may end, nothing new begins."""

    def abort(self) -> None:
        """End now, whatever was not sent."""


class KnownRequests:
    """Requests that a recording may answer, by connection origin and exact bytes; bounded, least recent out first."""

    __slots__ = ("_held", "_limit")

    def __init__(self, limit: int = 4096) -> None:
        self._held: OrderedDict[tuple[str, bytes], tuple[Recall, bool]] = OrderedDict()
        self._limit = limit

    def get(self, tag: str, data: bytes) -> tuple[Recall, bool] | None:
        """The recall, and whether the request's method is HEAD."""
        key = (tag, data)
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def keep(self, tag: str, data: bytes, recall: Recall, *, to_head: bool) -> None:
        """Remember."""
        self._held[tag, data] = (recall, to_head)
        if len(self._held) > self._limit:
            self._held.popitem(last=False)


@dataclass(slots=True)
class Shared:
    """One per front; lives on its event loop's thread."""

    engine: Engine
    settings: Settings
    authority: Authority
    executor: Executor
    admin: Admin
    known: KnownRequests = field(default_factory=KnownRequests)
    wires: WireCache = field(default_factory=WireCache)
    wires_to_head: WireCache = field(default_factory=WireCache)
    connections: set[Served] = field(default_factory=set)
    working: set[asyncio.Future[Any]] = field(default_factory=set)
    """What connections do that takes time; it may go on for a moment after its connection is gone."""
    stopping: bool = False
    over: bool = False
    """The workers are let go: who still waits for one is given up, which is no failure to tell of."""

    def works(self, work: asyncio.Future[Any]) -> None:
        """The front does not end before this, if it can help it."""
        self.working.add(work)
        work.add_done_callback(self.working.discard)

    def new_spool(self) -> Spool:
        """An empty body."""
        return Spool(self.settings.limits, self.settings.spool_directory)
