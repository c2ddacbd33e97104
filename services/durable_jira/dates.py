"""The moments that JQL can name: absolute, relative (``-1d``, ``4w 2d``), epoch milliseconds, and the functions
``now``, ``startOf...`` and ``endOf...``. Source: Atlassian's references "JQL fields" and "JQL functions".

Texts without a zone are read in the zone of the asker's clock. A week starts on Sunday, as in those references'
examples (Jira takes it from the site's locale).
"""

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta

from durable_jira.times import parse_time

__all__ = ["boundary", "moment", "stored"]

_UNITS = {"w": timedelta(weeks=1), "d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_PERIOD = re.compile(r"([+-]?)((?:\d{1,6}\s*[wdhm]\s*)+)", re.IGNORECASE)
_ABSOLUTE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T](\d{1,2}):(\d\d)(?::(\d\d))?)?")
_EPOCH = re.compile(r"-?\d{1,13}")
_OFFSET = re.compile(r"([+-]?)(\d{1,5})([yMwdhm]?)")
_FUNCTION = re.compile(r"(startof|endof)(day|week|month|year)")
_NATURAL = {"day": "d", "week": "w", "month": "M", "year": "y"}


def moment(written: str, now: datetime) -> datetime | None:
    """Read one written date; None when it is in none of Jira's forms (or out of the calendar)."""
    written = written.strip()
    try:
        if period := _PERIOD.fullmatch(written):
            return now + _duration(period)
        if found := _ABSOLUTE.fullmatch(written):
            parts = [int(each or 0) for each in found.groups()]
            return datetime(*parts, tzinfo=now.tzinfo)  # type: ignore[misc,arg-type]  # six integers
        if _EPOCH.fullmatch(written):
            return datetime.fromtimestamp(int(written) / 1000, UTC)
    except (ValueError, OverflowError):
        return None
    return None


def boundary(name: str, offset: str, now: datetime) -> datetime | None:
    """``startOfMonth``/``endOfMonth`` and the like, moved by ``offset`` (``""``, ``-1``, ``+2w``, ``1M``).

    None when ``name`` is no such function; ``ValueError`` for an offset in no known form.
    """
    found = _FUNCTION.fullmatch(name.casefold())
    if found is None:
        return None
    # Atlassian's examples: endOfMonth("+1") is the end of next month, endOfMonth("+15d") the 15th of next month. So an
    # offset in the period's own unit chooses the period, and one in another unit moves its edge.
    natural = _NATURAL[found[2]]
    chooses = offset.strip()[-1:].isdigit() or offset.strip().endswith(natural)
    base = _move(now, offset, natural) if chooses else now
    edge = datetime.combine(_first(base.date(), found[2]), time(), base.tzinfo)
    if found[1] == "endof":
        edge = _move(edge, "1", natural) - timedelta(milliseconds=1)
    return edge if chooses else _move(edge, offset, natural)


def stored(value: object, zone_of: datetime) -> datetime | None:
    """Read a date as an issue holds it: Jira's time, or ``YYYY-MM-DD`` (midnight in the asker's zone)."""
    written = str(value)
    try:
        return parse_time(written)
    except ValueError:
        return moment(written, zone_of) if _ABSOLUTE.fullmatch(written) else None


def _duration(period: re.Match[str]) -> timedelta:
    parts = re.findall(r"(\d+)\s*([wdhm])", period[2].lower())
    length = sum((int(count) * _UNITS[unit] for count, unit in parts), timedelta())
    return -length if period[1] == "-" else length


def _move(base: datetime, offset: str, natural: str) -> datetime:
    if not offset:
        return base
    found = _OFFSET.fullmatch(offset.strip())
    if found is None:
        raise ValueError(f"not an offset: {offset!r}")
    count = int(found[2]) * (-1 if found[1] == "-" else 1)
    unit = found[3] or natural
    if unit in _UNITS:
        return base + count * _UNITS[unit]
    months = base.year * 12 + base.month - 1 + count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise ValueError(f"offset out of the calendar: {offset!r}")
    return base.replace(year=year, month=month + 1, day=min(base.day, calendar.monthrange(year, month + 1)[1]))


def _first(day: date, unit: str) -> date:
    if unit == "week":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    return {"day": day, "month": day.replace(day=1), "year": day.replace(month=1, day=1)}[unit]
