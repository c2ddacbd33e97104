"""Which recordings of both sides belong together.

Both tapes are read once for what each request asks; that much (about 100 bytes an interaction) goes into a temporary
SQLite file, which sorts it by endpoint and key. Answers are read again, one at a time, when a group is compared.

# Rule: what grows with the number of interactions is on disk; memory grows with endpoints, and with the recordings of
# one group by 24 bytes each.

Pairing has three steps, each for what the one before left over:

1. the same request: equal canonical keys; all its recordings of both sides are one group, compared value by value
2. the same endpoint with the same names in the query: requests that differ in their ids
3. the same endpoint, where the first two found nothing: a request whose query has other names by now

What is left then is unpaired. It is given to the comparison as a group with one side where requests of the same
query names were paired, since it shows what such an answer may hold; and where the other side lacks the endpoint.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType

from durable_replay.drift.compare import Group
from durable_replay.drift.endpoints import Asking, answer_is_like
from durable_replay.drift.finding import Endpoint, Exchange, Unpaired
from durable_replay.drift.sources import Side
from durable_replay.drift.templates import Templates, blanked_path
from durable_replay.drift.worlds import Worlds
from durable_replay.errors import UsageError
from durable_replay.http import Interaction
from durable_replay.timeline.indexing import Indexing

__all__ = ["Pairing", "Seen", "pairing"]

Progress = Callable[[int, int], None]
"""Told now and then: exchanges done, exchanges in all."""
Selected = Callable[[Endpoint], bool]
_EVERY = 500
_PATHS = 10_000
"""So many paths of a host are looked at to tell whether two hosts are one."""

_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4096; PRAGMA temp_store = FILE;
CREATE TABLE asked (side INTEGER, number INTEGER, status INTEGER, key BLOB, names INTEGER, known INTEGER, place INTEGER,
    method TEXT, path TEXT, operation TEXT);
CREATE TABLE exchange (endpoint INTEGER, place INTEGER, key BLOB, side INTEGER, number INTEGER, names INTEGER);
"""
_ASKED = "INSERT INTO asked VALUES (?,?,?,?,?,?,?,?,?,?)"
_EXCHANGE = "INSERT INTO exchange VALUES (?,?,?,?,?,?)"
_READ = "SELECT side, number, status, key, names, known, place, method, path, operation FROM asked"
_SORTED = "SELECT endpoint, place, key, side, number, names FROM exchange ORDER BY endpoint, place, key, side, number"

_BEFORE, _AFTER = 1, 2
_Row = tuple[int, int, bytes, int, int, int]


@dataclass(slots=True)
class Seen:
    """What the first reading found on one side; `refused` are answers 401 and 403 among those to compare."""

    compared: int = 0
    aborted: int = 0
    preflights: int = 0
    refused: int = 0
    endpoints: set[int] = field(default_factory=set)
    """By number."""

    def count(self, endpoint: int, status: int) -> None:
        """One that is compared."""
        self.compared += 1
        self.refused += status in (401, 403)
        self.endpoints.add(endpoint)


def _silent(done: int, total: int) -> None:
    pass


class _Numbers:
    """Recordings of one side by number and key, packed; read from the tape whenever they are iterated."""

    __slots__ = ("_endpoint", "_keys", "_numbers", "_side", "_told")

    def __init__(self, endpoint: Endpoint, side: Side, told: Callable[[], None]) -> None:
        self._endpoint, self._side, self._told = endpoint, side, told
        self._numbers = array("Q")
        self._keys = bytearray()

    def add(self, number: int, key: bytes) -> None:
        self._numbers.append(number)
        self._keys += key

    def extend(self, other: _Numbers) -> None:
        self._numbers.extend(other._numbers)
        self._keys += other._keys

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[Exchange]:
        """In the order of the tape."""
        for at in sorted(range(len(self._numbers)), key=self._numbers.__getitem__):
            self._told()
            key = bytes(self._keys[16 * at : 16 * at + 16])
            yield Exchange(self._endpoint, key, self._side.interaction(self._numbers[at]))


class Pairing:
    """Both sides, sorted. `groups` may be read more than once; `pairs` and `unpaired` are of its last run."""

    def __init__(
        self,
        db: sqlite3.Connection,
        sides: tuple[Side, Side],
        seen: tuple[Seen, Seen],
        endpoints: Sequence[Endpoint],
        worlds: Worlds,
    ) -> None:
        self._db, self._sides, self._endpoints = db, sides, endpoints
        self._on_progress: Progress = _silent
        self.before, self.after = seen
        self.worlds = worlds
        self.pairs = 0
        self._done = 0
        self._unpaired: dict[Endpoint, list[int]] = {}

    def close(self) -> None:
        """Lets the temporary file go."""
        self._db.close()

    @property
    def unpaired(self) -> tuple[Unpaired, ...]:
        """Requests that only one side has, by endpoint, in order."""
        return tuple(Unpaired(endpoint, *counts) for endpoint, counts in sorted(self._unpaired.items()))

    def groups(self, on_progress: Progress = _silent) -> Iterator[Group]:
        """The groups, those of one endpoint in a row. Each reads its answers from the tapes when it is iterated."""
        self._on_progress = on_progress
        self.pairs, self._done, self._unpaired = 0, 0, {}
        # Not closed here: who is interrupted closes the database first, and the rows with it.
        for number, of_endpoint in groupby(self._db.execute(_SORTED), key=itemgetter(0)):
            yield from self._of(self._endpoints[number], of_endpoint)
        self._on_progress(self._total, self._total)

    @property
    def _total(self) -> int:
        return self.before.compared + self.after.compared

    def _told(self) -> None:
        self._done += 1
        if self._done % _EVERY == 0:
            self._on_progress(min(self._done, self._total), self._total)

    def _numbers(self, endpoint: Endpoint) -> tuple[_Numbers, _Numbers]:
        before, after = self._sides
        return _Numbers(endpoint, before, self._told), _Numbers(endpoint, after, self._told)

    def _of(self, endpoint: Endpoint, rows: Iterable[_Row]) -> Iterator[Group]:
        """The groups of one endpoint: exact ones as they come, what is left after them."""
        left: dict[int, tuple[_Numbers, _Numbers]] = {}
        paired: set[int] = set()
        for _, same in groupby(rows, key=itemgetter(1, 2)):
            befores, afters = self._numbers(endpoint)
            names = 0
            for _, _, key, side, number, named in same:
                names = named  # they belong to the key
                (befores if side == _BEFORE else afters).add(number, key)
            if befores and afters:
                paired.add(names)
                yield self._paired(endpoint, befores, afters, same_request=True)
                continue
            if names not in left:
                left[names] = befores, afters
                continue
            left_before, left_after = left[names]
            left_before.extend(befores)
            left_after.extend(afters)
        yield from self._left(endpoint, left, paired)

    def _paired(self, endpoint: Endpoint, befores: _Numbers, afters: _Numbers, *, same_request: bool) -> Group:
        self.pairs += min(len(befores), len(afters))
        return Group(endpoint, befores, afters, same_request)

    def _left(
        self, endpoint: Endpoint, left: Mapping[int, tuple[_Numbers, _Numbers]], paired: set[int]
    ) -> Iterator[Group]:
        alone: list[tuple[int, _Numbers, _Numbers]] = []
        for names, (befores, afters) in left.items():
            if befores and afters:
                paired.add(names)
                yield self._paired(endpoint, befores, afters, same_request=False)
            else:
                alone.append((names, befores, afters))
        if not paired:
            befores, afters = self._joined(endpoint, alone)
            if befores and afters:
                yield self._paired(endpoint, befores, afters, same_request=False)
                return
        for names, befores, afters in alone:
            counts = self._unpaired.setdefault(endpoint, [0, 0])
            counts[0] += len(befores)
            counts[1] += len(afters)
            if not paired or names in paired:
                yield Group(endpoint, befores, afters, same_request=False)

    def _joined(self, endpoint: Endpoint, alone: Iterable[tuple[int, _Numbers, _Numbers]]) -> tuple[_Numbers, _Numbers]:
        befores, afters = self._numbers(endpoint)
        for _, more_before, more_after in alone:
            befores.extend(more_before)
            afters.extend(more_after)
        return befores, afters


# -- the first reading ------------------------------------------------------------------------------------------------


def pairing(
    before: Side,
    after: Side,
    indexing: Indexing,
    *,
    same: Mapping[str, str] = MappingProxyType({}),
    selected: Selected = lambda endpoint: True,
    on_progress: Progress = _silent,
) -> Pairing:
    """Reads both sides for what their requests ask, and sorts that. Close what it gives.

    `same` are pairs of hosts (`name` or `name:port`) that are one; `selected` tells of an endpoint whether it is to be
    compared. Raises CassetteError.
    """
    db = sqlite3.connect("")  # a file of its own that is gone when it is closed; small ones stay in memory
    try:
        db.executescript(_SCHEMA)
        reading = _Reading(Asking(indexing), len(before) + len(after), on_progress)
        db.executemany(_ASKED, reading.rows(before, _BEFORE))
        db.executemany(_ASKED, reading.rows(after, _AFTER))
        reading.worlds.settle(same, lambda one, other: _serve_alike(db, one, other))
        for one, other in reading.worlds.joined:
            reading.templates.join(one.world, other.world)
        reading.templates.learn()
        endpoints: dict[Endpoint, int] = {}
        db.executemany(_EXCHANGE, reading.exchanges(db, endpoints, selected))
        db.execute("DROP TABLE asked")
        return Pairing(db, (before, after), reading.seen, tuple(endpoints), reading.worlds)
    except sqlite3.Error as wrong:  # a cassette's own errors have another name
        db.close()
        raise UsageError(
            f"what was asked cannot be sorted on disk ({wrong}); name a folder with more room in TMPDIR"
        ) from wrong
    except BaseException:
        db.close()
        raise


class _Reading:
    """What is learnt while both sides are read for the first time."""

    def __init__(self, asking: Asking, total: int, on_progress: Progress) -> None:
        self._asking, self._total, self._on_progress = asking, total, on_progress
        self._done = 0
        self.seen = (Seen(), Seen())
        self.worlds = Worlds()
        self.templates = Templates()

    def rows(self, side: Side, number: int) -> Iterator[tuple[object, ...]]:
        """A row for each interaction that can be compared."""
        seen = self.seen[number - 1]
        for interaction in side:
            self._done += 1
            if self._done % _EVERY == 0:
                self._on_progress(self._done, self._total)
            if _is_whole(interaction, seen):
                yield self._row(interaction, number)

    def _row(self, interaction: Interaction, side: int) -> tuple[object, ...]:
        asked = self._asking.asked(interaction.request)
        if not asked.known:
            self.templates.see(asked.world, asked.path, side, lambda: answer_is_like(interaction.response))
        place = self.worlds.see(asked.place, asked.world, side)
        told = (asked.key, asked.names, asked.known, place, asked.method, asked.path, asked.operation)
        return (side, interaction.number, interaction.response.status, *told)

    def exchanges(
        self, db: sqlite3.Connection, endpoints: dict[Endpoint, int], selected: Selected
    ) -> Iterator[tuple[object, ...]]:
        """The rows anew, with endpoints (numbered on the way) and places as they were decided; counts them."""
        numbers: dict[Endpoint, int | None] = {}
        worlds = self.worlds.by_number()
        with closing(db.execute(_READ)) as rows:
            for side, number, status, key, names, known, place, method, path, operation in rows:
                world = worlds[place]
                path = path if known else self.templates.template(world, path)
                endpoint = Endpoint(world, method, path, operation)
                if endpoint not in numbers:
                    chosen = selected(endpoint)
                    numbers[endpoint] = endpoints.setdefault(endpoint, len(endpoints)) if chosen else None
                of = numbers[endpoint]
                if of is not None:
                    self.seen[side - 1].count(of, status)
                    yield of, self.worlds.of(place), key, side, number, names


def _is_whole(interaction: Interaction, seen: Seen) -> bool:
    """Whether an interaction is compared; what is not is counted."""
    request = interaction.request
    if interaction.outcome != "complete" or not (interaction.response.status or interaction.frames):
        seen.aborted += 1
        return False
    if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
        seen.preflights += 1
        return False
    return True


def _serve_alike(db: sqlite3.Connection, one: int, other: int) -> bool:
    """Whether two places were asked for one path by one method."""
    paths = _paths(db, one)
    return not paths.isdisjoint(_paths(db, other))


def _paths(db: sqlite3.Connection, place: int) -> set[tuple[str, str, str]]:
    found: set[tuple[str, str, str]] = set()
    with closing(db.execute("SELECT DISTINCT method, path, operation FROM asked WHERE place = ?", (place,))) as rows:
        for method, path, operation in rows:
            found.add((method, blanked_path(path), operation))
            if len(found) >= _PATHS:
                break
    return found
