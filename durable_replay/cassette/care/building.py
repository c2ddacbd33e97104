"""A cassette is made, or changed, beside its place, and put there whole.

# Rule: readers see the cassette before the change or after it; a change that fails, or whose process is killed, leaves
# every byte of the former.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from durable_replay.cassette import sqlite_file
from durable_replay.cassette.care.hosts import add_mapped_hosts
from durable_replay.cassette.lock import WriterLock
from durable_replay.cassette.opening import require_sound
from durable_replay.cassette.store import CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

__all__ = [
    "Interactions",
    "Progress",
    "alone",
    "append_all",
    "build",
    "changing",
    "copied",
    "counted",
    "give_name",
    "remove",
    "silent",
    "take_place",
]

Progress = Callable[[int, int], None]
"""Told now and then: interactions done, interactions in all (0: not known)."""

Interactions = Callable[[CassetteWriter], Iterable[Interaction]]
"""Gives the interactions for a writer, whose `new_body` takes large bodies."""

_TOLD_EVERY = 200
_BESIDE = ("-wal", "-shm", "-journal")


def silent(done: int, total: int) -> None:
    """Tells nobody."""


def counted(interactions: Iterable[Interaction], total: int, on_progress: Progress) -> Iterator[Interaction]:
    """The same interactions; progress is told on the way."""
    done = 0
    for interaction in interactions:
        if done % _TOLD_EVERY == 0:
            on_progress(done, total)
        yield interaction
        done += 1
    on_progress(done, total or done)


# -- a new cassette


def build(target: Path, interactions: Interactions, hosts: Mapping[str, str]) -> int:
    """Make a cassette where none is; gives its length. `hosts` is looked at when the last interaction was given.
    Raises CassetteError, as does what `interactions` gives."""
    if target.exists():
        raise _taken(target)
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with CassetteWriter.open(beside) as writer:
            length = _append(writer, interactions, hosts)
        give_name(beside, target)
    finally:
        remove(beside)
    return length


def give_name(beside: Path, target: Path) -> None:
    """Never over a file that came into being meanwhile, where the file system can tell. Raises CassetteError."""
    try:
        os.link(beside, target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # a file system without hard links
        beside.replace(target)


def _taken(target: Path) -> CassetteError:
    return CassetteError(f"{target} is there already. Name a new file.")


def remove(path: Path) -> None:
    """A cassette and what SQLite keeps beside it, where there is any of it."""
    for suffix in ("", *_BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


# -- a cassette that is there


def append_all(target: Path, interactions: Interactions, hosts: Mapping[str, str]) -> int:
    """Put interactions and hosts at the end of a cassette, which is made if it is not there, all or nothing; gives how
    many they were. Raises CassetteError."""
    if not target.exists():
        return build(target, interactions, hosts)
    with changing(target) as writer:
        return _append(writer, interactions, hosts)


def _append(writer: CassetteWriter, interactions: Interactions, hosts: Mapping[str, str]) -> int:
    def tape() -> Iterator[Interaction]:
        yield from interactions(writer)
        add_mapped_hosts(writer, hosts)

    before = len(writer)
    writer.extend(tape())
    return len(writer) - before


@contextmanager
def changing(path: Path) -> Iterator[CassetteWriter]:
    """A writer of a copy, which takes the cassette's place when the block has ended well. Raises CassetteError."""
    path = path.resolve()
    with alone(path):
        beside = path.with_name(f".{path.name}.new")
        remove(beside)  # of somebody who was killed: nobody else is at it now
        try:
            copied(path, beside)
            with CassetteWriter.open(beside) as writer:
                yield writer
            take_place(beside, path)
        finally:
            remove(beside)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else writes this cassette within the block, and all of it is in its one file. Raises CassetteError where
    it is damaged, or is written."""
    require_sound(path)
    if not os.access(path, os.W_OK):
        raise CassetteError(f"{path} cannot be written: permission denied. Change its mode, or name another file.")
    shown, path = path, path.resolve()
    log = path.with_name(f"{path.name}-wal")
    if log.exists():  # left by a recorder that was killed
        CassetteWriter.open(path).close()
    lock = WriterLock(path, f"{shown} is being written by another recording")
    try:
        if log.exists() and log.stat().st_size:
            raise CassetteError(f"{shown} is being read by somebody who opened it while it was written. Wait for them.")
        yield
    finally:
        lock.release()


def copied(path: Path, beside: Path) -> None:
    """A second file of the same content, by SQLite alone: a descriptor of our own would drop its locks. Raises
    CassetteError."""
    try:
        with (
            closing(sqlite_file.open_read_only(path)) as source,
            closing(sqlite_file.connect(beside, "mode=rwc")) as copy,
        ):
            source.backup(copy)
    except sqlite3.Error as error:
        raise sqlite_file.named(path, error) from error


def take_place(beside: Path, path: Path) -> None:
    """Put what was made beside a cassette in its place. Raises CassetteError."""
    try:
        beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
        for suffix in _BESIDE:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as wrong:
        raise CassetteError(f"{path} cannot be replaced: {wrong.strerror}. Make it writable.") from None
