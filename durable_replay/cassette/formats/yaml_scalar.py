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

__all__ = ["BLOCKS", "Declined", "block", "by_libyaml", "is_all_clean", "is_clean", "lines_from", "quotation", "quoted"]

_DOUBLE = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
BLOCKS = frozenset({"|", "|-", ">", ">-", "!binary |", "!binary |-", "!!binary |", "!!binary |-"})
"""Headers of blocks of lines."""
_STRANGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
"""Control characters, and what libyaml refuses."""
_END = re.compile('"(?= *\\n)')
_VISIBLE = bytes(range(0x20, 0x7F)) + b"\n"
_JSON = json.JSONDecoder(strict=False)


class Declined(Exception):
    """This text is libyaml's to read."""


def is_clean(text: str) -> bool:
    """Whether libyaml takes each character of a text without breaks for itself."""
    return text.isprintable() or not ("\t" in text or _STRANGE.search(text))


def is_all_clean(text: str) -> bool:
    """The same of a text of several lines; a few times as fast."""
    return is_clean(text.encode("utf-8", "surrogatepass").translate(None, _VISIBLE).decode("utf-8", "surrogatepass"))


def quotation(text: str, at: int) -> str:
    """The text in quotes that begins here, with these; nothing may follow in its last line. Raises Declined."""
    end = _double_end(text, at) if text[at] == '"' else _single_end(text, at)
    behind = text.find("\n", end)
    if end < 0 or behind < 0 or text[end:behind].strip(" "):
        raise Declined
    return text[at:end]


def _double_end(text: str, at: int) -> int:
    """Behind the quote that ends a line; whether one before it ends the text is seen when the text is read."""
    match = _END.search(text, at + 1)
    while match is not None:
        end = match.start()
        before = text[max(at + 1, end - 100) : end]
        if (len(before) - len(before.rstrip("\\"))) % 2 == 0:
            return end + 1
        match = _END.search(text, end + 1)
    return -1


def _single_end(text: str, at: int) -> int:
    end = text.find("'", at + 1)
    while end >= 0 and text.startswith("'", end + 1):
        end = text.find("'", end + 2)
    return end if end < 0 else end + 1


def quoted(text: str) -> str:
    """What a text says that begins and ends with quotes and is clean. Raises Declined."""
    if text[0] == "'":
        return _unfolded(text.split("\n"))[1:-1].replace("''", "'")
    if "\\" not in text and '"' not in text[1:-1]:
        return _unfolded(text.split("\n"))[1:-1]
    try:
        said = cast(str, _JSON.decode(_continued(text) if "\n" in text else text))
    except ValueError:  # escapes that JSON has not, or it ends too soon
        return by_libyaml(text)
    # JSON's halves of characters are no YAML.
    return said if said.isascii() or not ("\\ud" in text or "\\uD" in text) else by_libyaml(text)


def _continued(text: str) -> str:
    """A text in double quotes without its breaks; ValueError where a backslash makes this more than common."""
    parts: list[str] = []
    for line in text.split("\n"):
        part = line.strip(" ")
        if part.startswith("\\ "):  # a space that was kept from being indentation
            part = part[1:]
        if part.endswith("\\") and (len(part) - len(part.rstrip("\\"))) % 2:
            if line[-1] == " ":
                raise ValueError("a space at the end that was escaped")
            parts.append(part[:-1])
        elif not part:
            raise ValueError("an empty line")
        else:
            parts += (part, " ")
    return "".join(parts[:-1])


def _unfolded(lines: list[str]) -> str:
    """One break becomes a space, of several all but one stay."""
    if len(lines) == 1:
        return lines[0]
    lines = [line.strip(" ") for line in lines]
    return _flowing(lines) if "" in lines else " ".join(lines)


def lines_from(text: str, at: int, margin: int) -> str:
    """The whole lines from this place on that begin with so many spaces, and those that are empty."""
    if at >= len(text):
        return ""
    end = _less_than(margin).search(text, at - 1)
    return text[at:] if end is None else text[at : end.start() + 1]


def block(header: str, lines: list[str]) -> Plain:
    """What a block says whose lines are these: clean, and without their margin. Raises Declined."""
    if not lines or not lines[0] or lines[0][0] in " \t":
        raise Declined
    while not lines[-1]:
        lines.pop()
    if header[0] == "!":
        try:
            return unbase64("".join(lines))
        except ValueError:
            raise Declined from None
    text = _flowing(lines) if header[0] == ">" else "\n".join(lines)
    return text if header[-1] == "-" else text + "\n"


@lru_cache(64)
def _less_than(margin: int) -> re.Pattern[str]:
    """A break before a line that begins before the margin."""
    return re.compile(f"\n(?= {{0,{margin - 1}}}[^ \n])")


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


def by_libyaml(text: str) -> str:
    """What a text in quotes says, with these. Raises Declined."""
    if text[0] == '"' and not _DOUBLE.fullmatch(text):
        raise Declined
    parser = yaml.CSafeLoader(text)
    try:
        parser.get_event()
        parser.get_event()
        return cast(ScalarEvent, parser.get_event()).value
    except (yaml.YAMLError, UnicodeError):
        raise Declined from None
    finally:
        parser.dispose()
