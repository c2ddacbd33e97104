"""Several tapes as one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from heapq import merge as merged
from itertools import chain
from pathlib import Path

from durable_replay.cassette.care.building import Progress, append_all, counted, silent
from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.store import Cassette
from durable_replay.errors import UsageError
from durable_replay.http import Interaction

__all__ = ["merge"]


def merge(target: Path, sources: Sequence[Path], *, by_time: bool = False, on_progress: Progress = silent) -> int:
    """Put the tapes of `sources`, one behind the other, at the end of `target`, which is made if it is not there.

    `by_time`: in the order in which their interactions began; each tape keeps its own order. Gives how many were
    added. Raises UsageError where the sources disagree on a host's service, CassetteError.
    """
    _require_others(target, sources)
    with ExitStack() as opened:
        cassettes = [opened.enter_context(Cassette.open(path)) for path in sources]
        total = sum(map(len, cassettes))
        tapes = [cassette.interactions() for cassette in cassettes]
        joined = _by_time(tapes) if by_time else chain.from_iterable(tapes)
        return append_all(target, lambda writer: counted(joined, total, on_progress), _hosts(cassettes))


def _require_others(target: Path, sources: Sequence[Path]) -> None:
    if not sources:
        raise UsageError("nothing to merge: name the cassettes")
    if any(path.resolve() == target.resolve() for path in sources):
        raise UsageError(f"{target} cannot be merged into itself; name another target")


def _by_time(tapes: Iterable[Iterator[Interaction]]) -> Iterator[Interaction]:
    return merged(*tapes, key=lambda interaction: interaction.started)


def _hosts(cassettes: Iterable[Cassette]) -> Mapping[str, str]:
    hosts: dict[str, str] = {}
    for cassette in cassettes:
        for host, service in mapped_hosts(cassette).items():
            if hosts.setdefault(host, service) != service:
                raise UsageError(
                    f"{cassette.path} maps {host} to {service}, another cassette to {hosts[host]}; merge them apart"
                )
    return hosts
