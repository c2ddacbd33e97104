"""Values of live answers take the place of recorded ones in later requests: cursors, links, ids, tags, cookies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durable_replay.drift.live.pacing import Pace
from durable_replay.testing import exchange

Start = Callable[..., Any]
HIDDEN = ("secret-00000000000000a1", "secret-00000000000000b2")


def answering(answers: dict[str, Any]) -> Callable[[Any], tuple[Any, ...]]:
    """By target; 404 to what is not known."""
    return lambda asked: answers.get(asked.target, (404, {"unknown": asked.target}))


def test_a_cursor_is_carried_from_page_to_page(bench: Any, start: Start) -> None:
    service = start(
        answering(
            {
                "/i?limit=2": (200, {"items": [1, 2], "next_cursor": "L1"}),
                "/i?limit=2&cursor=L1": (200, {"items": [3, 4], "next_cursor": "L2"}),
                "/i?limit=2&cursor=L2": (200, {"items": [5]}),
            }
        )
    )
    bench.tape(
        exchange("GET", f"{service.url}/i?limit=2", 200, {"items": [1], "next_cursor": "R1"}),
        exchange("GET", f"{service.url}/i?limit=2&cursor=R1", 200, {"items": [2], "next_cursor": "R2"}),
        exchange("GET", f"{service.url}/i?limit=2&cursor=R2", 200, {"items": [3]}),
    )
    outcome = bench.take()
    assert service.targets == ["/i?limit=2", "/i?limit=2&cursor=L1", "/i?limit=2&cursor=L2"]
    assert [one.response.status for one in bench.taken()] == [200, 200, 200]
    assert outcome.complete


def test_a_listing_that_ends_sooner_leaves_pages_out(bench: Any, start: Start) -> None:
    service = start(answering({"/i": (200, {"items": [1], "next_cursor": None})}))
    bench.tape(
        exchange("GET", f"{service.url}/i", 200, {"items": [1], "next_cursor": "R1"}),
        exchange("GET", f"{service.url}/i?cursor=R1", 200, {"items": [2], "next_cursor": "R2"}),
        exchange("GET", f"{service.url}/i?cursor=R2", 200, {"items": [3]}),
    )
    outcome = bench.take()
    assert service.targets == ["/i"]
    reasons = {one.reason for one in outcome.skipped}
    assert "no such page now" in reasons
    assert sum(one.count for one in outcome.skipped) == 2
    assert (outcome.before, outcome.complete) == ({1}, True)


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_header_is_followed_as_the_recorded_client_did(bench: Any, start: Start, absolute: bool) -> None:
    service = start()
    base = service.url if absolute else ""

    def page(number: str, state: str) -> list[tuple[str, str]]:
        return [("Link", f'<{base}/r?after={number}&s={state}>; rel="next", <{base}/r?last=1>; rel="last"')]

    service.answer = answering({"/r": (200, [1], page("9", "live")), "/r?after=9&s=live": (200, [2])})
    bench.tape(
        exchange("GET", f"{service.url}/r", 200, [1], answer_headers=page("5", "then")),
        exchange("GET", f"{service.url}/r?after=5&s=then", 200, [2]),
    )
    bench.take()
    assert service.targets == ["/r", "/r?after=9&s=live"]


def test_a_link_in_a_body_leads_to_its_path_and_never_to_its_host(bench: Any, start: Start) -> None:
    other = start()
    service = start()
    service.answer = answering({"/a": (200, {"next": f"{other.url}/b?t=2"}), "/b?t=2": (200, {})})
    bench.tape(
        exchange("GET", f"{service.url}/a", 200, {"next": f"{service.url}/b?t=1"}),
        exchange("GET", f"{service.url}/b?t=1", 200, {}),
    )
    bench.take()
    assert (service.targets, other.asked) == (["/a", "/b?t=2"], [])


def test_redacted_cursors_are_carried_as_the_live_ones(bench: Any, start: Start) -> None:
    live = ("cursor-live-1-abcdef", "cursor-live-2-abcdef")
    service = start(
        answering(
            {
                "/i": (200, {"n": 1, "access_token": live[0]}),
                f"/i?access_token={live[0]}": (200, {"n": 2, "access_token": live[1]}),
                f"/i?access_token={live[1]}": (200, {"n": 3}),
            }
        )
    )
    bench.tape(
        exchange("GET", f"{service.url}/i", 200, {"n": 1, "access_token": HIDDEN[0]}),
        exchange("GET", f"{service.url}/i?access_token={HIDDEN[0]}", 200, {"n": 2, "access_token": HIDDEN[1]}),
        exchange("GET", f"{service.url}/i?access_token={HIDDEN[1]}", 200, {"n": 3}),
    )
    outcome = bench.take()
    assert [one.response.status for one in bench.taken()] == [200, 200, 200]
    assert outcome.bare == 0
    assert not any(value.encode() in bench.target.read_bytes() for value in live)


def test_an_id_of_a_listing_is_carried_into_a_path_only_where_the_old_one_is_gone(bench: Any, start: Start) -> None:
    things = [{"id": "T-900", "name": "new"}, {"id": "T-102", "name": "kept"}]
    service = start(answering({"/t": (200, things), "/t/T-900": (200, {}), "/t/T-102": (200, {})}))
    bench.tape(
        exchange("GET", f"{service.url}/t", 200, [{"id": "T-101", "name": "old"}, {"id": "T-102", "name": "kept"}]),
        exchange("GET", f"{service.url}/t/T-101", 200, {}),
        exchange("GET", f"{service.url}/t/T-102", 200, {}),
    )
    bench.take()
    assert sorted(service.targets) == ["/t", "/t/T-102", "/t/T-900"]


def test_small_numbers_are_not_taken_for_one_another(bench: Any, start: Start) -> None:
    service = start(lambda asked: (200, {"total": 7, "pages": 5, "state": "closed"}))
    bench.tape(
        exchange("GET", f"{service.url}/a", 200, {"total": 2, "pages": 3, "state": "open"}),
        exchange("GET", f"{service.url}/users/2", 200, {}),
        exchange("GET", f"{service.url}/b?page=3&state=open", 200, {}),
    )
    bench.take()
    assert sorted(service.targets) == ["/a", "/b?page=3&state=open", "/users/2"]


def test_a_number_that_leads_on_does_so_in_its_own_listing_alone(bench: Any, start: Start) -> None:
    service = start(answering({"/a": (200, {"next_offset": 70}), "/a?offset=70": (200, {}), "/b?limit=50": (200, {})}))
    bench.tape(
        exchange("GET", f"{service.url}/a", 200, {"next_offset": 50}),
        exchange("GET", f"{service.url}/a?offset=50", 200, {}),
        exchange("GET", f"{service.url}/b?limit=50", 200, {}),
    )
    bench.take()
    assert sorted(service.targets) == ["/a", "/a?offset=70", "/b?limit=50"]


def test_a_cursor_in_a_body_is_carried_with_its_type(bench: Any, start: Start) -> None:
    sandbox_free = {"q": "x", "after": ["k-recorded-000000001", 17]}
    service = start(lambda asked: (200, {"cursor": "k-live-000000000002"}))
    bench.tape(
        exchange("GET", f"{service.url}/s", 200, {"cursor": "k-recorded-000000001"}),
        exchange("GET", f"{service.url}/s", 200, {"other": 1}, send=sandbox_free),
    )
    bench.take()
    assert [one.body for one in service.asked] == [b"", b'{"q":"x","after":["k-live-000000000002",17]}']


def test_entity_tags_and_cookies_of_live_answers_are_sent_back(bench: Any, start: Start) -> None:
    fields = [("ETag", '"live-1"'), ("Set-Cookie", "sid=cookie-of-now-77; Path=/; HttpOnly")]
    service = start(lambda asked: (304 if "if-none-match" in asked.headers else 200, b"", fields))
    recorded = [("ETag", '"rec-1"'), ("Set-Cookie", f"sid={HIDDEN[0]}; Path=/")]
    bench.tape(
        exchange("GET", f"{service.url}/a", 200, b"", answer_headers=recorded),
        exchange(
            "GET",
            f"{service.url}/a",
            304,
            headers={"If-None-Match": '"rec-1"', "Cookie": f"sid={HIDDEN[0]}; b={HIDDEN[1]}"},
        ),
    )
    outcome = bench.take()
    assert service.asked[1].headers["if-none-match"] == '"live-1"'
    assert service.asked[1].headers["cookie"] == "sid=cookie-of-now-77"
    assert outcome.bare == 1  # the other cookie was left out
    assert b"cookie-of-now-77" not in bench.target.read_bytes()


def test_a_run_that_goes_on_asks_again_for_what_redaction_has_hidden(bench: Any, start: Start) -> None:
    limited = [True]

    def answer(asked: Any) -> tuple[Any, ...]:
        if asked.target == "/i":
            return 200, {"access_token": "cursor-live-1-abcdef"}
        if limited[0]:
            return 429, {}, [("Retry-After", "9999")]
        return 200, {"n": asked.target}

    service = start(answer)
    bench.tape(
        exchange("GET", f"{service.url}/i", 200, {"access_token": HIDDEN[0]}),
        exchange("GET", f"{service.url}/i?access_token={HIDDEN[0]}", 200, {"n": 1}),
    )
    assert bench.take(pace=Pace(concurrency=1)).answered == 1
    limited[0] = False
    outcome = bench.take(pace=Pace(concurrency=1))
    assert (outcome.answered, outcome.resumed, outcome.complete) == (2, 1, True)
    assert service.targets[-2:] == ["/i", "/i?access_token=cursor-live-1-abcdef"]
    assert len(bench.taken()) == 2


def test_a_value_cannot_leave_its_segment(bench: Any, start: Start) -> None:
    service = start(lambda asked: (200, [{"id": "../../admin?x=1"}] if asked.target == "/t" else {}))
    bench.tape(
        exchange("GET", f"{service.url}/t", 200, [{"id": "T-101"}]), exchange("GET", f"{service.url}/t/T-101", 200, {})
    )
    bench.take()
    assert service.targets == ["/t", "/t/..%2F..%2Fadmin%3Fx=1"]


def test_a_short_id_is_carried_to_its_own_kind_alone(bench: Any, start: Start) -> None:
    now = {"user": {"id": 71}, "items": [{"id": 88}]}
    service = start(lambda asked: (200, now if asked.target == "/home" else {}))
    bench.tape(
        exchange("GET", f"{service.url}/home", 200, {"user": {"id": 7}, "items": [{"id": 8}]}),
        exchange("GET", f"{service.url}/users/7", 200, {}),
        exchange("GET", f"{service.url}/rooms/8", 200, {}),
        exchange("GET", f"{service.url}/find?user_id=7", 200, {}),
    )
    bench.take()
    assert sorted(service.targets) == ["/find?user_id=71", "/home", "/rooms/8", "/users/71"]
