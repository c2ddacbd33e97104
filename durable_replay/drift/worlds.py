"""Which hosts and tenants of the two sides are one: recorded against a sandbox and production, or on another port.

# Rule: two unknown hosts are taken for one when somebody says so, or when each side has just one that the other lacks
and they serve a path in common; a tenant of a service likewise. It is told whenever it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Place", "Worlds"]

_BEFORE, _AFTER = 1, 2


@dataclass(frozen=True, slots=True)
class Place:
    """An unknown host (`world` is the same text), or a tenant of a service (`world` is its name)."""

    text: str
    world: str


class Worlds:
    """The places of both sides by number, in the order in which they were met."""

    def __init__(self) -> None:
        self._numbers: dict[Place, int] = {}
        self._sides: list[int] = []
        self._same: dict[int, int] = {}
        self.joined: tuple[tuple[Place, Place], ...] = ()
        """Places of the after side that are taken for one of the before side, which comes second."""

    def see(self, text: str, world: str, side: int) -> int:
        """The number of a place."""
        place = Place(text, world)
        number = self._numbers.setdefault(place, len(self._sides))
        if number == len(self._sides):
            self._sides.append(0)
        self._sides[number] |= side
        return number

    def settle(self, same: Mapping[str, str], alike: Callable[[int, int], bool]) -> None:
        """Decides; `same` are pairs of hosts, in either order; `alike` tells whether two serve a path in common."""
        places = list(self._numbers)
        by_text = {place.text: number for place, number in self._numbers.items()}
        for one, other in same.items():
            if one in by_text and other in by_text:
                self._join(by_text[one], by_text[other])
        for world in sorted({"" if place.text == place.world else place.world for place in places}):
            before, after = (self._only(side, world) for side in (_BEFORE, _AFTER))
            if len(before) == len(after) == 1 and alike(after[0], before[0]):
                self._join(after[0], before[0])
        self.joined = tuple((places[one], places[other]) for one, other in sorted(self._same.items()))

    def _only(self, side: int, world: str) -> list[int]:
        """The places of one side alone: of a service, or ("") the unknown hosts."""
        sides: dict[int, int] = {}
        for number, seen in enumerate(self._sides):
            sides[self.of(number)] = sides.get(self.of(number), 0) | seen
        return [
            number
            for place, number in self._numbers.items()
            if sides.get(number) == side and ("" if place.text == place.world else place.world) == world
        ]

    def _join(self, one: int, other: int) -> None:
        """The one of the before side stays."""
        one, other = self.of(one), self.of(other)
        if self._sides[one] & _BEFORE and not self._sides[other] & _BEFORE:
            one, other = other, one
        if one != other:
            for number, into in self._same.items():
                if into == one:
                    self._same[number] = other
            self._same[one] = other

    def of(self, number: int) -> int:
        """The place that this one is taken for, or itself."""
        return self._same.get(number, number)

    def by_number(self) -> Sequence[str]:
        """The world of each place, by the name that it has on the before side."""
        places = list(self._numbers)
        return [places[self.of(number)].world for number in range(len(places))]

    def of_side(self, side: int) -> tuple[str, ...]:
        """The names of a side's worlds, 1 for before, 2 for after."""
        return tuple(
            dict.fromkeys(place.world for place, number in self._numbers.items() if self._sides[number] & side)
        )

    @property
    def in_common(self) -> bool:
        """Whether any world is on both sides."""
        sides: dict[str, int] = {}
        for world, seen in zip(self.by_number(), self._sides, strict=True):
            sides[world] = sides.get(world, 0) | seen
        return any(seen == _BEFORE | _AFTER for seen in sides.values())
