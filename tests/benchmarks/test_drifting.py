"""What a comparison takes: so many times what reading takes, and memory that does not grow with the tapes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.drifting import CHANGES, Measured, measure, write, yardstick

PER_INTERACTION = 100
"""Bytes of memory that an interaction more may take, on either side."""
PER_ENDPOINT = 1e6
"""And what the bounded sets of an endpoint may still fill up to."""
ENDPOINTS = 16
TIMES = 12
"""What comparing may take of what reading both tapes and parsing their bodies once takes."""


def compared(folder: Path, count: int) -> tuple[Measured, float]:
    """The measures of so many interactions on both sides, and the ratio to the yardstick."""
    before, after = folder / f"{count}-before.cassette", folder / f"{count}-after.cassette"
    write(before, count, after=False)
    write(after, count, after=True)
    done = measure(folder, before, after)
    return done, done.cpu / yardstick(before, after)


def test_what_was_put_in_is_found_and_nothing_else(tmp_path: Path) -> None:
    done, _ = compared(tmp_path, 800)
    assert done.found == CHANGES


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_memory_is_bounded_and_time_is_a_multiple_of_reading(tmp_path: Path) -> None:
    small, _ = compared(tmp_path, 10_000)
    large, ratio = compared(tmp_path, 100_000)
    assert (large.peak - small.peak) * 1e6 < PER_INTERACTION * 2 * 90_000 + PER_ENDPOINT * ENDPOINTS
    assert ratio < TIMES
    assert large.found == CHANGES
