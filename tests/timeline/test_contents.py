"""Contents of any size are kept by their names, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from durable_replay.timeline.state import SQLiteStore


def test_a_content_comes_back_by_its_name_small_or_large(tmp_path: Path) -> None:
    store = SQLiteStore(None, tmp_path)
    for data in (b"", b"small", b"large" * 100_000):
        body = store.content(store.keep(iter([data[:7], data[7:]])))
        assert body is not None and b"".join(body.chunks()) == data


def test_a_content_that_turns_out_bad_at_its_end_leaves_nothing_on_disk(tmp_path: Path) -> None:
    store = SQLiteStore(None, tmp_path)

    def bad() -> Iterator[bytes]:
        yield b"x" * 1_000_000
        raise ValueError("the sum is wrong")

    with pytest.raises(ValueError, match="the sum is wrong"):
        store.keep(bad())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
