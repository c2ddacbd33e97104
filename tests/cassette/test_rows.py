"""A row is checked before it is used."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durable_replay.cassette import rows
from durable_replay.http import EMPTY, Frame, Interaction

FRAMES = (Frame(True, "text", b"hello" * 50), Frame(False, "close", b"bye", 1000, 1.5))


def _made(row: rows.Row, checksum: bytes, frames: list[rows.FrameRow]) -> Interaction:
    return rows.from_row(row, rows.text_of(row), checksum, frames, lambda digest, size: EMPTY)


def test_the_columns_are_those_of_the_tables() -> None:
    from durable_replay.cassette.tables import Table

    tables = Table.metadata.tables
    assert tuple(tables["interaction"].columns.keys()) == rows.STORED
    assert ("interaction", *rows.FRAME_COLUMNS) == tuple(tables["frame"].columns.keys())


def test_a_row_that_was_changed_in_any_column_or_frame_is_refused(make: Callable[..., Interaction]) -> None:
    row = rows.to_row(make(3, b"", FRAMES), 3, None, None)
    frames = rows.frame_rows(FRAMES)
    checksum = rows.checksum(row, rows.text_of(row), frames)
    assert _made(row, checksum, frames) == make(3, b"", FRAMES)
    for place in range(len(rows.COLUMNS)):
        changed = (*row[:place], "other", *row[place + 1 :])
        with pytest.raises(rows.Damaged):
            _made(changed, checksum, frames)
    for place in range(len(rows.FRAME_COLUMNS)):
        other = (*frames[0][:place], b"other", *frames[0][place + 1 :])
        with pytest.raises(rows.Damaged):
            _made(row, checksum, [other, frames[1]])
    with pytest.raises(rows.Damaged):
        _made(row, checksum, frames[::-1])


@pytest.mark.parametrize("text", ["", "{", "[1]", "[[1,2,3]]", "7", "[" * 100_000])
def test_headers_that_are_no_list_of_pairs_are_refused_even_with_a_right_checksum(
    make: Callable[..., Interaction], text: str
) -> None:
    row = rows.to_row(make(1), 1, None, None)
    place = rows.COLUMNS.index("request_headers")
    forged = (*row[:place], text, *row[place + 1 :])
    with pytest.raises(rows.Damaged, match="no list of pairs"):
        _made(forged, rows.checksum(forged, rows.text_of(forged)), [])
