"""A YAML file entry by entry, as far as it is the block YAML that recorders write; what follows is for libyaml.

# Rule: an entry is taken whole or not at all, and nothing behind one that was declined; memory holds one entry.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from durable_replay.cassette.formats.plain import Plain, small
from durable_replay.cassette.formats.source import Item
from durable_replay.cassette.formats.yaml_anchors import Anchors
from durable_replay.cassette.formats.yaml_block import Declined, entry, scalar_line

__all__ = ["Window"]

_WINDOW = 128 * 1024
_ENTRY = 16 * 1024 * 1024
"""Bytes of one entry, or of what stands behind the last; what is longer is read by libyaml, piece by piece."""
_BESIDE = 64 * 1024
"""Bytes that stand before the first entry or behind the last."""
_LISTED = re.compile(rb"( {0,8})- ")
_STRADDLES = 16
"""Bytes at the end of a window that must be looked at again with those that follow."""


class Window:
    """The part of a file that is in memory. What `items` has not taken is there to `read`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._data = b""
        self._at = 0
        self._line = 1
        self._ended = False
        self._under = b""
        self._rest: BinaryIO | None = None
        self.anchors = Anchors()
        """What the entries that were taken have named."""
        self.finished = False
        """Nothing is left to read."""

    @property
    def lines_before(self) -> int:
        """What makes a line of `read` a line of the file."""
        return self._line - 1 - self._under.count(b"\n")

    def read(self, size: int = -1) -> bytes:
        """What is left, as a document with the same key over the entries."""
        if self._rest is None:
            self._rest = io.BytesIO(self._under + self._data[self._at :])
            self._data = b""
        return self._rest.read(size) or self._file.read(size)

    def items(self, key: str, around: dict[str, Plain]) -> Iterator[Item]:
        """The elements of the list under this key of the document, until one is declined or the file ends.

        What stands beside the key is put into `around`.
        """
        try:
            listed = self._before(key, around)
            ends = re.compile(rb"\n(?= {0,%d}[^ \n])" % (len(listed) - 2))
            while not self.finished:
                size, line = self._size(ends), self._line
                value, lines = entry(self._data[self._at : self._at + size].decode(), self.anchors)
                if not self._data.startswith(listed, self._at + size):
                    around.update(self._behind(size, key))
                    self.finished = True
                self._at += size
                self._line += lines
                yield Item(value, line)
        except (Declined, UnicodeDecodeError):
            return

    def _before(self, key: str, around: dict[str, Plain]) -> bytes:
        """Take what stands before the first entry; what each of the entries begins with."""
        self._holds(_BESIDE)
        beside: dict[str, Plain] = {}
        wanted, at = f"{key}:", 0
        while (end := self._data.find(b"\n", at, _BESIDE)) >= 0:
            line = self._data[at:end].decode().rstrip(" ")
            if line == wanted:
                listed = _LISTED.match(self._data, end + 1)
                if listed is None:
                    raise Declined
                around.update(beside)
                self._line += self._data.count(b"\n", self._at, end + 1)
                self._at = end + 1
                self._under = f"{key}:\n".encode()
                return listed[0]
            if at or line != "---":
                name, value = scalar_line(line)
                beside[name] = small(value)
            at = end + 1
        raise Declined

    def _behind(self, size: int, key: str) -> dict[str, Plain]:
        """What stands behind the last entry, which has this size, to the end of the file."""
        if self._holds(size + _BESIDE):
            raise Declined
        lines = self._data[self._at + size :].decode().split("\n")
        told = dict(scalar_line(line) for line in lines if line)
        if key in told:
            raise Declined
        return {name: small(value) for name, value in told.items()}

    def _size(self, ends: re.Pattern[bytes]) -> int:
        """Bytes of the entry that begins here; some more follow in memory, if there are any."""
        seen = 0
        while (found := ends.search(self._data, self._at + seen)) is None:
            held = len(self._data) - self._at
            if self._ended and self._data.endswith(b"\n"):
                return held
            if self._ended or held > _ENTRY:
                raise Declined
            self._more()
            seen = max(0, held - _STRADDLES)
        size = found.end() - self._at
        self._holds(size + _STRADDLES)
        return size

    def _holds(self, size: int) -> bool:
        """Whether so many bytes follow, which are in memory then."""
        while len(self._data) - self._at < size and not self._ended:
            self._more()
        return len(self._data) - self._at >= size

    def _more(self) -> None:
        """Another piece; doubles, so that a long entry is not searched again and again."""
        held = self._data[self._at :]
        data = self._file.read(max(_WINDOW, len(held)))
        self._ended = not data
        self._data, self._at = held + data, 0
