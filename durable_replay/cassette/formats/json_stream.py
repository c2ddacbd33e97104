"""JSON of any length, entry by entry: the standard library's parser over a window of the file.

# Rule: memory holds one entry and a megabyte, however long the file is.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from durable_replay.cassette.formats.plain import Plain, small
from durable_replay.cassette.formats.source import Item, Source

__all__ = ["entries", "load"]

_WINDOW = 1024 * 1024
_ENTRY = 256 * 1024 * 1024
"""Characters of one entry, or of what stands around the entries."""
_SPACE = " \t\r\n"
_AHEAD = 2
"""Characters behind a value that must be seen: `1` may go on as `1.5` or `1e-5`."""
_UNFINISHED = 16
"""An error this near to the window's end may be a token that is cut off."""


class _Broken(ValueError):
    """At `at` in the window."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.at = at


class _Window:
    """The part of the file that is in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder(strict=False).raw_decode
        self.text = ""
        self.at = 0
        self.ended = False
        self._line = 1
        self._counted = 0

    def more(self) -> None:
        """Another piece; doubles, so that a long entry is not scanned again and again."""
        self._drop()
        if len(self.text) > _ENTRY:
            raise _Broken(f"one entry has more than {_ENTRY:,} characters", 0)
        data = self._file.read(max(_WINDOW, len(self.text)))
        self.ended = not data
        self.text += self._decoder.decode(data, self.ended)

    def _drop(self) -> None:
        self.line_of(self.at)
        self.text, self.at, self._counted = self.text[self.at :], 0, 0

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            text, at = self.text, self.at
            while at < len(text) and text[at] in _SPACE:
                at += 1
            self.at = at
            if at < len(text):
                return text[at]
            if self.ended:
                return ""
            self.more()

    def take(self, expected: str) -> str:
        """The next character, which must be one of these."""
        found = self.peek()
        if not found or found not in expected:
            wanted = " or ".join(f"'{character}'" for character in expected)
            raise _Broken(f"{wanted} was expected, not {repr(found) if found else 'the end of the file'}", self.at)
        self.at += 1
        return found

    def value(self) -> Plain:
        """The next value whole."""
        if not self.peek():
            raise _Broken("a value was expected, not the end of the file", self.at)
        while True:
            try:
                value, end = self._scan(self.text, self.at)
            except json.JSONDecodeError as error:
                if self.ended or not self._cut_off(error):
                    raise _Broken(error.msg, error.pos) from error
            except RecursionError:
                raise _Broken("it is nested too deeply", self.at) from None
            except ValueError as error:  # an integer of more than 4300 digits
                raise _Broken(str(error), self.at) from error
            else:
                if end + _AHEAD < len(self.text) or self.ended:
                    self.at = end
                    return cast(Plain, value)
            self.more()

    def _cut_off(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self.text) - _UNFINISHED

    def line_of(self, at: int) -> int:
        """The line of a place at or behind the one that was asked for last."""
        self._line += self.text.count("\n", self._counted, at)
        self._counted = max(self._counted, at)
        return self._line


def entries(source: Source, path: tuple[str, ...], around: dict[str, Plain] | None = None) -> Iterator[Item]:
    """The elements of the list at this path of keys; the empty path is the document itself.

    What stands beside the path is put into `around`, by its dotted path, as it is come by.
    """
    with source.open() as file:
        window = _Window(file)
        try:
            yield from _descend(window, path, "", {} if around is None else around, source.wrong)
            if window.peek():
                raise _Broken("the document has ended, yet more follows", window.at)
        except _Broken as error:
            raise source.wrong(f"this is no JSON that can be read: {error}", window.line_of(error.at)) from error
        except UnicodeDecodeError as error:
            raise source.wrong(f"this is no UTF-8: {error.reason}", window.line_of(len(window.text))) from error


def _descend(
    window: _Window, path: tuple[str, ...], here: str, around: dict[str, Plain], wrong: Callable[..., Exception]
) -> Iterator[Item]:
    if not path:
        yield from _elements(window, here, wrong)
        return
    if window.peek() != "{":
        raise wrong(f"'{here or 'the document'}' is no object with '{path[0]}' in it", window.line_of(window.at))
    found = False
    for key in _keys(window):
        name = f"{here}.{key}" if here else key
        if key == path[0]:
            found = True
            yield from _descend(window, path[1:], name, around, wrong)
        else:
            around[name] = small(window.value())
    if not found:
        raise wrong(f"'{here or 'the document'}' has no '{path[0]}'", window.line_of(window.at))


def _keys(window: _Window) -> Iterator[str]:
    """The keys of the object that begins here; whoever takes one reads its value before the next."""
    window.take("{")
    if window.peek() == "}":
        window.take("}")
        return
    mark = ","
    while mark == ",":
        if window.peek() != '"':
            raise _Broken("a key in double quotes was expected", window.at)
        key = str(window.value())
        window.take(":")
        yield key
        mark = window.take(",}")


def _elements(window: _Window, here: str, wrong: Callable[..., Exception]) -> Iterator[Item]:
    if window.peek() == "n" and window.value() is None:
        return
    if window.peek() != "[":
        raise wrong(f"'{here or 'the document'}' is no list", window.line_of(window.at))
    window.take("[")
    if window.peek() == "]":
        window.take("]")
        return
    mark = ","
    while mark == ",":
        window.peek()
        line = window.line_of(window.at)
        yield Item(window.value(), line)
        mark = window.take(",]")


def load(source: Source) -> Plain:
    """The whole document, for formats whose files are small; up to 256 MiB."""
    try:
        return cast(Plain, json.loads(source.read().decode("utf-8-sig")))
    except json.JSONDecodeError as error:
        raise source.wrong(f"this is no JSON that can be read: {error.msg}", error.lineno) from error
    except RecursionError:
        raise source.wrong("it is nested too deeply") from None
    except ValueError as error:
        raise source.wrong(f"this is no JSON that can be read: {error}") from error
