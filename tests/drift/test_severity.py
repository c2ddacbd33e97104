"""How bad each kind of difference is."""

from __future__ import annotations

from durable_replay.drift.finding import Kind, Severity
from durable_replay.drift.severity import default_severities, severity_of


def test_each_kind_has_a_severity() -> None:
    assert set(default_severities()) == set(Kind)


def test_what_is_new_is_additive() -> None:
    additive = {kind for kind, severity in default_severities().items() if severity is Severity.additive}
    assert additive == {Kind.endpoint_new, Kind.header_added, Kind.field_added, Kind.enum_added}


def test_the_users_choice_wins_over_the_case_and_the_case_over_the_table() -> None:
    chosen = {Kind.status: Severity.additive}
    assert severity_of(Kind.status, None, {}) is Severity.breaking
    assert severity_of(Kind.status, Severity.cosmetic, {}) is Severity.cosmetic
    assert severity_of(Kind.status, Severity.cosmetic, chosen) is Severity.additive
