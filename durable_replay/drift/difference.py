"""A difference before it is judged, and the evidence that shapes are judged by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod

from durable_replay.drift.documents import Node
from durable_replay.drift.finding import Example, Kind, Severity

__all__ = [
    "BY_CHANCE",
    "OTHER_FRAMES",
    "OTHER_RUNS",
    "OTHER_THINGS",
    "Difference",
    "Evidence",
    "by_chance",
    "chance_of",
    "example_text",
    "short",
]

BY_CHANCE = 0.01
"""What has less probability than this is no coincidence."""
OTHER_THINGS = "the two sides asked for different things, and too few answers tell it from what varies between things"
OTHER_RUNS = (
    "the two sides are recordings of different runs (less than three quarters of their requests go to the same"
    " endpoints), and too few answers tell it from what varies between the things that each asked for"
)
OTHER_FRAMES = "other things happened in the two conversations, and too few tell it from what varies between those"
SHOWN = 200
"""Characters of an example."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference before it is judged: no endpoint, no rules yet. `severity` None: the kind's own."""

    path: str
    kind: Kind
    text: str
    count: int
    seen: int
    examples: tuple[Example, ...] = ()
    severity: Severity | None = None
    covers: tuple[str, ...] = ()
    """Other paths at which this difference shows too."""
    chance: float = 0.0
    """The probability that only the things that were asked for differ: what one has and another lacks."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What pairs of one request told, for the judgement of shapes."""

    lost: Mapping[str, int] = field(default_factory=dict)
    """By the path of a field, how many pairs of one request lost it."""
    emptied: Mapping[str, int] = field(default_factory=dict)
    """By the path of an object, in how many pairs of one request it is empty now."""
    filled: Mapping[str, int] = field(default_factory=dict)
    """The reverse."""
    changed: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """By path strings that the same request no longer answers, with those that it answers now."""
    repeats: float = 1.0
    """Recordings for each request on the before side: repeated ones are no independent evidence."""
    requests: tuple[int, int] = (1000, 1000)
    """Different requests on both sides: elements of one answer, and answers to one request, are much alike."""
    untyped: bool = False
    """All scalars are strings (XML, forms, CSV), so that formats are what types are elsewhere."""

    def mirrored(self) -> Evidence:
        """The same of the other side."""
        return replace(self, requests=(self.requests[1], self.requests[0]))


def chance_of(count: int, there: int, elsewhere: int, evidence: Evidence) -> float:
    """The probability that all `count` of `there` objects of the after side fell on that side, of `elsewhere` on the
    other, by chance alone: no more of each are evidence than there are requests."""
    before, after = min(elsewhere, evidence.requests[0]), min(there, evidence.requests[1])
    return by_chance(max(1, round(min(count, there) * after / max(1, there))), after, before)


def by_chance(present: int, before: int, after: int) -> float:
    """The probability that all that is `present` fell on the before side, if nothing had changed."""
    if present > before:
        return 0.0
    return prod((before - i) / (before + after - i) for i in range(min(present, 1000)))


def example_text(value: Node) -> str:
    """A value as JSON, cut to what a report shows."""
    if isinstance(value, str) and len(value) > SHOWN:
        value = value[:SHOWN]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def short(value: Node) -> Node:
    """A value small enough to be kept as an example."""
    if type(value) is str:
        return value[:SHOWN]
    if type(value) is dict:
        return {name: "…" if type(child) in (dict, list) else short(child) for name, child in list(value.items())[:8]}
    if type(value) is list:
        return ["…" if type(child) in (dict, list) else short(child) for child in value[:8]]
    return value
