"""Many short texts looked for at once: three look-ups for each byte instead of one search for each text.

Of each text three signs in a row are taken, the rarest that it has. These grams are shared out over eight buckets, one
a bit. A table for each place says of every byte which buckets have it there, so that the tables' answers, shifted by
their place and joined by "and", leave a bit where the three signs of one bucket may stand (the search for several texts
that is called Teddy in Hyperscan, with integers of any length in place of vector registers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.resources import files
from itertools import product
from math import prod

__all__ = ["SIZE", "Grams", "beginnings", "cases"]

SIZE = 3
_BUCKETS = 8
_MANY = 300
_ZEROS = 500  # which images, archives and empty pages have
_MARKED = bytes((0, *(1,) * 255))
_SIGN = re.compile(
    r"(?P<sign>\[[^\]^\\][^\]\\]*\]|\\[^a-ce-zA-Z0-9]|[^\\\[\](){}|*+?.^$])(?:\{(?P<times>[1-9]\d*)(?P<more>,\d*)?\}|(?P<open>[*+?{]))?"
)

Gram = tuple[frozenset[int], ...]
"""The signs that may stand in each place."""


class _Typical:
    """What most bodies are like (typical.txt): for each place of a gram, where in that text each sign stands, as the
    bits of an integer. Only speed depends on it."""

    __slots__ = ("_standing",)

    def __init__(self) -> None:
        text = files(__package__).joinpath("typical.txt").read_bytes() + bytes(_ZEROS)
        self._standing = tuple({sign: _bits(text[place:], sign) for sign in range(256)} for place in range(SIZE))

    def standing(self, place: int, signs: Iterable[int]) -> int:
        """Where one of some signs stands in a place."""
        here, found = self._standing[place], 0
        for sign in signs:
            found |= here[sign]
        return found

    def of(self, gram: Gram) -> int:
        """Where a gram stands."""
        return self.standing(0, gram[0]) & self.standing(1, gram[1]) & self.standing(2, gram[2])


def _bits(text: bytes, sign: int) -> int:
    """The places of a sign in a text."""
    return (
        int(text[::-1].translate(bytes(0x31 if each == sign else 0x30 for each in range(256))), 2)
        if sign in text
        else 0
    )


def cases(text: str) -> tuple[str, ...]:
    """A text for each place: the sign in both cases."""
    return tuple("".join(dict.fromkeys((sign.lower(), sign.upper()))) for sign in text)


def beginnings(pattern: str) -> tuple[str, ...] | None:
    """The signs that the matches of a simple pattern may begin with, for each of three places; None where that is not
    plain to see."""
    places: list[str] = []
    at = 0
    while len(places) < SIZE:
        sign = None if "|" in pattern else _SIGN.match(pattern, at)
        if sign is None or sign["open"]:
            return None
        one = re.compile(sign["sign"], re.ASCII)
        places += ["".join(each for each in map(chr, range(256)) if one.fullmatch(each))] * int(sign["times"] or 1)
        at = sign.end()
        if sign["more"] and len(places) < SIZE:
            return None  # what follows has no place of its own
    few = 0 < prod(map(len, places[:SIZE])) <= _MANY
    return tuple(places[:SIZE]) if few else None


class Grams:
    """Which of some texts occur. A text is given with a number, and as the signs of each place of it."""

    __slots__ = ("_known", "_tables")

    def __init__(self, texts: Iterable[tuple[tuple[str, ...], int]]) -> None:
        typical = _Typical()
        self._known: dict[bytes, list[tuple[int, _Text, int]]] = {}
        grams: dict[Gram, None] = {}
        for signs, number in texts:
            text = _Text(signs)
            before, gram = _rarest(text.signs, typical)
            grams[gram] = None
            for one in product(*gram):
                self._known.setdefault(bytes(one), []).append((before, text, number))
        buckets = [_Bucket(typical) for _ in range(_BUCKETS)]
        for gram in sorted(
            grams, key=lambda each: (_commonness(each, typical), sorted(map(sorted, each))), reverse=True
        ):
            min(buckets, key=lambda bucket: bucket.growth(gram)).add(gram)
        self._tables = tuple(_table(buckets, place) for place in range(SIZE))

    def numbers(self, data: bytes) -> set[int]:
        """The numbers of the texts that occur in some bytes."""
        first, second, third = self._tables
        marks = (
            int.from_bytes(data.translate(first), "little")
            & (int.from_bytes(data.translate(second), "little") >> 8)
            & (int.from_bytes(data.translate(third), "little") >> 16)
        )
        found: set[int] = set()
        places, at = (marks.to_bytes(len(data), "little").translate(_MARKED) if marks else b""), -1
        while (at := places.find(1, at + 1)) >= 0:
            for before, text, number in self._known.get(data[at : at + SIZE], ()):
                if number not in found and at >= before and text.stands(data, at - before):
                    found.add(number)
        return found


class _Text:
    """One text that is looked for."""

    __slots__ = ("_exact", "_folded", "signs")

    def __init__(self, signs: tuple[str, ...]) -> None:
        self.signs: Gram = tuple(frozenset(each.encode("latin-1", "replace")) for each in signs)
        self._exact = bytes(each for (each,) in self.signs) if all(len(each) == 1 for each in self.signs) else None
        folded = [frozenset(bytes(each).lower()) for each in self.signs]
        letters = all(len(each) == 1 and both == _both(each) for each, both in zip(folded, self.signs, strict=True))
        self._folded = bytes(each for (each,) in folded) if letters else None

    def stands(self, data: bytes, at: int) -> bool:
        if self._exact is not None:
            return data.startswith(self._exact, at)
        here = data[at : at + len(self.signs)]
        if self._folded is not None:
            return here.lower() == self._folded
        return len(here) == len(self.signs) and all(map(frozenset.__contains__, self.signs, here))


def _both(sign: frozenset[int]) -> frozenset[int]:
    """A sign in both cases."""
    return frozenset(bytes(sign).lower() + bytes(sign).upper())


class _Bucket:
    """Grams that share a bit."""

    __slots__ = ("_standing", "_typical", "signs")

    def __init__(self, typical: _Typical) -> None:
        self._typical = typical
        self.signs: list[frozenset[int]] = [frozenset()] * SIZE
        self._standing = [0] * SIZE

    def _with(self, gram: Gram) -> list[int]:
        return [
            standing | self._typical.standing(place, gram[place] - self.signs[place])
            for place, standing in enumerate(self._standing)
        ]

    def growth(self, gram: Gram) -> tuple[int, int]:
        """How many more marks a gram would make: in what is typical, and in anything."""
        first, second, third = self._with(gram)
        size = prod(len(signs | more) for signs, more in zip(self.signs, gram, strict=True))
        one, two, three = self._standing
        return (first & second & third).bit_count() - (one & two & three).bit_count(), size - prod(map(len, self.signs))

    def add(self, gram: Gram) -> None:
        self._standing = self._with(gram)
        self.signs = [signs | more for signs, more in zip(self.signs, gram, strict=True)]


def _table(buckets: list[_Bucket], place: int) -> bytes:
    return bytes(
        sum(1 << bit for bit, bucket in enumerate(buckets) if sign in bucket.signs[place]) for sign in range(256)
    )


def _commonness(gram: Gram, typical: _Typical) -> tuple[int, int]:
    """How often a gram stands in what is typical, and how often its signs do."""
    signs = prod(typical.standing(place, signs).bit_count() + 1 for place, signs in enumerate(gram))
    return typical.of(gram).bit_count(), signs


def _rarest(text: Gram, typical: _Typical) -> tuple[int, Gram]:
    """Three places of a text that few others have, and how many places are before them."""
    grams = ((at, text[at : at + SIZE]) for at in range(len(text) - SIZE + 1))
    return min(grams, key=lambda each: _commonness(each[1], typical))
