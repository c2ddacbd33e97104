"""Whether one of many long texts occurs: in one look at every fourth place, however many they are; and the other way
about, whether a text occurs in one of many.

# Rule: what occurs is always told. A text of seven signs or more covers four that begin at a multiple of four, wherever
it begins itself; so the first four blocks of four that it has are all that need be known of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["Blocks", "Standing"]

_SIZE = 4
_COVERING = 2 * _SIZE - 1
_FEW = 10


class Blocks:
    """Texts, which can be added and taken off."""

    __slots__ = ("_all", "_short", "_texts")

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._all: dict[str, None] = {}
        self._short: dict[str, None] = {}
        self._texts: dict[int, dict[str, None]] = {}
        for text in texts:
            self.add(text)

    def __bool__(self) -> bool:
        return bool(self._all)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def add(self, text: str) -> None:
        self._all[text] = None
        if len(text) < _COVERING:
            self._short[text] = None
        for block in _first(text):
            self._texts.setdefault(block, {})[text] = None

    def remove(self, text: str) -> None:
        self._all.pop(text, None)
        self._short.pop(text, None)
        for block in _first(text):
            self._texts.get(block, {}).pop(text, None)

    def occurring(self, text: str) -> list[str]:
        """Those that stand in a text."""
        if len(self._all) <= _FEW:
            return [each for each in self._all if each in text]
        found = self._texts.keys() & _aligned(text.encode("latin-1", "replace"))
        likely = dict.fromkeys(each for block in found for each in self._texts[block])
        return [each for each in (*likely, *self._short) if each in text]


class Standing:
    """Texts that others are looked for in. What is added is taken apart when something is looked for, once."""

    __slots__ = ("_blocks", "_texts", "_waiting")

    def __init__(self) -> None:
        self._blocks: set[int] = set()
        self._texts: list[str] = []
        self._waiting: list[str] = []

    def add(self, texts: Iterable[str]) -> None:
        self._waiting += texts

    def has(self, text: str) -> bool:
        """Whether a text stands in one of them."""
        if self._waiting:
            self._texts.append("\n".join(self._waiting))
            self._waiting.clear()
            self._blocks.update(_aligned(self._texts[-1].encode("latin-1", "replace")))
        data = text.encode("latin-1", "replace")
        if all(not self._blocks.issuperset(_aligned(data[at:])) for at in range(_SIZE)):
            return False
        return any(text in each for each in self._texts)


def _aligned(data: bytes) -> memoryview:
    """The blocks that begin at a multiple of their size."""
    return memoryview(data)[: len(data) // _SIZE * _SIZE].cast("I")


def _first(text: str) -> Iterable[int]:
    data = text.encode("latin-1", "replace")
    if len(data) < _COVERING:
        return ()
    return [memoryview(data[at : at + _SIZE]).cast("I")[0] for at in range(_SIZE)]
