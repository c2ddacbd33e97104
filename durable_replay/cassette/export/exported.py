"""What an export wrote, and what it had to leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from durable_replay.http import Interaction

__all__ = ["ABORTED", "CONVERSATIONS", "LEFT_WHOLE", "TOO_LARGE", "Exported", "Exporter", "Losses", "Tape"]

Tape = Callable[[], Iterable[Interaction]]
"""The interactions from the first; may be asked for more than once."""


ABORTED, CONVERSATIONS = "aborted interactions", "WebSocket conversations"
TOO_LARGE = "interactions with a body over 64 MiB"
LEFT_WHOLE = (ABORTED, CONVERSATIONS, TOO_LARGE)
"""Losses of whole interactions; any other is of a part of one."""


class Losses:
    """Counts what a format cannot hold, in the words of the summary."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, what: str, count: int = 1) -> None:
        """`what` is a plural, as in "trailers"."""
        if count:
            self._counts[what] += count

    def counts(self) -> dict[str, int]:
        """The largest first."""
        return dict(sorted(self._counts.items(), key=lambda pair: (-pair[1], pair[0])))


@dataclass(frozen=True, slots=True)
class Exported:
    """Interactions and bytes written; `left_out` counts what the format could not hold."""

    interactions: int
    bytes: int
    left_out: Mapping[str, int] = field(default_factory=dict)


Exporter = Callable[[Tape, Losses], Iterator[str]]
"""One format: the text of a tape in pieces. It leaves interactions out only by counting them."""
