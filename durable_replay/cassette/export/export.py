"""A cassette into a file of another tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

from durable_replay.cassette.care.building import Progress, counted, silent
from durable_replay.cassette.export.exported import LEFT_WHOLE, Exported, Exporter, Losses
from durable_replay.cassette.export.har import har
from durable_replay.cassette.export.hoverfly import hoverfly
from durable_replay.cassette.export.vcrpy import vcrpy
from durable_replay.cassette.export.wiremock import wiremock
from durable_replay.cassette.store import Cassette
from durable_replay.cassette.text.cassettes import write_whole
from durable_replay.http import Interaction

__all__ = ["EXPORTERS", "Export", "export"]

EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {"har": har, "vcrpy": vcrpy, "wiremock": wiremock, "hoverfly": hoverfly}
)


class Export:
    """One export under way: its pieces in order, and, when these are used up, its summary."""

    def __init__(self, cassette: Cassette, exporter: Exporter, host: str = "*", on_progress: Progress = silent) -> None:
        """`host` is a glob that chooses hosts."""
        self._cassette = cassette
        self._exporter = exporter
        self._host = host.lower()
        self._on_progress = on_progress
        self._losses = Losses()
        self._size = 0
        self._total = 0

    def __iter__(self) -> Iterator[str]:
        for piece in self._exporter(self._tape, self._losses):
            self._size += len(piece.encode("utf-8"))
            yield piece

    def _tape(self) -> Iterable[Interaction]:
        self._total = 0
        for interaction in counted(self._cassette.interactions(), len(self._cassette), self._on_progress):
            if fnmatchcase(interaction.request.host, self._host):
                self._total += 1
                yield interaction

    def summary(self) -> Exported:
        """What was written."""
        lost = self._losses.counts()
        return Exported(self._total - sum(lost.get(name, 0) for name in LEFT_WHOLE), self._size, lost)


def export(
    cassette: Cassette, exporter: Exporter, path: Path, host: str = "*", on_progress: Progress = silent
) -> Exported:
    """Write a cassette's interactions of the hosts that fit into a file, whole or not at all. Raises CassetteError."""
    running = Export(cassette, exporter, host, on_progress)
    write_whole(path, running)
    return running.summary()
