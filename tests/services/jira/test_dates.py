from datetime import UTC, datetime, timedelta

import pytest

from durable_jira.dates import boundary, moment

NOW = datetime(2024, 1, 31, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("-30m", NOW - timedelta(minutes=30)),
        ("4w 2d", NOW + timedelta(days=30)),
        ("-1D", NOW - timedelta(days=1)),
        ("2024/1/5", datetime(2024, 1, 5, tzinfo=UTC)),
        ("2024-01-05 09:30", datetime(2024, 1, 5, 9, 30, tzinfo=UTC)),
        ("1706702400000", NOW),
    ],
)
def test_a_written_date_is_a_moment(written: str, expected: datetime) -> None:
    assert moment(written, NOW) == expected


@pytest.mark.parametrize("written", ["", "soon", "2024-02-30", "-1y", "-999999w", "2024-01-05T09:30:00Z"])
def test_what_is_no_date_is_none(written: str) -> None:
    assert moment(written, NOW) is None


@pytest.mark.parametrize(
    ("name", "offset", "expected"),
    [
        ("startOfDay", "", datetime(2024, 1, 31, tzinfo=UTC)),
        ("startOfDay", "-1", datetime(2024, 1, 30, tzinfo=UTC)),
        ("startOfWeek", "", datetime(2024, 1, 28, tzinfo=UTC)),
        ("startOfMonth", "+1", datetime(2024, 2, 1, tzinfo=UTC)),
        ("startofyear", "-1M", datetime(2023, 12, 1, tzinfo=UTC)),
        ("startOfWeek", "+1d", datetime(2024, 1, 29, tzinfo=UTC)),
        ("endOfMonth", "+15d", datetime(2024, 2, 15, 23, 59, 59, 999000, tzinfo=UTC)),
        ("endOfDay", "2h", datetime(2024, 2, 1, 1, 59, 59, 999000, tzinfo=UTC)),
        ("endOfMonth", "1M", datetime(2024, 2, 29, 23, 59, 59, 999000, tzinfo=UTC)),
        ("endOfWeek", "", datetime(2024, 2, 3, 23, 59, 59, 999000, tzinfo=UTC)),
    ],
)
def test_a_boundary_is_moved_by_its_offset(name: str, offset: str, expected: datetime) -> None:
    assert boundary(name, offset, NOW) == expected


def test_an_offset_in_no_known_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not an offset"):
        boundary("startOfDay", "soon", NOW)
    assert boundary("startOfCentury", "", NOW) is None
