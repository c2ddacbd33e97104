"""The cassette as a recording uses it: counted and keyed before, written to, scanned at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

from durable_replay.cassette.care.hosts import add_mapped_hosts
from durable_replay.cassette.store import Cassette
from durable_replay.cassette.writer import CassetteWriter
from durable_replay.http import Frame, Headers, Interaction, Request
from durable_replay.matching.canonical import canonical
from durable_replay.matching.defaults import DEFAULT as SIGNIFICANT
from durable_replay.redaction.bodies import BodyStore
from durable_replay.redaction.rules import Rules
from durable_replay.redaction.scan import Finding, scan_file, scan_interactions

__all__ = ["TapeWriter", "interactions_in", "request_key", "request_keys", "scan_tape"]


def request_key(request: Request, mask: Callable[[str], str]) -> bytes:
    """The identity that a request has where no service is known."""
    return canonical(request, SIGNIFICANT, mask=mask).key


def interactions_in(path: Path) -> int:
    """How many interactions a cassette holds; 0 where there is none yet. Raises CassetteError for any other file."""
    if not path.exists():
        return 0
    with Cassette.open(path) as cassette:
        return len(cassette)


def request_keys(path: Path, mask: Callable[[str], str]) -> frozenset[bytes]:
    """The keys of all requests on a tape."""
    if not path.exists():
        return frozenset()
    with Cassette.open(path) as cassette:
        return frozenset(request_key(interaction.request, mask) for interaction in cassette.interactions())


class TapeWriter:
    """A cassette opened for a recording."""

    def __init__(self, path: Path) -> None:
        self._writer = CassetteWriter.open(path)

    def map_hosts(self, services: Mapping[str, str]) -> None:
        """Remember which service a host belongs to, beside what earlier recordings said."""
        if services:
            add_mapped_hosts(self._writer, services)
            self._writer.flush()

    def new_body(self) -> BodyStore:
        return self._writer.new_body()

    def append(self, interaction: Interaction) -> int:
        return self._writer.append(interaction)

    def grow(self, number: int, frames: Sequence[Frame] = (), data: bytes = b"") -> None:
        self._writer.grow(number, frames, data)

    def settle(
        self, number: int, *, outcome: Literal["complete", "aborted"], duration: float, note: str, trailers: Headers
    ) -> None:
        self._writer.settle(number, outcome=outcome, duration=duration, note=note, trailers=trailers)

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


def scan_tape(path: Path, rules: Rules, known: Iterable[str], first: int = 1) -> list[Finding]:
    """The raw bytes of the file, and from interaction `first` on what is packed inside it."""
    values = tuple(known)
    found = scan_file(path, rules, values)
    with Cassette.open(path) as cassette:
        found += scan_interactions(cassette.interactions(first), rules, values)
    return list(islice(found, 100))
