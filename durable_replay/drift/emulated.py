"""What our own emulator answers where the real service was recorded.

# Rule: an emulator is asked for interaction n when it knows the tape up to n - 1 and no more. What n itself shows for
# the first time, nobody could have told before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from durable_replay.answer import Answer
from durable_replay.emulator import Emulator
from durable_replay.http import Body, Interaction
from durable_replay.service.api import Call
from durable_replay.service.faults import Fault
from durable_replay.timeline.indexing import Indexing, Understood, lessons, succeeded
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key
from durable_replay.timeline.session import Session
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import SQLiteStore
from durable_replay.timeline.tape import Seen, Tape

__all__ = ["Asked", "Horizon", "Standing", "ask_emulators"]

Standing: TypeAlias = Literal["asked", "first", "refused", "not emulated", "unknown", "conversation"]
"""`asked`: the emulator answered, and could know what it was asked about. `first`: the recording shows or changes what
nothing before it on the tape tells of. `refused`: the emulator says that it does not model this. `not emulated`: the
operation is known by name alone. `unknown`: of no service, or no row of its table. `conversation`: a WebSocket."""

_TAPE, _FORK = "tape", "asked"


@dataclass(frozen=True, slots=True)
class Asked:
    """One interaction, and what the emulator said instead: None unless `standing` is `asked`, `first` or `refused`."""

    interaction: Interaction
    understood: Understood
    standing: Standing
    answer: Answer | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """Ids that the emulator made, with those that the real service made in their place."""

    @property
    def operation(self) -> str:
        """`jira.get_issue`; "" where it is unknown."""
        call = self.understood.call
        return f"{call.service.name}.{call.operation.name}" if call else ""


class Horizon:
    """A `Tape` up to and with interaction `upto`, over the whole one."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self.start = tape.start
        self.upto = 0

    def __len__(self) -> int:
        return self.upto

    def candidates(self, request_key: bytes) -> Sequence[Fact]:
        """See `Tape`."""
        return [fact for fact in self._tape.candidates(request_key) if fact.number <= self.upto]

    def listing(self, listing_key: bytes) -> Sequence[Fact]:
        """See `Tape`."""
        return [fact for fact in self._tape.listing(listing_key) if fact.number <= self.upto]

    def fact(self, number: int) -> Fact:
        """See `Tape`."""
        return self._tape.fact(self._within(number))

    def interaction(self, number: int) -> Interaction:
        """See `Tape`."""
        return self._tape.interaction(self._within(number))

    def _within(self, number: int) -> int:
        if number > self.upto:
            raise LookupError(number)
        return number

    def seen(self, key: Key) -> Sequence[Seen]:
        """See `Tape`."""
        return [seen for seen in self._tape.seen(key) if seen.number <= self.upto]

    def seen_below(self, prefix: Key) -> Sequence[Key]:
        """See `Tape`."""
        return [key for key in self._tape.seen_below(prefix) if self.seen(key)]

    def highest(self, prefix: Key, head: str) -> int:
        """The whole tape's: an id that is minted here meets none that was recorded later."""
        return self._tape.highest(prefix, head)

    def writes(self) -> Sequence[Fact]:
        """See `Tape`."""
        return [fact for fact in self._tape.writes() if fact.number <= self.upto]

    def nearest(self, host: str, limit: int) -> Sequence[int]:
        """See `Tape`."""
        return [number for number in self._tape.nearest(host, limit) if number <= self.upto]

    def body(self, digest: str) -> Body | None:
        """See `Tape`."""
        return self._tape.body(digest)


@dataclass(slots=True)
class _TapeClock:
    """The time at which the request was recorded: the emulator's clock is not what is measured."""

    at: float = 0.0

    def now(self) -> float:
        return self.at

    def reach(self, at: float) -> None:
        self.at = max(self.at, at)

    def tick(self) -> None:
        """Stands still."""


def ask_emulators(tape: Tape, indexing: Indexing) -> Iterator[Asked]:
    """Each interaction of a tape in order, with what the emulator of its service says to its request."""
    horizon = Horizon(tape)
    sessions = Sessions(horizon, SQLiteStore(None))
    session, clock = sessions.get(_TAPE), _TapeClock(tape.start)
    session.clock = clock
    try:
        for number in range(1, len(tape) + 1):
            interaction = tape.interaction(number)
            clock.at = interaction.started
            asked = _asked(interaction, indexing, horizon, sessions, clock, tape.fact(number).writes)
            yield asked
            horizon.upto = number
            session.serve(asked.understood.key, number)
            if tape.fact(number).writes:
                Emulator(horizon, indexing, _unheard).play(session, tape.fact(number))
    finally:
        sessions.close()


def _unheard(*_: object) -> None:
    """Nobody listens for what is pushed."""


def _asked(
    interaction: Interaction,
    indexing: Indexing,
    horizon: Horizon,
    sessions: Sessions,
    clock: _TapeClock,
    written: Iterable[Key],
) -> Asked:
    understood = indexing.understand(interaction.request)
    call = understood.call
    if interaction.frames or interaction.request.scheme in ("ws", "wss"):
        return Asked(interaction, understood, "conversation")
    if call is None:
        return Asked(interaction, understood, "unknown")
    if call.operation.do is None:
        return Asked(interaction, understood, "not emulated")
    # A new one each time: what an emulator keeps of the tape's beginnings holds for one horizon.
    emulator = Emulator(horizon, indexing, _unheard)
    session = sessions.get(_TAPE)
    standing: Standing = "first" if _is_first(emulator, session, call, interaction) else "asked"
    if not call.operation.writes:
        return _judged(interaction, understood, standing, _answer(emulator, session, understood, call), {})
    fork = sessions.fork(_TAPE, _FORK)
    fork.clock = clock
    answer = _answer(emulator, fork, understood, call)
    made = [key for event in fork.live for key in event.keys]
    sessions.delete(_FORK)
    return _judged(interaction, understood, standing, answer, _same_ids(made, written))


def _judged(
    interaction: Interaction, understood: Understood, standing: Standing, answer: Answer, ids: Mapping[str, str]
) -> Asked:
    if answer.source == "refused":
        standing = "refused"
    elif answer.supposed and answer.response.status != interaction.response.status:
        standing = "first"
    return Asked(interaction, understood, standing, answer, ids)


def _same_ids(made: Iterable[Key], recorded: Iterable[Key]) -> dict[str, str]:
    """The last parts of keys that differ in nothing else, in the order in which they were written."""
    left = list(recorded)
    found: dict[str, str] = {}
    for key in made:
        twin = next((one for one in left if one[:-1] == key[:-1]), None)
        if twin is not None and twin != key:
            left.remove(twin)
            found[key[-1]] = twin[-1]
    return found


def _answer(emulator: Emulator, session: Session, understood: Understood, call: Call) -> Answer:
    try:
        resolved, names = emulator.resolved(session, call)
        return emulator.answer(session, understood, resolved, names, "")
    except Fault as fault:  # a body that the service refuses before anything is done
        return Answer(call.service.codec.fault(call.request, fault, call), "emulated", fault.text)


def _is_first(emulator: Emulator, session: Session, call: Call, interaction: Interaction) -> bool:
    """Whether it tells of something of which nothing is known yet."""
    if not succeeded(call, interaction):
        return False
    emulator.seed(session, call.service, call.tenant)
    try:
        resolved, _ = emulator.resolved(session, call)
        keys = [key for key in call.operation.read_keys(resolved) if _is_whole(call, key)]
    except Fault:
        return False
    world = emulator.world(session, call.service, call.tenant)
    if not call.operation.writes:
        shown = lessons(resolved, interaction)
        keys += [key[2:] for key, one in shown.items() if one.document is not None and not one.complete]
    return any(world.known(key) == "unknown" for key in keys)


def _is_whole(call: Call, key: Key) -> bool:
    kind = call.service.by_name.get(key[0]) if key else None
    return kind is not None and kind.is_whole(key)
