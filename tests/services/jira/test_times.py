from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_jira.times import format_time, parse_time

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def test_a_recorded_time_is_read_and_written_back() -> None:
    moment = parse_time("2022-01-08T23:02:29.858-0500")
    assert moment == datetime(2022, 1, 9, 4, 2, 29, 858000, tzinfo=UTC)
    assert format_time(moment) == "2022-01-08T23:02:29.858-0500"


@given(st.datetimes(timezones=ZONES))
def test_every_moment_survives_to_the_millisecond(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@pytest.mark.parametrize(
    "written", ["2022-01-08T23:02:29Z", "2022-01-08T23:02:29+00:00", "2022-01-08T23:02:29.000000+0000"]
)
def test_the_other_spellings_of_an_offset_are_read(written: str) -> None:
    assert parse_time(written) == datetime(2022, 1, 8, 23, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("written", ["", "2022-01-08", "2022-13-08T23:02:29.858-0500", "2022-01-08T23:02:29.858"])
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        parse_time(written)


def test_a_moment_without_a_zone_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="offset"):
        format_time(datetime(2022, 1, 8))  # noqa: DTZ001 - the point of this test
