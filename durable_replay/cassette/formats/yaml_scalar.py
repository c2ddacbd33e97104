"""Scalars that take up several lines, unfolded as libyaml does it: texts in quotes, and blocks.

# Rule: what is read here reads the same by libyaml; whatever is not surely so is left to it, or declined.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import cast

import yaml
from yaml.events import ScalarEvent

from durable_replay.cassette.formats.plain import Plain, unbase64

__all__ = ["BLOCKS", "QUOTED", "Declined", "block", "is_clean", "lines_from", "quoted"]

QUOTED = {
    '"': re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"(?= *\n)', re.DOTALL),
    "'": re.compile(r"'[^']*+(?:''[^']*+)*+'(?= *\n)"),
}
"""Texts in quotes behind which nothing stands, by their first character."""
BLOCKS = frozenset({"|", "|-", ">", ">-", "!binary |", "!binary |-", "!!binary |", "!!binary |-"})
"""Headers of blocks of lines."""
_STRANGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
"""Control characters, and what libyaml refuses."""
_SINGLE = re.compile("(?<!\n)\n(?!\n)")
_SEVERAL = re.compile("\n(\n+)")
_SPACE_AT_END = re.compile(r"\\ +\n")
_PAIR = "\0"
"""Stands for an escaped backslash while the other escapes are looked at."""
_JSON = json.JSONDecoder(strict=False)


class Declined(Exception):
    """This text is libyaml's to read."""


def is_clean(text: str) -> bool:
    """Whether libyaml takes each character of a text without breaks for itself."""
    return text.isprintable() or not ("\t" in text or _STRANGE.search(text))


def quoted(text: str) -> str:
    """What a text says that begins and ends with quotes. Raises Declined."""
    if not is_clean(text.replace("\n", "")):
        return _by_libyaml(text)
    if text[0] == "'":
        return _unfolded(text)[1:-1].replace("''", "'")
    try:
        return _unescaped(text)
    except ValueError:
        return _by_libyaml(text)


def _unescaped(text: str) -> str:
    """A text in double quotes, by JSON, whose escapes mean the same in YAML; ValueError for others."""
    if "\\" not in text:
        return _unfolded(text)[1:-1]
    text = text.replace("\\\\", _PAIR)
    if "\\ud" in text or "\\uD" in text or _SPACE_AT_END.search(text):
        raise ValueError("half a character, or a space that stays")
    text = _unfolded(text).replace("\\x", "\\u00").replace("\\ ", " ").replace(_PAIR, "\\\\")
    return cast(str, _JSON.decode(text))


def _unfolded(text: str) -> str:
    """One break becomes a space, of several all but one stay; a backslash takes one away."""
    if "\n" not in text:
        return text
    text = "\n".join([line.strip(" ") for line in text.split("\n")])
    if "\\\n" in text and text[0] == '"':
        if "\\\n\n" in text:
            raise ValueError("an empty line behind a backslash")
        text = text.replace("\\\n", "")
    if "\n\n" in text:
        return _SEVERAL.sub(r"\1", _SINGLE.sub(" ", text))
    return text.replace("\n", " ")


def lines_from(text: str, at: int, margin: int) -> str:
    """The whole lines from this place on that begin with so many spaces, and those that are empty."""
    if at >= len(text):
        return ""
    end = _less_than(margin).search(text, at - 1)
    return text[at:] if end is None else text[at : end.start() + 1]


def block(header: str, lines: str, margin: int) -> Plain:
    """What a block says whose lines have this margin. Raises Declined."""
    text = _spaces_within(margin).sub("\n", lines)[margin:].replace("\n" + " " * margin, "\n").rstrip("\n")
    if not text or text[0] in " \t\n" or not is_clean(text.replace("\n", "").replace("\t", "")):
        raise Declined
    if header[0] == "!":
        try:
            return unbase64(text)
        except ValueError:
            raise Declined from None
    if header[0] == ">":
        text = _flowing(text.split("\n"))
    return text if header[-1] == "-" else text + "\n"


@lru_cache(64)
def _less_than(margin: int) -> re.Pattern[str]:
    """A break before a line that begins before the margin."""
    return re.compile("\n(?= {0,%d}[^ \n])" % (margin - 1))


@lru_cache(64)
def _spaces_within(margin: int) -> re.Pattern[str]:
    """A break before a line of nothing but some of the margin."""
    return re.compile("\n {1,%d}(?=\n)" % (margin - 1) if margin > 1 else "(?!)")


def _flowing(lines: list[str]) -> str:
    """Lines of which those that begin at the margin are one with their neighbours."""
    parts, breaks, aside = [lines[0]], 0, False
    for line in lines[1:]:
        if not line:
            breaks += 1
            continue
        was_aside, aside = aside, line[0] in " \t"
        parts.append("\n" * (breaks + 1) if aside or was_aside else "\n" * breaks or " ")
        parts.append(line)
        breaks = 0
    return "".join(parts)


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
