"""What objects hold: pieces of stored contents, joined for reading without a copy.

Rule: no content is ever whole in memory; a copy of an object is a copy of the list of its pieces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from durable_replay.http import Body
from durable_replay.service.api import Document, Json, Scope
from durable_s3.resources import known

__all__ = ["Joined", "Piece", "as_json", "content", "cut", "pieces"]

Piece = tuple[str, int, int]
"""A content's name, and the bytes of it that count: from start up to stop."""


class Joined(Body):
    """Pieces one after the other. Each is opened when its turn comes."""

    __slots__ = ("_parts", "size")

    def __init__(self, parts: Sequence[tuple[Body, int, int]]) -> None:
        self._parts = parts
        self.size = sum(stop - start for _, start, stop in parts)

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        end = self.size if stop is None else min(stop, self.size)
        at = 0
        for body, first, last in self._parts:
            begin, finish = max(start - at, 0), min(end - at, last - first)
            at += last - first
            if begin < finish:
                yield from body.chunks(first + begin, first + finish)


def pieces(document: Document) -> list[Piece]:
    """An object's or part's pieces; Unrecorded where they are not known."""
    known(document, "Content")
    rows = cast("list[tuple[str, int, int]]", document["Content"])
    return [(name, start, stop) for name, start, stop in rows]


def as_json(parts: Iterable[Piece]) -> Json:
    """Pieces as a document holds them."""
    return [[name, start, stop] for name, start, stop in parts]


def cut(parts: Iterable[Piece], start: int, stop: int) -> list[Piece]:
    """The pieces of a range."""
    found: list[Piece] = []
    at = 0
    for name, first, last in parts:
        begin, finish = max(start - at, 0), min(stop - at, last - first)
        at += last - first
        if begin < finish:
            found.append((name, first + begin, first + finish))
    return found


def content(scope: Scope, parts: Sequence[Piece]) -> Body:
    """What the pieces hold; Unrecorded when a content is nowhere."""
    opened = [(scope.content(name), start, stop) for name, start, stop in parts]
    if len(opened) == 1 and opened[0][1:] == (0, opened[0][0].size):
        return opened[0][0]
    return Joined(opened)
