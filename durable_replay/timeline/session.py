"""One isolated history over a tape: what it has played and written, its cursors, clock and ids.

A session costs its own writes and nothing else: the tape is shared, the overlay is its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from durable_replay.errors import UsageError
from durable_replay.timeline.ledger import Fact, History, choose, live_mark, tape_mark
from durable_replay.timeline.resource import Key, ancestors, overlap, prefixes
from durable_replay.timeline.state import Change, Event, Record, Store
from durable_replay.timeline.tape import Tape

__all__ = ["Clock", "FixedClock", "RunningClock", "Session", "clock_named"]

_Print = tuple[tuple[Key, ...], tuple[Key, ...]]
"""What a request reads, and what it may write."""


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


@dataclass(slots=True)
class _Unsaved:
    counters: dict[str, int] = field(default_factory=dict)
    cursors: dict[bytes, int] = field(default_factory=dict)
    served: dict[int, int] = field(default_factory=dict)


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
        self._committing = threading.RLock()
        self._queue: dict[int, _Print] = {}
        self._tickets = 0
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
            self.wrote: dict[Key, int] = {}
            """What live writes touched, with the ordinal of the last of them."""
            self._written_below: dict[Key, Key] = {}
            self._ordinal = max((one.number for one in record.events if one.kind == "live"), default=0)
            self.cursors = dict(record.cursors)
            self.counters = dict(record.counters)
            self.served = dict(record.served)
            """Interactions served, with the order of the last serving of each."""
            self._servings = max(self.served.values(), default=0)
            self._unsaved = _Unsaved()
            """What reading changed since the last commit; it goes to the store with the next."""
            self.version += 1
            for event in record.events:
                self._note(event)

    def end(self) -> None:
        """It is deleted."""
        with self._lock:
            self.ended = True
            self.version += 1

    def _note(self, event: Event) -> None:
        if event.kind == "played":
            mark = tape_mark(event.number)
            self.played.add(event.number)
            self.taped.add(mark, event.keys)
        else:
            mark = live_mark(self.name, event.number)
            self.live.append(event)
            self.wrote.update(dict.fromkeys(event.keys, event.number))
            for key in event.keys:
                self._written_below.update(dict.fromkeys(prefixes((key,)), key))
        self.history.add(mark, event.keys)
        self.version += 1

    def wrote_over(self, key: Key) -> Key | None:
        """A key that a live write touched and that overlaps this one."""
        above = (one for one in ancestors(key) if one in self.wrote)
        return self._written_below.get(key) or next(above, None)

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
            self._unsaved.cursors[request_key] = number
            self._unsaved.served[number] = self._servings

    def tick(self) -> float:
        """A request that the emulator answers begins; gives its time, seconds since the epoch."""
        with self._lock:
            self.clock.tick()
            self._unsaved.counters["clock"] = self._count("clock", 0) + 1
            return self.clock.now()

    def next_ordinal(self) -> int:
        """The number of a live write to come; no two writes get the same."""
        with self._lock:
            self._ordinal += 1
            return self._ordinal

    def take(self, counter: str, least: int = 0) -> tuple[int, int]:
        """Where a counter stood, and a value of it that nobody else gets: `least` or more; it stands one above then."""
        with self._lock:
            return self.counters.get(counter, 0), self._count(counter, least)

    def _count(self, counter: str, least: int) -> int:
        value = max(self.counters.get(counter, 0), least)
        self.counters[counter] = value + 1
        return value

    def give_back(self, taken: Mapping[str, tuple[int, int]]) -> None:
        """Nothing came of the request that took these (before, after): who comes next gets them, if none did yet."""
        with self._lock:
            for counter, (before, after) in taken.items():
                if self.counters.get(counter) == after:
                    self.counters[counter] = before

    def commit(self, change: Change, told: Callable[[], None] = lambda: None) -> None:
        """One write, durable as the store is, then part of this history; `told` is called before the next write
        becomes part of it, so that who listens hears of writes in their order."""
        with self._committing:
            self._save(change)
            with self._lock:
                for counter, value in change.counters.items():
                    self.counters[counter] = max(value, self.counters.get(counter, 0))
                if change.event is not None:
                    self._note(change.event)
            told()

    def flush(self) -> None:
        """What was read goes to the store too: before a copy is made of this session, and when all ends."""
        if not self.ended and self._unsaved != _Unsaved():
            self._save(Change())

    def _save(self, change: Change) -> None:
        with self._lock:
            if self.ended:
                raise UsageError(f"session {self.name!r} was deleted while it answered; ask again")
            unsaved, self._unsaved = self._unsaved, _Unsaved()
        counters = {**unsaved.counters, **change.counters}
        try:
            self.store.commit(
                self.name, replace(change, counters=counters, cursors=unsaved.cursors, served=unsaved.served)
            )
        except BaseException:
            with self._lock:
                self._unsaved = _Unsaved(
                    {**unsaved.counters, **self._unsaved.counters},
                    {**unsaved.cursors, **self._unsaved.cursors},
                    {**unsaved.served, **self._unsaved.served},
                )
            raise

    @contextmanager
    def footprint(self, reads: tuple[Key, ...], writes: tuple[Key, ...]) -> Iterator[None]:
        """Held while a request is answered: of requests whose footprints overlap the later waits for the earlier,
        all others do not wait."""
        mine = (reads, writes)
        with self._free:
            self._tickets += 1
            ticket = self._tickets
            self._queue[ticket] = mine
            self._free.wait_for(lambda: not any(_clash(mine, one) for at, one in self._queue.items() if at < ticket))
        try:
            yield
        finally:
            with self._free:
                del self._queue[ticket]
                self._free.notify_all()

    def alone(self) -> AbstractContextManager[None]:
        """Held while the whole session is copied or replaced: no request is under way."""
        return self.footprint((), ((),))


def _clash(one: _Print, other: _Print) -> bool:
    return _meet(one[1], other[0]) or _meet(one[0], other[1]) or _meet(one[1], other[1])


def _meet(keys: Sequence[Key], others: Sequence[Key]) -> bool:
    return any(overlap(key, other) for key in keys for other in others)
