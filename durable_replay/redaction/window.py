"""Redaction of a body that passes: any size, a window of it in memory."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Searcher", "Window"]

OVERLAP = 16 * 1024
STEP = 128 * 1024
MOST = 256 * 1024 + STEP + 2 * OVERLAP
"""What is held back at most, and a piece."""


class Searcher(Protocol):
    """What a window is searched with."""

    def replace(self, text: str) -> str: ...

    def spans(self, text: str) -> list[tuple[int, int]]: ...

    def run_at(self, text: str, cut: int) -> int:
        """Where what must stay in one piece begins, if it reaches over a place; else the place."""


class Window:
    """Feed bytes, get bytes in which no secret of up to 16 KiB stands, nor one in encoded text of up to 256 KiB,
    wherever the pieces were cut.

    `changed` tells whether anything was replaced.
    """

    __slots__ = ("_enough", "_held", "_search", "changed")

    def __init__(self, search: Searcher) -> None:
        self._search = search
        self._held = bytearray()
        self._enough = STEP + OVERLAP
        self.changed = False

    def feed(self, data: bytes) -> bytes:
        """What is decided so far; may be empty."""
        self._held += data
        if len(self._held) < self._enough:
            return b""
        text = self._held.decode("latin-1")
        cut = self._cut(text)
        if not cut and len(text) < MOST:  # one run of encoded text, whose end is still to come
            self._enough = len(text) + STEP
            return b""
        self._enough = STEP + OVERLAP
        cut = max(1, cut)
        del self._held[:cut]
        return self._replaced(text[:cut])

    def end(self) -> bytes:
        """The rest."""
        text = self._held.decode("latin-1")
        self._held.clear()
        return self._replaced(text)

    def _cut(self, text: str) -> int:
        """Where text may be cut: before every secret that reaches over the last 16 KiB's start, and over nothing
        that begins before."""
        cut = len(text) - OVERLAP
        while cut > 0:
            region = max(0, cut - OVERLAP)
            spans = self._search.spans(text[region : cut + OVERLAP])
            starts = [start + region for start, end in spans if start + region < cut < end + region]
            earlier = min(self._search.run_at(text, cut), *starts, cut)
            if earlier == cut:
                return cut
            cut = earlier
        return 0

    def _replaced(self, text: str) -> bytes:
        shown = self._search.replace(text)
        self.changed = self.changed or shown != text
        return shown.encode("latin-1", "replace")
