"""A new cassette is put in its place whole; a cassette that is there is changed in one transaction.

# Rule: readers see the cassette before the change or after it, and a change that fails leaves the former.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from durable_replay.cassette.care.hosts import add_mapped_hosts
from durable_replay.cassette.lock import WriterLock
from durable_replay.cassette.opening import require_sound
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

__all__ = ["Interactions", "Progress", "append_all", "append_staged", "append_to", "build", "counted", "silent"]

Progress = Callable[[int, int], None]
"""Told now and then: interactions done, interactions in all (0: not known)."""

Interactions = Callable[[CassetteWriter], Iterable[Interaction]]
"""Gives the interactions for a writer, whose `new_body` takes large bodies."""

_TOLD_EVERY = 200


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


def build(target: Path, interactions: Interactions, hosts: Mapping[str, str]) -> int:
    """Make a cassette where none is; gives its length. `hosts` is looked at when the last interaction was given.
    Raises CassetteError, as does what `interactions` gives."""
    if target.exists():
        raise _taken(target)
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        length = append_to(beside, interactions, hosts)
        _give_name(beside, target)
    finally:
        for suffix in ("", "-wal", "-shm"):
            beside.with_name(beside.name + suffix).unlink(missing_ok=True)
    return length


def _give_name(beside: Path, target: Path) -> None:
    """Never over a file that came into being meanwhile, where the file system can tell."""
    try:
        os.link(beside, target)
    except FileExistsError:
        raise _taken(target) from None
    except OSError:  # a file system without hard links
        beside.replace(target)


def _taken(target: Path) -> CassetteError:
    return CassetteError(f"{target} is there already. Name a new file.")


def append_to(target: Path, interactions: Interactions, hosts: Mapping[str, str]) -> int:
    """Put interactions and hosts at the end of a cassette in one transaction; gives how many they were."""
    with CassetteWriter.open(target) as writer:
        before = len(writer)

        def tape() -> Iterator[Interaction]:
            yield from interactions(writer)
            add_mapped_hosts(writer, hosts)

        writer.extend(tape())
        return len(writer) - before


def append_all(target: Path, interactions: Interactions, hosts: Mapping[str, str]) -> int:
    """The same, where the cassette is made if it is not there: whole or not at all."""
    return append_staged(target, interactions, hosts) if target.exists() else build(target, interactions, hosts)


def append_staged(target: Path, interactions: Interactions, hosts: Mapping[str, str]) -> int:
    """The same for a cassette that is there: they are all had, and kept beside it, before it is opened for writing.

    Opening for writing alone changes an SQLite file, so a source that is broken leaves every byte as it was.
    """
    require_sound(target)
    WriterLock(target.resolve()).release()  # one that is being written is named before the work, not after it
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        append_to(beside, interactions, {})
        with Cassette.open(beside) as staged:
            return append_to(target, lambda _: staged.interactions(), hosts)
    finally:
        for suffix in ("", "-wal", "-shm"):
            beside.with_name(beside.name + suffix).unlink(missing_ok=True)
