"""The recordings of one or several cassettes, with what the index knows of each.

Nothing is read before it is asked for: a request's recordings by one look-up of its key, what was seen of a thing by
one look-up of that thing's key. Answers are kept, bounded, so that asking again costs no disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from durable_replay.http import Body, Interaction
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key

__all__ = ["EmptyTape", "Seen", "Tape"]


@dataclass(frozen=True, slots=True)
class Seen:
    """That an interaction shows something of a key, when the history over that key has this digest."""

    number: int
    digest: int


class Tape(Protocol):
    """What sessions and the engine ask of recordings. Keys are world keys: `(service, tenant, kind, …)`."""

    start: float
    """When the first interaction began, seconds since the epoch; 0 for an empty tape."""

    def __len__(self) -> int: ...

    def candidates(self, request_key: bytes) -> Sequence[Fact]:
        """The recordings of one canonical request, in tape order."""

    def listing(self, listing_key: bytes) -> Sequence[Fact]:
        """The recordings of one listing, all its pages, in tape order."""

    def fact(self, number: int) -> Fact: ...

    def interaction(self, number: int) -> Interaction: ...

    def seen(self, key: Key) -> Sequence[Seen]:
        """What shows this very key, in tape order."""

    def seen_below(self, prefix: Key) -> Sequence[Key]:
        """The keys at or below a prefix that anything on the tape shows."""

    def highest(self, prefix: Key, head: str) -> int:
        """The highest number behind `head` in any last part of a key below `prefix`; 0: none."""

    def writes(self) -> Sequence[Fact]:
        """All recorded writes, in tape order."""

    def nearest(self, host: str, limit: int) -> Sequence[int]:
        """Interactions with this host, for explaining a miss."""

    def body(self, digest: str) -> Body | None:
        """A content by its `sha256:…` name."""


class EmptyTape:
    """No recording at all: what `serve` without a cassette stands on."""

    start = 0.0

    def __len__(self) -> int:
        return 0

    def candidates(self, request_key: bytes) -> Sequence[Fact]:
        """None."""
        return ()

    def listing(self, listing_key: bytes) -> Sequence[Fact]:
        """None."""
        return ()

    def fact(self, number: int) -> Fact:
        """Raises LookupError."""
        raise LookupError(number)

    def interaction(self, number: int) -> Interaction:
        """Raises LookupError."""
        raise LookupError(number)

    def seen(self, key: Key) -> Sequence[Seen]:
        """Nothing."""
        return ()

    def seen_below(self, prefix: Key) -> Sequence[Key]:
        """Nothing."""
        return ()

    def highest(self, prefix: Key, head: str) -> int:
        """No number."""
        return 0

    def writes(self) -> Sequence[Fact]:
        """None."""
        return ()

    def nearest(self, host: str, limit: int) -> Sequence[int]:
        """None."""
        return ()

    def body(self, digest: str) -> Body | None:
        """None."""
        return None
