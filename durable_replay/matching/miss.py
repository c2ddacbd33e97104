"""A miss explains itself: the nearest recordings, what differs, and what to do next.

>>> explain(request, candidates).text
"No recording of GET /v1/app matches. Nearest: #41, differs in query 'page' (2, recorded 1). Record it, or …"
"""

# Rule: a recording whose path is mostly another is never named; a wrong hint costs more than none.

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice, zip_longest

from durable_replay.matching.canonical import CanonicalRequest, Pairs
from durable_replay.matching.paths import Json, leaves

__all__ = ["NEXT_STEP", "Candidate", "Difference", "Explanation", "Near", "explain"]

WEIGHTS = {"path": 0.5, "method": 0.25, "body": 0.1, "query": 0.1, "host": 0.05}
FLOOR = 0.5
PATH_FLOOR = 0.5
NEAREST = 3
MOST_CANDIDATES = 1000
MOST_DIFFERENCES = 20
MOST_LEAVES = 5000
VALUE = 40
TEXT = 500
NEXT_STEP = "Record it, or replay with --on-miss emulate."
ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recording that may be meant, by its number on the tape."""

    number: int
    request: CanonicalRequest


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a request (method, path, query, …) that is not as recorded; values are cut at 40 characters."""

    part: str
    name: str
    value: str
    recorded: str

    def __str__(self) -> str:
        name = f" {self.name}" if self.part == "body" and self.name else f" '{self.name}'" if self.name else ""
        return f"{self.part}{name} ({self.value}, recorded {self.recorded})"


@dataclass(frozen=True, slots=True)
class Near:
    """A recording near the request; `likeness` is from 0 to 1."""

    number: int
    likeness: float
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why nothing matched. `what` is the request in words; `nearest` is best first, and may be empty."""

    what: str
    nearest: tuple[Near, ...]
    next_step: str = NEXT_STEP

    @property
    def text(self) -> str:
        """One line of printable ASCII for a header, at most 500 characters; it always ends with the next step."""
        start = f"No recording of {self.what} matches."
        hint = f" {_hint(self.nearest[0])}" if self.nearest else " None comes near."
        end = f" {self.next_step}"
        return _cut(_printable(start + hint), TEXT - len(_printable(end))) + _printable(end)

    @property
    def document(self) -> dict[str, Json]:
        """The same for a JSON body, with every near recording."""
        nearest: list[Json] = [
            {
                "interaction": near.number,
                "likeness": round(near.likeness, 3),
                "differences": [
                    {"part": one.part, "name": one.name, "value": one.value, "recorded": one.recorded}
                    for one in near.differences
                ],
            }
            for near in self.nearest
        ]
        return {"error": "no recording matches", "request": self.what, "nearest": nearest, "next": self.next_step}


def explain(request: CanonicalRequest, candidates: Iterable[Candidate], next_step: str = NEXT_STEP) -> Explanation:
    """The nearest of these candidates (at most 1000 are looked at) and how they differ; the earlier one where alike."""
    scored = [(_likeness(request, one.request), one) for one in islice(candidates, MOST_CANDIDATES)]
    scored = [pair for pair in scored if pair[0] >= FLOOR]
    scored.sort(key=lambda pair: (-pair[0], pair[1].number))
    nearest = (
        Near(one.number, likeness, tuple(islice(_differences(request, one.request), MOST_DIFFERENCES)))
        for likeness, one in scored[:NEAREST]
    )
    return Explanation(_what(request), tuple(nearest), _printable(_cut(next_step, TEXT // 2)))


# -- likeness ---------------------------------------------------------------------------------------------------------


def _likeness(request: CanonicalRequest, recorded: CanonicalRequest) -> float:
    """Between 0 and 1; 0 where the paths have too little in common."""
    path = _path_likeness(request, recorded)
    if path < PATH_FLOOR:
        return 0.0
    return (
        WEIGHTS["path"] * path
        + WEIGHTS["method"] * (request.method == recorded.method)
        + WEIGHTS["host"] * (request.host == recorded.host)
        + WEIGHTS["query"] * _share(request.query + request.headers, recorded.query + recorded.headers)
        + WEIGHTS["body"] * _body_likeness(request, recorded)
    )


def _path_likeness(request: CanonicalRequest, recorded: CanonicalRequest) -> float:
    if request.operation or recorded.operation:
        if request.operation != recorded.operation:
            return 0.0
        return 0.5 + 0.5 * _share(request.parameters, recorded.parameters)
    ours, theirs = request.path.strip("/").split("/"), recorded.path.strip("/").split("/")
    return SequenceMatcher(None, ours[:50], theirs[:50], autojunk=False).ratio()


def _share(ours: Pairs, theirs: Pairs) -> float:
    """The share of pairs in common; a name in common counts half."""
    most = max(len(ours), len(theirs))
    if not most:
        return 1.0
    pairs = len(set(ours) & set(theirs))
    names = len({name for name, _ in ours} & {name for name, _ in theirs})
    return min(1.0, (pairs + names) / (2 * most))


def _body_likeness(request: CanonicalRequest, recorded: CanonicalRequest) -> float:
    if request.body == recorded.body:
        return 1.0
    if request.body.kind != recorded.body.kind or request.body.value is None:
        return 0.0
    ours, theirs = _leaves(request), _leaves(recorded)
    return sum(ours[at] == theirs[at] for at in ours.keys() & theirs.keys()) / max(len(ours), len(theirs), 1)


def _leaves(request: CanonicalRequest) -> dict[str, str]:
    found = islice(leaves(request.body.value), MOST_LEAVES)
    return {at: value if isinstance(value, str) else json.dumps(value) for at, value in found}


# -- differences ------------------------------------------------------------------------------------------------------


def _differences(request: CanonicalRequest, recorded: CanonicalRequest) -> Iterator[Difference]:
    for part in ("method", "host", "operation", "path"):
        ours, theirs = getattr(request, part), getattr(recorded, part)
        if ours != theirs:
            yield _difference(part, "", ours, theirs)
    yield from _by_name("parameter", request.parameters, recorded.parameters)
    yield from _by_name("query", request.query, recorded.query)
    yield from _by_name("header", request.headers, recorded.headers)
    if request.body != recorded.body:
        yield from _body_differences(request, recorded)


def _by_name(part: str, ours: Pairs, theirs: Pairs) -> Iterator[Difference]:
    for name in dict.fromkeys(name for name, _ in (*ours, *theirs)):
        for value, recorded in zip_longest(_values(ours, name), _values(theirs, name)):
            if value != recorded:
                yield _difference(part, name, value, recorded)


def _values(pairs: Pairs, name: str) -> list[str]:
    return [value for key, value in pairs if key == name]


def _body_differences(request: CanonicalRequest, recorded: CanonicalRequest) -> Iterator[Difference]:
    ours, theirs = request.body, recorded.body
    if ours.kind != theirs.kind:
        yield _difference("body", "", ours.kind or None, theirs.kind or None)
    elif ours.value is None or theirs.value is None:
        yield _difference("body", "", f"sha256 {ours.digest.hex()[:12]}", f"sha256 {theirs.digest.hex()[:12]}")
    else:
        mine, other = _leaves(request), _leaves(recorded)
        for at in (*mine, *(at for at in other if at not in mine)):
            if mine.get(at) != other.get(at):
                yield _difference("body", at, mine.get(at), other.get(at))


def _difference(part: str, name: str, value: str | None, recorded: str | None) -> Difference:
    return Difference(part, _cut(_printable(name), 2 * VALUE), _shown(value), _shown(recorded))


# -- words ------------------------------------------------------------------------------------------------------------


def _what(request: CanonicalRequest) -> str:
    target = request.path
    if request.operation:
        parameters = ", ".join(f"{name}={_cut(value, VALUE)}" for name, value in request.parameters)
        target = f"{request.operation}({parameters})"
    return _cut(_printable(f"{request.method} {target}".strip()), 160)


def _hint(near: Near) -> str:
    if not near.differences:
        return f"Nearest: #{near.number}, the same request, whose answer is used up or no longer true."
    shown = ", ".join(map(str, near.differences[:3]))
    more = len(near.differences) - 3
    return f"Nearest: #{near.number}, differs in {shown}{f' and {more} more' if more > 0 else ''}."


def _shown(value: str | None) -> str:
    if value is None:
        return ABSENT
    return _cut(_printable(value), VALUE) if value else "empty"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."


def _printable(text: str) -> str:
    """Printable ASCII; anything else as an escape, so that it can stand in a header."""
    return text if text.isascii() and text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if " " <= character <= "~" else ascii(character)[1:-1]
