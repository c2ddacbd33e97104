"""What a report needs to know besides the comparison, and what all shapes of it say alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Literal, TypeAlias

from durable_replay.cassette.care.anew import refresh_command
from durable_replay.drift.finding import Comparison, Endpoint, Finding, Kind, Severity

__all__ = [
    "Context",
    "FailOn",
    "Stale",
    "by_endpoint",
    "fails",
    "headline",
    "ordered",
    "share",
    "stale",
    "summary",
]

FailOn: TypeAlias = Literal["breaking", "additive", "any", "never"]
_FAILING: Mapping[str, frozenset[Severity]] = MappingProxyType(
    {
        "breaking": frozenset({Severity.breaking}),
        "additive": frozenset({Severity.breaking, Severity.additive}),
        "any": frozenset(Severity),
        "never": frozenset(),
    }
)
_ORDER = {severity: place for place, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Context:
    """How a comparison was made: its sides as users name them, and what is to be shown and to fail.

    `cassettes` are the paths of the before side; `width` and `color` are the terminal's, for the table alone.
    """

    before: str
    after: str
    cassettes: tuple[str, ...] = ()
    fail_on: FailOn = "breaking"
    show_ignored: bool = False
    notes: tuple[str, ...] = ()
    """Sentences on how the sides were read: hosts taken for one, interactions left aside."""
    width: int = 200
    color: bool = False
    version: str = ""
    """This program's, for reports that name their maker."""
    took: float = field(default=0.0, compare=False)
    """Seconds."""
    next_step: str | None = None
    """What to do about drift, where that is not to take the recordings anew; "": nothing."""


@dataclass(frozen=True, slots=True)
class Stale:
    """An endpoint whose recordings tell of an API that is no more, with the recordings that show it."""

    endpoint: Endpoint
    interactions: tuple[int, ...]


def fails(finding: Finding, fail_on: FailOn) -> bool:
    """Whether this finding makes the comparison fail."""
    return finding.severity in _FAILING[fail_on]


def ordered(comparison: Comparison) -> list[Finding]:
    """What breaks first, then as the comparison has it."""
    return sorted(comparison.findings, key=lambda finding: _ORDER[finding.severity])


def by_endpoint(comparison: Comparison) -> Iterator[tuple[Endpoint, list[Finding]]]:
    """The findings of each endpoint, the worst endpoints first."""
    groups = [
        (endpoint, sorted(found, key=lambda finding: _ORDER[finding.severity]))
        for endpoint, found in groupby(sorted(comparison.findings, key=_endpoint), key=_endpoint)
    ]
    return iter(sorted(groups, key=lambda group: _ORDER[group[1][0].severity]))


def _endpoint(finding: Finding) -> Endpoint:
    return finding.endpoint


def summary(comparison: Comparison) -> dict[str, int]:
    """Counts by severity, and of what was compared."""
    counts = Counter(finding.severity for finding in comparison.findings)
    return {
        **{severity.value: counts[severity] for severity in Severity},
        "suppressed": len(comparison.suppressed),
        "pairs": comparison.pairs,
        "before": comparison.before,
        "after": comparison.after,
    }


def headline(comparison: Comparison) -> str:
    """`2 breaking, 1 additive; 12 set aside; 340 answers compared`."""
    counts = summary(comparison)
    found = ", ".join(f"{counts[severity]:,} {severity}" for severity in Severity if counts[severity])
    ignored = f"; {counts['suppressed']:,} set aside" if counts["suppressed"] else ""
    compared = f"{counts['pairs']:,} answer{'' if counts['pairs'] == 1 else 's'} compared"
    return f"{found or 'no drift'}{ignored}; {compared}"


def share(finding: Finding) -> str:
    """`3 of 7`: of the answers on the after side, those that show it. Empty for an endpoint that one side does not
    have: there is no answer to count, and its recordings are counted among what was asked on one side only."""
    if finding.path == "endpoint" and not finding.examples:
        return ""
    return f"{finding.count:,} of {finding.seen:,}"


def stale(comparison: Comparison) -> list[Stale]:
    """What to record anew: the endpoints with a finding that is more than cosmetic. A new endpoint makes no recording
    untrue."""
    return [
        Stale(endpoint, tuple(sorted({example.before_number for one in found for example in one.examples} - {0})))
        for endpoint, found in by_endpoint(comparison)
        if any(one.severity is not Severity.cosmetic and one.kind is not Kind.endpoint_new for one in found)
    ]


def advice(comparison: Comparison, context: Context) -> str:
    """What to do about it, with the command; "" where there is nothing to do."""
    endpoints = stale(comparison)
    if not endpoints:
        return ""
    if context.next_step is not None:
        return context.next_step
    files = context.cassettes or (context.before,)
    commands = " ; ".join(refresh_command(file) for file in files)
    count = f"{len(endpoints):,} endpoint{'s' if len(endpoints) > 1 else ''}"
    return f"The recordings of {count} tell of an API that has changed. Take them anew: {commands}"
