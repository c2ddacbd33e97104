"""How old a cassette is, and whether that is too old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError

__all__ = ["Age", "age", "check_age"]


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
        times = [interaction.started for interaction in cassette.interactions()]
    known = [at for at in times if 0 < at < 253402300800]
    if not known:
        return Age(None, None, len(times))
    oldest, newest = (datetime.fromtimestamp(at, UTC) for at in (min(known), max(known)))
    return Age(oldest, newest, len(times) - len(known))


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
