"""JSON, XML and forms over many lines, and back.

# Rule: a layout only adds white space where the format has no use for it, and is told from the text alone, so that
numbers, escapes, repeated keys and everything else stay as they were. What is spread joins to the same characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["LAYOUTS", "Layout", "indented_json", "indented_xml", "kind_of", "spread"]


@dataclass(frozen=True, slots=True)
class Layout:
    """A way to spread one kind of text over lines; `join` undoes it."""

    spread: Callable[[str], str]
    join: Callable[[str], str]


# -- JSON -------------------------------------------------------------------------------------------------------------

_SCALARS = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*"|[-+.\w]+)', re.DOTALL)
_WHITE = re.compile(r"[ \t\n\r]+")
_TOKEN = re.compile(r"[{}\[\],:]|[^{}\[\],:]+")
_STEPS = {"{": 1, "[": 1, "}": -1, "]": -1}
_DEEPEST = 200
_KEPT = 200
"""Shorter parts are remembered."""


def indented_json(text: str) -> str:
    """JSON by two spaces a level, a member a line; white space that it had outside its strings goes."""
    depth = 0
    parts = _SCALARS.split(text)
    for at in range(0, len(parts), 2):  # every other part is a scalar; what stands between them is of few kinds
        lay_out = _laid_out if len(parts[at]) < _KEPT else _laid_out.__wrapped__
        parts[at], depth = lay_out(parts[at], depth)
    return "".join(parts)


@lru_cache(4096)
def _laid_out(part: str, depth: int) -> tuple[str, int]:
    """What stands between two scalars, and the depth after it."""
    out: list[str] = []
    marks: list[str] = _TOKEN.findall(_WHITE.sub("", part))
    for at, mark in enumerate(marks):
        before = marks[at - 1] if at else ""
        after = marks[at + 1] if at + 1 < len(marks) else ""
        depth += min(_STEPS.get(mark, 0), 0)
        if mark in ("}", "]") and before not in ("{", "["):
            out.append(_line(depth))
        out.append(mark)
        depth += max(_STEPS.get(mark, 0), 0)
        if mark == ":":
            out.append(" ")
        elif mark == "," or (mark in ("{", "[") and after not in ("}", "]")):
            out.append(_line(depth))
    return "".join(out), depth


def _line(depth: int) -> str:
    return "\n" + "  " * max(0, min(depth, _DEEPEST))


def _between_scalars(text: str, change: Callable[[str], str]) -> str:
    parts = _SCALARS.split(text)
    known = lru_cache(1024)(change)
    parts[::2] = [known(part) if len(part) < _KEPT else change(part) for part in parts[::2]]
    return "".join(parts)


def _compact(part: str) -> str:
    return _WHITE.sub("", part)


def _spaced(part: str) -> str:
    return _WHITE.sub("", part).replace(",", ", ").replace(":", ": ")


# -- XML and forms ----------------------------------------------------------------------------------------------------

_PROLOG = re.compile(r"\s*<\?xml[^>]*\?>\s*")
_MARKUP = re.compile(r"(<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>|<[^>]*>)", re.DOTALL)
_BROKEN = re.compile(r">\n *<")


def indented_xml(text: str) -> str:
    """XML with a new line wherever one element's tag meets the next; text is not touched."""
    prolog = _prolog(text)
    parts = _MARKUP.split(text[len(prolog) :])
    out, depth = [prolog, parts[0]], 0
    for at in range(1, len(parts), 2):
        tag, step = parts[at], _step(parts[at])
        depth = max(0, depth + min(step, 0))
        leaf = step < 0 and at > 2 and _step(parts[at - 2]) > 0  # <a></a> stays together
        if at > 1 and parts[at - 1] == "" and not leaf:
            out.append(_line(depth))
        depth += max(step, 0)
        out += (tag, parts[at + 1])
    return "".join(out)


def _prolog(text: str) -> str:
    match = _PROLOG.match(text)
    return match[0] if match else ""


def _step(tag: str) -> int:
    if tag.startswith("</"):
        return -1
    return 0 if tag.startswith(("<!", "<?")) or tag.endswith("/>") else 1


def _joined_xml(text: str) -> str:
    prolog = _prolog(text)
    return prolog + _BROKEN.sub("><", text[len(prolog) :])


LAYOUTS: Mapping[str, Layout] = {
    "json": Layout(indented_json, lambda text: _between_scalars(text, _compact)),
    "json-spaced": Layout(indented_json, lambda text: _between_scalars(text, _spaced)),
    "xml": Layout(indented_xml, _joined_xml),
    "form": Layout(lambda text: text.replace("&", "\n&"), lambda text: text.replace("\n&", "&")),
}
"""By the name that the text form writes. `json-spaced` has a space behind each comma and colon, as Python writes it."""


def kind_of(media: str, text: str) -> str:
    """`json`, `xml`, `form` or `text`: by a content type's field, by the first character where that says nothing."""
    subtype = media.partition(";")[0].strip().lower().partition("/")[2]
    words = re.split(r"[-+.]", subtype)
    if "json" in words and not {"seq", "stream"} & set(words):
        return "json"
    if subtype == "xml" or subtype.endswith("+xml"):
        return "xml"
    first = text.lstrip()[:1]
    if subtype in ("", "plain", "octet-stream", "x-www-form-urlencoded"):
        if first in ("{", "["):
            return "json"
        if first == "<":
            return "xml"
    return "form" if subtype == "x-www-form-urlencoded" else "text"


def spread(kind: str, text: str) -> tuple[str, str] | None:
    """The layout's name and the text over lines; None where no layout would give the same characters back."""
    names = ("json", "json-spaced") if kind == "json" else (kind,) if kind in LAYOUTS else ()
    lines = LAYOUTS[names[0]].spread(text) if names else ""
    for name in names:  # the two of JSON spread alike
        if LAYOUTS[name].join(lines) == text:
            return name, lines
    return None
