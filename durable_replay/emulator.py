"""A service's operations, run on a session's state: to answer what the tape does not, and to learn what it plays."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from durable_replay.answer import Answer
from durable_replay.errors import NotEmulated
from durable_replay.http import BytesBody, Headers, Response
from durable_replay.service.api import Call, Document, Service
from durable_replay.service.faults import Fault, Unrecorded
from durable_replay.timeline.indexing import Indexing, Understood, lessons, resolve
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key, Kind, display, overlap
from durable_replay.timeline.scope import Listed, Scope, Sighting, World, name_key
from durable_replay.timeline.session import Session
from durable_replay.timeline.state import Change, Event
from durable_replay.timeline.tape import Tape

__all__ = ["Emulator"]

NOT_EMULATED = 501
_LESSONS = 4096

Pushed = Callable[[Session, World, Sequence[Key]], None]


@dataclass(slots=True)
class Emulator:
    """Runs operations. `pushed` is called after each commit with the keys that it wrote (of one world)."""

    tape: Tape
    indexing: Indexing
    pushed: Pushed
    _lessons: OrderedDict[int, Mapping[Key, Sighting]] = field(default_factory=OrderedDict)
    _seeded: set[tuple[str, str, str]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def world(self, session: Session, service: Service, tenant: str) -> World:
        """One service's world in a session."""
        return World(session, service.name, tenant, service.by_name, self.lesson)

    def resolved(self, session: Session, call: Call) -> tuple[Call, tuple[Key, ...]]:
        """The call with names replaced by identities as this session knows them, and the names' keys."""
        world = self.world(session, call.service, call.tenant)

        def identity(kind: Kind, text: str) -> str:
            state = world.known(name_key(kind, text))
            return str(state["id"]) if isinstance(state, dict) else text

        return resolve(call, identity)

    def play(self, session: Session, fact: Fact) -> None:
        """A recorded write happens: the state learns it by doing it with the recorded ids and time, then from the
        recorded answer, which wins."""
        interaction = self.tape.interaction(fact.number)
        call = self.indexing.understand(interaction.request).call
        if call is None:
            return
        self._seed(session, call)
        call, names = self.resolved(session, call)
        at = interaction.started + interaction.duration
        session.clock.reach(at)
        scope = self.scope(session, call, names, at, pinned=[key[2:] for key in fact.writes])
        documents = _rehearsed(scope, call)
        for key, sighting in self.lesson(fact.number).items():
            if not sighting.complete and any(overlap(key, written) for written in fact.writes):
                shown = sighting.document
                documents[key] = None if shown is None else {**(documents.get(key) or {}), **shown}
        session.commit(Change(documents, Event("played", fact.number, fact.writes, at), scope.counters, {}))
        self.pushed(session, scope.world, fact.writes)

    def answer(self, session: Session, understood: Understood, call: Call, names: tuple[Key, ...], why: str) -> Answer:
        """What the emulator says to a call, and does."""
        if call.operation.do is None:
            return refused(f"{call.service.name} has the operation {call.operation.name!r}, which is not emulated")
        session.clock.tick()
        self._seed(session, call)
        scope = self.scope(
            session, call, names, session.clock.now(), listed=lambda: self._listed(session, understood, call)
        )
        try:
            response = call.service.codec.encode(call, call.operation.do(scope, call))
        except NotEmulated as error:
            return refused(f"{call.service.name}: {error}")
        except Unrecorded as error:
            return refused(f"{call.service.name}: {error}")
        except Fault as fault:
            return Answer(call.service.codec.fault(call.request, fault, call), "emulated", _blame(why, fault, scope))
        self.commit(session, scope)
        return Answer(response, "emulated", _blame(why, None, scope))

    def commit(self, session: Session, scope: Scope) -> None:
        """A live write, durable when this returns."""
        documents = {scope.world.full(key): document for key, document in scope.changes.items()}
        ticks = {"clock": session.counters.get("clock", 0) + 1}
        if not documents:
            session.counters.update(ticks)
            return
        event = Event("live", len(session.live) + 1, tuple(documents), session.clock.now())
        session.commit(Change(documents, event, {**scope.counters, **ticks}, dict(session.cursors)))
        self.pushed(session, scope.world, tuple(documents))

    def forget(self, session: str) -> None:
        """A session began anew: its worlds are empty again."""
        self._seeded = {place for place in self._seeded if place[0] != session}

    def lesson(self, number: int) -> Mapping[Key, Sighting]:
        """What an interaction shows, by world key; kept, so that it is parsed once."""
        with self._lock:
            if number in self._lessons:
                self._lessons.move_to_end(number)
                return self._lessons[number]
        interaction = self.tape.interaction(number)
        call = self.indexing.understand(interaction.request).call
        found = lessons(call, interaction) if call else {}
        with self._lock:
            self._lessons[number] = found
            while len(self._lessons) > _LESSONS:
                self._lessons.popitem(last=False)
        return found

    def scope(
        self,
        session: Session,
        call: Call,
        names: tuple[Key, ...],
        now: float,
        *,
        pinned: Iterable[Key] = (),
        listed: Callable[[], Listed | None] = lambda: None,
    ) -> Scope:
        """The state that a resolved call may touch."""
        reads = (*call.operation.read_keys(call), *names)
        world = self.world(session, call.service, call.tenant)
        return Scope(world, reads, call.operation.written_keys(call), now=now, pinned=pinned, listed=listed)

    def _seed(self, session: Session, call: Call) -> None:
        """Fills what no recording taught, once a session and world. It is no write: no recording goes stale by it."""
        place = (session.name, call.service.name, call.tenant)
        if call.service.seed is None or place in self._seeded:
            return
        self._seeded.add(place)
        scope = Scope(self.world(session, call.service, call.tenant), ((),), ((),), now=session.clock.now())
        call.service.seed(scope)
        known = {
            scope.world.full(key): one for key, one in scope.changes.items() if scope.world.known(key) == "unknown"
        }
        session.commit(Change(known, None, scope.counters, {}))

    def _listed(self, session: Session, understood: Understood, call: Call) -> Listed | None:
        """The last recorded pages of this listing that were true before the session's own writes."""
        prefixes = [(call.service.name, call.tenant, *key) for key in call.operation.read_keys(call)]
        facts = self.tape.listing(understood.listing_key or understood.key)
        facts = [fact for fact in facts if not fact.writes and session.taped.digest(fact.keys) == fact.before]
        shown: dict[Key, None] = {}
        for fact in facts:
            shown.update(dict.fromkeys(self._items(fact, prefixes)))
        if not facts:
            return None
        touched = {key[2:] for event in session.live for key in event.keys}
        return Listed(tuple(key[2:] for key in shown), frozenset(touched), facts[-1].number)

    def _items(self, fact: Fact, prefixes: Sequence[Key]) -> list[Key]:
        return [
            key
            for key, sighting in self.lesson(fact.number).items()
            if not sighting.complete and sighting.document is not None and any(key[: len(p)] == p for p in prefixes)
        ]


def _rehearsed(scope: Scope, call: Call) -> dict[Key, Document | None]:
    """What the operation would have changed; nothing where our knowledge is too small to do it."""
    if call.operation.do is not None:
        try:
            call.operation.do(scope, call)
        except (Fault, NotEmulated):
            scope.changes.clear()
    return {scope.world.full(key): document for key, document in scope.changes.items()}


def refused(text: str) -> Answer:
    """An answer that says what is not done, and what to do instead."""
    data = f"durable-replay: {text}. Record it, or replay with --on-miss forward.\n".encode()
    fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(data)))]
    return Answer(Response(NOT_EMULATED, Headers(fields), BytesBody(data), "Not Implemented"), "refused", text)


def _blame(why: str, fault: Fault | None, scope: Scope) -> str:
    parts = [why, *([f"it failed: {fault.text}"] if fault and fault.text else [])]
    if scope.assumed:
        parts.append(f"{display(scope.assumed[0])} was never seen and is taken for absent")
    return "; ".join(parts)
