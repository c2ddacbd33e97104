"""What the tape teaches beyond what it shows outright: by doing again what was recorded.

A recorded success proves more than its answer says. It is *rehearsed*: the operation runs on the state as far as it
is known, and where it misses a thing of which nothing is known, that thing was there.

# Rule: a thing whose first sighting is an edit existed when the tape began; one whose first sighting is its creation
# did not. An edit is a write that reads the very thing that it writes, and cannot be done without it.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from durable_replay.errors import NotEmulated, Undeclared
from durable_replay.service.api import Call, Document, Scope
from durable_replay.service.faults import Fault, Missing
from durable_replay.timeline.indexing import Indexing, footprint, resolve
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key, Kind
from durable_replay.timeline.scope import Sighting, World, name_key
from durable_replay.timeline.tape import Tape

__all__ = ["Beginnings", "rehearse"]

_LOG = logging.getLogger(__name__)
_SUPPOSED = 5
"""How many things a rehearsal supposes to be there before it gives up."""
_KEPT = 65_536

Staged = Callable[[Mapping[Key, Document]], Scope]
"""A scope on the state in which these things, where nothing is known of them, are there."""


def rehearse(staged: Staged, call: Call, absent: Key | None = None) -> Scope | None:
    """Does a recorded call that succeeded; None where it cannot be done, or not without `absent`."""
    supposed: dict[Key, Document] = {}
    while call.operation.do is not None:
        scope = staged(supposed)
        try:
            call.operation.do(scope, call)
        except Missing as missing:
            scope.drop()
            unknown = scope.world.known(missing.key) == "unknown"
            if missing.key == absent or not unknown or missing.key in supposed or len(supposed) >= _SUPPOSED:
                return None
            supposed[missing.key] = identity(call, missing.key)
        except (Fault, NotEmulated):
            scope.drop()
            return None
        except Undeclared:
            scope.drop()
            raise
        except Exception as error:  # our knowledge has another shape than the operation is used to
            _LOG.info("%s %s cannot be rehearsed: %r", call.service.name, call.operation.name, error)
            scope.drop()
            return None
        else:
            return scope
    return None


def identity(call: Call, key: Key) -> Document:
    """The least that a document of this key says: what it is called."""
    kind = call.service.by_name.get(key[0])
    return {kind.identity: kind.values(key)[-1]} if kind is not None and kind.is_whole(key) and not kind.split else {}


@dataclass(slots=True)
class Beginnings:
    """What things were when the tape began, of those that the tape shows only after it has written them."""

    tape: Tape
    indexing: Indexing
    lesson: Callable[[int], Mapping[Key, Sighting]]
    _writes: dict[Key, list[int]] | None = None
    _known: OrderedDict[Key, Document | None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, world: World, full: Key) -> Document | None:
        """The document at the beginning; None: nothing says that it was there."""
        with self._lock:
            if full in self._known:
                return self._known[full]
        found = self._find(world, full)
        with self._lock:
            self._known[full] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    def _find(self, world: World, full: Key) -> Document | None:
        writes = self._writes_to(full)
        if not writes or not self._edits(world, self.tape.fact(writes[0]), full):
            return None
        told: Sighting | None = None
        for seen in self.tape.seen(full):
            sighting = self.lesson(seen.number).get(full)
            if sighting is not None and sighting.document:
                skipped = [number for number in writes if number <= seen.number]
                return self._without(world, sighting.document, skipped, full)
            told = sighting or told
        return None if told is None else self._least(writes[0], full)

    def _least(self, number: int, full: Key) -> Document | None:
        """Of a thing that no answer ever shows, and that was there to be deleted: what it is called."""
        call = self.indexing.understand(self.tape.interaction(number).request).call
        return (call and identity(call, full[2:])) or None

    def _writes_to(self, full: Key) -> list[int]:
        if self._writes is None:
            found: dict[Key, list[int]] = {}
            for fact in self.tape.writes():
                for key in fact.writes:
                    found.setdefault(key, []).append(fact.number)
            self._writes = found
        return self._writes.get(full, [])

    def _edits(self, world: World, fact: Fact, full: Key) -> bool:
        return full in fact.reads and self._rehearsed(world, fact.number, {}, full) is None

    def _without(self, world: World, shown: Document, skipped: list[int], full: Key) -> Document:
        """A document as it is shown, less what the writes before it set."""
        left = shown
        for number in skipped:
            call = self.indexing.understand(self.tape.interaction(number).request).call
            least = identity(call, full[2:]) if call else {}
            scope = self._rehearsed(world, number, {full[2:]: least}, None)
            done = scope.changes.get(full[2:]) if scope is not None else None
            if done:
                left = _less(left, done, least)
        return left

    def _rehearsed(
        self, world: World, number: int, supposed: Mapping[Key, Document], absent: Key | None
    ) -> Scope | None:
        """The recorded write done where nothing is known of the thing, or no more than is supposed."""
        call = self.indexing.understand(self.tape.interaction(number).request).call
        if call is None:
            return None
        blank = World(world.session, world.service, world.tenant, world.kinds, lambda one: {})

        def identified(kind: Kind, text: str) -> str:
            state = world.known(name_key(kind, text))
            return str(state["id"]) if isinstance(state, dict) else text

        call, _ = resolve(call, identified)
        print_ = footprint(call, ())
        reads, writes = [key[2:] for key in print_.reads], [key[2:] for key in print_.writes]

        def staged(more: Mapping[Key, Document]) -> Scope:
            return Scope(blank, reads, writes, now=world.session.clock.now(), assumed={**more, **supposed})

        scope = rehearse(staged, call, absent and absent[2:])
        if scope is None:
            return None
        changes = dict(scope.changes)
        scope.drop()
        scope.changes.update(changes)
        return scope


def _less(shown: Document, done: Document, least: Document) -> Document:
    """Without the fields of `done`, at whatever depth; the identity stays."""
    left: Document = {}
    for name, value in shown.items():
        if name not in done or name in least:
            left[name] = value
            continue
        set_ = done[name]
        if isinstance(value, dict) and isinstance(set_, dict):
            left[name] = _less(value, set_, {})
    return left
