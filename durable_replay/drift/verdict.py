"""An endpoint's tally is judged: what is a finding, and what is set aside, with the reason."""

# Rule: every difference that was noted becomes a finding or a suppression, or has its cause in one.

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from durable_replay.drift.bodies import OTHER_ELEMENTS, body_differences, lists_things
from durable_replay.drift.difference import Difference
from durable_replay.drift.finding import Endpoint, Finding, Kind, Origin, Severity, Suppression
from durable_replay.drift.judged_headers import header_differences, retyped_statuses, trailer_differences
from durable_replay.drift.noise import DiffRules, IgnoreRule
from durable_replay.drift.noted import Noted
from durable_replay.drift.paging import joined_paging
from durable_replay.drift.severity import severity_of
from durable_replay.drift.statuses import Judged
from durable_replay.drift.tally import EndpointTally

__all__ = ["verdict"]

MOST_EXAMPLES = 3


def verdict(
    tally: EndpointTally, rules: DiffRules, known: Iterable[IgnoreRule], alike: bool = True
) -> tuple[list[Finding], list[Suppression]]:
    """The findings and suppressions of one endpoint, in order of path and kind. `known` are its service's rules;
    `alike`: both sides ask their endpoints about equally often, as two runs of one client do."""
    judged = list(_presence(tally)) or list(_differences(tally, alike))
    kept = joined_paging([each for each, origin, _ in judged if origin is None], lists_things(tally))
    if any(each.kind is Kind.paging for each in kept):
        cut = [each for each in kept if each.kind is Kind.value and each.text == OTHER_ELEMENTS]
        kept = [each for each in kept if each not in cut]
        judged += [(each, "default", "the listing is cut into pages otherwise by now") for each in cut]
    findings: list[Finding] = []
    aside: list[Suppression] = []
    for difference in _deduplicated(kept):
        finding = _finding(tally.endpoint, difference, rules)
        rule = _rule(finding, rules.ignore)
        known_rule = _rule(finding, known)
        if rule is not None:
            aside.append(Suppression(finding, "rule", f"the rule {rule.text or str(rule)!r}"))
        elif known_rule is not None:
            aside.append(Suppression(finding, "service", known_rule.text or "the service says that it varies"))
        else:
            findings.append(finding)
    aside += _set_aside(tally.endpoint, judged, rules)
    return sorted(findings, key=_order), sorted(aside, key=lambda s: (*_order(s.finding), s.origin, s.reason))


def _presence(tally: EndpointTally) -> Iterable[Judged]:
    if tally.befores and not tally.afters:
        text = "not recorded on the after side"
        yield Difference("endpoint", Kind.endpoint_gone, text, 1, 1, severity=Severity.cosmetic), None, ""
    elif tally.afters and not tally.befores:
        text = "not recorded on the before side"
        yield Difference("endpoint", Kind.endpoint_new, text, tally.afters, tally.afters), None, ""


def _differences(tally: EndpointTally, alike: bool) -> Iterable[Judged]:
    yield from tally.statuses.differences(tally.afters)
    headers = Noted(tally.header, ())
    retyped = retyped_statuses(tally, headers)
    yield from header_differences(tally, headers)
    yield from trailer_differences(tally)
    yield from body_differences(tally, retyped, alike)


def _finding(endpoint: Endpoint, difference: Difference, rules: DiffRules) -> Finding:
    return Finding(
        endpoint,
        difference.path,
        difference.kind,
        severity_of(difference.kind, difference.severity, rules.severities),
        difference.text,
        difference.count,
        difference.seen,
        difference.examples[:MOST_EXAMPLES],
    )


def _rule(finding: Finding, rules: Iterable[IgnoreRule]) -> IgnoreRule | None:
    return next((rule for rule in rules if rule.covers(finding.endpoint, finding.path, finding.kind)), None)


def _order(finding: Finding) -> tuple[str, str]:
    return finding.path, finding.kind.value


def _deduplicated(differences: Iterable[Difference]) -> list[Difference]:
    """One for each path and kind: those of other statuses or variants add their counts and examples."""
    found: dict[tuple[str, Kind], Difference] = {}
    for difference in differences:
        key = (difference.path, difference.kind)
        known = found.get(key)
        found[key] = difference if known is None else _sum(known, difference)
    return list(found.values())


def _sum(one: Difference, other: Difference) -> Difference:
    return replace(
        one,
        text=one.text if other.text in one.text else f"{one.text}; {other.text}",
        count=one.count + other.count,
        seen=max(one.seen, other.seen, one.count + other.count),
        examples=tuple(dict.fromkeys([*one.examples, *other.examples]))[:MOST_EXAMPLES],
        severity=min(filter(None, (one.severity, other.severity)), default=None, key=list(Severity).index)
        if one.severity and other.severity
        else None,
    )


def _set_aside(endpoint: Endpoint, judged: list[Judged], rules: DiffRules) -> list[Suppression]:
    grouped: dict[tuple[Origin, str], list[Difference]] = {}
    for difference, origin, reason in judged:
        if origin is not None:
            grouped.setdefault((origin, reason), []).append(difference)
    return [
        Suppression(_finding(endpoint, difference, rules), origin, reason)
        for (origin, reason), differences in grouped.items()
        for difference in _deduplicated(differences)
    ]
