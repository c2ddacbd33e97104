"""The second look: what is answered otherwise than it was recorded is asked once more, after everything else.

A cassette commonly holds one recording of a read, so that nobody can tell from it what varies by itself. Two live
answers tell: where they differ from one another, they need not agree with the recording.
"""

# Rule: a second look costs little. An answer that is as recorded needs none, and ten of an endpoint show what varies.

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from hashlib import sha256

from durable_replay.drift.finding import Endpoint
from durable_replay.drift.headers import fields_of, has_passing_value, is_insignificant, meaning
from durable_replay.drift.live.selecting import Step
from durable_replay.drift.sources import Side
from durable_replay.http import Body, Headers, Interaction, Response

__all__ = ["SecondLook", "is_as_recorded"]

ENOUGH = 10
"""Second looks at one endpoint."""


class SecondLook:
    """Which answers differ from their recordings. A second step has a number of its own, beyond the tape's."""

    def __init__(self, side: Side, steps: Iterable[Step]) -> None:
        self._side, self._steps = side, tuple(steps)
        self._differing: set[int] = set()

    def number(self, number: int) -> int:
        """The number of the second step beside a first one."""
        return len(self._side) + number

    def of(self, step: Step) -> Step:
        """A step's second."""
        return replace(step, number=self.number(step.number), follows=0, again=True)

    def compare(self, step: Step, kept: Interaction) -> None:
        """Takes in the answer to a first step, redacted as its recording is."""
        if step.single and not is_as_recorded(self._side.interaction(step.recorded).response, kept.response):
            self._differing.add(step.number)

    def steps(self, left_out: AbstractSet[str]) -> Iterator[Step]:
        """What is asked once more, in the order of the tape; nothing of these hosts."""
        counts = Counter[Endpoint]()
        for step in self._steps:
            if step.number in self._differing and step.host not in left_out and counts[step.endpoint] < ENOUGH:
                counts[step.endpoint] += 1
                yield self.of(step)


def is_as_recorded(recorded: Response, live: Response) -> bool:
    """Whether an answer says what its recording says, byte for byte, but for headers that say nothing of an API."""
    return (
        recorded.status == live.status
        and _told(recorded.headers) == _told(live.headers)
        and recorded.body.size == live.body.size
        and (not recorded.body or _digest(recorded.body) == _digest(live.body))
    )


def _told(headers: Headers) -> dict[str, object]:
    return {
        name: "" if has_passing_value(name) else meaning(name, value)
        for name, value in fields_of(headers).items()
        if not is_insignificant(name)
    }


def _digest(body: Body) -> bytes:
    told = sha256()
    for chunk in body.chunks():
        told.update(chunk)
    return told.digest()
