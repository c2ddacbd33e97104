"""In which line of a settings file a key stands: a parser of TOML gives values alone."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["in_line", "line_of"]

_MOST_TRIES = 200
_INDEX = re.compile(r"\[(\d+)\]")


def in_line(file: Path, key: str) -> str:
    """` (line 3)` for a message about a key such as `diff.ignore[0]`; empty where that is not known."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    line = line_of(text, key)
    return f" (line {line})" if line else ""


def line_of(text: str, key: str) -> int:
    """The line, from 1, that names a key; 0 where none does.

    The file is read line by line further, and the statement that brings the key is the one in which it stands.
    """
    name = re.split(r"[.\]]", _INDEX.sub("", key))[-1]
    lines = text.split("\n")
    named = [number for number, line in enumerate(lines, 1) if name in line]
    if not named or not name:
        return 0
    over = named[0] - 1
    for end in range(named[0], min(len(lines), named[0] + _MOST_TRIES) + 1):
        try:
            document = tomllib.loads("\n".join(lines[:end]))
        except (tomllib.TOMLDecodeError, RecursionError):
            continue  # within a statement of several lines
        if any(True for _ in _values(document, key)):
            return next((number for number in named if over < number <= end), 0)
        over = end
    return 0


def _values(value: object, key: str) -> Iterator[object]:
    """What stands at a key; names may have dots of their own."""
    if not key:
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            rest = key.removeprefix(name)
            if rest != key and rest[:1] in ("", ".", "["):
                yield from _values(inner, rest.removeprefix("."))
    elif isinstance(value, list) and (index := _INDEX.match(key)) and int(index[1]) < len(value):
        yield from _values(value[int(index[1])], key[index.end() :].removeprefix("."))
