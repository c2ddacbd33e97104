"""One entry of the block YAML that recorders write, line by line: several times faster than libyaml's events, of which
each is an object of Python.

# Rule: what is read here reads the same by libyaml, and whatever is not surely so is declined and left to it: comments,
# flow collections, tags but `!binary`, keys in quotes, anchors of keys, and all that is broken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from durable_replay.cassette.formats.plain import Plain
from durable_replay.cassette.formats.yaml_anchors import Anchors, Unfollowed
from durable_replay.cassette.formats.yaml_scalar import (
    BLOCKS,
    Declined,
    block,
    by_libyaml,
    is_all_clean,
    is_clean,
    lines_from,
    quotation,
    quoted,
)

__all__ = ["NULL", "Declined", "document", "entry", "scalar_line"]

NULL = frozenset({"", "~", "null", "Null", "NULL"})
"""What a plain scalar says where there is nothing."""
_DEPTH = 50
_KEPT = 200
"""Characters of a line that may well come again: header fields, methods."""
_KEY = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.$/-]{0,100}):(?: |$)")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/+.$^(<=;\\")
"""What a plain scalar begins with here; YAML allows more."""
_ANCHOR = re.compile(r"([&*])([A-Za-z0-9_-]{1,100})(?: +|$)")
_COMMENTS = re.compile(r"(?:#[ -~]*\n)*")
"""What may stand over a document."""
_BREAKS = "\x85\u2028\u2029\ufeff"
"""What libyaml takes for the end of a line or of nothing."""
_NOTHING, _DONE, _TEXT, _OPEN, _BLOCK, _MAPPING, _LIST, _ALIAS, _ANCHORED, _NAMED = range(10)
_Line = tuple[int, bool, str | None, int, str | None]
"""`[- ][key:] [value]`: the column, whether there is a dash, the key, the kind of the value, and the value."""


def entry(text: str, anchors: Anchors | None = None) -> tuple[Plain, int]:
    """The one element of a block list that these whole lines are, and how many they are. Raises Declined.

    `anchors` are those of the document so far; what the entry names is added if it is not declined.
    """
    lines = _Lines(text, anchors)
    root: list[Plain] = []
    lines.read(len(text) - len(text.lstrip(" ")), None, root)
    if len(root) != 1:
        raise Declined
    return root[0], lines.done()


def document(text: str) -> dict[str, Plain]:
    """The mapping that a text of one document is. Raises Declined."""
    text = _COMMENTS.sub("", text, 1).removeprefix("---\n")
    root: dict[str, Plain] = {}
    if not text.endswith("\n") or "\n---" in text or "\n..." in text:
        raise Declined
    _Lines(text, None).read(0, root, [])
    if not root:
        raise Declined
    return root


def scalar_line(line: str) -> tuple[str, str | None]:
    """Key and scalar of a line at the first column that has both. Raises Declined."""
    column, listed, key, kind, value = _line(line)
    if column or listed or key is None or kind not in (_DONE, _TEXT):
        raise Declined
    return key, value


@dataclass(slots=True)
class _Container:
    """A mapping, whose keys begin in this column, or else (`fields` None) a list, whose dashes do."""

    column: int
    fields: dict[str, Plain] | None
    items: list[Plain]


class _Lines:
    """Lines become values."""

    def __init__(self, text: str, anchors: Anchors | None) -> None:
        if not text.isascii() and any(character in text for character in _BREAKS):
            raise Declined
        self._text = text
        self._clean = is_all_clean(text)
        self._lines = text.split("\n")
        self._place = (0, 0)
        """Of a line that was asked for: its number, and where it begins in the text."""
        self._before = anchors
        self._anchors: Anchors | None = None
        self._at = _Container(0, None, [])
        self._outer: list[_Container] = []
        self._waits: tuple[str, str | None] | None = None
        """The key of the line before, if that had no value ("": it was an item), and the name that its value gets."""

    def done(self) -> int:
        """The names of this text are good for what follows it; how many lines it had."""
        if self._anchors is not None and self._before is not None:
            self._before.adopt(self._anchors)
        return len(self._lines) - 1

    def read(self, column: int, fields: dict[str, Plain] | None, items: list[Plain]) -> None:
        """Fill the fields, or else the items, whose lines begin in this column."""
        self._at = _Container(column, fields, items)
        lines, end, number = self._lines, len(self._lines) - 1, 0
        while number < end:
            line = lines[number]
            number += 1
            if line:
                number = self._take(_known(line) if len(line) <= _KEPT else _line(line), number)

    def _take(self, line: _Line, number: int) -> int:
        """Put what a line says where it belongs; the number of the line behind that."""
        column, listed, key, kind, value = line
        if column < self._at.column:
            self._leave(column)
        found: Plain = value
        name: str | None = None
        if kind > _DONE:
            base = column + 2 if listed and key else column if listed or key else self._at.column
            if kind > _TEXT or self._lines[number][base : base + 1] == " ":
                kind, name, found, number = self._whole(kind, value or "", base, number)
        at = self._at
        if column > at.column or (listed and at.fields is not None):
            more = listed and self._lines[number].startswith("- ", column)
            if at.fields is not None and key is None and kind != _NAMED and not more:  # a text, or a list of one
                self._fill(at, [found] if listed else found)
                return number
            at = self._begin(column, listed)
        elif not listed and at.fields is None and self._outer:  # a list may stand at the column of its key
            at = self._at = self._outer.pop()
        if column != at.column or listed != (at.fields is None):
            raise Declined
        self._put(at, key, found)
        self._waits = (key or "", name) if kind in (_NOTHING, _NAMED) else None
        return number

    def _put(self, at: _Container, key: str | None, found: Plain) -> None:
        if key is None:
            if at.fields is not None:
                raise Declined
            at.items.append(found)
        elif at.fields is None:  # a mapping begins behind the dash
            self._outer.append(at)
            fields = {key: found}
            at.items.append(fields)
            self._at = _Container(at.column + 2, fields, [])
        else:
            at.fields[key] = found

    def _leave(self, column: int) -> None:
        """The containers that end before a line that begins in this column."""
        self._waits = None
        while column < self._at.column and self._outer:
            self._at = self._outer.pop()

    def _fill(self, at: _Container, found: Plain) -> None:
        """Give what waits its value."""
        if self._waits is None or len(self._outer) > _DEPTH:
            raise Declined
        key, name = self._waits
        if at.fields is not None:
            at.fields[key] = found
        else:
            at.items[-1] = found
        if name is not None:
            self._names().name(name, found)
        self._waits = None

    def _begin(self, column: int, listed: bool) -> _Container:
        """The container that begins for what waits, with a line that begins in this column."""
        inner: dict[str, Plain] = {}
        inside: list[Plain] = []
        if listed and self._at.fields is None:
            raise Declined
        self._fill(self._at, inside if listed else inner)
        self._outer.append(self._at)
        self._at = _Container(column, None if listed else inner, inside)
        return self._at

    def _whole(self, kind: int, value: str, base: int, number: int) -> tuple[int, str | None, Plain, int]:
        """The kind of a value and its name, the value, which may take up lines more that are deeper than `base`, and
        the number of the line behind it."""
        if kind == _ALIAS:
            return kind, None, self._repeated(value), number
        if kind != _ANCHORED:
            return kind, None, *self._value(kind, value, base, number)
        name, _, rest = value.partition(" ")
        if self._waits is not None and self._waits[1] == name:  # what is around it has the same name
            raise Declined
        kind, told = _told(rest.lstrip(" "), "")
        if kind == _NOTHING:  # or it begins in the next line
            self._names().begin(name)
            return _NAMED, name, None, number
        if kind in (_ALIAS, _ANCHORED):
            raise Declined
        found, number = self._value(kind, told or "", base, number) if kind > _DONE else (told, number)
        self._names().name(name, found)
        return kind, None, found, number

    def _names(self) -> Anchors:
        if self._anchors is None:
            self._anchors = Anchors(self._before)
        return self._anchors

    def _repeated(self, name: str) -> Plain:
        """What an alias stands for."""
        try:
            value = self._names().follow(name)
        except Unfollowed:
            raise Declined from None
        unfinished = (each for at in (self._at, *self._outer) for each in (at.fields, at.items))
        if isinstance(value, dict | list) and any(value is each for each in unfinished):
            raise Declined
        return value

    def _value(self, kind: int, value: str, base: int, number: int) -> tuple[Plain, int]:
        if kind == _TEXT:
            deeper = self._lines[number].startswith(" " * (base + 1))
            return self._folded(value, base, number) if deeper else (value, number)
        if kind == _BLOCK:
            return self._block(value, base, number)
        if kind == _OPEN:
            return self._quoted(value, number)
        return ([] if kind == _LIST else {}), number

    def _folded(self, value: str, base: int, number: int) -> tuple[str, int]:
        """A plain text that goes on in the lines below."""
        deeper, parts = " " * (base + 1), [value]
        while self._lines[number].startswith(deeper):
            parts.append(self._lines[number].strip(" "))
            number += 1
        joined = " ".join(parts)
        follows_blank = number < len(self._lines) - 1 and not self._lines[number]
        if follows_blank or "" in parts or not _is_plain(joined) or not (self._clean or is_clean(joined)):
            raise Declined
        return joined, number

    def _offset(self, number: int) -> int:
        """Where a line begins in the text; they are asked for in their order."""
        last, at = self._place
        at += sum(map(len, self._lines[last:number])) + number - last
        self._place = number, at
        return at

    def _quoted(self, value: str, number: int) -> tuple[str, int]:
        """A text in quotes that begins at the end of the line before `number`."""
        text = quotation(self._text, self._offset(number) - 1 - len(value))
        return quoted(text) if self._clean or is_all_clean(text) else by_libyaml(text), number + text.count("\n")

    def _block(self, header: str, base: int, number: int) -> tuple[Plain, int]:
        """The lines of a block."""
        first, at = self._lines[number], self._offset(number)
        margin = max(base + 1, len(first) - len(first.lstrip(" ")))
        text = lines_from(self._text, at, margin)
        if not self._clean and not is_all_clean(text.replace("\t", "")):
            raise Declined
        behind = number + text.count("\n")
        return block(header, [line[margin:] for line in self._lines[number:behind]]), behind


def _is_plain(text: str) -> bool:
    """Whether a text that begins as a plain scalar is one to its end."""
    return ": " not in text and " #" not in text and text[-1] != ":"


def _line(line: str) -> _Line:
    if not is_clean(line):
        raise Declined
    rest = line.lstrip(" ")
    column = len(line) - len(rest)
    listed = rest.startswith("- ")
    if listed:
        rest = rest[2:]
    match = _KEY.match(rest)
    key = match[1] if match else None
    if key in NULL:
        raise Declined
    kind, value = _told(rest[match.end() :] if match else rest, key)
    if not (listed or match) and kind in (_BLOCK, _ALIAS, _ANCHORED):
        raise Declined
    return column, listed, key, kind, value


_known = lru_cache(4096)(_line)


def _told(rest: str, key: str | None) -> tuple[int, str | None]:
    """Kind and value of what a line says behind its key."""
    value = rest.rstrip(" ")
    first, inner = value[:1], value[1:-1]
    if not value and key is not None:
        return _NOTHING, None
    if (first in _PLAIN or (first == "-" and inner[:1] in _PLAIN)) and _is_plain(value):
        return (_DONE, None) if value in NULL else (_TEXT, value)
    if value in NULL and value:
        return _DONE, None
    if first == "'" and len(value) > 1 and value[-1] == "'" and "'" not in inner.replace("''", ""):
        return _DONE, inner.replace("''", "'")
    if first == '"' and len(value) > 1 and value[-1] == '"' and not ("\\" in inner or '"' in inner):
        return _DONE, inner
    if first and first in "'\"":
        return _OPEN, rest
    if value in BLOCKS:
        return _BLOCK, value
    if value in ("{}", "[]"):
        return (_MAPPING if value == "{}" else _LIST), value
    named = _ANCHOR.match(value)
    if named is not None and first == "&":
        return _ANCHORED, rest[1:]
    if named is not None and named.end() == len(value):
        return _ALIAS, named[2]
    raise Declined
