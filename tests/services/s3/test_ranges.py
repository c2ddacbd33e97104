"""Ranges of objects and parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_s3.errors import S3Fault
from durable_s3.ranges import ByteRange, copy_range, part_range, requested_range


@pytest.mark.parametrize(
    ("value", "start", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=2-4", 2, 5), ("bytes=5-", 5, 10), ("bytes=-3", 7, 10), ("bytes=-99", 0, 10),
     ("bytes=8-99999999999999999999", 8, 10)],
)  # fmt: skip
def test_a_range_is_cut_to_the_object(value: str, start: int, stop: int) -> None:
    assert requested_range(value, 10) == ByteRange(start, stop, 10)


@pytest.mark.parametrize("value", ["", "bytes=-", "bytes=a-b", "bytes=5-2", "items=0-1", "bytes=0-1,3-4", "bytes=²-3"])
def test_a_malformed_range_or_a_list_of_ranges_is_ignored(value: str) -> None:
    assert requested_range(value, 10) is None


@pytest.mark.parametrize(
    ("value", "size"), [("bytes=10-", 10), ("bytes=99-100", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_beyond_the_end_is_a_416_with_the_size(value: str, size: int) -> None:
    with pytest.raises(S3Fault) as caught:
        requested_range(value, size)
    assert (caught.value.status, caught.value.code) == (416, "InvalidRange")
    assert caught.value.details == {"RangeRequested": value, "ActualObjectSize": size}


def test_content_range_has_the_last_byte_inclusive() -> None:
    assert ByteRange(2, 5, 10).content_range == "bytes 2-4/10"


@given(data=st.binary(min_size=1, max_size=30), first=st.integers(0, 29), last=st.integers(0, 40))
def test_a_range_is_the_slice_that_python_takes(data: bytes, first: int, last: int) -> None:
    if first < len(data) and first <= last:
        span = requested_range(f"bytes={first}-{last}", len(data))
        assert span is not None
        assert data[span.start : span.stop] == data[first : last + 1]


def test_a_part_number_is_the_range_of_that_part() -> None:
    assert part_range("2", [5, 3, 1], has_range=False) == ByteRange(5, 8, 9)


@pytest.mark.parametrize(
    ("number", "has_range", "code"),
    [("4", False, "InvalidPartNumber"), ("0", False, "InvalidArgument"), ("x", False, "InvalidArgument"),
     ("10001", False, "InvalidArgument"), ("1", True, "InvalidRequest")],
)  # fmt: skip
def test_a_part_number_that_cannot_be_served(number: str, has_range: bool, code: str) -> None:
    with pytest.raises(S3Fault) as caught:
        part_range(number, [5, 3, 1], has_range)
    assert caught.value.code == code


def test_a_copy_range_is_strict() -> None:
    assert copy_range("bytes=0-9", 10) == ByteRange(0, 10, 10)
    for value in ("bytes=0-10", "bytes=5-", "bytes=-5", "0-5", "bytes=5-2"):
        with pytest.raises(S3Fault, match="InvalidArgument"):
            copy_range(value, 10)
