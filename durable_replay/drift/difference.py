"""A difference before it is judged, and the evidence that shapes are judged by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from durable_replay.drift.documents import Node
from durable_replay.drift.finding import Example, Kind, Severity

__all__ = ["BY_CHANCE", "Difference", "Evidence", "by_chance", "example_text"]

BY_CHANCE = 0.01
"""What has less probability than this is no coincidence."""
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What pairs of one request told, for the judgement of shapes."""

    lost: Mapping[str, int] = field(default_factory=dict)
    """By the path of a field, how many pairs of one request lost it."""
    changed: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)
    """By path strings that the same request no longer answers, with those that it answers now."""
    repeats: float = 1.0
    """Recordings for each request on the before side: repeated ones are no independent evidence."""
    untyped: bool = False
    """All scalars are strings (XML, forms, CSV), so that formats are what types are elsewhere."""


def by_chance(present: int, before: int, after: int) -> float:
    """The probability that all that is `present` fell on the before side, if nothing had changed."""
    return prod((before - i) / (before + after - i) for i in range(min(present, 1000)))


def example_text(value: Node) -> str:
    """A value as JSON, cut to what a report shows."""
    if isinstance(value, str) and len(value) > SHOWN:
        value = value[:SHOWN]
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
