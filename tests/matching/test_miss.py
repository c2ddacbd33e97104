"""A miss names the nearest recording, what differs, and the next step."""

from __future__ import annotations

import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from durable_replay.http import Request
from durable_replay.matching.canonical import CanonicalRequest, canonical
from durable_replay.matching.defaults import DEFAULT
from durable_replay.matching.miss import NEXT_STEP, Candidate, Explanation, explain

Ask = Callable[..., Request]


def explained(request: Request, *recorded: Request) -> Explanation:
    tape = [Candidate(40 + number, canonical(one, DEFAULT)) for number, one in enumerate(recorded, 1)]
    return explain(canonical(request, DEFAULT), tape)


def test_a_miss_says_what_differs_and_what_to_do(ask: Ask) -> None:
    assert explained(ask("GET", "/v1/app?page=2"), ask("GET", "/v1/app?page=1")).text == (
        "No recording of GET /v1/app matches. Nearest: #41, differs in query 'page' (2, recorded 1). "
        "Record it, or replay with --on-miss emulate."
    )


def test_a_changed_field_of_a_body_is_named_by_its_path(ask: Ask, post_json: Callable[[object], Request]) -> None:
    one = post_json({"fields": {"summary": "Red", "size": 1}})
    other = post_json({"fields": {"summary": "Blue", "size": 1, "labels": ["x"]}})
    assert "differs in body $.fields.summary (Red, recorded Blue), body $.fields.labels[0] (absent, recorded x)." in (
        explained(one, other).text
    )


def test_the_kind_of_an_unparsed_body_or_its_digest_is_named(ask: Ask) -> None:
    assert (
        "body (json, recorded text)"
        in explained(ask("POST", "/a", b"{}", "application/json"), ask("POST", "/a", b"{}", "text/plain")).text
    )
    assert "body (sha256 " in explained(ask("PUT", "/a", b"x"), ask("PUT", "/a", b"y")).text


def test_path_and_method_weigh_more_than_all_the_rest(ask: Ask) -> None:
    found = explained(
        ask("GET", "/v1/apps/cat/dynos?a=1&b=2"),
        ask("POST", "/v1/apps/cat/dynos?a=1&b=2"),
        ask("GET", "/v1/apps/dog/dynos?a=1&b=2"),
        ask("GET", "/v1/apps/cat/dynos?c=9"),
    )
    assert [near.number for near in found.nearest] == [43, 42, 41]


def test_what_has_little_in_common_is_not_named(ask: Ask) -> None:
    found = explained(ask("GET", "/v1/apps/cat"), ask("GET", "/rest/api/2/issue/P-7"), ask("GET", "/other"))
    assert found.nearest == ()
    assert found.text == f"No recording of GET /v1/apps/cat matches. None comes near. {NEXT_STEP}"


def test_of_equal_ones_the_earlier_is_nearest(ask: Ask) -> None:
    found = explained(
        ask("GET", "/a?x=1"), ask("GET", "/a?x=2"), ask("GET", "/a?x=3"), ask("GET", "/a?x=4"), ask("GET", "/a?x=5")
    )
    assert [near.number for near in found.nearest] == [41, 42, 43]


def test_the_same_request_is_said_to_be_no_longer_true(ask: Ask) -> None:
    assert "Nearest: #41, the same request, whose answer is used up or no longer true." in (
        explained(ask("GET", "/a"), ask("GET", "/a")).text
    )


def test_an_operation_is_named_with_its_parameters() -> None:
    asked = CanonicalRequest("GET", "jira", operation="show_issue", parameters=(("issue", "P-7"),))
    taped = CanonicalRequest("GET", "jira", operation="show_issue", parameters=(("issue", "P-8"),))
    other = CanonicalRequest("GET", "jira", operation="search")
    found = explain(asked, [Candidate(1, other), Candidate(2, taped)])
    assert found.text.startswith(
        "No recording of GET show_issue(issue=P-7) matches. "
        "Nearest: #2, differs in parameter 'issue' (P-7, recorded P-8)."
    )
    assert len(found.nearest) == 1


def test_repeated_names_are_compared_one_by_one(ask: Ask) -> None:
    assert "query 'x' (absent, recorded 2)" in explained(ask("GET", "/a?x=1"), ask("GET", "/a?x=1&x=2")).text


def test_an_empty_value_is_not_an_absent_one(ask: Ask) -> None:
    assert "query 'x' (empty, recorded absent)" in explained(ask("GET", "/a?x="), ask("GET", "/a")).text


def test_long_values_are_cut_at_forty_characters(ask: Ask) -> None:
    found = explained(ask("GET", "/a?x=" + "s" * 100), ask("GET", "/a?x=1"))
    assert found.nearest[0].differences[0].value == "s" * 37 + "..."
    assert "s" * 41 not in found.text + json.dumps(found.document)


def test_more_than_three_differences_are_counted(ask: Ask) -> None:
    assert "and 2 more. " in explained(ask("GET", "/a?a=1&b=1&c=1&d=1&e=1"), ask("GET", "/a")).text


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_the_line_fits_a_header_and_ends_with_the_next_step(name: str, value: str, path: str) -> None:
    asked = CanonicalRequest("GET", "h:1", path=f"/{path}", query=((name, value), (f"{name}2", value)))
    taped = CanonicalRequest("POST", "h:2", path=f"/{path}", query=((value, name), (f"{value}2", name)))
    found = explain(asked, [Candidate(1, taped)])
    assert len(found.text) <= 500
    assert found.text.isascii()
    assert found.text.isprintable()
    assert found.text.endswith(f" {NEXT_STEP}")
    assert json.loads(json.dumps(found.document)) == found.document


def test_the_document_holds_every_near_recording(ask: Ask) -> None:
    document = explained(ask("GET", "/a?x=1"), ask("GET", "/a?x=2")).document
    assert document == {
        "error": "no recording matches",
        "request": "GET /a",
        "nearest": [
            {
                "interaction": 41,
                "likeness": 0.95,
                "differences": [{"part": "query", "name": "x", "value": "1", "recorded": "2"}],
            }
        ],
        "next": NEXT_STEP,
    }


def test_credentials_are_in_no_explanation(ask: Ask) -> None:
    one = ask("POST", "/a?api_key=hunter2", b'{"password": "hunter2"}', "application/json", [("Cookie", "hunter2")])
    found = explained(one, ask("POST", "/a?b=1", b'{"password": "hunter3"}', "application/json"))
    assert "hunter" not in found.text + json.dumps(found.document)


def test_very_deep_bodies_can_be_explained(ask: Ask) -> None:
    one, other = (ask("POST", "/a", b"[" * 900 + end + b"]" * 900, "application/json") for end in (b"1", b"2"))
    assert "differs in body" in explained(one, other).text
