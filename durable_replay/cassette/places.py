"""The small numbers by which rows name what many of them share: contents, and origins (a host and a port).

# Rule: a number is used only together with what it stands for, in one statement or one transaction; checksums and
identity are over what it stands for, never over the number.

A body's number follows from its digest, so that no second index is needed to find it: its leading bits, and a place
among the few that have these. Where all of those are taken, for which somebody has tried millions of contents, it is
the next that is free from a number far above, which follows from the digest too. An origin's number is counted up, and
kept in `meta`.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from heapq import merge

__all__ = ["ORIGIN", "Places", "Value", "body_numbers", "body_row", "number_above", "origin_of", "origin_text"]

ORIGIN = "origin "
"""In `meta`, the names of origins begin so; the number follows."""

Value = str | int | float | bytes | None
"""Of a column."""

_PREFIX_BYTES, _PLACES = 3, 16  # 28 bits, which SQLite stores in four bytes, as a row's own number too
_ABOVE_BYTES, _ABOVE = 7, 1 << 61
"""Numbers from here on are those of bodies whose places were taken. They never run out."""
_FEW = 4096
_KEPT = 32 * 1024
"""More than are ever held back from the file (held.py)."""
_SOME_ABOVE = f"SELECT 1 FROM body WHERE id >= {_ABOVE} LIMIT 1"  # noqa: S608 - a number of our own
_SOME = "SELECT id, digest FROM body LIMIT ?"
_NEAR = "SELECT id, digest FROM body WHERE id BETWEEN ? AND ? ORDER BY id"
_FROM = "SELECT id, digest FROM body WHERE id >= ? ORDER BY id"
_BODY = "SELECT packing, size, data FROM body WHERE id BETWEEN ? AND ? AND digest = ?"
_BODY_ABOVE = "SELECT packing, size, data FROM body WHERE id >= ? AND digest = ? LIMIT 1"
_INSERT_BODY = "INSERT INTO body (id, digest, size, packing, data) VALUES (?, ?, ?, ?, ?)"
_ORIGINS = "SELECT key, value FROM meta WHERE key > 'origin ' AND key < 'origin!'"
_NEW_ORIGIN = "INSERT INTO meta (key, value) VALUES (?, ?)"
_UNUSED_ORIGINS = (
    "DELETE FROM meta WHERE key > 'origin ' AND key < 'origin!'"
    " AND key NOT IN (SELECT DISTINCT 'origin ' || origin FROM interaction)"
)


def body_numbers(digest: bytes) -> tuple[int, int]:
    """The first and the last number that a body of this digest has, unless all of them are others'."""
    first = int.from_bytes(digest[:_PREFIX_BYTES], "big") * _PLACES
    return first, first + _PLACES - 1


def number_above(digest: bytes) -> int:
    """If they are: from where on the next free number is its own."""
    return _ABOVE + int.from_bytes(digest[:_ABOVE_BYTES], "big")


def body_row(connection: sqlite3.Connection, digest: bytes) -> list[tuple[Value, ...]]:
    """Packing, size and stored bytes of the body of this digest; empty where the file does not hold it. Raises
    sqlite3.Error."""
    found = connection.execute(_BODY, (*body_numbers(digest), digest)).fetchall()
    return found or connection.execute(_BODY_ABOVE, (number_above(digest), digest)).fetchall()


def origin_text(host: str, port: int) -> str:
    """An origin as `meta` has it."""
    return f"{host}:{port}"


def origin_of(text: str) -> tuple[str, int]:
    """The reverse of `origin_text`; raises ValueError."""
    host, _, port = text.rpartition(":")
    return host, int(port)


def _own_or_free(found: Iterable[tuple[int, bytes]], digest: bytes, first: int) -> tuple[int, bool]:
    """Of bodies in the order of their numbers: the number of this digest, else the first that is free from `first` on;
    and which of the two it is."""
    free = first
    for number, other in found:
        if other == digest:
            return number, True
        free += number == free
    return free, False


class Places:
    """The writer's side: finds numbers, and gives new ones. Runs in the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._bodies: OrderedDict[bytes, int] = OrderedDict()
        self._taken: set[int] | None = None
        """The numbers of all bodies, which are then all in `_bodies`; None: not known."""
        self._is_fresh = True
        self._given: dict[int, bytes] = {}
        """Numbers of bodies that the caller has not put into the file yet."""
        self._origins: dict[str, int] | None = None
        self._highest_origin = 0
        self._above: bool | None = None
        """Whether any body has a number above; None: not known."""

    def forget(self) -> None:
        """What was remembered of the file may not be true any more."""
        self._bodies.clear()
        self._taken = None
        self._is_fresh = True
        self._given.clear()
        self._origins = None
        self._above = None

    def body(self, digest: bytes) -> int | None:
        """The number of this content; None where the file does not hold it."""
        number, is_there = self.locate(digest)
        return number if is_there else None

    def locate(self, digest: bytes) -> tuple[int, bool]:
        """The number that this content has, or is to be stored under; and whether the file holds it."""
        number = self._bodies.get(digest)
        if number is not None:
            return number, True
        if self._is_fresh:
            self._learn()
            return self.locate(digest)
        first, last = body_numbers(digest)
        if self._taken is not None:
            free = next((at for at in range(max(first, 1), last + 1) if at not in self._taken), None)
            if free is not None:
                return free, False
        number, is_there = _own_or_free(self._near(first, last), digest, max(first, 1))
        if not is_there and (number > last or self._is_some_above()):
            above, is_there = _own_or_free(self._from(number_above(digest)), digest, number_above(digest))
            number = above if is_there or number > last else number
        if is_there:
            self._keep(digest, number)
        return number, is_there

    def _near(self, first: int, last: int) -> list[tuple[int, bytes]]:
        found = dict(self._connection.execute(_NEAR, (first, last)).fetchall())
        found.update((number, self._given[number]) for number in range(first, last + 1) if number in self._given)
        return sorted(found.items())

    def _from(self, first: int) -> Iterator[tuple[int, bytes]]:
        given = sorted((number, digest) for number, digest in self._given.items() if number >= first)
        return merge(self._connection.execute(_FROM, (first,)), given)

    def _learn(self) -> None:
        """Of a file with few bodies all are remembered, so that none is looked for."""
        self._is_fresh = False
        found = self._connection.execute(_SOME, (_FEW + 1,)).fetchall()
        if len(found) <= _FEW:
            self._taken = {number for number, _ in found}
            self._bodies.update((digest, number) for number, digest in found)

    def _is_some_above(self) -> bool:
        if self._above is None:
            self._above = self._connection.execute(_SOME_ABOVE).fetchone() is not None
        return self._above

    def put(self, digest: bytes, size: int, packed: Callable[[], tuple[str, bytes]]) -> None:
        """Store a content that the file does not hold yet; `packed` gives its packing and its bytes then."""
        number = self.take(digest)
        if number is not None:
            self._connection.execute(_INSERT_BODY, (number, digest, size, *packed()))
            del self._given[number]

    def take(self, digest: bytes) -> int | None:
        """The number for a content that the file does not hold, which the caller puts there before this transaction
        ends; None where it has one."""
        number, is_there = self.locate(digest)
        if is_there:
            return None
        self._keep(digest, number)
        self._given[number] = digest
        self._above = self._above or number >= _ABOVE
        return number

    def all_are_written(self) -> None:
        """The caller has put what it has taken numbers for into the file."""
        self._given.clear()

    def _keep(self, digest: bytes, number: int) -> None:
        if len(self._bodies) >= _KEPT:
            self._bodies.popitem(last=False)
            self._taken = None
        self._bodies[digest] = number
        if self._taken is not None:
            self._taken.add(number)

    def origin(self, host: str, port: int) -> int:
        """The number of an origin, given now where it has none."""
        origins = self._known()
        text = origin_text(host, port)
        number = origins.get(text)
        if number is None:
            number = self._highest_origin = self._highest_origin + 1
            self._connection.execute(_NEW_ORIGIN, (f"{ORIGIN}{number}", text))
            origins[text] = number
        return number

    def _known(self) -> dict[str, int]:
        if self._origins is None:
            self._origins = {value: int(key[len(ORIGIN) :]) for key, value in self._connection.execute(_ORIGINS)}
            self._highest_origin = max(self._origins.values(), default=0)
        return self._origins

    def drop_unused(self) -> None:
        """Origins that no interaction has any more leave the file; numbers of bodies are looked up anew."""
        self._connection.execute(_UNUSED_ORIGINS)
        self.forget()
