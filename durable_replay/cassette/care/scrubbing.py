"""An old cassette under today's redaction rules.

# Rule: no byte of the old file is in the new one: it is written anew beside the old and takes its place, so that no
# page that was once used, no log and no body outlives the change.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from durable_replay.cassette.care.building import Progress, alone, build, counted, silent, take_place
from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import EMPTY, Body, Interaction
from durable_replay.redaction.redact import Redactor

__all__ = ["Scrubbed", "scrub"]


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """How many interactions a cassette holds, and which of them are other than before."""

    interactions: int
    changed: tuple[int, ...]


class _Nowhere:
    """A store of bodies that keeps nothing: the first reading only learns."""

    def write(self, data: bytes) -> None:
        return

    def finish(self) -> Body:
        return EMPTY

    def abort(self) -> None:
        return


def scrub(path: Path, redactor: Redactor, on_progress: Progress = silent) -> Scrubbed:
    """Write a cassette anew without secrets; gives what changed. Its derived index is not written.

    The tape is read twice: what a later interaction gives away may stand in an earlier one. Raises CassetteError, and
    then the file is as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.scrubbed")
    changed: list[int] = []
    try:
        with alone(path):
            with Cassette.open(path) as old:
                count = _rewritten(old, beside, redactor, changed, on_progress)
            take_place(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    on_progress(2 * count, 2 * count)
    return Scrubbed(count, tuple(changed))


def _rewritten(old: Cassette, beside: Path, redactor: Redactor, changed: list[int], on_progress: Progress) -> int:
    for interaction in counted(old.interactions(), 2 * len(old), on_progress):
        redactor.interaction(interaction, _Nowhere)

    def tape(writer: CassetteWriter) -> Iterator[Interaction]:
        for interaction in old.interactions():
            shown = _redacted(redactor, interaction, writer)
            if _differ(interaction, shown):
                changed.append(interaction.number)
            yield shown

    return build(beside, tape, mapped_hosts(old))


def _redacted(redactor: Redactor, interaction: Interaction, writer: CassetteWriter) -> Interaction:
    shown = redactor.interaction(interaction, writer.new_body)
    return replace(shown, note=redactor.text(shown.note)) if shown.note else shown


def _differ(one: Interaction, other: Interaction) -> bool:
    """Whether anything was replaced; a body in which nothing was is the same object."""
    kept = replace(
        other,
        request=replace(other.request, body=one.request.body),
        response=replace(other.response, body=one.response.body),
    )
    return kept != one or other.request.body is not one.request.body or other.response.body is not one.response.body
