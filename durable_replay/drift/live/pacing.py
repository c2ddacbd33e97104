"""How fast a host is asked: so many at once, so many a second, and never before it says.

Sources: RFC 9110 section 10.2.3 (Retry-After: seconds or an HTTP date); GitHub and Atlassian (X-RateLimit-Remaining and
-Reset, seconds since the epoch; a 403 with none remaining is a limit too); Discord (X-RateLimit-Reset-After, seconds);
draft-ietf-httpapi-ratelimit-headers (RateLimit-Remaining and -Reset, seconds from now).
"""

# Rule: time is waited for here and nowhere else, by a clock that is handed in.

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from heapq import heappop, heappush
from random import Random
from typing import Protocol

from durable_replay.drift.live.failing import Failure, HostFailed
from durable_replay.http import Headers, Response

__all__ = ["Clock", "Pace", "Pacer", "WallClock", "pause_of"]

_EPOCH = 1_000_000_000
"""A reset above it is a moment, below it a number of seconds."""
_FIRST, _LONGEST = 1.0, 60.0


class Clock(Protocol):
    """Seconds since the epoch, and waiting."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class WallClock:
    """The machine's."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Pace:
    """`rate` is requests a second (0: as fast as it goes), `max_wait` seconds that limits may cost in all."""

    concurrency: int = 4
    rate: float = 0.0
    max_wait: float = 300.0
    tries: int = 4


def pause_of(response: Response, now: float) -> float | None:
    """Seconds that an answer asks us to wait before the next request; None where it asks for nothing."""
    headers = response.headers
    if response.status in (403, 429, 503) and "retry-after" in headers:
        return _retry_after(headers.get("retry-after"), now)
    if (after := _number(headers.get("x-ratelimit-reset-after"))) is not None and _is_spent(headers):
        return after
    for name in ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset"):
        reset = _number(headers.get(name))
        if reset is not None and (_is_spent(headers) or response.status == 429):
            return max(0.0, _moment(reset) - now) if reset >= _EPOCH else reset
    return None


def _retry_after(text: str, now: float) -> float | None:
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _is_spent(headers: Headers) -> bool:
    names = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")
    return any(_number(headers.get(name)) == 0 for name in names)


def _moment(reset: float) -> float:
    return reset / 1000 if reset > _EPOCH * 1000 else reset  # some count milliseconds


def _number(text: str) -> float | None:
    text = text.strip()
    if not text or len(text) > 20 or not text.replace(".", "", 1).isascii() or not text.replace(".", "", 1).isdigit():
        return None
    return float(text)


class _Places:
    """So many at once. A step that had to wait for another's answer goes before those behind it on the tape, since
    answers are kept in the tape's order."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._came = 0

    async def take(self, number: int) -> None:
        if self._free:
            self._free -= 1
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._came += 1
        heappush(self._waiting, (number, self._came, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        while self._waiting:
            _, _, granted = heappop(self._waiting)
            if not granted.done():
                granted.set_result(None)
                return
        self._free += 1


class Pacer:
    """The pace of one host. Its methods raise HostFailed where waiting would take longer than is allowed."""

    def __init__(self, host: str, pace: Pace, clock: Clock, chance: Random) -> None:
        self._host, self._pace, self._clock, self._chance = host, pace, clock, chance
        self._places = _Places(pace.concurrency)
        self._next = 0.0
        self._until = 0.0
        self.waited = 0.0
        """Seconds that limits of the host have cost."""

    @asynccontextmanager
    async def turn(self, number: int = 0) -> AsyncIterator[None]:
        """One of the places of this host, when the host may be asked; of those who wait, the lowest number is first."""
        await self._places.take(number)
        try:
            await self._wait()
            yield
        finally:
            self._places.give_back()

    async def _wait(self) -> None:
        while True:
            now = self._clock.now()
            at = max(self._next, self._until)
            if at <= now:
                break
            await self._clock.sleep(at - now)
        if self._pace.rate:
            self._next = now + 1 / self._pace.rate

    def pause(self, seconds: float) -> None:
        """Nobody asks this host for so long."""
        until = self._clock.now() + seconds
        more = until - max(self._until, self._clock.now())
        if more <= 0:
            return
        if self.waited + more > self._pace.max_wait:
            raise HostFailed(
                Failure.rate_limited,
                f"{self._host} limits the rate: it asks for {_told(seconds)} more of waiting, and --max-wait allows"
                f" {_told(self._pace.max_wait)} in all",
            )
        self.waited += more
        self._until = until

    def backoff(self, attempt: int) -> float:
        """Seconds before another try after `attempt` tries (from 1) where the host names none."""
        return min(_LONGEST, _FIRST * 2.0 ** (attempt - 1)) * (0.5 + self._chance.random() / 2)

    async def rest(self, attempt: int) -> None:
        """Waits before another try of a request that got no answer."""
        await self._clock.sleep(self.backoff(attempt))

    def heed(self, response: Response, attempt: int, *, accepted: bool) -> bool:
        """Takes in what an answer says of the rate; gives whether the request is to be asked again.

        `accepted`: the tape has this status for the request, so that it is an answer like any other.
        """
        pause = pause_of(response, self._clock.now())
        limited = response.status == 429 or (pause is not None and response.status in (403, 503))
        if accepted or not (limited or response.status == 503):
            if pause is not None and not accepted:
                self.pause(pause)
            return False
        if attempt >= self._pace.tries:
            if not limited:
                return False
            raise HostFailed(
                Failure.rate_limited, f"{self._host} limits the rate: it refused a request {attempt} times for it"
            )
        self.pause(self.backoff(attempt) if pause is None else pause)
        return True


def _told(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"
