"""A stream of events on its way to the tape, event by event: what a client has had is stored while more comes."""

from __future__ import annotations

from collections.abc import Callable

from durable_replay.redaction.window import Searcher, Window

__all__ = ["EventStream", "divided_by"]

LONGEST = 1024 * 1024
"""Of one event; a stream with a longer one goes through a window from there on."""
_BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")
_LINES = (b"\n",)
_JSON_LINES = frozenset(
    {"application/x-ndjson", "application/jsonl", "application/stream+json", "application/json-seq"}
)


def divided_by(content_type: str) -> tuple[bytes, ...]:
    """What ends an event in a stream of this type (WHATWG HTML 9.2.5: a blank line); empty where it has no events."""
    media = content_type.partition(";")[0].strip().lower()
    if media == "text/event-stream":
        return _BLANK_LINES
    return _LINES if media in _JSON_LINES else ()


class EventStream:
    """Feed bytes, get whole events without secrets. `changed` tells whether anything was replaced."""

    __slots__ = ("_ends", "_held", "_redact", "_replaced", "_window", "_windowed")

    def __init__(self, ends: tuple[bytes, ...], redact: Callable[[str], str], windowed: Searcher) -> None:
        self._ends = ends
        self._redact = redact
        self._windowed = windowed
        self._window: Window | None = None
        self._held = bytearray()
        self._replaced = False

    @property
    def changed(self) -> bool:
        return self._replaced or (self._window is not None and self._window.changed)

    def feed(self, data: bytes) -> bytes:
        """The events that are whole now; may be empty."""
        if self._window is not None:
            return self._window.feed(data)
        self._held += data
        cut = max(self._held.rfind(end) + len(end) if end in self._held else 0 for end in self._ends)
        if not cut and len(self._held) > LONGEST:
            self._window = Window(self._windowed)
            return self._window.feed(bytes(self._held))
        whole = bytes(self._held[:cut])
        del self._held[:cut]
        return self._searched(whole)

    def end(self) -> bytes:
        """The rest."""
        if self._window is not None:
            return self._window.end()
        rest = bytes(self._held)
        self._held.clear()
        return self._searched(rest)

    def _searched(self, data: bytes) -> bytes:
        shown = self._redact(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        self._replaced = self._replaced or shown != data
        return shown
