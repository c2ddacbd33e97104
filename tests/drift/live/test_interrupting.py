"""A signal ends a run between two steps, wherever it arrives."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from durable_replay.drift.live.interrupting import run_until_signalled

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class _Ended(SystemExit):
    pass


def _end(number: int, frame: FrameType | None) -> None:
    raise _Ended(128 + number)


@pytest.fixture(params=NUMBERS, ids=lambda number: number.name)
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal whose handler raises at once, as the command line's do."""
    chosen: signal.Signals = request.param
    before = signal.signal(chosen, _end)
    yield chosen
    assert signal.getsignal(chosen) is _end
    signal.signal(chosen, before)


def test_a_signal_inside_a_task_ends_the_work_between_two_steps(
    number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    async def step(signals: bool) -> None:
        try:
            if signals:
                signal.raise_signal(number)
                told.append("the step goes on")
            await asyncio.Event().wait()
        finally:
            told.append("the step is wound up")

    async def work() -> None:
        tasks = [asyncio.create_task(step(at == 1)) for at in range(3)]
        try:
            await asyncio.gather(*tasks)
        finally:
            told.append("the work is wound up")

    with pytest.raises(_Ended) as ended:
        run_until_signalled(work())
    assert ended.value.code == 128 + number
    assert told == ["the step goes on", *["the step is wound up"] * 3, "the work is wound up"]
    gc.collect()
    assert not caplog.records, "asyncio tells of exceptions that nobody retrieved"


def test_a_signal_while_nothing_happens_ends_the_wait(number: signal.Signals) -> None:
    async def work() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, number)
        await asyncio.Event().wait()

    with pytest.raises(_Ended):
        run_until_signalled(work())


def test_a_signal_that_interrupts_another_thread_ends_the_wait_at_once(number: signal.Signals) -> None:
    """As one does that comes when this thread is about to wait: Python has no chance to call the handler."""
    asleep, over, woken_by_something_else = threading.Event(), threading.Event(), list[bool]()

    def interrupted() -> None:
        asleep.wait(20)
        signal.pthread_kill(threading.get_ident(), number)
        over.wait(20)

    async def work() -> None:
        asyncio.get_running_loop().call_soon(asleep.set)
        asyncio.get_running_loop().call_later(20, woken_by_something_else.append, True)
        await asyncio.Event().wait()

    thread = threading.Thread(target=interrupted)
    thread.start()
    try:
        with pytest.raises(_Ended):
            run_until_signalled(work())
    finally:
        over.set()
        thread.join()
    assert woken_by_something_else == []


def test_a_signal_in_the_last_step_is_not_lost(number: signal.Signals) -> None:
    async def work() -> None:
        signal.raise_signal(number)

    with pytest.raises(_Ended):
        run_until_signalled(work())


def test_a_failure_is_the_caller_s_and_a_cancellation_of_its_own_too(number: signal.Signals) -> None:
    async def fail() -> None:
        raise ValueError("broken")

    async def cancel() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ValueError, match="broken"):
        run_until_signalled(fail())
    with pytest.raises(asyncio.CancelledError):
        run_until_signalled(cancel())


def test_a_thread_runs_the_work_and_leaves_signals_alone(number: signal.Signals) -> None:
    seen: list[object] = []

    async def work() -> None:
        seen.append(signal.getsignal(number))

    thread = threading.Thread(target=lambda: run_until_signalled(work()))
    thread.start()
    thread.join()
    assert seen == [_end]


def test_a_signal_that_nobody_answers_keeps_its_default() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    seen: list[object] = []

    async def work() -> None:
        seen.append(signal.getsignal(signal.SIGHUP))

    try:
        run_until_signalled(work())
    finally:
        signal.signal(signal.SIGHUP, before)
    assert seen == [signal.SIG_DFL]
