"""The tape of one or several cassettes, read by need.

Several cassettes make one tape: the second begins where the first ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

from durable_replay.cassette.index import Index
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError
from durable_replay.http import Body, Interaction
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key
from durable_replay.timeline.tape import EmptyTape, Seen, Tape

__all__ = ["Recordings", "build_index", "open_tape"]

Progress = Callable[[int, int], None]
"""Told now and then: interactions done, interactions in all."""


class Recordings:
    """A `Tape` over cassettes and their index."""

    def __init__(self, cassettes: Sequence[Cassette], index: Index) -> None:
        self._cassettes = list(cassettes)
        self._ends = list(accumulate(len(cassette) for cassette in cassettes))
        self.index = index
        first = next((cassette for cassette in cassettes if len(cassette)), None)
        self.start = first.interaction(1).started if first else 0.0
        self.candidates = lru_cache(65_536)(self._candidates)
        self.seen = lru_cache(65_536)(self._seen)
        self.highest = lru_cache(4096)(index.highest)
        self._all_writes: list[Fact] | None = None

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _candidates(self, request_key: bytes) -> Sequence[Fact]:
        return tuple(self.index.candidates(request_key))

    def listing(self, listing_key: bytes) -> Sequence[Fact]:
        """See `Tape`."""
        return self.index.listing(listing_key)

    def fact(self, number: int) -> Fact:
        """See `Tape`."""
        return self.index.fact(number)

    def interaction(self, number: int) -> Interaction:
        """See `Tape`."""
        cassette = bisect_right(self._ends, number - 1)
        if not 0 < number <= len(self):
            raise LookupError(number)
        before = self._ends[cassette - 1] if cassette else 0
        return replace(self._cassettes[cassette].interaction(number - before), number=number)

    def __iter__(self) -> Iterator[Interaction]:
        number = 0
        for cassette in self._cassettes:
            for interaction in cassette.interactions():
                number += 1
                yield replace(interaction, number=number)

    def _seen(self, key: Key) -> Sequence[Seen]:
        return tuple(self.index.seen(key))

    def seen_below(self, prefix: Key) -> Sequence[Key]:
        """See `Tape`."""
        return self.index.seen_below(prefix)

    def writes(self) -> Sequence[Fact]:
        """See `Tape`."""
        if self._all_writes is None:
            self._all_writes = self.index.writes()
        return self._all_writes

    def nearest(self, host: str, limit: int) -> Sequence[int]:
        """See `Tape`."""
        return self.index.nearest(host, limit)

    def body(self, digest: str) -> Body | None:
        """See `Tape`."""
        found = (cassette.body(digest.removeprefix("sha256:")) for cassette in self._cassettes)
        return next((body for body in found if body is not None), None)

    def hosts(self) -> set[str]:
        """The hosts that were recorded."""
        return {host for cassette in self._cassettes for host in cassette.summary().hosts}

    def close(self) -> None:
        """Lets the files go."""
        for cassette in self._cassettes:
            cassette.close()


def build_index(
    index: Index,
    interactions: Iterable[Interaction],
    total: int,
    indexing: Indexing,
    identity: str,
    on_progress: Progress,
) -> None:
    """Makes a tape's index anew; `on_progress` is told each 500 interactions."""
    highest: dict[tuple[Key, str], int] = {}

    def told() -> Iterator[Interaction]:
        for done, interaction in enumerate(interactions):
            if done % 500 == 0:
                on_progress(done, total)
            yield interaction

    rows = indexing.rows(told(), highest)
    index.replace(
        indexing.fingerprint(identity), rows, lambda: ((space, head, top) for (space, head), top in highest.items())
    )
    on_progress(total, total)


def open_tape(paths: Sequence[Path], indexing: Indexing, on_progress: Progress = lambda done, total: None) -> Tape:
    """Opens cassettes for replay. Their index is the one in the file where it fits, else one made in memory now."""
    if not paths:
        return EmptyTape()
    cassettes: list[Cassette] = []
    try:
        for path in paths:
            cassettes.append(Cassette.open(path))
        identity = "+".join(cassette.identity for cassette in cassettes)
        if len(cassettes) == 1:
            index = Index(cassettes[0].connection)
            if index.fits(indexing.fingerprint(identity)):
                return Recordings(cassettes, index)
        recordings = Recordings(cassettes, Index.in_memory())
        build_index(recordings.index, recordings, len(recordings), indexing, identity, on_progress)
    except CassetteError:
        for cassette in cassettes:
            cassette.close()
        raise
    return recordings
