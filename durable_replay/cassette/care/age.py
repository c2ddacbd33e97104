"""How old a cassette is, and whether that is too old."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from durable_replay.cassette.care.anew import refresh_command
from durable_replay.cassette.store import Cassette
from durable_replay.errors import UsageError
from durable_replay.http import Interaction

__all__ = ["Age", "age", "check_age", "is_dated", "parse_age"]

_UNDATED = "the source tells no time"
"""In the note of an imported interaction, whose time is then made up (see formats/importing.py)."""
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Age:
    """When the first and the last interaction of known time began (None: of none is it known), and of how many it is
    not known, as of imported ones."""

    oldest: datetime | None
    newest: datetime | None
    undated: int = 0


def age(path: Path) -> Age:
    """From the interactions' times. Raises CassetteError."""
    with Cassette.open(path) as cassette:
        known = [interaction.started for interaction in cassette.interactions() if is_dated(interaction)]
        undated = len(cassette) - len(known)
    if not known:
        return Age(None, None, undated)
    oldest, newest = (datetime.fromtimestamp(at, UTC) for at in (min(known), max(known)))
    return Age(oldest, newest, undated)


def is_dated(interaction: Interaction) -> bool:
    """Whether it is known when an interaction began."""
    return 0 < interaction.started < 253402300800 and _UNDATED not in interaction.note


def parse_age(text: str) -> timedelta:
    """`30d`, `12h`, `2w` or `90m`. Raises UsageError."""
    match = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip().lower(), re.ASCII)
    if match is None:
        raise UsageError(f"{text!r} is no age; write 30d, 12h, 2w or 90m")
    return int(match[1]) * _UNITS[match[2]]


def check_age(path: Path, max_age: timedelta, now: datetime) -> str:
    """What to tell of a cassette whose oldest interaction of known time is older than `max_age` at `now`; empty where
    none is. Raises CassetteError."""
    with Cassette.open(path) as cassette:
        first = cassette.summary().first
    if first is None or now.timestamp() - first <= max_age.total_seconds():
        return ""  # told from the rows alone: no time is older, be it known or made up
    oldest = age(path).oldest
    if oldest is None or now - oldest <= max_age:
        return ""
    return (
        f"{path} has recordings of {oldest:%Y-%m-%d}, {(now - oldest).days} days old; the limit is {max_age.days}. "
        f"Record it again, and see what changed: {refresh_command(path)}"
    )
