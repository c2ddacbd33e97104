"""A service's operations, run on a session's state: to answer what the tape does not, and to learn what it plays."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from durable_replay.answer import Answer
from durable_replay.errors import NotEmulated
from durable_replay.http import Interaction, Response
from durable_replay.service.api import Call, Document, Service
from durable_replay.service.faults import Fault, Unrecorded
from durable_replay.timeline.hydrate import Beginnings, rehearse
from durable_replay.timeline.indexing import (
    Indexing,
    Understood,
    footprint,
    lessons,
    placed,
    resolve,
    succeeded,
    written,
)
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
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seeding: threading.Lock = field(default_factory=threading.Lock)
    _beginnings: Beginnings = field(init=False)

    def __post_init__(self) -> None:
        self._beginnings = Beginnings(self.tape, self.indexing, self.lesson)

    def world(self, session: Session, service: Service, tenant: str) -> World:
        """One service's world in a session."""
        return World(session, service.name, tenant, service.by_name, self.lesson, self._beginnings.of)

    def resolved(self, session: Session, call: Call) -> tuple[Call, tuple[Key, ...]]:
        """The call with names replaced by identities as this session knows them, and the names' keys."""
        world = self.world(session, call.service, call.tenant)

        def identity(kind: Kind, text: str) -> str:
            state = world.known(name_key(kind, text))
            return str(state["id"]) if isinstance(state, dict) else text

        return resolve(call, identity)

    def play(self, session: Session, fact: Fact) -> None:
        """A recorded write happens: the state learns it by doing it with the recorded ids and time, then from the
        recorded answer, which wins. What neither tells of stays as it was known before."""
        interaction = self.tape.interaction(fact.number)
        call = self.indexing.understand(interaction.request).call
        if call is None:
            return
        self.seed(session, call.service, call.tenant)
        call, names = self.resolved(session, call)
        at = interaction.started + interaction.duration
        session.clock.reach(at)
        pinned = [key[2:] for key in fact.writes]
        scope = rehearse(
            lambda assumed: self.scope(session, call, names, at, pinned=pinned, assumed=assumed), call
        ) or self.scope(session, call, names, at)
        before = self._before(scope.world, fact)
        done = {scope.world.full(key): document for key, document in scope.changes.items()}
        shown = self._shown(fact, before, done)
        change = Change({**before, **done, **shown}, Event("played", fact.number, fact.writes, at), scope.counters)
        session.commit(change, lambda: self.pushed(session, scope.world, fact.writes))

    def _before(self, world: World, fact: Fact) -> dict[Key, Document]:
        """What is known of all that a write may have changed: after it, the tape no longer vouches for that."""
        found = (world.below(key[2:]) for key in fact.writes)
        return {world.full(key): document for part in found for key, document in part.items()}

    def _shown(
        self, fact: Fact, before: Mapping[Key, Document], done: Mapping[Key, Document | None]
    ) -> dict[Key, Document | None]:
        """What a recorded write's answer says of what it wrote."""
        found: dict[Key, Document | None] = {}
        for key, sighting in self.lesson(fact.number).items():
            if sighting.complete or not any(overlap(key, written) for written in fact.writes):
                continue
            base = done.get(key) if key in done or sighting.whole else before.get(key)
            shown = sighting.document
            found[key] = None if shown is None else {**(base or {}), **shown}
        return found

    def answer(self, session: Session, understood: Understood, call: Call, names: tuple[Key, ...], why: str) -> Answer:
        """What the emulator says to a call, and does."""
        if call.operation.do is None:
            return refused(
                call, f"{call.service.name} has the operation {call.operation.name!r}, which is not emulated"
            )
        now = session.tick()
        self.seed(session, call.service, call.tenant)
        scope = self.scope(session, call, names, now, listed=lambda: self._listed(session, understood, call))
        try:
            response = call.service.codec.encode(call, call.operation.do(scope, call))
        except (NotEmulated, Unrecorded) as error:
            scope.drop()
            return refused(call, f"{call.service.name}: {error}")
        except Fault as fault:
            scope.drop()
            response = call.service.codec.fault(call.request, fault, call)
            return Answer(response, "emulated", _blame(why, fault, scope), supposed=_supposed(scope))
        except BaseException:
            scope.drop()
            raise
        self.commit(session, scope)
        return Answer(response, "emulated", _blame(why, None, scope), supposed=_supposed(scope))

    def forwarded(self, session: Session, call: Call, response: Response) -> None:
        """The real service answered: what it wrote is stale here, and what it shows of that is known."""
        interaction = Interaction(call.request, response)
        if not call.operation.writes or not succeeded(call, interaction):
            return
        seen = lessons(call, interaction)
        touched = written(call, footprint(call, ()).writes, tuple(seen))
        shown = {
            key: one.document
            for key, one in seen.items()
            if not one.complete and any(overlap(key, other) for other in touched)
        }
        event = Event("live", session.next_ordinal(), touched, session.clock.now())
        world, told = self.world(session, call.service, call.tenant), [key for key in touched if key in shown]
        session.commit(Change(shown, event), lambda: self.pushed(session, world, told))

    def commit(self, session: Session, scope: Scope) -> None:
        """A live write, durable when this returns."""
        documents = {scope.world.full(key): document for key, document in scope.changes.items()}
        touched = tuple(dict.fromkeys((*documents, *map(scope.world.full, scope.cleared))))
        if not touched:
            scope.drop()
            return
        event = Event("live", session.next_ordinal(), touched, session.clock.now())
        change = Change(documents, event, scope.counters)
        session.commit(change, lambda: self.pushed(session, scope.world, tuple(documents)))

    def lesson(self, number: int) -> Mapping[Key, Sighting]:
        """What an interaction shows, by world key; kept, so that it is parsed once."""
        with self._lock:
            if number in self._lessons:
                self._lessons.move_to_end(number)
                return self._lessons[number]
        interaction = self.tape.interaction(number)
        call = self.indexing.understand(interaction.request).call
        found = self._placed(number, call, lessons(call, interaction)) if call else {}
        with self._lock:
            self._lessons[number] = found
            while len(self._lessons) > _LESSONS:
                self._lessons.popitem(last=False)
        return found

    def _placed(self, number: int, call: Call, found: Mapping[Key, Sighting]) -> Mapping[Key, Sighting]:
        """Sightings under the keys that the index gave them: names mean what they meant on the tape."""

        def identity(kind: Kind, text: str) -> str:
            name = (call.service.name, call.tenant, *name_key(kind, text))
            numbers = [seen.number for seen in self.tape.seen(name)]
            told = [one for one in numbers if one <= number][-1:] or numbers[:1]
            for one in told:
                teller = self.tape.interaction(one)
                said = self.indexing.understand(teller.request).call
                sighting = lessons(said, teller).get(name) if said else None
                if sighting is not None and sighting.document:
                    return str(sighting.document["id"])
            return text

        resolved, names = resolve(call, identity)
        return {placed(key, call, resolved): one for key, one in found.items()} if names else found

    def scope(
        self,
        session: Session,
        call: Call,
        names: tuple[Key, ...],
        now: float,
        *,
        pinned: Iterable[Key] = (),
        assumed: Mapping[Key, Document] | None = None,
        listed: Callable[[], Listed | None] = lambda: None,
    ) -> Scope:
        """The state that a resolved call may touch."""
        reads = (*call.operation.read_keys(call), *names)
        world = self.world(session, call.service, call.tenant)
        writes = call.operation.written_keys(call)
        return Scope(world, reads, writes, now=now, pinned=pinned, assumed=assumed, listed=listed)

    def seed(self, session: Session, service: Service, tenant: str) -> None:
        """Fills what no recording taught, once a session and world. It is no write: no recording goes stale by it.

        The session's counters remember it, so that it is once over restarts, forks and snapshots too."""
        place = f"seeded/{service.name}/{tenant}"
        if service.seed is None or place in session.counters:
            return
        with self._seeding:
            if place in session.counters:
                return
            scope = Scope(self.world(session, service, tenant), ((),), ((),), now=session.clock.now())
            service.seed(scope)
            known = {
                scope.world.full(key): one for key, one in scope.changes.items() if scope.world.known(key) == "unknown"
            }
            session.commit(Change(known, None, {**scope.counters, place: 1}))

    def _listed(self, session: Session, understood: Understood, call: Call) -> Listed | None:
        """The last recorded pages of this listing that were true before the session's own writes."""
        prefixes = [(call.service.name, call.tenant, *key) for key in call.operation.read_keys(call)]
        paged = understood.listing_key
        facts = self.tape.candidates(understood.key) if paged is None else self.tape.listing(paged)
        facts = [fact for fact in facts if not fact.writes and session.taped.digest(fact.keys) == fact.before]
        shown: dict[Key, None] = {}
        for fact in facts:
            shown.update(dict.fromkeys(self._items(fact, prefixes)))
        if not facts:
            return None
        touched = _Touched(session.wrote, (call.service.name, call.tenant))
        response = self.tape.interaction(facts[-1].number).response
        return Listed(tuple(key[2:] for key in shown), touched, facts[-1].number, response)

    def _items(self, fact: Fact, prefixes: Sequence[Key]) -> list[Key]:
        return [
            key
            for key, sighting in self.lesson(fact.number).items()
            if not sighting.complete and sighting.document is not None and any(key[: len(p)] == p for p in prefixes)
        ]


@dataclass(frozen=True, slots=True)
class _Touched:
    """The keys of one world among those that live writes touched."""

    wrote: Mapping[Key, int]
    world: Key

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and (*self.world, *key) in self.wrote


def refused(call: Call, text: str) -> Answer:
    """An answer that says what is not done, and what to do instead."""
    advice = f"durable-replay: {text}. Record it, or replay with --on-miss forward."
    return Answer(call.service.codec.not_emulated(call.request, advice), "refused", text)


def _blame(why: str, fault: Fault | None, scope: Scope) -> str:
    parts = [why, *([f"it failed: {fault.text}"] if fault and fault.text else [])]
    if supposed := _supposed(scope):
        parts.append(f"{supposed} was never seen and is taken for absent")
    return "; ".join(parts)


def _supposed(scope: Scope) -> str:
    return display(scope.assumed[0]) if scope.assumed else ""
