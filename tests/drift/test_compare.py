"""What `compare` says of two sides: each case has its own small API."""

from __future__ import annotations

import pytest

from durable_replay.drift.compare import compare
from durable_replay.drift.finding import Kind, Severity
from durable_replay.drift.noise import DiffRules, IgnoreRule
from durable_replay.http import Frame
from tests.drift.answers import USERS, Answer, diff, diff_each, group, only, told

# -- what others fail at ----------------------------------------------------------------------------------------------


def test_an_added_field_is_found() -> None:
    assert told(diff([{"a": 1}], [{"a": 1, "b": 2}])) == {(".b", "field-added")}


def test_a_number_that_became_a_string_is_a_type_change() -> None:
    assert told(diff([{"n": 5}], [{"n": "5"}])) == {(".n", "type-changed")}


def test_one_changed_element_in_an_array_names_that_element() -> None:
    finding = only(diff([{"a": ["x", "y", "z"]}], [{"a": ["x", "q", "z"]}]))
    assert (finding.path, finding.kind, finding.severity) == ("body.$.a[]", Kind.value, Severity.cosmetic)
    assert (finding.examples[0].place, finding.examples[0].before, finding.examples[0].after) == (
        "body.$.a[1]",
        '"y"',
        '"q"',
    )


def test_one_changed_field_of_one_element_names_that_element() -> None:
    before = [{"name": "ann", "note": "tall"}, {"name": "bob", "note": "small"}]
    after = [{"name": "ann", "note": "tall"}, {"name": "bob", "note": "round"}]
    finding = only(diff([before], [after]))
    assert (finding.path, finding.examples[0].place) == ("body.$[].note", "body.$[1].note")


def test_values_with_apostrophes_are_compared_as_they_are() -> None:
    finding = only(diff([{"name": "O'Hara"}], [{"name": "O'Neill"}]))
    assert (finding.examples[0].before, finding.examples[0].after) == ('"O\'Hara"', '"O\'Neill"')


def test_a_top_level_array_is_compared() -> None:
    assert told(diff([[{"a": 1}]], [[{"a": 1, "b": 1}]])) == {("[].b", "field-added")}


def test_each_finding_has_its_endpoint() -> None:
    assert only(diff([{"a": 1}], [{"a": True}])).endpoint == USERS


# -- shapes -----------------------------------------------------------------------------------------------------------


def test_a_removed_object_is_one_finding() -> None:
    assert told(diff([{"a": {"b": 1, "c": {"d": 2}}, "e": 1}], [{"e": 1}])) == {(".a", "field-removed")}


def test_an_array_of_strings_that_became_objects_is_an_element_shape() -> None:
    assert told(diff([{"t": ["a", "b"]}], [{"t": [{"n": "a"}, {"n": "b"}]}])) == {(".t[]", "element-shape")}


@pytest.mark.parametrize(
    ("before", "after"),
    [({"x": 1}, [{"x": 1}]), ("ann", {"name": "ann"}), (5, "5"), (True, "true"), (1, True), ([1], 1), ({"x": 1}, "x")],
)
def test_another_type_is_one_finding(before: object, after: object) -> None:
    assert told(diff([{"v": before, "k": 1}], [{"v": after, "k": 1}])) == {(".v", "type-changed")}


def test_a_renamed_field_is_removed_and_added() -> None:
    assert told(diff([{"id": 1, "name": "x"}], [{"id": 1, "title": "x"}])) == {
        (".name", "field-removed"),
        (".title", "field-added"),
    }


def test_a_map_with_dynamic_keys_gains_a_key_and_nothing_is_found() -> None:
    comparison = diff([{"votes": {"u1001": 3, "u1002": 1}}], [{"votes": {"u1001": 3, "u1002": 1, "u1003": 2}}])
    assert not comparison.findings
    assert comparison.suppressed[0].finding.path == "body.$.votes{}"


def test_a_map_is_learnt_from_keys_that_hardly_overlap() -> None:
    befores = [{"m": {"ann": 1, "bob": 2}}, {"m": {"cid": 1, "dan": 4, "ann": 1}}]
    assert not diff(befores, [{"m": {"eve": 1, "ann": 1}}]).findings


def test_the_values_of_a_map_are_compared_as_one_shape() -> None:
    before = {"m": {"u1001": {"n": 1}, "u1002": {"n": 2}}}
    after = {"m": {"u1001": {"n": "1"}, "u1003": {"n": "2"}}}
    assert told(diff([before], [after])) == {(".m{}.n", "type-changed")}


def test_a_new_field_on_elements_of_one_type_is_found() -> None:
    before = [{"type": "push", "sha": "a"}, {"type": "open", "title": "t"}]
    after = [{"type": "push", "sha": "a", "forced": True}, {"type": "open", "title": "t"}]
    assert told(diff([before], [after])) == {("[].forced", "field-added")}


def test_another_mix_of_types_in_a_list_is_no_finding() -> None:
    before = [{"type": "push", "sha": "a"}, {"type": "open", "title": "t"}]
    after = [{"type": "push", "sha": "a"}, {"type": "close", "reason": "r"}]
    comparison = diff([before], [after], same=False)
    assert not comparison.findings


@pytest.mark.parametrize(("before", "after"), [([], [{"a": 1}]), ([{"a": 1}], [])])
def test_an_empty_array_against_a_filled_one_is_no_finding(before: object, after: object) -> None:
    comparison = diff([{"items": before}], [{"items": after}])
    assert not comparison.findings
    assert comparison.suppressed


def test_null_where_an_object_was_is_nullable() -> None:
    assert told(diff([{"o": {"a": 1}}], [{"o": None}])) == {(".o", "nullable")}


def test_null_against_an_object_is_no_finding_when_null_was_seen_before() -> None:
    assert not diff([{"o": {"a": 1}}, {"o": None}], [{"o": None}]).findings
    assert not diff([{"o": None}], [{"o": {"a": 1}}]).findings


def test_an_optional_field_absent_in_the_one_after_answer_is_no_finding() -> None:
    comparison = diff([{"a": 1, "b": 2}, {"a": 1}], [{"a": 1}])
    assert not comparison.findings
    others = diff_each([([{"a": 1, "b": 2}], [{"a": 1}]), ([{"a": 1}], [{"a": 1}])])
    assert not others.findings
    assert [s.origin for s in others.suppressed] == ["learnt"]


def test_an_optional_field_that_nobody_has_any_more_is_removed() -> None:
    pairs = [([{"a": 1, "b": 2}], [{"a": 1}])] * 4 + [([{"a": 1}], [{"a": 1}])]
    assert told(diff_each(pairs)) == {(".b", "field-removed")}


def test_a_required_field_absent_in_the_one_after_answer_is_removed() -> None:
    finding = only(diff([{"a": 1, "b": 2}], [{"a": 1}]))
    assert (finding.kind, finding.severity, finding.path) == (Kind.field_removed, Severity.breaking, "body.$.b")


def test_a_required_field_missing_in_some_answers_is_optional() -> None:
    pairs = [([{"a": 1, "b": 2}], [{"a": 1}]), ([{"a": 1, "b": 3}], [{"a": 1, "b": 3}])]
    assert told(diff_each(pairs)) == {(".b", "field-optional")}


def test_a_date_time_that_became_epoch_seconds_is_one_finding() -> None:
    at = "2024-05-01T10:00:00Z"
    assert told(diff([{"at": at}], [{"at": 1714557600}])) == {(".at", "type-changed")}
    assert told(diff([{"at": at}], [{"at": "1714557600"}])) == {(".at", "format-changed")}
    assert told(diff([{"at": at}], [{"at": "2024-05-01"}])) == {(".at", "format-changed")}
    assert told(diff([{"at": at}], [{"at": "2024-05-01T10:00:00+00:00"}])) == {(".at", "format-changed")}


def test_times_that_lost_their_fractions_are_of_another_format() -> None:
    before, after = [{"at": "2026-01-31T10:00:00.125Z"}] * 2, [{"at": "2026-02-01T11:00:00Z"}]
    finding = only(diff(before, after))
    assert (finding.path, finding.kind) == ("body.$.at", Kind.format_changed)
    assert finding.text == "is now a date and time (Z), was a date and time (Z, fractions)"
    assert told(diff([{"at": "2026-01-31T10:00:00.125Z"}, {"at": "2026-01-31T10:00:01Z"}], after)) == set()


def test_whole_numbers_that_get_fractions_are_a_number_kind() -> None:
    assert told(diff([{"n": 5}], [{"n": 5.5}])) == {(".n", "number-kind")}
    assert not diff([{"n": 5}, {"n": 4.5}], [{"n": 5.5}]).findings


def test_a_new_value_of_a_small_set_is_an_enum_value() -> None:
    before = [{"id": i, "status": ("open", "closed")[i % 2]} for i in range(8)]
    after = [{"id": i, "status": ("open", "closed", "archived")[i % 3 if i == 2 else i % 2]} for i in range(8)]
    finding = only(diff([before], [after]))
    assert (finding.path, finding.kind, finding.severity) == ("body.$[].status", Kind.enum_added, Severity.additive)


def test_a_renamed_value_of_a_small_set_is_one_removed_and_one_added() -> None:
    before = [{"id": i, "status": ("open", "closed")[i % 2]} for i in range(8)]
    after = [{"id": i, "status": ("open", "CLOSED")[i % 2]} for i in range(8)]
    assert told(diff([before], [after])) == {("[].status", "enum-added"), ("[].status", "enum-removed")}


# -- values and noise -------------------------------------------------------------------------------------------------


def test_one_value_all_over_a_recording_of_other_things_is_no_small_set() -> None:
    """Two recordings by two accounts, as DefectDojo's of Jira: everything one made bears its name."""
    before = [{"by": {"name": "Ann Lee"}}] * 12
    after = [{"by": {"name": "Bo Day"}}] * 12
    assert diff(before, after, same=False).findings == ()


def test_another_value_with_no_evidence_of_noise_is_cosmetic() -> None:
    finding = only(diff([{"name": "ann"}], [{"name": "bob"}]))
    assert (finding.path, finding.kind, finding.severity) == ("body.$.name", Kind.value, Severity.cosmetic)
    assert (finding.count, finding.seen) == (1, 1)


def test_what_varies_between_recordings_of_one_request_is_noise_in_all_requests() -> None:
    comparison = diff_each([([{"mood": "a"}, {"mood": "b"}], [{"mood": "c"}]), ([{"mood": "x"}], [{"mood": "y"}])])
    assert not comparison.findings
    (aside,) = comparison.suppressed
    assert aside.origin == "learnt"
    assert "#1 and #2" in aside.reason
    assert aside.finding.count == 2


def test_noise_of_the_after_side_sets_values_aside_and_no_shapes() -> None:
    assert not diff([{"mood": "a"}], [{"mood": "b"}, {"mood": "c"}]).findings
    assert told(diff([{"mood": "a", "x": 1}], [{"mood": 1}, {"mood": "c", "x": 1}])) == {
        (".mood", "type-changed"),
        (".x", "field-optional"),
    }


def test_two_recordings_of_an_unchanged_api_give_no_finding_whatever_varies() -> None:
    def answer(i: int) -> dict[str, object]:
        letters = "abcdefgh"
        return {
            "id": f"6f9619ff-8b86-d011-b42d-00cf4fc964f{i}",
            "at": f"2024-05-0{i + 1}T10:00:00Z",
            "total": 10 + i,
            "ratio": 0.5 * i if i % 2 else i,
            "text": f"the {letters[i]} story of {letters[-i]}",
            "nick": None if i % 2 else {"a": i},
            **({"extra": "e"} if i % 2 else {}),
            "items": [{"id": 100 * i + j, "name": letters[j] * i, "done": j % 2 == i % 2} for j in range(i % 3)],
            "tags": list(letters[i : i + 3]) if i else [],
            "votes": {f"user-{i}{j}": {"n": j} for j in range(3)},
            "next_cursor": letters * i,
            "state": ["open", "busy", "done", "lost"][i % 4],
        }

    comparison = diff([answer(1), answer(2)], [answer(3)])
    assert not comparison.findings


def test_only_another_order_is_set_aside() -> None:
    for before, after in (
        (["a", "b", "c"], ["c", "a", "b"]),
        ([{"id": 1, "v": "x"}, {"id": 2, "v": "y"}], [{"id": 2, "v": "y"}, {"id": 1, "v": "x"}]),
        ([{"v": "x"}, {"v": "y"}], [{"v": "y"}, {"v": "x"}]),
    ):
        comparison = diff([before], [after])
        assert not comparison.findings
        assert [s.origin for s in comparison.suppressed] == ["order"]


def test_key_order_and_whitespace_are_nothing() -> None:
    comparison = diff([Answer(b'{"a": 1, "b": {"c": 2, "d": 3}}')], [Answer(b'{"b":{"d":3,"c":2},\n"a":1}')])
    assert not comparison.findings
    assert not comparison.suppressed


def test_a_volatile_value_is_set_aside_with_its_format() -> None:
    comparison = diff(
        [{"id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff"}], [{"id": "7a9619ff-8b86-d011-b42d-00cf4fc964aa"}]
    )
    assert not comparison.findings
    assert [s.origin for s in comparison.suppressed] == ["format"]


def test_values_of_requests_that_are_not_the_same_are_not_compared() -> None:
    comparison = diff([{"name": "ann"}], [{"name": "bob"}], same=False)
    assert not comparison.findings
    assert comparison.unpaired[0].before == 1


def test_a_rule_of_the_user_sets_a_finding_aside_by_name() -> None:
    comparison = diff([{"a": 1}], [{"a": 2}], rules=DiffRules((IgnoreRule.parse("kind=value path=body.$.a"),)))
    assert not comparison.findings
    (aside,) = comparison.suppressed
    assert (aside.origin, aside.reason) == ("rule", "the rule 'kind=value path=body.$.a'")


def test_what_a_service_says_of_itself_sets_a_finding_aside() -> None:
    asked: list[str] = []

    def known(world: str) -> tuple[IgnoreRule, ...]:
        asked.append(world)
        return (IgnoreRule(path="body.$.a", text="a is a counter"),)

    comparison = diff([{"a": 1, "b": 1}], [{"a": 2, "b": 2}], rules=DiffRules(known=known))
    assert told(comparison) == {(".b", "value")}
    assert [(s.origin, s.reason) for s in comparison.suppressed] == [("service", "a is a counter")]
    assert asked == ["api.test"]


def test_a_severity_can_be_chosen() -> None:
    rules = DiffRules(severities={Kind.value: Severity.breaking})
    assert only(diff([{"a": 1}], [{"a": 2}], rules=rules)).severity is Severity.breaking


# -- other forms ------------------------------------------------------------------------------------------------------


def xml(text: str) -> Answer:
    return Answer(text.encode(), media="application/xml")


def test_an_xml_element_or_attribute_that_came_or_went_is_found() -> None:
    before = xml("<r><a>1</a><b>x</b></r>")
    assert told(diff([before], [xml("<r><a>1</a><b>x</b><c>y</c></r>")])) == {(".r.c", "field-added")}
    assert told(diff([before], [xml("<r><a>1</a></r>")])) == {(".r.b", "field-removed")}
    assert told(diff([before], [xml('<r><a>1</a><b lang="en">x</b></r>')])) == {(".r.b[].@lang", "field-added")}
    assert told(diff([xml('<r v="1"><a>1</a></r>')], [xml("<r><a>1</a></r>")])) == {(".r.@v", "field-removed")}


@pytest.mark.parametrize(
    ("media", "before", "after"),
    [
        ("application/x-ndjson", b'{"a": 1}\n{"a": 2}\n', b'{"a": 1, "b": 1}\n{"a": 2, "b": 1}\n'),
        ("text/csv", b"a,c\nx,y\nz,w\n", b"a,c,b\nx,y,1\nz,w,1\n"),
    ],
)
def test_a_column_of_lines_that_is_new_is_found(media: str, before: bytes, after: bytes) -> None:
    assert told(diff([Answer(before, media=media)], [Answer(after, media=media)])) == {("[].b", "field-added")}


def test_a_field_of_a_server_sent_event_that_is_new_is_found() -> None:
    before = Answer(b'event: tick\ndata: {"a": 1}\n\n', media="text/event-stream")
    after = Answer(b'event: tick\ndata: {"a": 1, "b": 1}\n\n', media="text/event-stream")
    assert told(diff([before], [after])) == {("[].data.b", "field-added")}


def test_a_field_of_a_websocket_message_that_is_new_is_found() -> None:
    def talk(text: bytes) -> Answer:
        return Answer(b"", 101, media="", frames=(Frame(True, "text", b'{"op": 1}'), Frame(False, "text", text)))

    comparison = diff([talk(b'{"op": 2, "d": {"a": 1}}')], [talk(b'{"op": 2, "d": {"a": 1, "b": 1}}')])
    finding = only(comparison)
    assert (finding.path, finding.kind) == ("frames.$[].data.d.b", Kind.field_added)


def test_another_text_or_binary_body_is_one_value_with_its_digest() -> None:
    text = only(diff([Answer(b"hello", media="text/plain")], [Answer(b"bye now", media="text/plain")]))
    assert (text.path, text.kind) == ("body.$", Kind.value)
    data = only(diff([Answer(b"\0\1", media="image/png")], [Answer(b"\0\2\3", media="image/png")]))
    assert (data.path, data.kind) == ("body.$", Kind.value)
    assert data.examples[0].after.startswith('"3 bytes, sha256 ')


def test_a_body_that_is_there_no_more_is_one_finding() -> None:
    assert told(diff([Answer({"a": 1})], [Answer(b"", media="")])) == {("", "field-removed")}


# -- cases at the edge ------------------------------------------------------------------------------------------------


def test_a_number_that_became_a_string_is_found_in_an_array_of_all_types() -> None:
    assert told(diff([{"r": [True, 5, "x"]}], [{"r": [True, "5", "x"]}])) == {(".r[]", "type-changed")}


def test_things_with_other_ids_are_compared_by_what_all_of_them_share() -> None:
    before = [{"id": 1, "name": "a", "unit": "USD"}, {"id": 2, "name": "b", "unit": "USD"}]
    after = [{"id": 11, "name": "c", "unit": "EUR"}, {"id": 12, "name": "d", "unit": "EUR"}]
    comparison = diff([before], [after])
    assert told(comparison) == {("[].unit", "value")}
    assert {s.finding.path for s in comparison.suppressed} == {"body.$[].id", "body.$[].name"}


def test_a_page_of_html_instead_of_json_is_one_finding() -> None:
    comparison = diff([{"a": 1}], [Answer(b"<html><title>Login</title></html>", media="text/html")])
    assert told(comparison) == {("header.content-type", "content-type")}
    assert not comparison.suppressed


def test_an_endpoint_that_was_not_there_and_now_answers_is_new() -> None:
    finding = only(diff([Answer({}, 404)], [{"a": 1}]))
    assert (finding.path, finding.kind, finding.severity) == ("endpoint", Kind.endpoint_new, Severity.additive)


@pytest.mark.parametrize("status", [404, 429])
def test_a_status_that_tells_nothing_is_set_aside(status: int) -> None:
    comparison = diff([{"a": 1}], [Answer({}, status)], same=status == 429)
    assert not comparison.findings
    assert [(s.finding.path, s.origin) for s in comparison.suppressed] == [("status", "default")]


def test_a_failure_that_did_not_last_is_set_aside() -> None:
    comparison = diff([{"a": 1}], [Answer({}, 503), {"a": 1}])
    assert not comparison.findings
    assert [s.origin for s in comparison.suppressed] == ["learnt"]


def test_a_cursor_of_another_page_is_no_finding() -> None:
    def page(cursor: str | None) -> object:
        return {"data": {"users": [{"id": 1}], "pageInfo": {"endCursor": cursor, "hasNextPage": cursor is not None}}}

    assert not diff([page("abc")], [page("xyz")]).findings
    assert not diff([page("abc")], [page(None)]).findings


def test_a_limit_of_something_that_is_no_listing_is_a_value() -> None:
    assert told(diff([{"limit": 500}], [{"limit": 200}])) == {(".limit", "value")}
    assert told(diff([{"limit": 500, "items": []}], [{"limit": 200, "items": []}])) == {(".limit", "paging")}


def test_the_same_path_in_answers_of_two_statuses_is_one_finding_with_both_counts() -> None:
    pairs = [([Answer({"m": 1}, status)], [Answer({"m": "1"}, status)]) for status in (200, 404)]
    finding = only(diff_each(pairs))
    assert (finding.kind, finding.count, finding.seen) == (Kind.type_changed, 2, 2)
    assert "in answers with status 404" in finding.text


def test_a_comparison_counts_and_tells_how_far_it_is() -> None:
    steps: list[int] = []
    comparison = compare([group([1], [1, 1]), group([2], [], at=10)], DiffRules(), steps.append)
    assert steps == [3, 1]
    assert (comparison.pairs, comparison.before, comparison.after) == (2, 2, 2)
    assert (comparison.unpaired[0].before, comparison.unpaired[0].after) == (1, 0)


def test_more_paths_than_are_kept_is_said() -> None:
    many = {f"{chr(97 + i % 26)}x{i}y": {f"f{j}y": {"z": j} for j in range(40)} for i in range(200)}
    comparison = diff([many], [many])
    assert not comparison.findings
    assert [s.finding.path for s in comparison.suppressed] == ["body.$.**"]
