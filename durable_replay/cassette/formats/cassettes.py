"""Cassettes of durable-replay itself, so that what was recorded apart can be put together."""

from __future__ import annotations

from collections.abc import Iterator

from durable_replay.cassette.formats.source import Head, Imported, Source
from durable_replay.cassette.store import Cassette

__all__ = ["Cassettes"]


class Cassettes:
    """One SQLite file. Its interactions keep their times and notes."""

    name = "cassette"

    def sniff(self, head: Head) -> bool:
        return head.data.startswith(b"SQLite format 3\0")

    def read(self, source: Source) -> Iterator[Imported]:
        with Cassette.open(source.path) as cassette:
            for interaction in cassette.interactions():
                yield Imported(interaction, f"interaction {interaction.number}")
