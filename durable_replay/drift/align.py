"""Which elements of two arrays are the same thing.

By what identifies them, where they are objects that have such a field; by their place, where they are measures; else
equal ones wherever they stand, and the rest one by one in order.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass

from durable_replay.drift.documents import Node
from durable_replay.drift.saying import ENVELOPED, SAYS_WHAT

__all__ = ["Alignment", "align", "course"]

IDENTITIES = ("id", "_id", "@id", "uuid", "gid", "uid", "guid", "ID", "Id", "key", "Key", "sid", "arn", "sha", "href")
NAMES = ("name", "Name", "@name", "slug", "login", "username", "code", "email", "path", "title", "number", "self")
"""Identities that people give: another one in its place may be the same thing, renamed."""
MOST_MATCHED = 1000
"""Unequal elements of one array that are looked for elsewhere."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Pairs of indexes, and those that have no partner; `moved` is the first pair that stands elsewhere now."""

    pairs: list[tuple[int, int]]
    gone: list[int]
    new: list[int]
    moved: tuple[int, int] | None = None
    others: bool = False
    """The pairs are not the same things: they only stand in the same place."""


def align(before: list[Node], after: list[Node]) -> Alignment:
    """The alignment of two arrays that are not empty."""
    for name in (*IDENTITIES, *NAMES):
        left = _by_identity(before, name)
        right = _by_identity(after, name) if left is not None else None
        if left is not None and right is not None:
            return _identified(left, right, len(before), len(after), name in NAMES)
    return _anonymous(before, after)


def _by_identity(items: list[Node], name: str) -> dict[Node, int] | None:
    """The index of each element by its identity; None where one has none, or two have the same."""
    first = items[0]
    if type(first) is not dict or name not in first:
        return None
    found: dict[Node, int] = {}
    for index, item in enumerate(items):
        if type(item) is not dict:
            return None
        value = item.get(name)
        if type(value) is list and len(value) == 1:
            value = value[0]  # an XML element's child
        if type(value) is not str and type(value) is not int:
            return None
        found[value] = index
    return found if len(found) == len(items) else None


def _identified(left: dict[Node, int], right: dict[Node, int], before: int, after: int, named: bool) -> Alignment:
    pairs = [(i, right[value]) for value, i in left.items() if value in right]
    gone = [i for value, i in left.items() if value not in right]
    new = [j for value, j in right.items() if value not in left]
    if not pairs:
        rest = list(zip(gone, new, strict=False))
        size = min(before, after)
        return Alignment(rest, gone[size:], new[size:], None, not (named and before == after == 1))
    moved = next((pair for pair, last in zip(pairs[1:], pairs, strict=False) if pair[1] < last[1]), None)
    if named and before == after:
        return Alignment([*pairs, *zip(gone, new, strict=True)], [], [], moved)
    return Alignment(pairs, gone, new, moved)


def _anonymous(before: list[Node], after: list[Node]) -> Alignment:
    same, size = len(before) == len(after), min(len(before), len(after))
    unequal = [i for i in range(size) if not _equal(before[i], after[i])]
    alone = len(unequal) < 2 and not any(_are_others(before[i], after[i]) for i in unequal)
    if same and (alone or len(unequal) > MOST_MATCHED or (_are_measures(before) and _are_measures(after))):
        return Alignment([(i, i) for i in unequal], [], [])
    kept = set(range(size)) - set(unequal) if same else set()
    return _matched(before, after, kept)


def _are_measures(items: list[Node]) -> bool:
    """Whether an array holds nothing but numbers, some of them fractions: longitude and latitude, a series, a vector.
    The place of each says what it is; whole numbers may as well be a set of ids."""
    kinds = set(map(type, items))
    return float in kinds and kinds <= {int, float}


def course(conversation: Node) -> list[str]:
    """What the frames of a conversation say that they are, in their order."""
    return [_tag(frame) for frame in conversation] if type(conversation) is list else []


def _are_others(left: Node, right: Node) -> bool:
    """Whether two objects say that they are different things, and are built differently."""
    return _tag(left) != _tag(right) and _names(left) != _names(right)


def _equal(left: Node, right: Node) -> bool:
    """Equal in type too: for Python 1, 1.0 and True are the same, even inside of objects."""
    return type(left) is type(right) and left == right and (type(left) is str or repr(left) == repr(right))


def _matched(before: list[Node], after: list[Node], kept: set[int]) -> Alignment:
    """Equal elements find each other; the rest are paired in order, objects with those that are the same thing."""
    places: dict[str, list[int]] = defaultdict(list)
    for j in range(len(after) - 1, -1, -1):
        if j not in kept:
            places[_written(after[j])].append(j)
    pairs, gone, moved = [], [], None
    for i, item in enumerate(before):
        if i in kept:
            continue
        found = places.get(_written(item))
        if not found:
            gone.append(i)
            continue
        j = found.pop()
        pairs.append((i, j))
        if i != j and moved is None and len(before) == len(after):
            moved = (i, j)
    new = sorted(j for rest in places.values() for j in rest)
    same = len(before) == len(after)
    rest, gone, new = _rest(before, after, gone, new, same)
    return Alignment(rest, gone, new, moved, others=not same and bool(rest))


def _written(item: Node) -> str:
    return item if type(item) is str else "\0" + json.dumps(item, sort_keys=True)


def _rest(
    before: list[Node], after: list[Node], gone: list[int], new: list[int], same: bool
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    if not same and not all(type(item) is dict for item in (*before, *after)):
        return [], gone, new
    partners: dict[str, list[int]] = defaultdict(list)
    for j in reversed(new):
        partners[_tag(after[j])].append(j)
    pairs = []
    for i in gone:
        if found := partners[_tag(before[i])]:
            pairs.append((i, found.pop()))
    gone, new = _left(pairs, gone, new)
    if same:  # another tag, with the same fields: the thing is told otherwise by now
        pairs += [(i, j) for i, j in zip(gone, new, strict=False) if _names(before[i]) == _names(after[j])]
    return pairs, *_left(pairs, gone, new)


def _left(pairs: list[tuple[int, int]], gone: list[int], new: list[int]) -> tuple[list[int], list[int]]:
    left, right = {i for i, _ in pairs}, {j for _, j in pairs}
    return [i for i in gone if i not in left], [j for j in new if j not in right]


def _names(item: Node) -> frozenset[str] | None:
    if type(item) is not dict:
        return None
    names = set(item)
    for name in ENVELOPED:
        names.update(f"{name}.{below}" for below in _names(item.get(name)) or ())
    return frozenset(names)


def _tag(item: Node) -> str:
    """What an object says that it is, and what is in it where it is an envelope."""
    if type(item) is not dict:
        return ""
    said = str(next((item[name] for name in SAYS_WHAT if type(item.get(name)) is str), ""))
    inner = item.get("data")
    return f"{said} {_tag(inner)}" if type(inner) is dict else said
