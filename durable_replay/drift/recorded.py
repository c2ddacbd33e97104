"""Recordings wherever they lie: cassettes as they are, other tools' files imported while they are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from durable_replay.cassette.formats.importing import import_into
from durable_replay.cassette.formats.registry import sniffed
from durable_replay.cassette.formats.source import Source
from durable_replay.cassette.store import Cassette
from durable_replay.errors import UsageError
from durable_replay.http import Request
from durable_replay.service.registry import Registry

__all__ = ["as_cassette", "files_of", "is_recording", "unclaimed"]


def files_of(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Each file, those of folders in sorted order, and whether it was named itself. Raises UsageError."""
    for path in paths:
        if path.is_dir():
            inside = (one for one in sorted(path.rglob("*")) if one.is_file() and not one.name.startswith("."))
            yield from ((one, False) for one in inside)
        elif path.is_file():
            yield path, True
        else:
            raise UsageError(f"there is no file {path}; name cassettes, recordings, or folders of them")


def is_recording(path: Path) -> bool:
    """Whether it is a cassette, or looks like a format that can be imported."""
    return _is_cassette(path) or sniffed(Source(path)) is not None


def _is_cassette(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


@contextmanager
def as_cassette(path: Path) -> Iterator[Path]:
    """The file itself, or a cassette of its interactions that is gone afterwards. Raises CassetteError, UsageError."""
    if _is_cassette(path):
        yield path
        return
    with TemporaryDirectory(prefix="durable-replay-") as folder:
        made = Path(folder) / "imported.cassette"
        import_into(made, [path])
        yield made


def unclaimed(cassette: Path, registry: Registry) -> list[str]:
    """The recorded hosts, without ports, that no service of the registry claims."""
    with Cassette.open(cassette) as opened:
        hosts = {host.rpartition(":")[0] or host for host in opened.summary().hosts}
    return [host for host in sorted(hosts) if registry.find(Request("GET", "https", host, 443, "/")) is None]
