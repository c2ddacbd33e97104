"""What was seen at each path of the documents of one endpoint and side: a union over all its recordings.

A `Shape` is what was seen at one path: how often a value of each type, of objects their fields, of arrays their
elements joined, of maps their entries joined, of strings their formats and, while they are few, the strings. Objects
that say what they are (`type`, `kind`, `event`…) are kept apart by what they say, as `Variant`s.

An object costs one look-up of its keys and types: `Plan` counts the objects that agree in these, and is added to the
shapes of the fields by `settle`. So the counts of a shape are right after `settle` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from durable_replay.drift.difference import short
from durable_replay.drift.documents import Node
from durable_replay.drift.dynamic import all_dynamic
from durable_replay.drift.formats import format_of
from durable_replay.drift.saying import said_of

__all__ = ["Budget", "Shape", "Variant", "merged", "see", "settle", "shapes_at"]

MOST_SHAPES = 5000
"""Paths that are kept of one endpoint, side and status."""
MOST_FIELDS = 256
"""Names of one object that are kept apart; an object with more is a map."""
MOST_PLANS = 128
MOST_VARIANTS = 64
MOST_TEXTS = 24
LONGEST_TEXT = 64
MOST_SAMPLED = 64
"""Strings of which the format is taken, beyond those that are kept."""
DEEPEST = 100


class Budget:
    """How many more shapes may be made; what is seen beyond goes to one that is thrown away."""

    __slots__ = ("capped", "left")

    def __init__(self, left: int = MOST_SHAPES) -> None:
        self.left = left
        self.capped = False


class Variant:
    """The objects of one shape that say that they are the same thing, or that say nothing."""

    __slots__ = ("count", "fields", "keys", "number")

    def __init__(self) -> None:
        self.count = 0
        self.number = 0
        self.fields: dict[str, Shape] = {}
        self.keys: list[tuple[int, frozenset[str]]] = []
        """Interactions with the names that their object had, for examples of absence."""

    def without(self, name: str) -> int:
        """The first interaction whose object lacks this field; 0 where none is known."""
        return min((number for number, names in self.keys if name not in names), default=0)


class Plan:
    """Objects that agree in their names and types: how many, and where the walk must go deeper."""

    __slots__ = ("count", "deep", "kinds", "number", "sample", "texts", "variant")

    def __init__(self, variant: Variant, kinds: dict[str, type]) -> None:
        self.variant = variant
        self.kinds = kinds
        self.count = 0
        self.number = 0
        self.sample: dict[str, Node] = {}
        self.deep: list[tuple[str, Shape, bool]] = []
        self.texts: list[tuple[str, Shape]] = []


class Shape:
    """What was seen at one path. `counts` by the type of the value; `open` while strings still tell something new."""

    __slots__ = (
        "budget",
        "counts",
        "depth",
        "element",
        "empty",
        "entry",
        "first",
        "formats",
        "mapped",
        "numbers",
        "open",
        "plans",
        "sampled",
        "tags",
        "texts",
        "variants",
    )

    def __init__(self, budget: Budget, depth: int = 0) -> None:
        self.budget = budget
        self.depth = depth
        self.counts: dict[type, int] = {}
        self.first: dict[type, tuple[int, Node]] = {}
        """By type the first interaction that showed it, with the value."""
        self.empty: dict[type, int] = {}
        """How many of the arrays and objects are empty."""
        self.variants: dict[str, Variant] = {}
        self.plans: dict[tuple[object, ...], Plan] = {}
        self.tags: dict[tuple[object, ...], str] = {}
        """By names and types the field that says what such an object is."""
        self.mapped = 0
        """Objects whose keys are no names, and whose entries are joined."""
        self.element: Shape | None = None
        self.entry: Shape | None = None
        self.texts: dict[str, int] | None = {}
        """Strings that are few and short, with how often; None: they are not."""
        self.numbers: dict[str, int] = {}
        self.formats: dict[str, int] = {}
        self.sampled = 0
        self.open = True

    @property
    def count(self) -> int:
        """How often there was any value."""
        return sum(self.counts.values())

    def below(self) -> Shape:
        """A new shape one step deeper."""
        self.budget.left -= 1
        if self.budget.left < 0:
            self.budget.capped = True
        return Shape(self.budget, self.depth + 1)

    @property
    def kept(self) -> bool:
        """Whether what is deeper than here is still looked at."""
        return self.depth < DEEPEST and not self.budget.capped

    def of_entry(self) -> Shape:
        """The entries of a map, joined."""
        if self.entry is None:
            self.entry = self.below()
        return self.entry

    def noted(self, kind: type, number: int, value: Node) -> None:
        """The first interaction that showed this type is kept with a short form of the value."""
        if kind not in self.first or number < self.first[kind][0]:
            self.first[kind] = (number, short(value))


# -- seeing -----------------------------------------------------------------------------------------------------------


def see(shape: Shape, value: Node, number: int) -> None:
    """One value, from one interaction, is added to what was seen."""
    kind = type(value)
    shape.counts[kind] = shape.counts.get(kind, 0) + 1
    first = shape.first.get(kind)
    if first is None or number < first[0]:
        shape.first[kind] = (number, short(value))
    if type(value) is dict:
        _see_object(shape, value, number)
    elif type(value) is list:
        _see_array(shape, value, number)
    elif type(value) is str and shape.open:
        _see_text(shape, value, number)


def _see_object(shape: Shape, value: dict[str, Node], number: int) -> None:
    if not value:
        shape.empty[dict] = shape.empty.get(dict, 0) + 1
        return
    signature: tuple[object, ...] = (*value, *map(type, value.values()))
    tag = shape.tags.get(signature)
    plan = shape.plans.get(signature if not tag else (*signature, value[tag]))
    if plan is None:
        plan = _plan(shape, signature, value, number)
        if plan is None:
            return
    plan.count += 1
    if number < plan.number:
        plan.number = number
        plan.sample = {name: short(child) for name, child in value.items()}
    for name, child, is_object in plan.deep:
        if is_object:
            _see_object(child, value[name], number)  # type: ignore[arg-type]  # the plan knows the types
        else:
            _see_array(child, value[name], number)  # type: ignore[arg-type]
    if plan.texts:
        for name, child in plan.texts:
            if child.open:
                _see_text(child, value[name], number)  # type: ignore[arg-type]
        if not plan.count & 63:
            plan.texts = [pair for pair in plan.texts if pair[1].open]


def _see_array(shape: Shape, value: list[Node], number: int) -> None:
    if not value:
        shape.empty[list] = shape.empty.get(list, 0) + 1
        return
    if shape.element is None:
        if not shape.kept:
            return
        shape.element = shape.below()
    element = shape.element
    counts, first = element.counts, element.first
    for item in value:
        kind = type(item)
        counts[kind] = counts.get(kind, 0) + 1
        if kind not in first or number < first[kind][0]:
            first[kind] = (number, short(item))
        if type(item) is dict:
            _see_object(element, item, number)
        elif type(item) is list:
            _see_array(element, item, number)
        elif type(item) is str and element.open:
            _see_text(element, item, number)


def _see_text(shape: Shape, text: str, number: int) -> None:
    texts = shape.texts
    if texts is not None:
        seen = texts.get(text)
        if seen is not None:
            texts[text] = seen + 1
            if number < shape.numbers[text]:
                shape.numbers[text] = number
            return
        if len(texts) < MOST_TEXTS and len(text) <= LONGEST_TEXT:
            texts[text] = 1
            shape.numbers[text] = number
        else:
            shape.texts = None
            shape.numbers = {}
    else:
        shape.sampled += 1
        if shape.sampled > MOST_SAMPLED:
            shape.open = False
            return
    if text:
        name = format_of(text)
        shape.formats[name] = shape.formats.get(name, 0) + 1


# -- plans ------------------------------------------------------------------------------------------------------------


def _plan(shape: Shape, signature: tuple[object, ...], value: dict[str, Node], number: int) -> Plan | None:
    """A plan for objects like this one; None where it was a map, whose entries are seen."""
    if all_dynamic(value):
        _see_entries(shape, value, number)
        return None
    tag, said = said_of(value, shape.depth)
    said = said[:LONGEST_TEXT]
    if said not in shape.variants and len(shape.variants) >= MOST_VARIANTS:
        said = ""
    variant = shape.variants.setdefault(said, Variant())
    plan = Plan(variant, {name: type(child) for name, child in value.items()})
    plan.number = number
    plan.sample = {name: short(child) for name, child in value.items()}
    _descents(shape, plan, value)
    if len(shape.plans) >= MOST_PLANS:
        _fold_all(shape)
    shape.tags[signature] = tag
    shape.plans[signature if not tag else (*signature, value[tag])] = plan
    return plan


def _descents(shape: Shape, plan: Plan, value: dict[str, Node]) -> None:
    fields = plan.variant.fields
    for name, child in value.items():
        if name not in fields:
            if not shape.kept:
                continue
            if len(fields) >= MOST_FIELDS:
                fields[name] = shape.of_entry()
            else:
                fields[name] = shape.below()
        below = fields[name]
        if type(child) is dict or type(child) is list:
            plan.deep.append((name, below, type(child) is dict))
        elif type(child) is str:
            plan.texts.append((name, below))


def _see_entries(shape: Shape, value: dict[str, Node], number: int) -> None:
    shape.mapped += 1
    if shape.kept:
        entry = shape.of_entry()
        for child in value.values():
            see(entry, child, number)


def _fold_all(shape: Shape) -> None:
    for plan in shape.plans.values():
        _fold(plan)
    shape.plans.clear()
    shape.tags.clear()


def _fold(plan: Plan) -> None:
    variant = plan.variant
    if not variant.count or plan.number < variant.number:
        variant.number = plan.number
    variant.count += plan.count
    if len(variant.keys) < MOST_PLANS:
        variant.keys.append((plan.number, frozenset(plan.kinds)))
    for name, kind in plan.kinds.items():
        child = variant.fields.get(name)
        if child is not None:
            child.counts[kind] = child.counts.get(kind, 0) + plan.count
            child.noted(kind, plan.number, plan.sample[name])
    plan.count = 0


# -- the end ----------------------------------------------------------------------------------------------------------


def settle(shape: Shape) -> Shape:
    """What the plans counted is added to the shapes of the fields, at every depth."""
    _fold_all(shape)
    for child in _below(shape):
        settle(child)
    return shape


def _below(shape: Shape) -> Iterator[Shape]:
    for variant in shape.variants.values():
        yield from variant.fields.values()
    if shape.element is not None:
        yield shape.element
    if shape.entry is not None:
        yield shape.entry


def shapes_at(shape: Shape, path: str) -> Iterator[Shape]:
    """What was seen at a path (`body.$.items[].name`) of a settled shape of whole documents; of a union several."""
    yield from _at(shape, path.partition("$")[2])


def _at(shape: Shape, rest: str) -> Iterator[Shape]:
    if not rest:
        yield shape
    for sign, below in (("[]", shape.element), ("{}", shape.entry)):
        if below is not None and rest.startswith(sign):
            yield from _at(below, rest[2:])
    for variant in shape.variants.values():
        for name, child in variant.fields.items():
            step = f".{name}"
            if rest.startswith(step) and rest[len(step) : len(step) + 1] in ("", ".", "[", "{"):
                yield from _at(child, rest[len(step) :])


def merged(shapes: Iterable[Shape]) -> Shape:
    """One settled shape for several that are settled."""
    parts = list(shapes)
    if len(parts) == 1:
        return parts[0]
    whole = Shape(Budget(), parts[0].depth if parts else 0)
    for part in parts:
        _add_counts(whole, part)
        _add_texts(whole, part)
        for said, variant in part.variants.items():
            _add_variant(whole.variants.setdefault(said, Variant()), variant)
    elements = [part.element for part in parts if part.element is not None]
    entries = [part.entry for part in parts if part.entry is not None]
    whole.element = merged(elements) if elements else None
    whole.entry = merged(entries) if entries else None
    return whole


def _add_counts(whole: Shape, part: Shape) -> None:
    for kind, count in part.counts.items():
        whole.counts[kind] = whole.counts.get(kind, 0) + count
    for kind, (number, value) in part.first.items():
        whole.noted(kind, number, value)
    for kind, count in part.empty.items():
        whole.empty[kind] = whole.empty.get(kind, 0) + count
    whole.mapped += part.mapped


def _add_texts(whole: Shape, part: Shape) -> None:
    for name, count in part.formats.items():
        whole.formats[name] = whole.formats.get(name, 0) + count
    if whole.texts is None or part.texts is None or len(whole.texts.keys() | part.texts) > MOST_TEXTS:
        whole.texts = None
        return
    for text, count in part.texts.items():
        whole.texts[text] = whole.texts.get(text, 0) + count
        whole.numbers[text] = min(whole.numbers.get(text, part.numbers[text]), part.numbers[text])


def _add_variant(whole: Variant, part: Variant) -> None:
    whole.number = min(whole.number, part.number) if whole.count else part.number
    whole.count += part.count
    whole.keys = [*whole.keys, *part.keys][:MOST_PLANS]
    for name, shape in part.fields.items():
        whole.fields[name] = merged([whole.fields[name], shape]) if name in whole.fields else shape
