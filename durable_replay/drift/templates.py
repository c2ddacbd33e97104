"""Paths in which ids are blanked, so that `/users/17` and `/users/42` are one endpoint.

Some segments look like ids by themselves: numbers, UUIDs, hashes, dates, addresses of mail, opaque tokens. Others are
words (`/tags/milk`) and are learnt to be variable from all paths of both sides: many siblings at one place that go on
alike and are answered alike. Words that are few stay, and so do `/users/me` and `/v1/`.

# Rule: memory is bounded by `WIDEST` siblings at one place and `MOST` places in all, whatever the number of paths.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from durable_replay.redaction.placeholders import is_placeholder

__all__ = ["Templates", "blanked", "blanked_path"]

BLANK = "{}"
WIDEST = 256
MOST = 50_000
DEEPEST = 32
LONGEST = 120
MANY, MANY_THAT_GO_ON = 50, 10
"""So many siblings that are answered alike, or that go on by the same word, are no words of the API. Where both sides
have the same names, fewer of them do no harm: their requests pair exactly."""
EACH = 3
"""So many siblings on either side that the other side lacks, most of all there are."""
WHERE_RESOURCES_ARE = 3
"""Below `/`, `/api` or `/v1` stand the names of resources: there it takes so many times more."""

KEPT = frozenset(Path(__file__).with_name("kept_words.txt").read_text("utf-8").split())
"""Words that name something in a path where other names stand for things."""

_VERSION = re.compile(r"v\d{1,3}([._]\d+)*((alpha|beta|rc)\d*)?|\d+\.\d+(\.\d+)?", re.IGNORECASE)
_PREFIX = re.compile(rf"(?:api|rest|services|data|rpc|{_VERSION.pattern}|\d{{1,2}})", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([T ].*)?)?|\d{8}(T\d{4,6}Z?)?")
_HEAD = re.compile(r"(?P<head>.+?)(?P<tail>\.(?:json|xml|csv|html?|txt|pdf|png|jpe?g|gif|zip|ics|ya?ml)|:[A-Za-z]+)")
_CALLED = re.compile(r"(?P<name>[A-Za-z_]\w*)\((?P<inside>[^()]+)\)")
_IDS = re.compile(
    r"""
      -?\d+ (?: ,-?\d+ )*                                                     # 17, and 17,18
    | [{]? [0-9a-f]{8} - [0-9a-f]{4} - [0-9a-f]{4} - [0-9a-f]{4} - [0-9a-f]{12} [}]?
    | (?= [a-f]* \d ) [0-9a-f]{8,} | [0-9a-f]{16,}
    | (?-i: [A-Z][A-Z0-9_]* - \d+ )                                                  # P-7
    | [a-z]{1,12} [_-] (?= [a-z]* \d [0-9a-z]* [a-z] [0-9a-z]* \d ) [0-9a-z]{8,}     # cus_4fdAW5ftNQ, i-0abc12345
    | (?: sha1 | sha256 | sha512 | md5 ) [:-] [0-9a-f]{16,}
    | -?\d+\.\d+,-?\d+\.\d+                                                   # coordinates
    | \d+ (?: \.\d+ ){3}                                                      # an address of IP
    | [^@\s/]+ @ [^@\s/]+ \. [a-z]{2,}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_KINDS = re.compile(r"[a-z]+|[A-Z]+|\d+")
_DIGITS = re.compile(r"\d+")


@lru_cache(maxsize=16_384)
def blanked(segment: str, before: str = "") -> str:
    """A segment of a path with the id in it blanked; `before` is the segment to its left ("": none).

    >>> blanked("17", "tasks"), blanked("17.json", "tasks"), blanked("2", "api"), blanked("tasks")
    ('{}', '{}.json', '2', 'tasks')
    """
    text = unquote(segment)
    if not text or _VERSION.fullmatch(text):
        return segment
    if text.isdigit() and len(text) < 3 and before.lower() in ("api", "rest"):
        return segment  # Jira's /rest/api/2
    if _DATE.fullmatch(text):
        return BLANK if before else segment  # AWS and Twilio have a date for a version, and have it first
    if _is_id(text):
        return BLANK
    if (parts := _HEAD.fullmatch(text)) and _is_id(parts["head"]):
        return BLANK + parts["tail"]
    if (called := _CALLED.fullmatch(text)) and (_is_id(called["inside"]) or called["inside"][0] in "'\""):
        return f"{called['name']}({BLANK})"  # OData: Users(17)
    return segment


def _is_id(text: str) -> bool:
    if len(text) > LONGEST or is_placeholder(text) or _IDS.fullmatch(text):
        return True
    return _is_opaque(text)


def _is_opaque(text: str) -> bool:
    """Letters and digits mixed as no word mixes them: `dQw4w9WgXcQ`, `0015g00000AbCdEAAV`."""
    if len(text) < 8 or not any(character.isdigit() for character in text):
        return False
    plain = text.replace("-", "").replace("_", "").replace("=", "").replace("~", "").replace("%", "")
    if not (plain.isascii() and plain.isalnum()) or (plain.islower() and "-" in text):
        return False  # a name with words in it: `release-2024-notes`
    return len(_KINDS.findall(plain)) >= 5 or (len(plain) >= 20 and len(_DIGITS.findall(plain)) >= 2)


def blanked_path(path: str) -> str:
    """A path in which what looks like an id is blanked, with nothing learnt."""
    return "/" + "/".join(_segments(path))


class _Place:
    """What was seen at one place of the paths: how they go on, whether some end, and with what answers."""

    __slots__ = ("answers", "below", "collapsed", "ends", "sides")

    def __init__(self) -> None:
        self.below: dict[str, _Place] = {}
        self.ends = False
        self.sides = 0
        self.answers: frozenset[str] = frozenset()
        self.collapsed = False

    def join(self, other: _Place) -> None:
        """Takes in what was seen at another place; iterative, since paths are as deep as a client likes."""
        todo = [(self, other)]
        while todo:
            here, there = todo.pop()
            here.ends |= there.ends
            here.sides |= there.sides
            here.answers = here.answers or there.answers
            here.collapsed |= there.collapsed
            for name, place in there.below.items():
                if name in here.below:
                    todo.append((here.below[name], place))
                else:
                    here.below[name] = place


Look = Callable[[], frozenset[str]]
"""Gives what an answer is like: the names in it, or its media type. Asked for the first answer of a path alone."""


class Templates:
    """Learns which segments are variable: `see` every path of both sides, then `learn` once, then `template`."""

    def __init__(self) -> None:
        self._worlds: dict[str, _Place] = {}
        self._places = 0

    def see(self, world: str, path: str, side: int, look: Look = frozenset) -> None:
        """One path; `side` is 1 for before, 2 for after."""
        place = self._worlds.setdefault(world, _Place())
        for name in _segments(path):
            found = self._below(place, name)
            if found is None:
                return
            place = found
            place.sides |= side
        if not place.ends:
            place.ends = True
            place.answers = look()

    @property
    def _full(self) -> bool:
        return self._places >= MOST

    def _below(self, place: _Place, name: str) -> _Place | None:
        found = place.below.get(name)
        if found is not None:
            return found
        if BLANK not in name and (place.collapsed or len(place.below) >= WIDEST):
            if not place.collapsed:
                place.collapsed = True
                _blank(place, [each for each in place.below if _may_vary(each)])
            name = BLANK
            found = place.below.get(name)
        if found is None:
            if self._full:
                return None
            self._places += 1
            found = place.below[name] = _Place()
        return found

    def join(self, world: str, into: str) -> None:
        """Two names of one world."""
        if world != into and world in self._worlds:
            self._worlds.setdefault(into, _Place()).join(self._worlds.pop(world))

    def learn(self) -> None:
        """Decides what is variable, outermost first, since places below variable ones are joined."""
        todo = [(place, True) for place in self._worlds.values()]
        while todo:
            place, resources = todo.pop()
            variable = _variable(place, WHERE_RESOURCES_ARE if resources else 1)
            if variable:
                _blank(place, variable)
            todo += [(below, resources and _PREFIX.fullmatch(name) is not None) for name, below in place.below.items()]

    def template(self, world: str, path: str) -> str:
        """The path with ids blanked."""
        place = self._worlds.get(world)
        found = []
        for name in _segments(path):
            below = place.below.get(name) if place else None
            if below is None and place is not None and (place.collapsed or self._full) and _may_vary(name):
                name, below = BLANK, place.below.get(BLANK)
            found.append(name)
            place = below
        return "/" + "/".join(found)


def _segments(path: str) -> list[str]:
    parts = path.split("/")[1:] if path.startswith("/") else path.split("/")
    if len(parts) > DEEPEST:
        parts[DEEPEST:] = [BLANK]
    return [blanked(part, parts[at - 1] if at else "") for at, part in enumerate(parts)]


def _may_vary(name: str) -> bool:
    return bool(name) and BLANK not in name and name.lower() not in KEPT and not _VERSION.fullmatch(name)


def _blank(place: _Place, names: Iterable[str]) -> None:
    blank = place.below.setdefault(BLANK, _Place())
    for name in names:
        blank.join(place.below.pop(name))
    place.collapsed = True


def _variable(place: _Place, times: int) -> set[str]:
    """The names below a place that stand for things."""
    words = [name for name in place.below if _may_vary(name)]
    if len(words) < 2:
        return set()
    found: set[str] = set()
    for alike in _alike(words, place):
        found.update(_numbered(alike))
        if _are_many(alike, place, MANY * times, EACH * times):
            found.update(alike)
    going: dict[str, list[str]] = {}
    for name in words:
        for next_ in place.below[name].below:
            if BLANK not in next_:
                going.setdefault(next_, []).append(name)
    for alike in going.values():
        found.update(_numbered(alike))
        if _are_many(alike, place, MANY_THAT_GO_ON * times, EACH * times):
            found.update(alike)
    return found


def _are_many(names: Sequence[str], place: _Place, many: int, each: int) -> bool:
    """Whether they are too many for words, or most are known to one side only and both have such."""
    if len(names) >= many:
        return True
    before = sum(place.below[name].sides == 1 for name in names)
    after = sum(place.below[name].sides == 2 for name in names)
    return min(before, after) >= each and 3 * (before + after) >= 2 * len(names)


def _alike(words: Iterable[str], place: _Place) -> list[list[str]]:
    """Names at which paths end (or go on by an id), by answers that have most of their names in common."""
    clusters: list[tuple[frozenset[str], list[str]]] = []
    for name in words:
        below = place.below[name]
        if not (below.ends or BLANK in below.below):
            continue
        answers = below.answers or (below.below[BLANK].answers if BLANK in below.below else frozenset())
        for shown, names in clusters:
            if 5 * len(shown & answers) >= 3 * len(shown | answers):
                names.append(name)
                break
        else:
            clusters.append((answers, [name]))
    return [names for _, names in clusters]


def _numbered(names: Iterable[str]) -> set[str]:
    """Names that differ in their number alone: `item-1` and `item-2`; without a hyphen it takes three."""
    shapes: dict[str, list[str]] = {}
    for name in names:
        if _DIGITS.search(name):
            shapes.setdefault(_DIGITS.sub("#", name), []).append(name)
    return {
        name
        for shape, same in shapes.items()
        if len(same) >= (2 if "-#" in shape or "_#" in shape else 3)
        for name in same
    }
