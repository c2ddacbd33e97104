"""Values that an earlier answer named, carried from its live answer into the requests that used them.

A client takes the cursor of the next page, the id of a thing, an entity tag out of one answer and puts it into its next
request. Where a part of a recorded request is what an earlier recorded answer showed, and the live answer shows another
value at the same place, the live request gets that. A cursor that the live answer lacks means: no such page any more.
"""

# Rule: a short or common value proves nothing. It is carried when its place says that it is a cursor or a link, or when
# one place alone has shown it under a name of ids, and that place and the request speak of the same kind of thing.

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from durable_replay.drift.formats import format_of
from durable_replay.drift.live.places import URL, Part, Place, parts, shown
from durable_replay.drift.live.replacing import with_value
from durable_replay.drift.live.selecting import Step
from durable_replay.drift.sources import Side
from durable_replay.http import Interaction, Request, Response
from durable_replay.redaction.placeholders import is_placeholder

__all__ = ["Carry", "Found", "Gone", "carried", "carries", "found_at"]

_SHOWN = 200_000
_OPAQUE = re.compile(r"(?=.*\d)[\w.~+/=:!-]{12,}")


@dataclass(frozen=True, slots=True)
class Carry:
    """A part of a step's request that the answer to `source` (a step's number) showed at `place` as `recorded`."""

    part: Part
    source: int
    place: Place
    recorded: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a live answer has at a place: None where it has nothing. `still`: the recorded value is among its like."""

    value: str | None
    still: bool = False


class Gone(Exception):
    """The live answer names no such page any more."""


# -- the tape: which request got what from where ----------------------------------------------------------------------


@dataclass(slots=True)
class _Source:
    number: int
    host: str
    path: str
    place: Place
    ambiguous: bool = False


@dataclass(slots=True)
class _Showings:
    """Where values were shown first; a cursor's or link's latest showing counts, for it leads to the next page."""

    wanted: frozenset[int]
    by_value: dict[str, _Source] = field(default_factory=dict)

    def add(self, source: _Source, value: str) -> None:
        if hash(value) not in self.wanted:
            return
        known = self.by_value.get(value)
        if known is None:
            if len(self.by_value) < _SHOWN:
                self.by_value[value] = source
        elif source.place.rank and source.place.rank >= known.place.rank:
            self.by_value[value] = source
        elif known.place.general != source.place.general:
            known.ambiguous = True

    def source(self, part: Part, value: str, request: Request) -> _Source | None:
        """Where a part of a request has its value from; None: from nowhere that is known."""
        source = self.by_value.get(value)
        if source is None or not _fits(part, source.place, request):
            return None
        place, hidden = source.place, is_placeholder(value)
        if source.host != request.host and hidden:
            return None  # one host's secrets are not told to another
        if place.within == URL or hidden or place.kind in ("header", "cookie"):
            return source
        if place.is_cursor and source.path == request.path:
            return source
        if _OPAQUE.fullmatch(value):
            return None if format_of(value).startswith("date") else source
        is_id = place.is_id and not source.ambiguous and _is_related(part, source, request)
        return source if is_id else None


def _is_related(part: Part, source: _Source, request: Request) -> bool:
    """Whether a short id is of the kind that a part of a request names: `/users` lists the 7 of `/users/7`, and
    `user.id` or `userId` is the 7 of `user_id=7`."""
    names = _plain("".join(step for step in source.place.path if isinstance(step, str)))
    match part:
        case ("path", int(at)):
            before = request.path.split("/")[:at]
            kind = _plain(before[-1]) if before else ""
            return source.path.rstrip("/") == "/".join(before) or (len(kind) > 2 and kind.removesuffix("s") in names)
        case ("query", int(at)):
            kind = _plain(request.query[at][0])
        case ("body", *path):
            kind = _plain("".join(step for step in path[-1:] if isinstance(step, str)))
        case _:
            return False
    return len(kind) > 2 and (kind in names or kind.removesuffix("s") in names)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def carries(side: Side, steps: Iterable[Step]) -> dict[int, tuple[Carry, ...]]:
    """What each step carries, by its number; reads the steps' interactions twice. Raises CassetteError."""
    numbers = [step.number for step in steps]
    wanted = {hash(value) for number in numbers for _, value in parts(side.interaction(number).request)}
    showings = _Showings(frozenset(wanted))
    found: dict[int, tuple[Carry, ...]] = {}
    for number in numbers:
        interaction = side.interaction(number)
        here = tuple(_carries_of(interaction, showings))
        if here:
            found[number] = here
        request = interaction.request
        for place, value in shown(request, interaction.response):
            showings.add(_Source(number, request.host, request.path, place), value)
    return found


def _carries_of(interaction: Interaction, showings: _Showings) -> Iterator[Carry]:
    request = interaction.request
    whole = False
    for part, value in parts(request):
        if whole and part[0] in ("path", "query"):
            continue
        source = showings.source(part, value, request)
        if source is None:
            continue
        whole = whole or part == ("target",)
        yield Carry(part, source.number, source.place, value)


def _fits(part: Part, place: Place, request: Request) -> bool:
    """Links are whole targets, entity tags go into conditions, cookies into cookies, and all else nowhere there."""
    kinds = {part[0], place.kind}
    if place.within == URL or part == ("target",):
        return place.within == URL and part == ("target",)
    if "cookie" in kinds:
        return kinds == {"cookie"}
    if "header" in kinds:
        return kinds == {"header"} or (part[0] == "header" and place.is_id)
    if place.within:
        return part[0] == "query" and request.query[int(part[1])][0] == place.within
    return True


# -- live: what an answer has, and the request that gets it -----------------------------------------------------------


def found_at(request: Request, response: Response, wanted: Iterable[Carry]) -> dict[Place, Found]:
    """What an answer has at the places from which later steps carry."""
    recorded = {carry.place: carry.recorded for carry in wanted}
    general: dict[tuple[object, ...], list[Place]] = {}
    for place in recorded:
        general.setdefault(place.general, []).append(place)
    values: dict[Place, str] = {}
    still: set[Place] = set()
    for place, value in shown(request, response):
        for like in general.get(place.general, ()):
            if like == place:
                values[place] = value
            if value == recorded[like]:
                still.add(like)
    return {place: Found(values.get(place), place in still) for place in recorded}


def carried(request: Request, carries_: Iterable[Carry], found: Mapping[tuple[int, Place], Found]) -> Request:
    """The request with the live values. Raises Gone where a cursor is no more."""
    for carry in carries_:
        live = found.get((carry.source, carry.place), Found(None))
        if live.value is None:
            if carry.place.is_cursor:
                raise Gone
            continue
        if live.value == carry.recorded or (live.still and not carry.place.is_cursor):
            continue
        request = with_value(request, carry.part, live.value)
    return request
