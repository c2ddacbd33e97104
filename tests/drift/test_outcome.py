"""How a comparison ended: what has one cause is said once, with the next step."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from durable_replay.drift import outcome
from durable_replay.drift.finding import Comparison, Endpoint, Finding, Kind, Severity, Unpaired
from durable_replay.drift.outcome import Ending, before_comparing, counted, judged, notes, refused
from durable_replay.drift.pairing import Pairing, Seen
from durable_replay.drift.report.context import FailOn
from durable_replay.drift.worlds import Worlds
from durable_replay.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
ENDPOINT = Endpoint("api.test", "GET", "/users/{}")


def finding(severity: Severity) -> Finding:
    return Finding(ENDPOINT, "body.$.a", Kind.field_removed, severity, "is gone", 1, 1)


def seen(statuses: list[int], *, aborted: int = 0, preflights: int = 0) -> Seen:
    """One answer of each status, each by another endpoint."""
    found = Seen(aborted=aborted, preflights=preflights)
    for number, status in enumerate(statuses):
        found.count(number, status)
    return found


def paired(before: Seen, after: Seen, *, hosts: tuple[str, str] = ("api.test", "api.test")) -> Pairing:
    """What `outcome` looks at of a pairing."""
    worlds = Worlds()
    for side, host in enumerate(hosts, 1):
        worlds.see(host, host, side)
    worlds.settle({}, lambda one, other: False)
    return cast(Pairing, SimpleNamespace(before=before, after=after, worlds=worlds, unpaired=(), pairs=0))


def test_two_recordings_of_one_service_are_compared() -> None:
    assert before_comparing(paired(seen([200, 401]), seen([200, 200]))) is None


def test_different_services_are_named_with_both_ways_on() -> None:
    found = before_comparing(paired(seen([200]), seen([200]), hosts=("one.test", "two.test")))
    assert found is not None
    assert found.ending is Ending.different_services
    for word in ("one.test before", "two.test after", "--same", "--map"):
        assert word in found.text


@pytest.mark.parametrize(
    ("empty", "words"),
    [
        (seen([]), "is empty"),
        (seen([], aborted=3), "nothing is whole"),
        (seen([], preflights=2), "2 CORS preflights"),
    ],
)
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_side_without_anything_to_compare_is_wrong_use(empty: Seen, words: str, side: str) -> None:
    sides = {"before": seen([200]), "after": seen([200]), side: empty}
    with pytest.raises(UsageError, match=f"the {side} side.*{words}|{side} side {words}"):
        before_comparing(paired(sides["before"], sides["after"]))


def test_credentials_that_are_refused_everywhere_are_said_once() -> None:
    pairing = paired(seen([200, 200, 401]), seen([401, 403, 401]))
    found = before_comparing(pairing)
    assert found is not None
    assert found.ending is Ending.credentials_refused
    assert "all 3 answers" in found.text
    (said,) = refused(pairing).findings
    assert (said.kind, said.severity, said.count) == (Kind.auth, Severity.breaking, 3)


@pytest.mark.parametrize(
    ("before", "after"),
    [([200, 200], [401, 200]), ([401, 401], [401, 401]), ([200], [401])],
    ids=["one is answered", "they always were", "it is one endpoint"],
)
def test_refusals_that_are_not_everywhere_are_differences(before: list[int], after: list[int]) -> None:
    assert before_comparing(paired(seen(before), seen(after))) is None


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        ("breaking", {Severity.breaking}),
        ("additive", {Severity.breaking, Severity.additive}),
        ("any", set(Severity)),
        ("never", set()),
    ],
)
def test_drift_is_what_is_as_grave_as_asked(fail_on: FailOn, failing: set[Severity]) -> None:
    for severity in Severity:
        found = judged(Comparison((finding(severity),), before=1, after=1), fail_on)
        assert found.ending is (Ending.drift if severity in failing else Ending.same)
    assert judged(Comparison((), before=1, after=1), fail_on).ending is Ending.same


def test_half_of_the_requests_without_counterpart_go_before_drift() -> None:
    comparison = Comparison((finding(Severity.breaking),), before=10, after=10)
    alone = [Unpaired(ENDPOINT, 4, 0), Unpaired(ENDPOINT, 0, 6)]
    found = judged(counted_with(comparison, alone), "breaking")
    assert found.ending is Ending.unpairable
    assert "4 of 10 requests before and 6 of 10 after" in found.text
    fewer = judged(counted_with(comparison, [Unpaired(ENDPOINT, 4, 5)]), "breaking")
    assert fewer.ending is Ending.drift


def counted_with(comparison: Comparison, alone: list[Unpaired]) -> Comparison:
    return Comparison(comparison.findings, unpaired=tuple(alone), before=comparison.before, after=comparison.after)


def test_a_comparison_has_the_pairing_s_counts() -> None:
    pairing = paired(seen([200, 200]), seen([200]))
    found = counted(Comparison((finding(Severity.additive),)), pairing)
    assert (found.before, found.after, found.pairs, found.unpaired) == (2, 1, 0, ())
    assert len(found.findings) == 1


def test_what_was_left_aside_is_told() -> None:
    pairing = paired(seen([200], aborted=2), seen([200], preflights=1), hosts=("h:1", "h:2"))
    pairing.worlds.settle({"h:2": "h:1"}, lambda one, other: False)
    assert notes(pairing) == (
        "h:2 is taken for h:1",
        "2 aborted interactions on the before side are not compared",
        "1 CORS preflights on the after side are not compared",
    )


def test_every_ending_has_a_code_of_its_own_in_the_docs() -> None:
    documented = Counter(int(code) for code in re.findall(r"^(\d+) ", outcome.__doc__ or "", re.MULTILINE))
    assert documented == Counter(int(ending) for ending in Ending)
    text = (ROOT / "docs" / "commands.md").read_text("utf-8").partition("## Diff")[2].partition("\n## ")[0]
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    reserved = {5, 6, 8, 9}
    assert told | reserved == {int(ending) for ending in Ending}
