"""Recordings grow old: how old is too old, and which are."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from durable_replay.cassette.store import Cassette
from durable_replay.errors import UsageError

__all__ = ["expired", "parse_age"]

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_age(text: str) -> timedelta:
    """`30d`, `12h`, `2w` or `90m`. Raises UsageError."""
    match = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip().lower())
    if match is None:
        raise UsageError(f"{text!r} is no age; write 30d, 12h, 2w or 90m")
    return int(match[1]) * _UNITS[match[2]]


def expired(path: Path, max_age: timedelta, now: datetime) -> str:
    """What to tell about a cassette's age; empty where nothing in it is older than `max_age` at `now`."""
    with Cassette.open(path) as cassette:
        first = cassette.summary().first
    if first is None:
        return ""
    oldest = datetime.fromtimestamp(first, UTC)
    if now - oldest <= max_age:
        return ""
    return (
        f"{path} has recordings of {oldest:%Y-%m-%d}, {(now - oldest).days} days old; the limit is {max_age.days}. "
        "Record it again with --mode all."
    )
