"""A new cassette is put in its place whole; a cassette that is there is changed in one transaction.

# Rule: readers see the cassette before the change or after it, and a change that fails leaves the former.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from durable_replay.cassette.care.hosts import mapped_hosts, set_mapped_hosts
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

__all__ = ["Interactions", "Progress", "append_all", "build", "counted", "silent"]

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
    """Make a cassette where none is; gives its length. Raises CassetteError, as does what `interactions` gives."""
    _require_free(target)
    beside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with CassetteWriter.open(beside) as writer:
            for interaction in interactions(writer):
                writer.append(interaction)
            length = len(writer)
            if hosts:
                set_mapped_hosts(writer, hosts)
        _require_free(target)
        beside.replace(target)
    finally:
        for left in beside.parent.glob(f"{beside.name}*"):
            left.unlink(missing_ok=True)
    return length


def _require_free(target: Path) -> None:
    if target.exists():
        raise CassetteError(f"{target} is there already. Name a new file.")


def append_all(target: Path, interactions: Interactions, hosts: Mapping[str, str]) -> int:
    """Put interactions at the end of a cassette, all or none, or make it; gives how many they were."""
    if not target.exists():
        return build(target, interactions, hosts)
    with CassetteWriter.open(target) as writer, Cassette.open(target) as reader:
        before, known = len(reader), mapped_hosts(reader)
        writer.replace_all(chain(reader.interactions(), interactions(writer)))
        if {**known, **hosts} != known:
            set_mapped_hosts(writer, {**known, **hosts})
        return len(writer) - before
