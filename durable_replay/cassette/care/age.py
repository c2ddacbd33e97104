"""How old a cassette is, and whether that is too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

__all__ = ["Age", "age", "check_age", "is_dated"]

_UNDATED = "the source tells no time"
"""In the note of an imported interaction, whose time is then made up (see formats/importing.py)."""


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


def check_age(path: Path, max_age: timedelta, now: datetime, *, fail: bool = False) -> str:
    """What to tell of a cassette whose oldest interaction is older than `max_age` at `now`; empty if none is.

    With `fail` that is raised as CassetteError.
    """
    found = age(path)
    if found.oldest is None or now - found.oldest <= max_age:
        return ""
    told = (
        f"{path} has recordings of {found.oldest:%Y-%m-%d}, {(now - found.oldest).days} days old; "
        f"the limit is {max_age.days}. Record it again with --mode all."
    )
    if fail:
        raise CassetteError(told)
    return told
