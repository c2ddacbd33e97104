"""Which objects are maps, told from what was seen: their keys hardly overlap, and their values have one shape."""

from __future__ import annotations

from itertools import chain

from durable_replay.drift.shape import Shape, merged

__all__ = ["join_maps"]

MOST_LASTING = 0.4
"""Of all keys those that each object has, where it still is a map of scalars."""


def join_maps(before: Shape | None, after: Shape | None, path: str, found: set[str]) -> None:
    """Joins the entries of each map of two settled shapes, in place, and adds the maps' paths to `found`.

    What is a map on one side is one on the other.
    """
    sides = [side for side in (before, after) if side is not None]
    if any(map(_is_map, sides)):
        found.add(path)
        for side in sides:
            _join(side)
    if any(side.entry is not None for side in sides):
        join_maps(before and before.entry, after and after.entry, f"{path}{{}}", found)
    if any(side.element is not None for side in sides):
        join_maps(before and before.element, after and after.element, f"{path}[]", found)
    for said in dict.fromkeys(chain.from_iterable(side.variants for side in sides)):
        fields = [side.variants[said].fields if side and said in side.variants else {} for side in (before, after)]
        for name in dict.fromkeys(chain.from_iterable(fields)):
            join_maps(fields[0].get(name), fields[1].get(name), f"{path}.{name}", found)


def _join(side: Shape) -> None:
    parts = [shape for variant in side.variants.values() for shape in variant.fields.values()]
    side.mapped += sum(variant.count for variant in side.variants.values())
    if side.entry is not None:
        parts.append(side.entry)
    side.entry = merged(parts) if parts else None
    side.variants = {}


def _is_map(shape: Shape) -> bool:
    objects = sum(variant.count for variant in shape.variants.values())
    if shape.mapped:
        return shape.mapped >= objects
    if objects < 2 or len(shape.variants) != 1:
        return False
    fields = shape.variants[""].fields if "" in shape.variants else {}
    lasting = sum(child.count == objects for child in fields.values())
    if lasting == len(fields) or not _one_shape(list(fields.values())):
        return False
    if all(dict in child.counts for child in fields.values()):
        return len(fields) > 1
    return len(fields) > 2 and lasting <= MOST_LASTING * len(fields)


def _one_shape(values: list[Shape]) -> bool:
    """Whether all values are of one type, and objects of the same fields."""
    kinds = {tuple(kind for kind in child.counts if kind is not type(None)) for child in values}
    if len(kinds) != 1:
        return False
    if kinds != {(dict,)}:
        return True
    names = {frozenset(chain.from_iterable(variant.fields for variant in child.variants.values())) for child in values}
    return len(names) == 1 and len(next(iter(names))) > 1
