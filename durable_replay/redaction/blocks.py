"""Whether one of many long texts occurs: in one look at every fourth place, however many they are.

# Rule: what occurs is always told. A text of seven signs or more covers four that begin at a multiple of four, wherever
it begins itself; so the first four blocks of four that it has are all that need be known of it.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Blocks"]

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
        data = text.encode("latin-1", "replace")
        blocks = memoryview(data)[: len(data) // _SIZE * _SIZE].cast("I")
        found = self._texts.keys() & blocks
        likely = dict.fromkeys(each for block in found for each in self._texts[block])
        return [each for each in (*likely, *self._short) if each in text]


def _first(text: str) -> Iterable[int]:
    data = text.encode("latin-1", "replace")
    if len(data) < _COVERING:
        return ()
    return [memoryview(data[at : at + _SIZE]).cast("I")[0] for at in range(_SIZE)]
