"""Why a recording is not true in a session, in one sentence."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key, display, overlap
from durable_replay.timeline.session import Session

__all__ = ["staleness"]

_LOOK = 1000


def staleness(session: Session, candidates: Sequence[Fact]) -> str:
    """What came between the last of these recordings and this session; the truth rule, told in words."""
    fact = next((one for one in reversed(candidates) if not (one.writes and one.number in session.played)), None)
    if fact is None:
        return f"the recorded write {candidates[-1].number} has been played already"
    for read in fact.keys:
        if key := session.wrote_over(read):
            return f"{display(key[2:])} was written by this session after recording {fact.number}"
    for write in _near(session.tape.writes(), fact.number):
        key = _touch(write.writes, fact.keys)
        if key and write.number < fact.number and write.number not in session.played:
            return f"recording {fact.number} came after write {write.number} to {display(key[2:])}, not played here"
        if key and write.number >= fact.number and write.number in session.played:
            return f"write {write.number} to {display(key[2:])} was played here, and came after recording {fact.number}"
    return f"recording {fact.number} is not true here"


def _near(writes: Sequence[Fact], number: int) -> Sequence[Fact]:
    """The recorded writes around a place on the tape: a reason is worth a look at these, not at a whole long tape."""
    place = bisect_left(writes, number, key=lambda write: write.number)
    return writes[max(0, place - _LOOK) : place + _LOOK]


def _touch(written: Sequence[Key], read: Sequence[Key]) -> Key | None:
    return next((key for key in written if any(overlap(key, other) for other in read)), None)
