"""One entry of the block YAML that recorders write, line by line: several times faster than libyaml's events, of which
each is an object of Python.

# Rule: what is read here reads the same by libyaml, and whatever is not surely so is declined and left to it: anchors,
# aliases, comments, flow collections, tags but `!binary`, keys in quotes, and all that is broken.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import cast

import yaml
from yaml.events import ScalarEvent

from durable_replay.cassette.formats.plain import Plain, unbase64

__all__ = ["NULL", "Declined", "entry", "scalar_line"]

NULL = frozenset({"", "~", "null", "Null", "NULL"})
"""What a plain scalar says where there is nothing."""
_DEPTH = 50
_KEPT = 200
"""Characters of a line that may well come again: header fields, methods."""
_KEY = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.$/-]{0,100}):(?: |$)")
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/+.$^(<=;\\")
"""What a plain scalar begins with here; YAML allows more."""
_QUOTED = {
    '"': re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"(?= *\n)', re.DOTALL),
    "'": re.compile(r"'[^']*+(?:''[^']*+)*+'(?= *\n)"),
}
_ESCAPED = re.compile(r'"[^"\\]*+(?:\\["\\nrt][^"\\]*+)*+"')
"""A text in double quotes that JSON reads alike."""
_BREAKS = "\x85\u2028\u2029\ufeff"
"""What libyaml takes for the end of a line or of nothing."""
_STRANGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
"""Control characters, and what libyaml refuses."""
_BLOCKS = {
    "|": (False, "\n"), "|-": (False, ""),
    "!binary |": (True, ""), "!binary |-": (True, ""), "!!binary |": (True, ""), "!!binary |-": (True, ""),
}  # fmt: skip
"""Headers of a block of lines: whether they are base64, and what ends the text."""
_NOTHING, _DONE, _TEXT, _OPEN, _BLOCK, _MAPPING, _LIST = range(7)
_Line = tuple[int, bool, str | None, int, str | None]
"""`[- ][key:] [value]`: the column, whether there is a dash, the key, the kind of the value, and the value."""


class Declined(Exception):
    """This text is libyaml's to read."""


def entry(text: str) -> Plain:
    """The one element of a block list that these whole lines are. Raises Declined."""
    if not text.isascii() and any(character in text for character in _BREAKS):
        raise Declined
    return _Entry(text).read()


def scalar_line(line: str) -> tuple[str, str | None]:
    """Key and scalar of a line at the first column that has both. Raises Declined."""
    column, listed, key, kind, value = _line(line)
    if column or listed or key is None or kind not in (_DONE, _TEXT):
        raise Declined
    return key, value


class _Entry:
    """Lines become values."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._place = (0, 0)
        """Of a line that was asked for: its number, and where it begins in the text."""

    def read(self) -> Plain:
        # One loop without calls for what is common: this is where an import of YAML spends its time.
        lines, end, number = self._lines, len(self._lines) - 1, 0
        root: list[Plain] = []
        items = root
        fields: dict[str, Plain] | None = None  # the innermost container is this, or else `items`
        here = len(lines[0]) - len(lines[0].lstrip(" "))
        outer: list[tuple[int, dict[str, Plain] | None, list[Plain]]] = []
        waits: str | None = None  # the key of the line before, if that had no value
        while number < end:
            line = lines[number]
            number += 1
            if not line:
                continue
            column, listed, key, kind, value = _known(line) if len(line) <= _KEPT else _line(line)
            if column < here:
                waits = None
                while column < here and outer:
                    here, fields, items = outer.pop()
            found: Plain = value
            if kind > _DONE:
                found, number = self._value(kind, value or "", column + 2 if listed and key else column, number)
            if column > here or (listed and fields is not None):  # a container begins
                if waits is None or fields is None or len(outer) > _DEPTH:
                    raise Declined
                if key is None and not lines[number].startswith("- ", column):  # a list of one, as of most headers
                    fields[waits], waits = [found], None
                    continue
                outer.append((here, fields, items))
                here = column
                if listed:
                    items = []
                    fields[waits], fields = items, None
                else:
                    inner: dict[str, Plain] = {}
                    fields[waits] = fields = inner
            elif not listed and fields is None and outer:  # a list may stand at the column of its key
                here, fields, items = outer.pop()
            if column != here or listed != (fields is None):
                raise Declined
            if key is None:
                items.append(found)
                waits = None
                continue
            if fields is None:
                outer.append((here, None, items))
                here, fields = column + 2, {}
                items.append(fields)
            fields[key] = found
            waits = key if kind == _NOTHING else None
        if len(root) != 1:
            raise Declined
        return root[0]

    def _value(self, kind: int, value: str, here: int, number: int) -> tuple[Plain, int]:
        """A value that may take up lines more, and the number of the line behind it."""
        if kind == _TEXT:
            deeper = self._lines[number].startswith(" " * (here + 1))
            return self._folded(value, here, number) if deeper else (value, number)
        if kind == _BLOCK:
            return self._block(value, here, number)
        if kind == _OPEN:
            return self._quoted(value, number)
        return ([] if kind == _LIST else {}), number

    def _folded(self, value: str, here: int, number: int) -> tuple[str, int]:
        """A plain text that goes on in the lines below, which are deeper than `here`."""
        deeper, parts = " " * (here + 1), [value]
        while self._lines[number].startswith(deeper):
            parts.append(self._lines[number].strip(" "))
            number += 1
        joined = " ".join(parts)
        follows_blank = number < len(self._lines) - 1 and not self._lines[number]
        if follows_blank or "" in parts or not _is_plain(joined) or not _is_clean(joined):
            raise Declined
        return joined, number

    def _quoted(self, value: str, number: int) -> tuple[str, int]:
        """A text in quotes that begins at the end of the line before `number`."""
        last, at = self._place
        at += sum(map(len, self._lines[last:number])) + number - last
        self._place = number, at
        match = _QUOTED[value[0]].match(self._text, at - 1 - len(value))
        if match is None:
            raise Declined
        below = match[0].count("\n")
        if not below and _ESCAPED.fullmatch(match[0]):
            return cast(str, json.loads(match[0])), number
        return _by_libyaml(match[0]), number + below

    def _block(self, header: str, here: int, number: int) -> tuple[Plain, int]:
        """The lines of a literal, which are deeper than `here`."""
        lines, first = self._lines, number
        margin = " " * max(here + 1, len(lines[first]) - len(lines[first].lstrip(" ")))
        while lines[number].startswith(margin) or (number < len(lines) - 1 and not lines[number].strip(" ")):
            number += 1
        text = "\n".join([line[len(margin) :] for line in lines[first:number]])
        if not text or text[0] in " \t\n" or not _is_clean(text.replace("\n", "").replace("\t", "")):
            raise Declined
        packed, ending = _BLOCKS[header]
        text = text.rstrip("\n")
        if not packed:
            return text + ending, number
        try:
            return unbase64(text), number
        except ValueError:
            raise Declined from None


def _by_libyaml(text: str) -> str:
    """A text in quotes."""
    parser = yaml.CSafeLoader(text)
    try:
        parser.get_event()
        parser.get_event()
        return cast(ScalarEvent, parser.get_event()).value
    except (yaml.YAMLError, UnicodeError):
        raise Declined from None
    finally:
        parser.dispose()


def _is_plain(text: str) -> bool:
    """Whether a text that begins as a plain scalar is one to its end."""
    return ": " not in text and " #" not in text and text[-1] != ":"


def _is_clean(text: str) -> bool:
    return text.isprintable() or not ("\t" in text or _STRANGE.search(text))


def _line(line: str) -> _Line:
    if not _is_clean(line):
        raise Declined
    rest = line.lstrip(" ")
    column = len(line) - len(rest)
    listed = rest.startswith("- ")
    if listed:
        rest = rest[2:]
    match = _KEY.match(rest)
    if match is None and not listed:
        raise Declined
    key = match[1] if match else None
    if key in NULL:
        raise Declined
    return (column, listed, key, *_told(rest[match.end() :] if match else rest, key))


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
    if first in _QUOTED:
        return _OPEN, rest
    if value in _BLOCKS:
        return _BLOCK, value
    if value in ("{}", "[]"):
        return (_MAPPING if value == "{}" else _LIST), value
    raise Declined
