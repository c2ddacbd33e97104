"""Redaction of a body that passes: any size, a window of it in memory."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Searcher", "Window"]

OVERLAP = 16 * 1024
STEP = 128 * 1024


class Searcher(Protocol):
    """What a window is searched with."""

    def replace(self, text: str) -> str: ...

    def spans(self, text: str) -> list[tuple[int, int]]: ...


class Window:
    """Feed bytes, get bytes in which no secret of up to 16 KiB stands, wherever the pieces were cut.

    `changed` tells whether anything was replaced.
    """

    __slots__ = ("_held", "_search", "changed")

    def __init__(self, search: Searcher) -> None:
        self._search = search
        self._held = bytearray()
        self.changed = False

    def feed(self, data: bytes) -> bytes:
        """What is decided so far; may be empty."""
        self._held += data
        if len(self._held) < STEP + OVERLAP:
            return b""
        text = self._held.decode("latin-1")
        cut = self._cut(text)
        del self._held[:cut]
        return self._replaced(text[:cut])

    def end(self) -> bytes:
        """The rest."""
        text = self._held.decode("latin-1")
        self._held.clear()
        return self._replaced(text)

    def _cut(self, text: str) -> int:
        """Where text may be cut: before every secret that reaches over the last 16 KiB's start."""
        cut = len(text) - OVERLAP
        region = max(0, cut - OVERLAP)
        crossing = [
            start + region for start, end in self._search.spans(text[region:]) if start + region < cut < end + region
        ]
        return max(1, min(crossing, default=cut))

    def _replaced(self, text: str) -> bytes:
        shown = self._search.replace(text)
        self.changed = self.changed or shown != text
        return shown.encode("latin-1", "replace")
