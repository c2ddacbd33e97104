"""Jira's way to write a moment: ``2022-01-08T23:02:29.858-0500``, milliseconds, offset without a colon."""

import re
from datetime import UTC, datetime

__all__ = ["format_time", "parse_time"]

_FORM = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?(\.\d{1,6})?(Z|[+-]\d\d:?\d\d)")


def format_time(moment: datetime) -> str:
    """Write an aware ``moment`` as Jira does, in its own zone, cut (not rounded) to milliseconds.

    Raises ``ValueError`` for a naive one: Jira always names the offset.
    """
    if moment.tzinfo is None:
        raise ValueError("Jira's times carry an offset; give an aware datetime")
    # %Y does not pad years below 1000 on every platform; isoformat does.
    head = moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return head + moment.strftime("%z")[:5]


def parse_time(written: str) -> datetime:
    """Read Jira's form; also ``Z``, a colon in the offset, 0 to 6 digits of fraction. Raises ``ValueError``."""
    found = _FORM.fullmatch(written)
    if found is None:
        raise ValueError(f"not a Jira time: {written!r}; expected the form 2022-01-08T23:02:29.858-0500")
    day, minute, second, fraction, offset = found.groups()
    naive = f"{day}T{minute}{second or ':00'}.{(fraction or '.')[1:].ljust(6, '0')}"
    if offset == "Z":
        return datetime.fromisoformat(naive).replace(tzinfo=UTC)
    return datetime.fromisoformat(f"{naive}{offset[:3]}:{offset[-2:]}")
