"""Import: everything of some files into one cassette, or nothing.

# Rule: an import is one transaction. A new cassette is built beside its name and given it at the end; an existing one
gets all interactions in one commit, when all were had. Whatever is wrong with a source, no byte of the target changes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from durable_replay.cassette.bodies import BodyWriter
from durable_replay.cassette.care.building import append_all
from durable_replay.cassette.formats.registry import named, sniffed, unknown
from durable_replay.cassette.formats.source import Format, Source, located
from durable_replay.cassette.store import CassetteWriter
from durable_replay.errors import UsageError
from durable_replay.http import Interaction

__all__ = ["ImportSummary", "Progress", "Redacts", "Skipped", "SourceSummary", "import_into"]

_BEGINNING = 946_684_800.0
"""2000-01-01T00:00:00Z: where time begins on a tape whose sources tell none."""
_STEP = 1.0
_REPORT = 500
_BESIDE = frozenset({"__files", "vcr_string_templates"})
"""Folders whose files belong to recordings and are read with them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: `number` of `files` is being read, and so many interactions are in."""

    path: Path
    number: int
    files: int
    interactions: int


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """What one file gave."""

    path: Path
    format: str
    interactions: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file in a folder that holds nothing to import, and why."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What was imported. `notes` counts what was mended, by the text of the interactions' notes."""

    interactions: int
    notes: Mapping[str, int]
    sources: tuple[SourceSummary, ...]
    skipped: tuple[Skipped, ...]


class Redacts(Protocol):
    """Takes secrets out of an interaction (redaction.redact.Redactor does)."""

    def interaction(
        self, interaction: Interaction, new_body: Callable[[], BodyWriter] | None = None, /
    ) -> Interaction: ...


class _Nothing(Redacts):
    def interaction(self, interaction: Interaction, new_body: Callable[[], BodyWriter] | None = None, /) -> Interaction:
        return interaction


def import_into(
    target: Path,
    sources: Sequence[Path],
    format: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    redactor: Redacts | None = None,
    base: str = "",
) -> ImportSummary:
    """Put every interaction of `sources` (files, or folders in sorted order) at the end of the cassette `target`.

    `format` names a format of all files, else each is told by its content; a folder's files of no known format are
    skipped and listed. `base` is the URL for formats that hold no hosts. Raises CassetteError and UsageError, each with
    file and place; the target is then unchanged. The index for replay is not made here.
    """
    files, skipped = _files(target, sources, format, base)
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent} for {target.name}. Make it first.")
    run = _Run(files, on_progress or (lambda _: None), redactor or _Nothing())
    append_all(target, run.interactions, {})
    return ImportSummary(run.count, dict(run.notes.most_common()), tuple(run.done), tuple(skipped))


class _Run:
    """One import while it runs."""

    def __init__(
        self, files: Sequence[tuple[Source, Format]], on_progress: Callable[[Progress], None], redactor: Redacts
    ) -> None:
        self._files = files
        self._on_progress = on_progress
        self._redactor = redactor
        self._last = _BEGINNING - _STEP
        self.count = 0
        self.notes: Counter[str] = Counter()
        self.done: list[SourceSummary] = []

    def interactions(self, writer: CassetteWriter) -> Iterator[Interaction]:
        """All of them, as they go onto the tape."""
        for number, (source, format) in enumerate(self._files, 1):
            before = self.count
            self._report(source, number)
            for imported in located(source, format.read(source)):
                yield self._redactor.interaction(self._timed(imported.interaction), writer.new_body)
                self.count += 1
                if self.count % _REPORT == 0:
                    self._report(source, number)
            self.done.append(SourceSummary(source.path, format.name, self.count - before))
        if self._files:
            self._report(self._files[-1][0], len(self._files))

    def _report(self, source: Source, number: int) -> None:
        self._on_progress(Progress(source.path, number, len(self._files), self.count))

    def _timed(self, interaction: Interaction) -> Interaction:
        """With a time: where the source tells none, a second after the one before it."""
        if interaction.started > 0:
            self._last = interaction.started
        else:
            self._last += _STEP
            said = "the source tells no time"
            note = f"{interaction.note}; {said}" if interaction.note else said
            interaction = replace(interaction, started=self._last, note=note)
        if interaction.note:
            self.notes.update(interaction.note.split("; "))
        return interaction


def _files(
    target: Path, sources: Sequence[Path], format: str | None, base: str
) -> tuple[list[tuple[Source, Format]], list[Skipped]]:
    if not sources:
        raise UsageError("Nothing to import was named. Name files or folders.")
    chosen = named(format) if format else None
    files: list[tuple[Source, Format]] = []
    skipped: list[Skipped] = []
    for path in sources:
        if path.is_dir():
            _walk(path, chosen, base, files, skipped)
        else:
            source = _source(target, path, base)
            files.append((source, chosen or _told(source)))
    if not files:
        raise UsageError(
            f"{', '.join(map(str, sources))}: no file in there is of a format that is known, "
            f"of {len(skipped)} that were looked at. Name the format, or a map to requests for plain bodies."
        )
    return files, skipped


def _source(target: Path, path: Path, base: str) -> Source:
    if not path.exists():
        raise UsageError(f"There is no file {path}. Name a file or a folder that holds recordings.")
    if not path.is_file():
        raise UsageError(f"{path} is no regular file. Name a file or a folder that holds recordings.")
    if target.exists() and path.samefile(target):
        raise UsageError(f"{path} is both source and target. Name another file.")
    return Source(path, base)


def _told(source: Source) -> Format:
    found = sniffed(source)
    if found is None:
        raise unknown(source)
    return found


def _walk(
    folder: Path, chosen: Format | None, base: str, files: list[tuple[Source, Format]], skipped: list[Skipped]
) -> None:
    """Every file below `folder`, in sorted order; hidden ones are left alone."""
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _BESIDE)
        for name in sorted(name for name in names if not name.startswith(".")):
            source = Source(Path(above) / name, base)
            found = chosen or (sniffed(source) if source.path.is_file() else None)
            if found is not None:
                files.append((source, found))
            else:
                skipped.append(Skipped(source.path, "no known format"))
