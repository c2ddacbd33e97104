"""What a live run is told, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from durable_replay.drift.finding import Endpoint
from durable_replay.drift.live.asking import Wire
from durable_replay.drift.live.auth import Credentials
from durable_replay.drift.live.failing import HostFailure
from durable_replay.drift.live.pacing import Pace
from durable_replay.drift.live.selecting import Skipped, Targets

__all__ = ["LiveOptions", "LiveOutcome", "Progress"]


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How a run asks. `repeat`: how often one request is asked at most; 0: once, or ten times where recorded answers
    differ. `second_look`: what is answered otherwise than recorded is asked once more."""

    targets: Targets = field(default_factory=Targets)
    credentials: Credentials = field(default_factory=Credentials)
    pace: Pace = field(default_factory=Pace)
    wire: Wire = field(default_factory=Wire)
    repeat: int = 0
    second_look: bool = True
    wanted: Callable[[Endpoint], bool] = lambda endpoint: True
    seed: int = 0
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Services by host, kept on the new cassette."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps that are over, of all; `reading` while the tape is read."""

    done: int
    total: int
    reading: bool = False


@dataclass(frozen=True, slots=True)
class LiveOutcome:
    """How a run ended. Numbers are places on the two tapes; only these are to be compared."""

    planned: int
    answered: int
    """On the new tape, `resumed` of them from an earlier run."""
    resumed: int
    before: frozenset[int]
    after: frozenset[int]
    skipped: tuple[Skipped, ...]
    failures: tuple[HostFailure, ...]
    bare: int
    """Requests that left without a part that was redacted and for which there was no credential."""
    complete: bool
    again: int = 0
    """Second looks on the new tape."""
    unsure: int = 0
    """Second looks that were not had."""
