"""Two sides of recordings are compared, group by group.

Each endpoint has a tally (`tally`), which takes its groups in any order; at the end it is judged (`verdict`). Nothing
of a group is kept but what the tally counts, so that memory is bounded by the number of endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from durable_replay.drift.finding import Comparison, Endpoint, Finding, Suppression, Unpaired
from durable_replay.drift.group import Group
from durable_replay.drift.noise import DiffRules, IgnoreRule
from durable_replay.drift.tally import EndpointTally
from durable_replay.drift.verdict import verdict

__all__ = ["Group", "compare"]

ONE_CLIENT = 0.75
"""The share of requests that go to the same endpoints, from which on both sides are runs of one client."""


def _nobody(pairs: int) -> None:
    """Nobody is told."""


def compare(groups: Iterable[Group], rules: DiffRules, on_pair: Callable[[int], None] = _nobody) -> Comparison:
    """What differs between the two sides of all groups.

    `on_pair` is called after each group with the number of interactions in it.
    """
    tallies: dict[Endpoint, EndpointTally] = {}
    for group in groups:
        tally = tallies.get(group.endpoint)
        if tally is None:
            tally = tallies[group.endpoint] = EndpointTally(group.endpoint)
        seen = tally.befores + tally.afters
        tally.add(group)
        on_pair(tally.befores + tally.afters - seen)
    return _concluded(sorted(tallies.items()), rules)


def _concluded(tallies: list[tuple[Endpoint, EndpointTally]], rules: DiffRules) -> Comparison:
    known: dict[str, tuple[IgnoreRule, ...]] = {}
    findings: list[Finding] = []
    suppressed: list[Suppression] = []
    alike = _alike(tallies)
    for endpoint, tally in tallies:
        if endpoint.world not in known:
            known[endpoint.world] = rules.known(endpoint.world)
        found, aside = verdict(tally, rules, known[endpoint.world], rules.one_client or alike[endpoint.world])
        findings += found
        suppressed += aside
    unpaired = [
        Unpaired(endpoint, tally.alone_before, tally.alone_after)
        for endpoint, tally in tallies
        if tally.alone_before or tally.alone_after
    ]
    return Comparison(
        tuple(findings),
        tuple(suppressed),
        tuple(unpaired),
        pairs=sum(tally.pairs for _, tally in tallies),
        before=sum(tally.befores for _, tally in tallies),
        after=sum(tally.afters for _, tally in tallies),
    )


def _alike(tallies: list[tuple[Endpoint, EndpointTally]]) -> dict[str, bool]:
    """By world, whether both sides ask their endpoints about equally often.

    Then a request that differs in an id has its counterpart on the other side: the same test, with another id. Where
    the sides are runs of different tests, it asks for another thing, which may lack what the first has.
    """
    counts: dict[str, list[tuple[int, int]]] = {}
    for endpoint, tally in tallies:
        counts.setdefault(endpoint.world, []).append((tally.befores, tally.afters))
    return {world: _overlap(pairs) >= ONE_CLIENT for world, pairs in counts.items()}


def _overlap(pairs: list[tuple[int, int]]) -> float:
    before, after = (max(1, sum(side)) for side in zip(*pairs, strict=True))
    return sum((min(left / before, right / after) for left, right in pairs), 0.0)
