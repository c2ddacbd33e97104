"""All sessions over one tape and one store: made when first named, forked, snapshotted, reset."""

from __future__ import annotations

import re
import threading

from durable_replay.errors import UsageError
from durable_replay.timeline.session import Clock, Session, clock_named
from durable_replay.timeline.state import Record, Store
from durable_replay.timeline.tape import Tape

__all__ = ["Sessions"]

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


class Sessions:
    """Sessions by name. A snapshot is a session of the store under `name@label`, which no client can name."""

    def __init__(
        self, tape: Tape, store: Store, *, clock: str = "recorded", seed: int = 0, limit: int = 10_000
    ) -> None:
        clock_named(clock, tape.start, Record(seed))
        self.tape, self.store = tape, store
        self._clock_text, self._seed, self._limit = clock, seed, limit
        self._open: dict[str, Session] = {}
        self._lock = threading.RLock()

    def get(self, name: str) -> Session:
        """The session of this name; made if it is new."""
        return self._open.get(name) or self._load(name)

    def _load(self, name: str) -> Session:
        with self._lock:
            if name in self._open:
                return self._open[name]
            record = self.store.load(_checked(name))
            if record is None:
                self._require_room()
                self.store.create(name, self._seed)
                record = Record(self._seed)
            session = Session(name, record, self.tape, self.store, self._clock(record))
            self._open[name] = session
            return session

    def _require_room(self) -> None:
        if len(self._open) >= self._limit:
            raise UsageError(f"{self._limit} sessions are open; delete some by DELETE /_durable/sessions/NAME")

    def _clock(self, record: Record) -> Clock:
        return clock_named(self._clock_text, self.tape.start, record)

    def names(self) -> list[str]:
        """All of them, open or stored; no snapshots."""
        return sorted({*self._open, *(name for name in self.store.names() if "@" not in name)})

    def snapshots(self, name: str) -> tuple[str, ...]:
        """The labels of a session's snapshots."""
        return tuple(full.partition("@")[2] for full in self.store.names() if full.startswith(f"{name}@"))

    def create(self, name: str, seed: int | None = None) -> Session:
        """A new session; raises UsageError when it is there."""
        with self._lock:
            if _checked(name) in self.names():
                raise UsageError(f"there is a session {name!r} already; reset it, or take another name")
            self._require_room()
            self.store.create(name, self._seed if seed is None else seed)
            return self._load(name)

    def fork(self, source: str, name: str) -> Session:
        """A new session with the past of another."""
        with self._lock:
            self._known(source)
            if _checked(name) in self.names():
                raise UsageError(f"there is a session {name!r} already; delete it, or take another name")
            self._require_room()
            self._copy(self.get(source), name)
            return self._load(name)

    def snapshot(self, name: str, label: str) -> Session:
        """Keeps the session as it is now under a label; replaces an earlier one."""
        with self._lock:
            self._known(name)
            self._copy(self.get(name), f"{name}@{_checked(label)}")
            return self.get(name)

    def _copy(self, session: Session, target: str) -> None:
        with session.alone():
            session.flush()
            self.store.copy(session.name, target)

    def restore(self, name: str, label: str) -> Session:
        """Makes the session what it was under a label."""
        with self._lock:
            if label not in self.snapshots(name):
                have = ", ".join(self.snapshots(name)) or "none"
                raise UsageError(f"session {name!r} has no snapshot {label!r}; there are: {have}")
            with self.get(name).alone():
                self.store.copy(f"{name}@{label}", name)
                return self._reopen(name)

    def reset(self, name: str) -> Session:
        """Back to the beginning of the tape; snapshots stay."""
        with self._lock:
            session = self.get(self._known(name))
            with session.alone():
                self.store.remove(name)
                self.store.create(name, session.seed)
                return self._reopen(name)

    def delete(self, name: str) -> None:
        """The session and its snapshots are gone."""
        with self._lock:
            session = self.get(self._known(name))
            with session.alone():
                session.end()
                for label in self.snapshots(name):
                    self.store.remove(f"{name}@{label}")
                self.store.remove(name)
                self._open.pop(name, None)

    def close(self) -> None:
        """What sessions read is kept with what they wrote, and the store is let go."""
        with self._lock:
            for session in self._open.values():
                with session.alone():
                    session.flush()
            self._open.clear()
            self.store.close()

    def _reopen(self, name: str) -> Session:
        """The same object with another past, so that whoever holds it sees the change."""
        record = self.store.load(name) or Record(self._seed)
        session = self._open[name]
        session.begin(record, self._clock(record))
        return session

    def _known(self, name: str) -> str:
        if name not in self.names():
            raise UsageError(f"there is no session {name!r}; GET /_durable/sessions lists them")
        return name


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no session name: 1 to 100 letters, digits, dots, dashes and underscores")
    return name
