"""A WebSocket conversation on its way to the tape, message by message."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from durable_replay.http import Frame
from durable_replay.redaction.inflating import Packing, Unpacking, ZstdPacking, unpacking_of

__all__ = ["Conversation", "readable"]

HELD = 8 * 1024 * 1024
"""A compressed payload in several messages waits for its end up to this size."""


class Conversation:
    """Feed messages, get messages without secrets, in their order. A payload that is compressed over several of them is
    given out when it is whole.

    `one` redacts a message that is not compressed, `text` the content of a compressed one.
    """

    __slots__ = ("_one", "_sides", "_text", "_waiting")

    def __init__(self, one: Callable[[Frame], Frame], text: Callable[[str], str]) -> None:
        self._one = one
        self._text = text
        self._sides: dict[bool, _Side] = {}
        self._waiting: list[Frame] = []

    def feed(self, frame: Frame) -> list[Frame]:
        """What is decided now."""
        if frame.kind == "binary" and frame.from_client not in self._sides:
            self._sides[frame.from_client] = _Side(unpacking_of(frame.data))
        self._waiting.append(frame)
        return self._given() if self._decided(frame) else []

    def end(self) -> list[Frame]:
        """The rest, where the connection ended within a payload."""
        return self._given()

    def _decided(self, frame: Frame) -> bool:
        if frame.kind == "binary":
            self._sides[frame.from_client].read(frame.data)
        waits = any(side.waits for side in self._sides.values())
        return not waits or sum(len(each.data) for each in self._waiting) > HELD

    def _given(self) -> list[Frame]:
        waiting, self._waiting = self._waiting, []
        again: dict[bool, Iterator[bytes]] = {}
        for from_client, side in self._sides.items():
            sizes = [len(each.data) for each in waiting if each.kind == "binary" and each.from_client is from_client]
            if sizes and (data := side.written(self._text)) is not None:
                again[from_client] = _shared_out(data, len(sizes))
        return [self._redacted(frame, again) for frame in waiting]

    def _redacted(self, frame: Frame, again: dict[bool, Iterator[bytes]]) -> Frame:
        side = self._sides.get(frame.from_client) if frame.kind == "binary" else None
        if side is None or not side.readable:
            return self._one(frame)
        if frame.from_client in again:
            return dataclasses.replace(frame, data=next(again[frame.from_client]))
        return frame


class _Side:
    """The messages of one side as one compressed stream, for as long as they are one."""

    __slots__ = ("_changed", "_packing", "_texts", "_unpacking")

    def __init__(self, pair: tuple[Unpacking, Packing] | None) -> None:
        self._unpacking: Unpacking | None = pair[0] if pair else None
        self._packing: Packing | None = pair[1] if pair else None
        self._texts: list[bytes] = []
        self._changed = isinstance(self._packing, ZstdPacking)

    @property
    def readable(self) -> bool:
        return self._unpacking is not None

    @property
    def waits(self) -> bool:
        return bool(self._texts) and self._unpacking is not None and not self._unpacking.whole

    def read(self, data: bytes) -> None:
        if self._unpacking is None:
            return
        try:
            self._texts.append(self._unpacking.feed(data))
        except ValueError:  # no compressed stream, or a damaged one: from here on searched as it is
            self._unpacking = None
            self._texts.clear()

    def written(self, redact: Callable[[str], str]) -> bytes | None:
        """The payload compressed again; None where the bytes that came can stay."""
        if self._unpacking is None or self._packing is None:
            return None
        plain, self._texts = b"".join(self._texts), []
        shown = redact(plain.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        ended = self._unpacking.ended
        if shown == plain and not self._changed:
            self._packing.passed(plain, ended)
            return None
        self._changed = not ended  # what follows in this stream refers to what is not there any more
        return self._packing.pack(shown, ended)


def _shared_out(data: bytes, count: int) -> Iterator[bytes]:
    """As many messages as there were."""
    size = -(-len(data) // count)
    return (data[at * size : (at + 1) * size] for at in range(count))


def readable(frames: Iterable[Frame]) -> Iterator[tuple[int, bytes]]:
    """The content of each message, counted from 1, unpacked where it is compressed."""
    sides: dict[bool, Unpacking | None] = {}
    for position, frame in enumerate(frames, 1):
        data = frame.data
        if frame.kind == "binary":
            if frame.from_client not in sides:
                pair = unpacking_of(data)
                sides[frame.from_client] = pair[0] if pair else None
            unpacking = sides[frame.from_client]
            try:
                data = data if unpacking is None else unpacking.feed(data)
            except ValueError:
                sides[frame.from_client] = None
        yield position, data
