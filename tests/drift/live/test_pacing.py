"""A host says how fast it may be asked; time is a number here."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from durable_replay.drift.live.failing import Failure, HostFailed
from durable_replay.drift.live.pacing import Pace, Pacer, pause_of
from durable_replay.http import Headers, Response

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def response(status: int, **fields: str) -> Response:
    return Response(status, Headers((name.replace("_", "-"), value) for name, value in fields.items()))


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (response(429, Retry_After="12"), 12),
        (response(503, Retry_After="Tue, 14 Nov 2023 22:14:20 GMT"), 60),
        (response(429, Retry_After="Tue, 14 Nov 2023 22:00:00 GMT"), 0),
        (response(403, Retry_After="5"), 5),
        (response(200, Retry_After="5"), None),
        (response(429, Retry_After="soon"), None),
        (response(429, Retry_After="9" * 30), None),
        (response(200, X_RateLimit_Remaining="0", X_RateLimit_Reset="1700000030"), 30),
        (response(200, X_RateLimit_Remaining="0", X_RateLimit_Reset="1700000030000"), 30),
        (response(200, X_RateLimit_Remaining="0", X_RateLimit_Reset="1699999999"), 0),
        (response(200, X_RateLimit_Remaining="1", X_RateLimit_Reset="1700000030"), None),
        (response(403, X_RateLimit_Remaining="0", X_RateLimit_Reset="1700000030"), 30),
        (response(200, X_RateLimit_Remaining="0", X_RateLimit_Reset_After="1.25"), 1.25),
        (response(200, RateLimit_Remaining="0", RateLimit_Reset="40"), 40),
        (response(429), None),
        (response(200), None),
    ],
)
def test_what_an_answer_asks_for(answer: Response, seconds: float | None) -> None:
    assert pause_of(answer, NOW) == seconds


def test_requests_keep_the_rate(clock: Any) -> None:
    async def ask() -> list[float]:
        pacer, at = Pacer("h", Pace(rate=4), clock, Random(0)), []
        for _ in range(5):
            async with pacer.turn():
                at.append(clock.now() - NOW)
        return at

    assert asyncio.run(ask()) == [0, 0.25, 0.5, 0.75, 1.0]


def test_a_pause_holds_for_all_and_counts_once(clock: Any) -> None:
    async def ask() -> tuple[float, float]:
        pacer = Pacer("h", Pace(), clock, Random(0))
        pacer.pause(10)
        pacer.pause(10)
        async with pacer.turn():
            return clock.now() - NOW, pacer.waited

    assert asyncio.run(ask()) == (10, 10)


def test_waits_add_up_to_what_is_allowed(clock: Any) -> None:
    async def ask() -> None:
        pacer = Pacer("api.test", Pace(max_wait=60), clock, Random(0))
        for _ in range(3):
            pacer.pause(25)
            async with pacer.turn():
                pass

    with pytest.raises(HostFailed, match=r"api\.test limits the rate.*--max-wait allows 60 s") as failed:
        asyncio.run(ask())
    assert failed.value.failure is Failure.rate_limited
    assert clock.slept == [25, 25]


def test_without_a_word_of_the_host_each_pause_is_about_twice_the_last(clock: Any) -> None:
    pacer = Pacer("h", Pace(), clock, Random(3))
    waits = [pacer.backoff(attempt) for attempt in range(1, 9)]
    assert all(0.5 * 2**at <= wait <= 2**at for at, wait in enumerate(waits[:6]))
    assert max(waits) <= 60
    assert waits == [Pacer("h", Pace(), clock, Random(3)).backoff(1), *waits[1:]]


def test_a_refusal_that_the_tape_has_too_is_an_answer(clock: Any) -> None:
    pacer = Pacer("h", Pace(), clock, Random(0))
    assert not pacer.heed(response(429, Retry_After="9"), 1, accepted=True)
    assert pacer.waited == 0


def test_after_the_last_try_a_503_is_an_answer_and_a_429_the_end(clock: Any) -> None:
    pacer = Pacer("h", Pace(tries=2), clock, Random(0))
    assert pacer.heed(response(503), 1, accepted=False)
    assert not pacer.heed(response(503), 2, accepted=False)
    with pytest.raises(HostFailed, match="refused a request 2 times"):
        pacer.heed(response(429), 2, accepted=False)


def test_of_those_who_wait_the_first_on_the_tape_goes_first_and_who_gave_up_takes_no_place(clock: Any) -> None:
    async def ask() -> list[int]:
        pacer, order = Pacer("h", Pace(concurrency=1), clock, Random(0)), list[int]()

        async def one(number: int) -> None:
            async with pacer.turn(number):
                order.append(number)
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(one(number)) for number in (1, 5, 4, 3)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await one(9)
        return order

    assert asyncio.run(ask()) == [1, 3, 5, 9]
