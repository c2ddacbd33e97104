"""Two shapes are compared: what the after side lacks, has anew, or has in another type."""

# Rule: a shape tells only what it saw. An empty array says nothing of elements, null nothing of a type, and a field
# that was missing once may be missing again.

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from durable_replay.drift.difference import BY_CHANCE, Difference, Evidence, by_chance, chance_of, example_text
from durable_replay.drift.finding import Example, Kind
from durable_replay.drift.formats import epoch_of
from durable_replay.drift.saying import ENVELOPED, FAILURE, SAYS_WHAT, SAYS_WHETHER, SUCCESS
from durable_replay.drift.shape import Shape, Variant, merged
from durable_replay.drift.texts import text_differences

__all__ = ["contrast"]

ENOUGH_LOST = 3
"""Pairs of one request that lost a field that is optional elsewhere."""
ENOUGH_NUMBERS = 3
ENOUGH_WHOLE = 20
MOST_NAMED = 5
"""Fields of one object that a sentence names."""

NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a fraction",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def contrast(before: Shape, after: Shape, path: str, evidence: Evidence) -> Iterator[Difference]:
    """The differences of two settled shapes at a path and below."""
    if not before.counts or not after.counts:
        return
    yield from _types(before, after, path, evidence)
    if str in before.counts and str in after.counts:
        yield from text_differences(before, after, path, evidence)
    if before.element is not None and after.element is not None:
        yield from contrast(before.element, after.element, f"{path}[]", evidence)
    if before.entry is not None and after.entry is not None:
        yield from contrast(before.entry, after.entry, f"{path}{{}}", evidence)
    if before.variants and after.variants:
        yield from _objects(before, after, path, evidence)
    if dict in before.counts and dict in after.counts:
        yield from _emptied(before, after, path, evidence)


# -- types ------------------------------------------------------------------------------------------------------------


def _family(kind: type) -> type:
    return int if kind is float else kind


def _types(before: Shape, after: Shape, path: str, evidence: Evidence) -> Iterator[Difference]:
    null = type(None)
    typed = {_family(kind) for kind in before.counts if kind is not null}
    if not typed:
        return
    if null in after.counts and null not in before.counts:
        some = "is null in some answers" if len(after.counts) > 1 else "is null"
        chance = chance_of(after.counts[null], after.count, before.count, evidence)
        yield replace(_typed(before, after, path, Kind.nullable, f"{some}, was never null", null), chance=chance)
    new = [kind for kind in after.counts if kind is not null and _family(kind) not in typed]
    new.sort(key=lambda kind: (after.first[kind][0], NAMES[kind]))
    if new:
        beside = _beside_text(before, after, path, new[0], typed)
        kind = Kind.element_shape if path.endswith("[]") else Kind.type_changed
        yield from beside or [_typed(before, after, path, kind, _retyped(before, after, new[0]), new[0])]
    elif int in typed and (int in after.counts or float in after.counts):
        yield from _number_kind(before, after, path)


def _beside_text(before: Shape, after: Shape, path: str, new: type, typed: set[type]) -> list[Difference]:
    """An XML element is a string without attributes, and an object with them: what came or went are the attributes."""
    if new is dict and str in typed:
        return list(_attributes(after, path, Kind.field_added))
    if new is str and dict in typed:
        return list(_attributes(before, path, Kind.field_removed))
    return []


def _number_kind(before: Shape, after: Shape, path: str) -> Iterator[Difference]:
    whole, fraction = before.counts.get(int, 0), before.counts.get(float, 0)
    # An encoder may write 0.0 as 0: nothing but zeros before tell nothing of fractions.
    if not fraction and float in after.counts and (before.first[int][1] != 0 or whole >= ENOUGH_WHOLE):
        yield _typed(before, after, path, Kind.number_kind, "has fractions, was always whole", float)
    if fraction and not whole and float not in after.counts:
        enough = min(fraction, after.counts.get(int, 0)) >= ENOUGH_NUMBERS
        if enough or (fraction == 1 and after.counts.get(int, 0) == 1):
            yield _typed(before, after, path, Kind.number_kind, "is always whole, had fractions", int)


def _attributes(structured: Shape, path: str, kind: Kind) -> Iterator[Difference]:
    names = {name: shape for variant in structured.variants.values() for name, shape in variant.fields.items()}
    if "#text" in names:
        text = "is new" if kind is Kind.field_added else "is no longer there"
        for name, shape in names.items():
            if name != "#text":
                sides = (None, shape) if kind is Kind.field_added else (shape, None)
                yield Difference(
                    f"{path}.{name}", kind, text, shape.count, shape.count, _example(*sides), covers=(path,)
                )


def _retyped(before: Shape, after: Shape, new: type) -> str:
    was = " or ".join(sorted(NAMES[kind] for kind in before.counts if kind is not type(None)))
    still = any(_family(kind) in map(_family, before.counts) for kind in after.counts if kind is not type(None))
    now = f"{NAMES[new]} in some answers" if still else NAMES[new]
    unit = epoch_of(after.first[new][1])
    if unit and "date-time" in " ".join(before.formats):
        now += f" ({unit} since 1970)"
        was += " (date and time)"
    return f"is now {now}, was {was}"


def _typed(before: Shape, after: Shape, path: str, kind: Kind, text: str, new: type) -> Difference:
    number, value = after.first[new]
    old = min((first[0], example_text(first[1])) for was, first in before.first.items() if was is not type(None))
    example = Example(old[1], example_text(value), old[0], number, path)
    return Difference(path, kind, text, after.counts[new], after.count, (example,))


# -- objects ----------------------------------------------------------------------------------------------------------


def _objects(before: Shape, after: Shape, path: str, evidence: Evidence) -> Iterator[Difference]:
    found: dict[tuple[str, Kind], Difference] = {}
    for left, right, said in _matched(before, after, path):
        for difference in _fields(left, right, path, evidence):
            key = (difference.path, difference.kind)
            found.setdefault(key, _of(difference, said))
    yield from found.values()
    yield from _all_fail(before, after, path, evidence)
    if len(before.variants.keys() | after.variants.keys()) > 1:
        for name in SAYS_WHAT:
            tags = [_tags(side, name) for side in (before, after)]
            if all(tag.counts for tag in tags):
                yield from text_differences(tags[0], tags[1], f"{path}.{name}", evidence)


def _emptied(before: Shape, after: Shape, path: str, evidence: Evidence) -> Iterator[Difference]:
    """Objects that always had fields are empty now, or the reverse. Where they were both, that is their data."""
    was, now = before.empty.get(dict, 0), after.empty.get(dict, 0)
    lost = evidence.emptied.get(path, 0) or by_chance(now, after.counts[dict], before.counts[dict]) < BY_CHANCE
    if now and not was and lost and (names := _lasting(before)):
        some, kind = ("in some answers", Kind.field_optional) if after.variants else ("now", Kind.field_removed)
        yield _whole(before, after, path, kind, f"is empty {some}, always had {names}", now)
    come = evidence.filled.get(path, 0) or by_chance(was, was, after.counts[dict]) < BY_CHANCE
    if was == before.counts[dict] and not now and come and (names := _lasting(after)):
        text = f"was always empty, now has {names}"
        yield _whole(before, after, path, Kind.field_added, text, after.counts[dict])


def _lasting(side: Shape) -> str:
    """The fields that each object has, whatever it says that it is; none of a map."""
    variants = list(side.variants.values())
    names = [
        name
        for name in (variants[0].fields if variants else ())
        if all(name in variant.fields and variant.fields[name].count >= variant.count for variant in variants)
    ]
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")


def _whole(before: Shape, after: Shape, path: str, kind: Kind, text: str, count: int) -> Difference:
    (was, left), (now, right) = before.first[dict], after.first[dict]
    example = Example(example_text(left), example_text(right), was, now, path)
    return Difference(path, kind, text, count, after.count, (example,))


def _of(difference: Difference, said: str) -> Difference:
    if not said or " (where " in difference.text:
        return difference
    where = _OUTCOMES.get(said) or f"where it is {said!r}"
    return replace(difference, text=f"{difference.text} ({where})")


_OUTCOMES = {SUCCESS: "where the call succeeded", FAILURE: "where the call failed"}


def _all_fail(before: Shape, after: Shape, path: str, evidence: Evidence) -> Iterator[Difference]:
    """Calls succeeded before, and all of the after side fail, as they say themselves."""
    if set(before.variants) == {SUCCESS} and set(after.variants) == {FAILURE}:
        variant = after.variants[FAILURE]
        name = next(name for name in SAYS_WHETHER if name in variant.fields)
        chance = chance_of(variant.count, variant.count, before.count, evidence)
        example = Example("true", "false", before.variants[SUCCESS].number, variant.number, f"{path}.{name}")
        text = "is now false, was true: the calls fail"
        yield Difference(f"{path}.{name}", Kind.status, text, variant.count, after.count, (example,), chance=chance)


def _tags(side: Shape, name: str) -> Shape:
    return merged([v.fields[name] for v in side.variants.values() if name in v.fields])


def _matched(before: Shape, after: Shape, path: str) -> Iterator[tuple[Variant, Variant, str]]:
    """Objects that are the same thing on both sides; all of each side where none is."""
    shared = before.variants.keys() & after.variants.keys()
    several = len(before.variants) > 1 or len(after.variants) > 1
    for said in sorted(shared):
        yield before.variants[said], after.variants[said], said if several else ""
    one_kind = len({frozenset(variant.fields) for variant in before.variants.values()}) == 1
    mixed = path.endswith(("[]", "{}", *(f"[].{name}" for name in ENVELOPED)))
    no_tags = after.variants.keys() - shared and one_kind and len(before.variants) > 1
    outcomes = (before.variants.keys() | after.variants.keys()) <= {SUCCESS, FAILURE}
    if not outcomes and (no_tags or (not shared and not mixed)):
        yield _union(before), _union(after), ""


def _union(side: Shape) -> Variant:
    whole = Variant()
    parts = list(side.variants.values())
    whole.count = sum(part.count for part in parts)
    whole.number = min(part.number for part in parts)
    whole.keys = [pair for part in parts for pair in part.keys]
    for name in dict.fromkeys(name for part in parts for name in part.fields):
        whole.fields[name] = merged([part.fields[name] for part in parts if name in part.fields])
    return whole


def _fields(before: Variant, after: Variant, path: str, evidence: Evidence) -> Iterator[Difference]:
    for name in dict.fromkeys([*before.fields, *after.fields]):
        at = f"{path}.{name}"
        left, right = before.fields.get(name), after.fields.get(name)
        if left is None or not left.counts:
            if right is not None and right.counts:
                example = _example(None, right, before.number, at)
                chance = chance_of(right.count, after.count, before.count, evidence)
                yield Difference(at, Kind.field_added, "is new", right.count, after.count, example, chance=chance)
        elif right is None or not right.counts:
            if _is_removed(left, before, after, at, evidence):
                example = _example(left, None, after.number, at)
                chance = chance_of(left.count, before.count, after.count, evidence.mirrored())
                text = "is no longer there"
                yield Difference(at, Kind.field_removed, text, after.count, after.count, example, chance=chance)
        else:
            yield from _optional(left, right, before, after, at, evidence)
            yield from contrast(left, right, at, evidence)


def _is_removed(field: Shape, before: Variant, after: Variant, path: str, evidence: Evidence) -> bool:
    if field.count >= before.count:
        return True
    return by_chance(field.count, before.count, after.count) < BY_CHANCE or evidence.lost.get(path, 0) >= ENOUGH_LOST


def _optional(
    left: Shape, right: Shape, before: Variant, after: Variant, path: str, evidence: Evidence
) -> Iterator[Difference]:
    missing = after.count - right.count
    if left.count < before.count or missing <= 0:
        return
    if evidence.lost.get(path, 0) or by_chance(missing, after.count, before.count) < BY_CHANCE:
        name = path.rpartition(".")[2]
        example = _example(left, None, after.without(name), path)
        text = "is missing in some answers, was always there"
        chance = chance_of(missing, after.count, before.count, evidence)
        yield Difference(path, Kind.field_optional, text, missing, after.count, example, chance=chance)


def _example(left: Shape | None, right: Shape | None, other: int = 0, path: str = "") -> tuple[Example, ...]:
    """One example of presence on one side, and of absence, in interaction `other`, on the other side."""
    (was, before), (now, after) = (
        min((first[0], example_text(first[1])) for first in side.first.values()) if side else (other, "")
        for side in (left, right)
    )
    return (Example(before, after, was, now, path),)
