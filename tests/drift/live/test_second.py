"""The second look: who is asked once more, and that it fails nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from durable_replay.drift.live.auth import Credential, Credentials
from durable_replay.drift.live.pacing import Pace
from durable_replay.drift.live.second import ENOUGH, is_as_recorded
from durable_replay.drift.live.selecting import Targets
from durable_replay.http import BytesBody, Headers, Response
from durable_replay.testing import exchange

Start = Callable[..., Any]


def test_only_what_is_answered_otherwise_than_recorded_is_asked_once_more_and_last(bench: Any, start: Start) -> None:
    service = start(lambda asked: (200, {"at": asked.target}))
    documents = {"/a": {"at": "elsewhere"}, "/b": {"at": "/b"}, "/c": {"at": "/c"}}
    bench.tape(*(exchange("GET", service.url + path, 200, document) for path, document in documents.items()))
    outcome = bench.take(second_look=True, pace=Pace(concurrency=1))
    assert service.targets == ["/a", "/b", "/c", "/a"]
    assert (outcome.planned, outcome.answered, outcome.again, outcome.complete) == (3, 3, 1, True)
    assert (outcome.before, outcome.after) == (frozenset({1, 2, 3}), frozenset({1, 2, 3, 4}))
    assert bench.taken()[-1].note == "asked live in place of #1, once more"


def test_of_one_endpoint_a_few_are_enough(bench: Any, start: Start) -> None:
    numbers = count()
    service = start(lambda asked: (200, {"count": next(numbers)}))
    bench.tape(*(exchange("GET", f"{service.url}/users/{number}", 200, {"count": -1}) for number in range(40)))
    assert bench.take(second_look=True).again == ENOUGH
    assert len(service.asked) == 40 + ENOUGH


def test_what_was_recorded_in_several_answers_has_told_already(bench: Any, start: Start) -> None:
    service = start(lambda asked: (200, {"n": 9}))
    bench.tape(*(exchange("GET", f"{service.url}/job", 200, {"n": number}) for number in range(3)))
    assert bench.take(second_look=True).again == 0
    assert len(service.asked) == 3


def test_a_server_that_is_written_to_is_not_asked_once_more(bench: Any, start: Start) -> None:
    service = start(lambda asked: (200, {"n": 9}))
    bench.tape(
        exchange("GET", f"{service.url}/a", 200, {"n": 1}), exchange("POST", f"{service.url}/a", 200, {}, send={})
    )
    bench.take(second_look=True, targets=Targets.of({}, frozenset({service.host}), include_writes=True))
    assert [one.method for one in service.asked] == ["GET", "POST"]


def test_a_host_that_has_enough_of_us_then_fails_nothing(bench: Any, start: Start) -> None:
    seen = Counter[str]()

    def answer(asked: Any) -> tuple[Any, ...]:
        seen[asked.target] += 1
        limits = [("Retry-After", "3600")]
        return (429, {}, limits) if seen[asked.target] > 1 else (200, {"now": 1})

    service = start(answer)
    bench.tape(*(exchange("GET", f"{service.url}/{path}", 200, {"now": 0}) for path in "abc"))
    outcome = bench.take(second_look=True)
    assert (outcome.failures, outcome.complete, outcome.answered) == ((), True, 3)
    assert (outcome.again, outcome.unsure) == (0, 3)
    assert outcome.skipped == ()


def test_a_host_that_refuses_everything_is_not_asked_once_more(bench: Any, start: Start) -> None:
    service = start(lambda asked: (401, {}))
    bench.tape(*(exchange("GET", f"{service.url}/{path}", 200, {}) for path in "ab"))
    outcome = bench.take(second_look=True)
    assert (len(service.asked), len(outcome.failures)) == (2, 1)


def test_a_second_look_uses_the_cursor_that_it_was_told_itself(bench: Any, start: Start) -> None:
    numbers = count(1)

    def answer(asked: Any) -> tuple[Any, ...]:
        return 200, {"items": [], "next_cursor": None if "cursor" in asked.target else f"cursor-{next(numbers)}-xyzzy"}

    service = start(answer)
    bench.tape(
        exchange("GET", f"{service.url}/list", 200, {"items": [1], "next_cursor": "recorded-0-xyzzy"}),
        exchange("GET", f"{service.url}/list?cursor=recorded-0-xyzzy", 200, {"items": [2], "next_cursor": None}),
    )
    bench.take(second_look=True, pace=Pace(concurrency=1))
    assert service.targets == [
        "/list",
        "/list?cursor=cursor-1-xyzzy",
        "/list",
        "/list?cursor=cursor-2-xyzzy",
    ]


def test_a_run_that_stopped_between_the_two_looks_goes_on_with_the_second(bench: Any, start: Start) -> None:
    class Stop(BaseException):
        """As a kill would."""

    def answers() -> Iterator[int]:
        yield from count()

    numbers = answers()
    service = start(lambda asked: (200, {"count": next(numbers), "told": "sessionToken-77"}))
    bench.tape(*(exchange("GET", f"{service.url}/{path}", 200, {"count": -1}) for path in "abcd"))
    credentials = Credentials((("127.0.0.1", Credential((("X-Key", "sessionToken-77"),))),))

    class Counting(type(bench.clock)):  # type: ignore[misc]
        def now(self) -> float:
            if len(service.asked) == 6:
                raise Stop
            return float(self.time)

    still, bench.clock = bench.clock, Counting()
    options = {"second_look": True, "pace": Pace(concurrency=1), "credentials": credentials}
    with pytest.raises(Stop):
        bench.take(**options)
    bench.clock = still
    kept = len(bench.taken())
    asked = len(service.asked)
    outcome = bench.take(**options)
    assert (outcome.resumed, outcome.again, outcome.complete) == (4, 4, True)
    assert len(service.asked) - asked == 8 - kept
    notes = [one.note for one in bench.taken()]
    first = [f"asked live in place of #{number}" for number in (1, 2, 3, 4)]
    assert notes == [*first, *(f"{note}, once more" for note in first)]


def answered(body: bytes = b"{}", status: int = 200, **headers: str) -> Response:
    fields = [("Content-Type", "application/json"), *((name.replace("_", "-"), at) for name, at in headers.items())]
    return Response(status, Headers(fields), BytesBody(body))


@pytest.mark.parametrize(
    ("live", "alike"),
    [
        (answered(), True),
        (answered(date="now", x_request_id="7", server="other"), True),
        (answered(b"[]"), False),
        (answered(b"{ }"), False),
        (answered(status=201), False),
        (answered(x_plan="gold"), False),
    ],
)
def test_an_answer_is_as_recorded_but_for_headers_that_say_nothing(live: Response, alike: bool) -> None:
    assert is_as_recorded(answered(date="then"), live) is alike
