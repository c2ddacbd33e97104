"""Whether a cassette is whole, and whether the services of here and now understand it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from durable_replay.cassette.bodies import StoredBody
from durable_replay.cassette.care.building import Progress, silent
from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.index import Index
from durable_replay.cassette.sqlite_file import FAILURES
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError, CorruptCassette
from durable_replay.http import Body, Interaction
from durable_replay.timeline.indexing import Indexing

__all__ = ["Report", "verify"]

MOST = 100
"""Problems of a kind that are listed."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `damage`: what cannot be read as it was written. `unread`: answers that their service's lessons
    cannot read, which are still replayed. `index`: `fits`, `absent` (or made for other services), `unchecked`."""

    interactions: int
    bodies: int
    body_bytes: int
    damage: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    index: str = "unchecked"

    @property
    def sound(self) -> bool:
        """Whether all can be read as it was written."""
        return not self.damage


def verify(path: Path, indexing: Indexing | None = None, on_progress: Progress = silent) -> Report:
    """Read everything: SQLite's structure, each interaction's checksum, each byte of each body, the index, and with
    `indexing` what the services make of each answer. Raises CassetteError where the file cannot be opened at all."""
    with Cassette.open(path) as cassette:
        damage = list(_structure(cassette))
        if damage:  # what is read through a broken structure says nothing more
            return Report(len(cassette), 0, 0, tuple(damage))
        check = _Check(cassette, indexing)
        total = len(cassette)
        for number in range(1, total + 1):
            if number % 200 == 1:
                on_progress(number - 1, total)
            check.interaction(number)
        on_progress(total, total)
        damage += [*_facts(cassette), *check.damage]
        fits = "unchecked" if indexing is None else _index(cassette, indexing)
        return Report(total, len(check.seen), check.bytes, tuple(damage[:MOST]), tuple(check.unread[:MOST]), fits)


def _structure(cassette: Cassette) -> Iterator[str]:
    try:
        rows = cassette.connection().execute(f"PRAGMA integrity_check({MOST})").fetchall()
    except FAILURES as error:
        yield str(error)
        return
    yield from (str(row[0]) for row in rows if row[0] != "ok")


def _facts(cassette: Cassette) -> Iterator[str]:
    """What stands beside the tape."""
    try:
        mapped_hosts(cassette)
    except CassetteError as error:
        yield str(error)


class _Check:
    """What is met on the way through a tape."""

    def __init__(self, cassette: Cassette, indexing: Indexing | None) -> None:
        self._cassette = cassette
        self._indexing = indexing
        self.seen: set[str] = set()
        self.bytes = 0
        self.damage: list[str] = []
        self.unread: list[str] = []

    def interaction(self, number: int) -> None:
        try:
            interaction = self._cassette.interaction(number)
            for body in (interaction.request.body, interaction.response.body):
                self._body(body)
        except CorruptCassette as error:
            self.damage.append(str(error))
            return
        if self._indexing is not None:
            self._lessons(interaction, self._indexing)

    def _body(self, body: Body) -> None:
        if not isinstance(body, StoredBody) or body.digest in self.seen:
            return
        self.seen.add(body.digest)
        for chunk in body.chunks():
            self.bytes += len(chunk)

    def _lessons(self, interaction: Interaction, indexing: Indexing) -> None:
        call = indexing.understand(interaction.request).call
        if call is None or call.operation.learns is None or interaction.outcome != "complete":
            return
        try:
            for _ in call.operation.learns(call, interaction.response):
                pass
        except Exception as error:  # a plug-in may fail in any way on an answer that it does not know: it is told
            name = f"{call.service.name}.{call.operation.name}"
            self.unread.append(
                f"#{interaction.number}: {name} cannot read its answer ({type(error).__name__}: {error})"
            )


def _index(cassette: Cassette, indexing: Indexing) -> str:
    return "fits" if Index(cassette.connection).fits(indexing.fingerprint(cassette.identity)) else "absent"
