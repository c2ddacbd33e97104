"""What `compare` says of what is empty, strange, at the end of an answer, or the same in other words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import process_time

import pytest

from durable_replay.drift.compare import Group, compare
from durable_replay.drift.finding import Exchange, Kind, Severity
from durable_replay.drift.noise import DiffRules
from durable_replay.http import Headers
from tests.drift.answers import USERS, Answer, diff, diff_each, exchanges, only, told

# -- empty objects ----------------------------------------------------------------------------------------------------


def test_an_object_that_is_empty_now_has_lost_its_fields_in_one_finding() -> None:
    finding = only(diff([{"s": {"a": 1, "b": 2}, "k": 1}], [{"s": {}, "k": 1}]))
    assert (finding.path, finding.kind, finding.severity) == ("body.$.s", Kind.field_removed, Severity.breaking)
    assert finding.text == "is empty now, always had a, b"
    assert (finding.examples[0].before, finding.examples[0].after) == ('{"a": 1, "b": 2}', "{}")


def test_an_answer_that_is_empty_now_has_lost_its_fields() -> None:
    assert told(diff([{"a": 1}], [{}])) == {("", "field-removed")}


def test_an_object_that_is_empty_at_times_is_optional_in_its_fields() -> None:
    pairs = [([{"s": {"a": n}}], [{"s": {"a": n} if n else {}}]) for n in range(4)]
    assert told(diff_each(pairs)) == {(".s", "field-optional")}


def test_an_object_that_was_always_empty_has_new_fields() -> None:
    assert told(diff([{"s": {}}], [{"s": {"a": 1}}])) == {(".s", "field-added")}


@pytest.mark.parametrize(
    ("befores", "after"),
    [
        ([{"s": {"a": 1}}, {"s": {}}], {"s": {}}),  # it was both
        ([{"s": {"u1001": 1}}], {"s": {}}),  # a map
        ([{"s": ["a"]}], {"s": []}),  # an empty array tells nothing of its elements
    ],
)
def test_what_is_empty_may_tell_nothing(befores: list[object], after: object) -> None:
    comparison = diff(befores, [after])
    assert not comparison.findings
    assert [each.finding.path for each in comparison.suppressed] == ["body.$.s"]


def test_one_thing_may_be_empty_where_another_is_not() -> None:
    assert not diff([{"s": {"a": 1}}], [{"s": {}}], same=False).findings


# -- arrays -----------------------------------------------------------------------------------------------------------


def test_measures_are_told_by_their_place() -> None:
    assert told(diff([{"at": [13.4, 52.5]}], [{"at": [52.5, 13.4]}])) == {(".at[]", "value")}
    ids = diff([{"ids": [3, 7]}], [{"ids": [7, 3]}])
    assert [each.origin for each in ids.suppressed] == ["order"]
    assert not ids.findings


def test_elements_that_have_no_partner_may_have_had_the_others_value() -> None:
    before = [{"id": "a1", "level": "warn"}, {"id": "a2", "level": "info"}]
    befores = [[{**each, "id": f"{each['id']}-{n}"} for each in before] for n in range(3)]
    assert not diff(befores, [[{"id": "b1", "level": "info"}], [{"id": "b2", "level": "info"}]]).findings


def test_elements_that_all_had_one_value_and_have_another_are_told_whichever_they_are() -> None:
    befores = [[{"id": f"a{n}", "unit": "kg"}, {"id": f"b{n}", "unit": "kg"}] for n in range(3)]
    afters = [[{"id": f"c{n}", "unit": "lb"}] for n in range(3)]
    assert told(diff(befores, afters)) == {("[].unit", "value")}


def test_what_is_in_elements_of_a_type_by_chance_is_noise() -> None:
    befores = [{"e": ["a", {"ref": 61}]}, {"e": [{"ref": 62}, "b"]}]
    assert not diff(befores, [{"e": ["a", {"ref": 60}]}]).findings


def test_columns_that_are_cut_by_another_sign_are_one_finding() -> None:
    answers = [Answer(f"id{sign}city\n1{sign}Bonn\n".encode(), media="text/csv") for sign in ",;"]
    assert told(diff(answers[:1], answers[1:])) == {("", "format-changed")}
    assert not diff(answers, answers[1:]).findings


# -- strange values ---------------------------------------------------------------------------------------------------


def test_what_is_not_a_number_stays_so() -> None:
    before, after = Answer(b'{"v": NaN, "n": 1.5}'), Answer(b'{"v": NaN, "n": 2.5}')
    assert told(diff([before], [after])) == {(".n", "value")}


def test_numbers_of_any_size_are_compared() -> None:
    assert told(diff([{"n": 10**400}], [{"n": 0.5}])) == {(".n", "number-kind")}
    assert told(diff([{"n": 2**53 + 1}], [{"n": 2**53}])) == {(".n", "value")}


def test_a_name_without_letters_is_one() -> None:
    assert told(diff([{"": 1}], [{":": 1}])) == {(".", "field-removed"), (".:", "field-added")}


def test_an_object_of_thousands_of_names_is_compared() -> None:
    before, after = ({f"{letter}{chr(97 + n % 26)}{n}x": n for n in range(600)} for letter in "kq")
    assert diff([before], [after], same=False).findings


# -- trailers ---------------------------------------------------------------------------------------------------------


def trailing(**fields: str) -> list[Exchange]:
    trailers = Headers([(name.replace("_", "-"), value) for name, value in fields.items()])
    [one] = exchanges(USERS, [Answer({})], 1)
    response = replace(one.interaction.response, trailers=trailers)
    return [replace(one, interaction=replace(one.interaction, response=response))]


def test_a_trailer_is_told_like_a_header() -> None:
    comparison = compare(
        [Group(USERS, trailing(Checksum_Kind="a", Old="1"), trailing(Checksum_Kind="b", New="1"), True)], DiffRules()
    )
    assert {(each.path, each.kind.value) for each in comparison.findings} == {
        ("trailer.checksum-kind", "header-changed"),
        ("trailer.old", "header-removed"),
        ("trailer.new", "header-added"),
    }


def test_a_call_of_grpc_that_fails_now_has_another_status() -> None:
    failed = only(compare([Group(USERS, trailing(grpc_status="0"), trailing(grpc_status="7"), True)], DiffRules()))
    assert (failed.path, failed.kind, failed.severity) == ("trailer.grpc-status", Kind.status, Severity.breaking)
    other = only(compare([Group(USERS, trailing(grpc_status="5"), trailing(grpc_status="7"), True)], DiffRules()))
    assert (other.kind, other.severity) == (Kind.status, Severity.cosmetic)


# -- headers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [("application/json", "application/json; charset=utf-8"), ("text/csv; charset=utf8", 'text/csv; Charset="UTF-8"')],
)
def test_a_charset_in_other_words_is_listed_and_no_finding(before: str, after: str) -> None:
    comparison = diff([Answer(b"[]", media=before)], [Answer(b"[]", media=after)])
    assert not comparison.findings
    assert [(each.finding.kind, each.origin) for each in comparison.suppressed] == [(Kind.content_type, "format")]


def test_types_that_take_turns_are_listed() -> None:
    pairs: list[tuple[Sequence[object], Sequence[object]]] = [
        ([Answer(b"a", media=one)], [Answer(b"a", media=other)])
        for one, other in (("text/plain", "text/markdown"), ("text/markdown", "text/plain"))
    ]
    comparison = diff_each(pairs)
    assert not comparison.findings
    assert [each.finding.path for each in comparison.suppressed] == ["header.content-type"]


def test_a_profile_is_part_of_the_media_type() -> None:
    before, after = (Answer({}, media=f'application/json; profile="https://api.test/v{n}"') for n in (1, 2))
    assert told(diff([before], [after])) == {("header.content-type", "content-type")}


def test_a_time_to_wait_may_count_down_and_is_a_change_as_a_date() -> None:
    assert not diff([Answer({}, 503, Retry_After="120")], [Answer({}, 503, Retry_After="7")]).findings
    date = Answer({}, 503, Retry_After="Mon, 02 Mar 2026 09:14:07 GMT")
    assert told(diff([Answer({}, 503, Retry_After="120")], [date])) == {("header.retry-after", "header-changed")}


@pytest.mark.parametrize(
    ("location", "found"), [("https://api.test/jobs/7", set()), ("https://b.test/jobs/7", {"header-changed"})]
)
def test_a_place_is_the_same_with_the_host_that_was_asked(location: str, found: set[str]) -> None:
    comparison = diff([Answer({}, 201, Location="/jobs/7")], [Answer({}, 201, Location=location)])
    assert {kind for _, kind in told(comparison)} == found


# -- out of proportion ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([{"items": [{"a": 1}]}], [{"items": [{"a": 1, "b" * 100_000: 1}]}]),
        ([Answer({}, Link="<" * 40_000)], [Answer({}, Link="<" * 40_001)]),
        ([Answer({}, media="a/b;" + 'c="' * 10_000)], [Answer({}, media="a/b" + ";" * 40_000)]),
    ],
    ids=["a long name", "a link header of brackets", "parameters without end"],
)
def test_no_text_takes_time_out_of_proportion(before: Sequence[object], after: Sequence[object]) -> None:
    start = process_time()
    diff(before, after)
    assert process_time() - start < 2
