"""What a recorded suite made and took away is no longer there, which tells nothing of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durable_replay.drift.live.selecting import UNSENT, Targets
from durable_replay.drift.live.unsent import Left, Touched, says_nothing
from durable_replay.http import Interaction
from durable_replay.testing import exchange

Start = Callable[..., Any]
API = "https://shop.test"


def touched(*writes: Interaction) -> Callable[[str], Left]:
    found = Touched()
    for write in writes:
        found.add(write)
    return lambda path: found.left("shop.test", path)


@pytest.mark.parametrize("body", [{"id": 7}, {"order": {"key": "7"}}, {"data": {"orderId": 7}}])
def test_a_post_touches_what_its_answer_names_below_it(body: dict[str, object]) -> None:
    holds = touched(exchange("POST", f"{API}/orders", 201, body, send={"n": 1}))
    assert [path for path in ("/orders", "/orders/7", "/orders/7/lines", "/orders/8", "/users/7") if holds(path)] == [
        "/orders/7",
        "/orders/7/lines",
    ]


def test_a_post_touches_the_location_that_it_names() -> None:
    holds = touched(exchange("POST", f"{API}/new-order", 201, send={}, answer_headers={"Location": "/orders/7"}))
    assert holds("/orders/7") and not holds("/orders")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_writes_touch_their_own_address_and_what_is_below(method: str) -> None:
    holds = touched(exchange(method, f"{API}/orders/7%20a/", 200, {}))
    assert holds("/orders/7%20a") and holds("/orders/7 a/lines")
    assert not holds("/orders") and not holds("/orders/7")


def test_a_write_that_was_refused_touches_nothing() -> None:
    assert not touched(exchange("DELETE", f"{API}/orders/7", 403, {}))("/orders/7")


def test_the_ids_of_other_things_that_an_answer_lists_are_not_touched() -> None:
    holds = touched(exchange("POST", f"{API}/orders", 201, {"id": 7, "lines": [{"id": 8}], "n": 9}, send={}))
    assert not holds("/orders/8") and not holds("/orders/9")


@pytest.mark.parametrize(
    ("left", "expected"),
    [("", []), ("there", [(404, 200)]), ("gone", [(200, 404), (404, 200), (200, 410)])],
)
def test_only_whether_something_is_there_is_left_alone(left: Left, expected: list[tuple[int, int]]) -> None:
    pairs = [(200, 404), (404, 200), (200, 410), (200, 500), (404, 403), (200, 200), (404, 410)]
    assert [pair for pair in pairs if says_nothing(*pair, left)] == expected


def test_the_last_write_says_how_a_thing_was_left_and_takes_along_what_is_below() -> None:
    put, delete = exchange("PUT", f"{API}/orders/7", 200, {}), exchange("DELETE", f"{API}/orders/7", 204)
    line = exchange("PUT", f"{API}/orders/7/lines/1", 200, {})
    assert touched(put, delete)("/orders/7") == touched(line, delete)("/orders/7/lines/1") == "gone"
    assert touched(delete, put)("/orders/7") == touched(line)("/orders/7/lines/1/x") == "there"
    assert touched(line)("/orders/7") == ""


def suite(url: str) -> tuple[Interaction, ...]:
    """Makes an order, reads it, deletes it, and reads it again."""
    order = {"id": "10071", "state": "open"}
    return (
        exchange("POST", f"{url}/orders", 201, order, send={"n": 1}),
        exchange("GET", f"{url}/orders/10071", 200, order),
        exchange("DELETE", f"{url}/orders/10071", 204),
        exchange("GET", f"{url}/orders/10071", 404, {"error": "none"}),
        exchange("GET", f"{url}/products/3", 200, {"id": 3}),
    )


def test_what_the_suite_has_made_and_deleted_is_not_compared_with_its_absence(bench: Any, start: Start) -> None:
    service = start(lambda asked: (200, {"id": 3}) if "products" in asked.path else (404, {"error": "none"}))
    bench.tape(*suite(service.url))
    outcome = bench.take()
    assert (outcome.before, outcome.complete, outcome.failures) == (frozenset({4, 5}), True, ())
    [one] = [skipped for skipped in outcome.skipped if skipped.reason == UNSENT]
    assert (one.endpoint.path, one.count, one.how) == ("/orders/{}", 1, "not compared")


def test_what_nobody_wrote_to_and_is_gone_is_compared(bench: Any, start: Start) -> None:
    service = start(lambda asked: (404, {"error": "none"}))
    bench.tape(*suite(service.url))
    assert 5 in bench.take().before


def test_what_the_suite_has_left_there_and_is_gone_is_compared(bench: Any, start: Start) -> None:
    service = start(lambda asked: (404, {"error": "none"}))
    made, read, *_ = suite(service.url)
    bench.tape(made, read)
    assert bench.take().before == frozenset({2})


def test_where_writes_are_sent_what_they_made_is_compared(bench: Any, start: Start) -> None:
    service = start(lambda asked: (404, {"error": "none"}))
    bench.tape(*suite(service.url))
    outcome = bench.take(targets=Targets.of({}, frozenset({service.host}), include_writes=True))
    assert outcome.before == frozenset({1, 2, 3, 4, 5})


def test_writes_that_a_selection_leaves_out_have_not_been_sent_either(bench: Any, start: Start) -> None:
    service = start(lambda asked: (404, {"error": "none"}))
    bench.tape(*suite(service.url))
    outcome = bench.take(
        targets=Targets.of({}, frozenset({service.host}), include_writes=True),
        wanted=lambda endpoint: endpoint.method == "GET",
    )
    assert 2 not in outcome.before
