"""Where the interactions of a side come from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from durable_replay.cassette.store import Cassette
from durable_replay.http import BytesBody, Interaction

__all__ = ["Part", "Side", "Tapes"]


SMALL = 256 * 1024
"""Bytes of an answer that is read at once."""


class Side(Protocol):
    """One side of a comparison: interactions numbered from 1, read in order or one by one, any number of times."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Interaction]:
        """All of them in the order of the tape, in bounded memory."""

    def interaction(self, number: int) -> Interaction:
        """The one at this place."""


class Tapes:
    """Cassettes as one tape: the second begins where the first ends. Methods raise CassetteError."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._open = ExitStack()
        try:
            self._cassettes = [self._open.enter_context(Cassette.open(path)) for path in paths]
            self._ends = list(accumulate(len(cassette) for cassette in self._cassettes))
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Interaction]:
        first = 0
        for cassette, end in zip(self._cassettes, self._ends, strict=True):
            for interaction in cassette.interactions(1, end - first):
                yield replace(interaction, number=first + interaction.number) if first else interaction
            first = end

    def interaction(self, number: int) -> Interaction:
        """See `Side`."""
        at = bisect_right(self._ends, number - 1)
        if not 0 < number <= len(self):
            raise LookupError(number)
        before = self._ends[at - 1] if at else 0
        interaction = _with_body(self._cassettes[at].interaction(number - before))
        return replace(interaction, number=number) if before else interaction


def _with_body(interaction: Interaction) -> Interaction:
    """With a small answer in memory: what is compared looks at its bytes, and then at what they say."""
    response = interaction.response
    if not 0 < response.body.size <= SMALL:
        return interaction
    return replace(interaction, response=replace(response, body=BytesBody(response.body.read())))


class Part:
    """Those interactions of a side that have these numbers, under the numbers that they have there."""

    def __init__(self, whole: Side, numbers: AbstractSet[int]) -> None:
        self._whole, self._numbers = whole, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Interaction]:
        return (interaction for interaction in self._whole if interaction.number in self._numbers)

    def interaction(self, number: int) -> Interaction:
        """See `Side`."""
        if number not in self._numbers:
            raise LookupError(number)
        return self._whole.interaction(number)
