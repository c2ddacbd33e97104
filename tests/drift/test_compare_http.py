"""What HTTP itself says of an API: statuses, headers, pages."""

from __future__ import annotations

import pytest

from durable_replay.drift.finding import Kind, Severity
from tests.drift.answers import Answer, diff, diff_each, only, told

# -- statuses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "kind", "severity"),
    [
        (200, 401, Kind.auth, Severity.breaking),
        (200, 403, Kind.auth, Severity.breaking),
        (201, 400, Kind.newly_required, Severity.breaking),
        (200, 302, Kind.status, Severity.breaking),
        (200, 204, Kind.status, Severity.cosmetic),
        (404, 400, Kind.status, Severity.cosmetic),
        (200, 500, Kind.status, Severity.breaking),
    ],
)
def test_another_status_is_one_finding(before: int, after: int, kind: Kind, severity: Severity) -> None:
    finding = only(diff([Answer({"a": 1}, before)], [Answer({"error": "x"}, after)]))
    assert (finding.path, finding.kind, finding.severity) == ("status", kind, severity)


def test_an_endpoint_that_answers_404_to_all_is_gone() -> None:
    finding = only(diff_each([([{"a": 1}], [Answer({}, 404)]), ([{"a": 2}], [Answer({}, 404)])]))
    assert (finding.path, finding.kind, finding.severity) == ("endpoint", Kind.endpoint_gone, Severity.breaking)


def test_404_for_one_of_many_is_a_status() -> None:
    finding = only(diff_each([([{"a": 1}], [Answer({}, 404)]), ([{"a": 2}], [{"a": 2}])]))
    assert (finding.path, finding.kind, finding.count) == ("status", Kind.status, 1)


def test_statuses_that_a_polled_request_had_are_no_drift_in_another_sequence() -> None:
    waiting, done = Answer({"state": "busy"}, 202), Answer({"result": 5}, 200)
    comparison = diff([waiting, waiting, done], [waiting, done])
    assert not comparison.findings
    assert [s.origin for s in comparison.suppressed] == ["learnt"]


def test_an_endpoint_of_one_side_alone_is_said() -> None:
    gone = only(diff([{"a": 1}], []))
    assert (gone.kind, gone.severity, gone.text) == (
        Kind.endpoint_gone,
        Severity.cosmetic,
        "not recorded on the after side",
    )
    assert only(diff([], [{"a": 1}], same=False)).kind is Kind.endpoint_new


def test_an_error_envelope_is_compared_apart_from_successes() -> None:
    before, after = Answer({"error": "x", "code": 1}, 404), Answer({"error": {"text": "x"}, "code": 1}, 404)
    assert told(diff_each([([{"error": "y"}], [{"error": "y"}]), ([before], [after])])) == {(".error", "type-changed")}


# -- headers ----------------------------------------------------------------------------------------------------------


def test_a_header_that_clients_rely_on_is_missed() -> None:
    finding = only(diff([Answer({}, ETag='"abc"')], [Answer({})]))
    assert (finding.path, finding.kind, finding.severity) == ("header.etag", Kind.header_removed, Severity.breaking)
    other = only(diff([Answer({}, X_Motto="hi")], [Answer({})]))
    assert (other.kind, other.severity) == (Kind.header_removed, Severity.cosmetic)


def test_a_new_header_is_additive_and_another_value_cosmetic() -> None:
    assert told(diff([Answer({})], [Answer({}, Deprecation="true")])) == {("header.deprecation", "header-added")}
    assert told(diff([Answer({}, Cache_Control="no-cache")], [Answer({}, Cache_Control="public")])) == {
        ("header.cache-control", "header-changed")
    }


def test_headers_that_say_nothing_of_the_api_are_set_aside() -> None:
    comparison = diff(
        [Answer({}, Date="Mon", X_Request_Id="1", Server="a", ETag='"1"')],
        [Answer({}, Date="Tue", X_Request_Id="2", CF_Ray="7", ETag='"2"')],
    )
    assert not comparison.findings
    assert {s.finding.path for s in comparison.suppressed} >= {"header.date", "header.server", "header.cf-ray"}


def test_another_media_type_is_breaking_and_another_charset_cosmetic() -> None:
    media = only(diff([Answer({"a": 1})], [Answer(b"<a>1</a>", media="application/xml")]))
    assert (media.path, media.kind, media.severity) == ("header.content-type", Kind.content_type, Severity.breaking)
    charset = only(diff([Answer(b"a", media="text/plain")], [Answer(b"a", media="text/plain; charset=utf-16")]))
    assert (charset.kind, charset.severity) == (Kind.content_type, Severity.cosmetic)


def test_a_cookie_counts_by_its_name_and_attributes() -> None:
    same = diff([Answer({}, Set_Cookie="sid=1; HttpOnly")], [Answer({}, Set_Cookie="sid=2; HttpOnly")])
    assert not same.findings
    assert told(diff([Answer({}, Set_Cookie="sid=1; HttpOnly")], [Answer({}, Set_Cookie="sid=1; Secure")])) == {
        ("header.set-cookie", "header-changed")
    }


def test_another_scheme_of_authentication_is_auth() -> None:
    before, after = (Answer({}, 401, WWW_Authenticate=scheme) for scheme in ('Basic realm="a"', 'Bearer realm="a"'))
    assert told(diff([before], [after])) == {("header.www-authenticate", "auth")}


# -- paging -----------------------------------------------------------------------------------------------------------


def test_a_link_to_the_next_page_that_is_gone_is_paging() -> None:
    link = '<https://api.test/u?page=2>; rel="next", <https://api.test/u?page=9>; rel="last"'
    other = '<https://api.test/u?page=9>; rel="last"'
    assert told(diff([Answer([], Link=link)], [Answer([], Link=other)])) == {("header.link", "paging")}
    assert told(diff([Answer([], Link=link)], [Answer([])])) == {("header.link", "paging")}


def test_a_next_link_that_differs_only_in_its_cursor_is_no_finding() -> None:
    links = [f'<https://api.test/u?cursor={c}>; rel="next"' for c in "ab"]
    assert not diff([Answer([], Link=links[0])], [Answer([], Link=links[1])]).findings


def test_another_size_of_a_page_is_paging() -> None:
    finding = only(diff([{"maxResults": 50, "values": []}], [{"maxResults": 20, "values": []}]))
    assert (finding.path, finding.kind, finding.severity) == ("body.$.maxResults", Kind.paging, Severity.breaking)


def test_offsets_that_became_a_cursor_are_one_finding_of_paging() -> None:
    before = {"startAt": 0, "maxResults": 50, "total": 3, "issues": [{"id": 1}]}
    after = {"nextPageToken": "abc", "isLast": False, "issues": [{"id": 1}]}
    finding = only(diff([before], [after]))
    assert (finding.kind, finding.severity) == (Kind.paging, Severity.breaking)
    assert "nextPageToken" in finding.text
    assert "startAt" in finding.text
