"""One isolated history over a tape: what it has played and written, its cursors, clock and ids.

A session costs its own writes and nothing else: the tape is shared, the overlay is its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from durable_replay.errors import UsageError
from durable_replay.timeline.ledger import Fact, History, choose, live_mark, tape_mark
from durable_replay.timeline.resource import Key, overlap
from durable_replay.timeline.state import Change, Event, Record, Store
from durable_replay.timeline.tape import Tape

__all__ = ["Clock", "FixedClock", "RunningClock", "Session", "clock_named"]


class Clock(Protocol):
    """A session's time, seconds since the epoch."""

    def now(self) -> float: ...

    def reach(self, at: float) -> None:
        """Something recorded at this time has happened: it is no earlier than that now."""

    def tick(self) -> None:
        """A request that the emulator answers begins."""


class RunningClock:
    """Starts at `start` and runs on with the machine's; `start` None: is the machine's."""

    def __init__(self, start: float | None = None) -> None:
        self._recorded = start is not None
        self._offset = 0.0 if start is None else start - time.time()

    def now(self) -> float:
        return time.time() + self._offset

    def reach(self, at: float) -> None:
        """Jumps there, if it is not past it."""
        if self._recorded:
            self._offset += max(0.0, at - self.now())

    def tick(self) -> None:
        """Time passes by itself."""


class FixedClock:
    """Stands still during a request and moves `step` seconds with each; the same in every run."""

    def __init__(self, start: float, step: float = 1.0, ticks: int = 0) -> None:
        self._start, self._step, self._ticks = start, step, ticks

    def now(self) -> float:
        return self._start + self._step * self._ticks

    def reach(self, at: float) -> None:
        """Stands where it was told to."""

    def tick(self) -> None:
        self._ticks += 1


def clock_named(text: str, tape_start: float, record: Record) -> Clock:
    """`recorded`, `now`, or an ISO time, for a session that may have a past; raises UsageError."""
    if text == "now" or (text == "recorded" and not tape_start):
        return RunningClock()
    if text == "recorded":
        return RunningClock(max([tape_start, *(event.at for event in record.events)]))
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--clock {text!r}: say `recorded`, `now` or an ISO time like 2026-01-31T10:00:00Z") from error
    if start.tzinfo is None:
        raise UsageError(f"--clock {text!r}: an ISO time needs its zone, like 2026-01-31T10:00:00Z")
    return FixedClock(start.timestamp(), ticks=record.counters.get("clock", 0))


class Session:
    """See the module. Its methods may be called from several threads."""

    def __init__(self, name: str, record: Record, tape: Tape, store: Store, clock: Clock) -> None:
        self.name = name
        self.tape = tape
        self.store = store
        self.ended = False
        """Deleted; whoever still holds it gets no recording from it."""
        self.version = 0
        """Grows with each write: what was true before need not be now."""
        self._lock = threading.RLock()
        self._busy: list[tuple[tuple[Key, ...], tuple[Key, ...]]] = []
        self._free = threading.Condition()
        self.begin(record, clock)

    def begin(self, record: Record, clock: Clock) -> None:
        """Takes this past for its own, and nothing else."""
        with self._lock:
            self.seed = record.seed
            self.clock = clock
            self.history = History()
            """All writes: recorded ones that were played, and live ones."""
            self.taped = History()
            """The recorded ones alone."""
            self.played: set[int] = set()
            self.live: list[Event] = []
            self.cursors = dict(record.cursors)
            self.counters = dict(record.counters)
            self.served: dict[int, int] = {}
            """Interactions served, with the order of the last serving of each."""
            self._servings = 0
            self.version += 1
            for event in record.events:
                self._note(event)

    def end(self) -> None:
        """It is deleted."""
        with self._lock:
            self.ended = True
            self.version += 1

    def inherit(self, origin: Session) -> None:
        """What a fork has from its origin beyond the store: what was read."""
        with self._lock:
            self.cursors, self.served = dict(origin.cursors), dict(origin.served)
            self._servings = origin._servings

    def _note(self, event: Event) -> None:
        if event.kind == "played":
            mark = tape_mark(event.number)
            self.played.add(event.number)
            self.taped.add(mark, event.keys)
        else:
            mark = live_mark(self.name, event.number)
            self.live.append(event)
        self.history.add(mark, event.keys)
        self.version += 1

    def choose(self, request_key: bytes, candidates: Sequence[Fact]) -> Fact | None:
        """The recording that answers this request now; it is not served yet."""
        with self._lock:
            if self.ended:
                return None
            return choose(candidates, self.history, self.cursors.get(request_key, 0), self.played.__contains__)

    def serve(self, request_key: bytes, number: int) -> None:
        """A recorded answer leaves: the cursor moves, and the state learns it."""
        with self._lock:
            self.cursors[request_key] = number
            self._servings += 1
            self.served[number] = self._servings

    def commit(self, change: Change) -> None:
        """One write, durable as the store is, then part of this history."""
        self.store.commit(self.name, change)
        with self._lock:
            self.counters.update(change.counters)
            if change.event is not None:
                self._note(change.event)

    @contextmanager
    def footprint(self, reads: tuple[Key, ...], writes: tuple[Key, ...]) -> Iterator[None]:
        """Held while a request is answered: requests whose footprints overlap wait, all others do not."""
        mine = (reads, writes)
        with self._free:
            self._free.wait_for(lambda: not any(_clash(mine, other) for other in self._busy))
            self._busy.append(mine)
        try:
            yield
        finally:
            with self._free:
                self._busy.remove(mine)
                self._free.notify_all()


def _clash(one: tuple[tuple[Key, ...], tuple[Key, ...]], other: tuple[tuple[Key, ...], tuple[Key, ...]]) -> bool:
    return _meet(one[1], other[0]) or _meet(one[0], other[1]) or _meet(one[1], other[1])


def _meet(keys: Sequence[Key], others: Sequence[Key]) -> bool:
    return any(overlap(key, other) for key in keys for other in others)
