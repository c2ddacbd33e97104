"""Two answers to the same request, value by value.

A `Place` is a path of the answers of one endpoint with what was noted there: in pairs of before and after, and in
pairs of recordings of one side, by which noise is learnt. Arrays are aligned by what identifies their elements (see
`align`), so that one changed element is named and a moved one is no change.
"""

from __future__ import annotations

from enum import IntEnum

from durable_replay.drift.align import align
from durable_replay.drift.difference import example_text
from durable_replay.drift.documents import Node
from durable_replay.drift.finding import Example
from durable_replay.drift.formats import same_but_volatile
from durable_replay.drift.saying import SAYS_WHETHER, SHALLOW

__all__ = ["Note", "Place", "Record", "Sides", "Walk", "compare_values"]

MOST_PLACES = 5000
MOST_BELOW = 256
"""Names of one object; those beyond are one place."""
MOST_EXAMPLES = 3
MOST_JUDGED = 64
"""Differences of one place that are each judged volatile or not; of more only one in 32 is."""
DEEPEST = 100

Where = tuple[int, ...]
"""The indexes of the elements on the way to a value."""


class Sides(IntEnum):
    """Which recordings are compared."""

    before_after = 0
    before = 100
    after = 200


class Note(IntEnum):
    """What differs at a place."""

    value = 1
    volatile = 2
    """Another value, of a form that names nothing lasting."""
    other = 3
    """Another value of an element that is another one."""
    type = 4
    gone = 5
    new = 6
    length = 7
    """An element that the other array does not have; at the element's place."""
    empty = 8
    """Only one of the arrays or objects is empty; at its place."""
    order = 9
    form = 10
    """Only one of the bodies is of a form, or there is one; at the root."""
    success = 11
    """Only one of two calls succeeded, as the value at this place says."""


class Record:
    """What was noted at one place: how often, and the first three by number."""

    __slots__ = ("count", "examples", "reason", "strong")

    def __init__(self) -> None:
        self.count = 0
        self.reason = ""
        """Of volatile values: what they are."""
        self.strong = 0
        """Those that are not of elements that were replaced as a whole."""
        self.examples: list[tuple[int, int, str, str, str]] = []

    def keep(self, example: tuple[int, int, str, str, str]) -> None:
        """Keeps an example if it is among the first."""
        self.examples.append(example)
        self.examples.sort()
        del self.examples[MOST_EXAMPLES:]

    def add(self, other: Record) -> None:
        """Takes over what another place's record has."""
        self.count += other.count
        self.strong += other.strong
        self.reason = min(filter(None, (self.reason, other.reason)), default="")
        for example in other.examples:
            self.keep(example)

    def shown(self) -> tuple[Example, ...]:
        """The examples as reports have them."""
        return tuple(Example(*e[3:], e[0], e[1], e[2]) for e in self.examples)


class Place:
    """One path, with the places below. `records` by note and sides."""

    __slots__ = ("below", "budget", "depth", "name", "parent", "records", "step")

    def __init__(self, step: str, parent: Place | None = None, name: str = "") -> None:
        self.step = step
        self.name = name
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent else 0
        self.budget: list[int] = parent.budget if parent else [MOST_PLACES]
        self.below: dict[str, Place] = {}
        self.records: dict[int, Record] = {}

    def child(self, name: str) -> Place:
        """The place of a field."""
        found = self.below.get(name)
        if found is None:
            if len(self.below) >= MOST_BELOW or self.budget[0] <= 0:
                name = "…"
                if name in self.below:
                    return self.below[name]
            self.budget[0] -= 1
            found = self.below[name] = Place(f".{name}", self, name)
        return found

    def element(self) -> Place:
        """The place of an array's elements."""
        found = self.below.get("[]")
        if found is None:
            found = self.below["[]"] = Place("[]", self, self.name)
        return found

    def steps(self) -> list[str]:
        """From the root to here."""
        return [*self.parent.steps(), self.step] if self.parent else [self.step]

    def concrete(self, where: Where) -> str:
        """The path with indexes."""
        indexes = iter(where)
        return "".join(f"[{next(indexes, '')}]" if step == "[]" else step for step in self.steps())


class Walk:
    """One pair of answers that is being compared."""

    __slots__ = ("numbers", "others", "sides")

    def __init__(self, sides: Sides, before: int, after: int) -> None:
        self.sides = sides
        self.numbers = (before, after)
        self.others = 0
        """Over 0 while within an element that is another one than on the other side."""

    def note(self, place: Place, what: Note, before: Node, after: Node, where: Where, absent: int = 0) -> Record:
        """A difference at a place; `absent`: 1 where the before side has nothing, 2 where the after side has."""
        key = what + self.sides
        record = place.records.get(key)
        if record is None:
            record = place.records[key] = Record()
        record.count += 1
        if not self.others:
            record.strong += 1
        examples = record.examples
        if len(examples) == MOST_EXAMPLES and self.numbers >= (examples[-1][0], examples[-1][1]):
            return record
        texts = ("" if absent == 1 else example_text(before), "" if absent == 2 else example_text(after))
        record.keep((*self.numbers, place.concrete(where), *texts))
        return record

    def changed(self, place: Place, before: Node, after: Node, where: Where) -> None:
        """Another value of the same type."""
        if before != before and after != after:
            return  # what is not a number is not equal to itself
        if self.sides is not Sides.before_after:
            self.note(place, Note.value, before, after, where)
        elif self.others:
            self.note(place, Note.other, before, after, where)
        elif reason := _volatile(place, before, after):
            self.note(place, Note.volatile, before, after, where).reason = reason
        else:
            self.note(place, Note.value, before, after, where)


def _volatile(place: Place, before: Node, after: Node) -> str:
    """What the two values both are if that names nothing lasting, else ""."""
    solid, volatile = place.records.get(Note.value), place.records.get(Note.volatile)
    if solid is not None and solid.count >= MOST_JUDGED:
        return ""
    if solid is None and volatile is not None and volatile.count >= MOST_JUDGED and volatile.count & 31:
        return volatile.reason
    return same_but_volatile(place.name, before, after)


def compare_values(walk: Walk, place: Place, before: Node, after: Node, where: Where = ()) -> None:
    """Notes each difference of two values at a place and below."""
    kind = type(before)
    if kind is not type(after):
        if {kind, type(after)} == {int, float}:
            if before != after:
                walk.changed(place, before, after, where)
            return
        walk.note(place, Note.type, before, after, where)
    elif type(before) is dict and type(after) is dict:
        _objects(walk, place, before, after, where)
    elif type(before) is list and type(after) is list:
        _arrays(walk, place, before, after, where)
    elif before != after:
        walk.changed(place, before, after, where)


def _objects(walk: Walk, place: Place, before: dict[str, Node], after: dict[str, Node], where: Where) -> None:
    if place.depth > DEEPEST:
        if before != after:
            walk.changed(place, "…", "… (too deep)", where)
        return
    if not before or not after:
        if before or after:
            walk.note(place, Note.empty, before, after, where)
        return
    below = place.below
    if place.depth < SHALLOW and (name := _succeeds_otherwise(before, after)):
        walk.note(place.child(name), Note.success, before[name], after[name], where)
        return
    common = 0
    for name, left in before.items():
        if name not in after:
            walk.note(below.get(name) or place.child(name), Note.gone, left, None, where, 2)
            continue
        common += 1
        right = after[name]
        kind = type(left)
        if kind is not type(right):
            compare_values(walk, below.get(name) or place.child(name), left, right, where)
        elif kind is dict:
            _objects(walk, below.get(name) or place.child(name), left, right, where)  # type: ignore[arg-type]
        elif kind is list:
            _arrays(walk, below.get(name) or place.child(name), left, right, where)  # type: ignore[arg-type]
        elif left != right:
            walk.changed(below.get(name) or place.child(name), left, right, where)
    if common < len(after):
        for name, right in after.items():
            if name not in before:
                walk.note(below.get(name) or place.child(name), Note.new, None, right, where, 1)


def _succeeds_otherwise(before: dict[str, Node], after: dict[str, Node]) -> str:
    """The name of the field that says that only one of two calls succeeded, else ""."""
    for name in SAYS_WHETHER:
        if type(before.get(name)) is bool and type(after.get(name)) is bool and before[name] is not after[name]:
            return name
    return ""


def _arrays(walk: Walk, place: Place, before: list[Node], after: list[Node], where: Where) -> None:
    if not before or not after:
        if before or after:
            walk.note(place, Note.empty, before, after, where)
        return
    element = place.element()
    if element.depth > DEEPEST:
        if before != after:
            walk.changed(element, "…", "… (too deep)", where)
        return
    found = align(before, after)
    if found.moved:
        walk.note(element, Note.order, before[found.moved[0]], after[found.moved[1]], (*where, found.moved[1]))
    if found.others:
        walk.others += 1
    for i, j in found.pairs:
        compare_values(walk, element, before[i], after[j], (*where, j))
    for i in found.gone:
        walk.note(element, Note.length, before[i], None, (*where, i), 2)
    for j in found.new:
        walk.note(element, Note.length, None, after[j], (*where, j), 1)
    if found.others:
        walk.others -= 1
