"""Different requests are answered with different things, and what one thing has another may lack."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from durable_replay.drift.compare import Group, compare
from durable_replay.drift.difference import OTHER_RUNS
from durable_replay.drift.finding import Comparison, Endpoint, Exchange, Kind, Severity
from durable_replay.drift.noise import DiffRules
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response

THINGS = Endpoint("api.test", "GET", "/things/{}")
OTHERS = Endpoint("api.test", "GET", "/others/{}")


def _exchanges(endpoint: Endpoint, answers: Iterable[object], target: str, key: bytes) -> list[Exchange]:
    found = []
    for number, answer in enumerate(answers, 1):
        frames = answer if isinstance(answer, tuple) else ()
        body = b"" if frames else json.dumps(answer).encode()
        headers = Headers([("Content-Type", "application/json")])
        exchange = Interaction(
            Request("GET", "https", "api.test", 443, target), Response(200, headers, BytesBody(body)), number, frames
        )
        found.append(Exchange(endpoint, key or bytes([number]) * 16, exchange))
    return found


def _group(
    before: Iterable[object],
    after: Iterable[object],
    endpoint: Endpoint = THINGS,
    targets: tuple[str, str] = ("/", "/"),
    same: bool = False,
) -> Group:
    key = b"k" * 16 if same else b""
    befores, afters = (_exchanges(endpoint, each, at, key) for each, at in zip((before, after), targets, strict=True))
    return Group(endpoint, befores, afters, same)


def _compared(*groups: Group) -> Comparison:
    return compare(groups, DiffRules())


def _told(comparison: Comparison) -> list[tuple[str, Kind]]:
    return [(finding.path, finding.kind) for finding in comparison.findings]


ANOTHER_RUN = _group([{"a": 1}] * 8, [{"a": 1}], OTHERS)
"""Makes the sides runs of different tests: before mostly this was asked, after something else."""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"id": 1, "parent": 7}, {"id": 2}),
        ({"id": 1}, {"id": 2, "parent": 7}),
        ({"id": 1, "parent": 7}, {"id": 2, "parent": None}),
    ],
)
def test_one_thing_may_lack_what_another_thing_has(before: object, after: object) -> None:
    found = _compared(_group([before], [after]), ANOTHER_RUN)
    assert _told(found) == []
    assert [(each.finding.path, each.origin) for each in found.suppressed if each.reason == OTHER_RUNS] == [
        ("body.$.parent", "default")
    ]


def test_many_things_tell_what_one_does_not() -> None:
    before, after = [{"id": n, "parent": n} for n in range(8)], [{"id": n} for n in range(8)]
    found = _compared(_group(before, after), _group([{"a": 1}] * 40, [{"a": 1}], OTHERS))
    assert _told(found) == [("body.$.parent", Kind.field_removed)]


def test_two_runs_of_one_client_ask_for_the_same_things_by_other_ids() -> None:
    found = _compared(_group([{"id": 1, "parent": 7}], [{"id": 2}]), _group([{"a": 1}] * 8, [{"a": 1}] * 8, OTHERS))
    assert _told(found) == [("body.$.parent", Kind.field_removed)]


def test_the_same_request_tells_at_once() -> None:
    found = _compared(_group([{"id": 1, "parent": 7}], [{"id": 1}], same=True), ANOTHER_RUN)
    assert _told(found) == [("body.$.parent", Kind.field_removed)]


def test_asking_one_thing_again_and_again_is_no_further_evidence() -> None:
    polled = _exchanges(THINGS, [{"id": 1, "exit": "OK"}] * 30, "/", b"p" * 16)
    others = _exchanges(THINGS, [{"id": 2}] * 30, "/", b"q" * 16)
    found = _compared(Group(THINGS, polled, others, False), _group([{"a": 1}] * 90, [{"a": 1}], OTHERS))
    assert _told(found) == []


def test_a_field_that_was_not_asked_for_is_not_gone() -> None:
    found = _compared(_group([{"id": 1, "size": 5}] * 9, [{"id": 2}] * 9, targets=("/?fields=id,size", "/?fields=id")))
    assert _told(found) == []
    assert [each.finding.path for each in found.suppressed if "other fields" in each.reason] == ["body.$.size"]


def test_another_type_is_told_whatever_was_asked_for() -> None:
    found = _compared(
        _group([{"id": 1, "size": 5}] * 3, [{"id": "2"}] * 3, targets=("/?fields=id,size", "/?fields=id"))
    )
    assert _told(found) == [("body.$.id", Kind.type_changed)]


def test_a_field_that_was_asked_for_and_is_missing_is_gone() -> None:
    found = _compared(_group([{"id": 1, "size": 5}] * 9, [{"id": 2}] * 9, targets=("/?fields=id,size",) * 2))
    assert _told(found) == [("body.$.size", Kind.field_removed)]


def test_the_last_page_of_another_listing_has_no_cursor() -> None:
    found = _compared(_group([{"items": [{"id": 1}], "nextPageToken": "abc"}], [{"items": [{"id": 2}]}]))
    assert _told(found) == []


# -- calls that say themselves whether they succeeded -----------------------------------------------------------------


def test_a_call_that_fails_by_its_own_word_is_one_finding() -> None:
    found = _compared(_group([{"ok": True, "channel": {"id": 1}}], [{"ok": False, "error": "not_found"}], same=True))
    assert [(f.path, f.kind, f.severity, f.text) for f in found.findings] == [
        ("body.$.ok", Kind.status, Severity.breaking, "is now false, was true: the calls fail")
    ]


def test_answers_and_errors_of_different_calls_are_not_compared() -> None:
    found = _compared(_group([{"ok": True, "size": 1}] * 2, [{"ok": False, "size": "none such"}] * 2))
    assert _told(found) == []


def test_calls_of_which_all_fail_by_now_are_told() -> None:
    found = _compared(_group([{"ok": True, "size": 1}] * 6, [{"ok": False, "error": "gone"}] * 6))
    assert _told(found) == [("body.$.ok", Kind.status)]


# -- conversations ----------------------------------------------------------------------------------------------------


def _pushed(*events: object) -> tuple[Frame, ...]:
    return tuple(Frame(False, "text", json.dumps(event).encode()) for event in events)


def test_events_of_different_kinds_are_not_compared() -> None:
    created = _pushed({"op": 0, "t": "CREATED", "d": {"id": 1, "name": "a", "size": 1}})
    removed = _pushed({"op": 0, "t": "REMOVED", "d": {"id": 1, "reason": 5}})
    assert _told(_compared(_group([created], [removed], same=True))) == []


def test_an_event_that_lost_a_field_is_told() -> None:
    before = _pushed({"op": 0, "t": "CREATED", "d": {"id": 1, "name": "a"}}, {"op": 0, "t": "REMOVED", "d": {"id": 1}})
    after = _pushed({"op": 0, "t": "CREATED", "d": {"id": 1}}, {"op": 0, "t": "REMOVED", "d": {"id": 1}})
    found = _compared(_group([before], [after], same=True))
    assert _told(found) == [("frames.$[].data.d.name", Kind.field_removed)]


# -- small causes -----------------------------------------------------------------------------------------------------


def test_nothing_but_zeros_tell_nothing_of_fractions() -> None:
    assert _told(_compared(_group([{"used": 0}], [{"used": 0.25}]))) == []
    assert _told(_compared(_group([{"used": 3}], [{"used": 0.25}]))) == [("body.$.used", Kind.number_kind)]


def test_names_of_people_are_no_small_set() -> None:
    before = [{"displayName": name} for name in ("Ada", "Bob", "Ada", "Bob") * 6]
    after = [{"displayName": name} for name in ("Ada", "Cleo", "Ada", "Cleo") * 6]
    assert _told(_compared(_group(before, after))) == []


def test_a_name_that_looks_like_an_address_need_not_be_one() -> None:
    found = _compared(_group([{"name": "ada@api.test"}], [{"name": "Bob"}]), ANOTHER_RUN)
    assert _told(found) == []


def test_another_form_of_a_time_is_told_of_any_thing() -> None:
    found = _compared(_group([{"at": "2024-05-01T10:00:00Z"}], [{"at": "2024-05-01"}]), ANOTHER_RUN)
    assert _told(found) == [("body.$.at", Kind.format_changed)]


def test_entries_that_come_and_go_are_no_lasting_things() -> None:
    befores = [{"by_user": {f"u_{n}": {"points": n} for n in names}} for names in ((11, 12), (12, 13))]
    after = [{"by_user": {"u_13": {"points": 99}, "u_14": {"points": 14}}}]
    assert _told(_compared(_group(befores, after, same=True))) == []


def test_the_value_of_an_entry_that_stays_is_told() -> None:
    befores = [{"by_user": {"u_11": {"points": 1}, "u_12": {"points": 2}}}] * 2
    after = [{"by_user": {"u_11": {"points": 1}, "u_12": {"points": 9}}}]
    assert _told(_compared(_group(befores, after, same=True))) == [("body.$.by_user{}.points", Kind.value)]


def test_what_one_client_asked_is_compared_as_such_however_often_it_was_answered() -> None:
    """A live run asks once what was recorded often; a field that is gone is gone."""
    groups = (_group([{"id": 1, "parent": 7}], [{"id": 2}]), ANOTHER_RUN)
    assert _told(compare(groups, DiffRules())) == []
    assert _told(compare(groups, DiffRules(one_client=True))) == [("body.$.parent", Kind.field_removed)]
