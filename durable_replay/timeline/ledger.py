"""THE truth rule.

# Rule: only this module decides whether a recording is still true.

A recorded answer *i* is true in a session when the session's history over R(i) is the tape's history over R(i)
before *i*: the recorded writes played that overlap R(i) are exactly the recorded writes j < i that overlap R(i),
and no live write overlaps R(i). For a recorded write the same must hold over W(i) too.

A history is kept as a sum, not as a list. Each write has a mark, a random-looking number of its own; a `History`
adds (by exclusive or) a write's mark to every prefix of every key that it wrote. The history over a set of keys is
then one number, its *digest*, found in as many steps as the keys are deep, however long the tape is. Two histories
over the same keys hold the same writes exactly when their digests are equal (but for a chance of 2**-63).
`tests/timeline/test_ledger.py` holds this against the rule as it is written above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from durable_replay.timeline.resource import Key, ancestors, overlap, prefixes

__all__ = ["Fact", "History", "choose", "is_true", "live_mark", "tape_mark"]

MASK = (1 << 63) - 1
_MULTIPLIER = 0x1E3779B97F4A7C15


def _mark(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") & MASK or 1


def tape_mark(number: int) -> int:
    """The mark of the recorded write at this place on the tape."""
    return _mark(f"tape/{number}")


def live_mark(session: str, ordinal: int) -> int:
    """The mark of a session's live write number `ordinal`; equal to no recorded write's."""
    return _mark(f"live/{session}/{ordinal}")


@dataclass(frozen=True, slots=True)
class Fact:
    """What the index knows of one interaction.

    `writes` is empty for a read, and for a write that the service refused. `before` is the digest of the tape's
    history before it, over `reads` and `writes` together.
    """

    number: int
    reads: tuple[Key, ...]
    writes: tuple[Key, ...]
    before: int
    service: str = ""
    operation: str = ""

    @property
    def keys(self) -> tuple[Key, ...]:
        """All that must be as it was when this was recorded."""
        return self.reads + self.writes


class History:
    """The writes of a tape or a session, as sums over key prefixes."""

    __slots__ = ("_at", "_below")

    def __init__(self) -> None:
        self._below: dict[Key, int] = {}
        """For each prefix: the sum of the marks of writes to keys at or below it."""
        self._at: dict[Key, int] = {}
        """For each key: the sum of the marks of writes to that very key."""

    def add(self, mark: int, keys: Iterable[Key]) -> None:
        """One write, to these keys."""
        written = set(keys)
        for key in written:
            self._at[key] = self._at.get(key, 0) ^ mark
        for prefix in prefixes(written):
            self._below[prefix] = self._below.get(prefix, 0) ^ mark

    def digest(self, keys: Sequence[Key]) -> int:
        """One number for the history over these keys; 0 when nothing was written there."""
        total = 0
        for key in keys:
            total = (total * _MULTIPLIER + self._over(key)) & MASK
        return total

    def _over(self, key: Key) -> int:
        sum_ = self._below.get(key, 0)
        for depth, ancestor in enumerate(ancestors(key), 1):
            mark = self._at.get(ancestor)
            if mark:  # turned by its depth, so that a write to both places does not cancel itself
                turn = (depth - 1) % 62 + 1
                sum_ ^= (mark << turn | mark >> (63 - turn)) & MASK
        return sum_


def is_true(fact: Fact, history: History) -> bool:
    """The truth rule for one recording."""
    return history.digest(fact.keys) == fact.before


def choose(candidates: Sequence[Fact], history: History, cursor: int, is_played: Callable[[int], bool]) -> Fact | None:
    """Among the recordings of one request, in tape order, the one that answers it now.

    The first true one after `cursor` (the number last served for this request; 0: none), else the last true one,
    which so repeats; a recorded write is played once.
    """
    last: Fact | None = None
    for fact in candidates:
        if (fact.writes and is_played(fact.number)) or not is_true(fact, history):
            continue
        if fact.number > cursor:
            return fact
        last = fact
    return last


def overlapping(keys: Iterable[Key], others: Iterable[Key]) -> list[Key]:
    """Those of `keys` that overlap any of `others`."""
    against = list(others)
    return [key for key in keys if any(overlap(key, other) for other in against)]
