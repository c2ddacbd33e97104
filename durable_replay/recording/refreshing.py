"""A cassette's recordings are taken anew, beside it.

# Rule: what is kept beside a cassette is a recording that ended by itself, holds something and no secret; anything else
# is removed, and why is said. Neither touches the cassette.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from durable_replay.cassette.care.anew import Refreshing
from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.store import Cassette
from durable_replay.front.environment import LOOPBACK
from durable_replay.recording.run import Outcome

__all__ = ["Refreshed", "loopback_hosts", "refresh"]

INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How it ended. `removed` says why nothing is kept of it, with the next step; "" where it is kept."""

    outcome: Outcome
    removed: str = ""


def refresh(work: Refreshing, record: Callable[[Path], Outcome], finish: Callable[[Path], None]) -> Refreshed:
    """Record into the file that `record` is given, and keep what is whole beside the cassette.

    `finish` is called with a recording that will be kept, to write its index. A command that failed by itself leaves a
    recording all the same: why it failed is often in there. Raises UsageError and CassetteError, with nothing kept.
    """
    try:
        outcome = record(work.staged)
        if removed := _why_removed(outcome):
            work.discard()
            return Refreshed(replace(outcome, exit_code=outcome.exit_code or _exit_code(outcome)), removed)
        work.mark(outcome.exit_code)
        finish(work.staged)
        work.publish()
    except BaseException:
        work.discard()
        raise
    return Refreshed(outcome)


def _why_removed(outcome: Outcome) -> str:
    if outcome.error:
        return outcome.error
    if outcome.interrupted:
        return "The recording was interrupted, so that it is not whole. Record it once more."
    if not outcome.written:
        return (
            "Nothing was recorded: no request of the command came through the proxy. Does it go by HTTPS_PROXY, and"
            " are servers of this machine named by --map or --include-loopback?"
        )
    return ""


def _exit_code(outcome: Outcome) -> int:
    return INTERRUPTED if outcome.interrupted else 1


def loopback_hosts(path: Path) -> frozenset[str]:
    """This machine's own names whose traffic is on the tape, or mapped to a service there. Raises CassetteError."""
    with Cassette.open(path) as cassette:
        mapped = mapped_hosts(cassette)
        recorded = cassette.summary().hosts
    names = {*recorded, *mapped, *(host.rpartition(":")[0] for host in mapped)}
    return frozenset(names & set(LOOPBACK))
