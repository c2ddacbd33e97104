"""Measures the emulators' fidelity over files: cassettes, and recordings of other tools, which are imported first.

Each file is a world of its own. A host that no installed service claims belongs to the service that the file, or a
folder above it, is named after: `recordings/jira/…` speaks to Jira at whatever address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from durable_replay.drift.emulated import ask_emulators
from durable_replay.drift.fidelity import Row, rows
from durable_replay.drift.recorded import as_cassette, files_of, is_recording, unclaimed
from durable_replay.errors import CassetteError, ReplayError, UsageError
from durable_replay.service.registry import Registry
from durable_replay.settings import Settings
from durable_replay.tapes import understanding
from durable_replay.timeline.recordings import Recordings, open_tape

__all__ = ["Measured", "measure"]

Told = Callable[[int, int], None]
"""Files done, files in all."""


@dataclass(slots=True)
class Measured:
    """Rows by service and operation, over all files; the row of service "" counts what no service knows."""

    rows: list[Row] = field(default_factory=list)
    files: int = 0
    interactions: int = 0
    skipped: list[Path] = field(default_factory=list)
    """Files that hold no recording."""
    broken: list[tuple[Path, ReplayError]] = field(default_factory=list)
    """Files that could not be read, and why; nothing of them is in the rows."""

    def services(self) -> list[str]:
        """Those with a row."""
        return sorted({row.service for row in self.rows} - {""})


def measure(
    paths: Sequence[Path],
    settings: Settings,
    hosts: Mapping[str, str],
    on_progress: Told = lambda done, total: None,
) -> Measured:
    """Asks the emulators for every interaction of these files and folders.

    `hosts` maps further hosts to services. A file that is broken is named in `broken`, and the others are measured.
    Raises UsageError for a path that is not there, a named file that holds no recording, or folders without any; where
    a broken file is all there is, its error.
    """
    files = [*files_of(paths)]
    understanding([], settings, hosts)  # wrong settings are not the first file's fault
    found = Measured()
    registry = Registry.installed()
    for done, (path, named) in enumerate(files):
        on_progress(done, len(files))
        if not is_recording(path):
            if named:
                raise UsageError(
                    f"{path} is no cassette, and of no format that can be imported; name cassettes, recordings, or"
                    " folders of them"
                )
            found.skipped.append(path)
            continue
        try:
            with as_cassette(path) as cassette:
                _add(found, cassette, settings, {**_by_folder(path, cassette, registry), **hosts})
        except (CassetteError, UsageError) as error:
            found.broken.append((path, error))
        else:
            found.files += 1
    on_progress(len(files), len(files))
    if not found.files and len(found.broken) == 1:
        raise found.broken[0][1]
    if not found.files and not found.broken:
        raise UsageError(
            f"{', '.join(map(str, paths))}: none of {len(files):,} files in there is a cassette or a recording that can"
            " be imported; name others"
        )
    found.rows.sort(key=lambda row: (row.service, row.operation.replace("_", " ")))
    return found


def _by_folder(path: Path, cassette: Path, registry: Registry) -> dict[str, str]:
    """Hosts that no service claims, for the service that a folder is named after."""
    names = {service.name for service in registry.services()}
    parts = [path.name.partition(".")[0], *(folder.name for folder in path.resolve().parents)]
    service = next((name for name in parts if name in names), None)
    return dict.fromkeys(unclaimed(cassette, registry), service) if service else {}


def _add(found: Measured, cassette: Path, settings: Settings, hosts: Mapping[str, str]) -> None:
    indexing = understanding([cassette], settings, hosts)
    tape = open_tape([cassette], indexing)
    try:
        known = {(row.service, row.operation): row for row in found.rows}
        for row in rows(ask_emulators(tape, indexing)):
            if (row.service, row.operation) in known:
                known[row.service, row.operation].join(row)
            else:
                found.rows.append(row)
        found.interactions += len(tape)
    except CassetteError as error:
        raise CassetteError(f"{cassette}: {error}") from error
    finally:
        if isinstance(tape, Recordings):
            tape.close()
