"""The bodies of one endpoint are judged: first their forms and shapes, then values, then what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from durable_replay.drift.contrast import contrast
from durable_replay.drift.difference import (
    BY_CHANCE,
    OTHER_FRAMES,
    OTHER_RUNS,
    OTHER_THINGS,
    Difference,
    example_text,
)
from durable_replay.drift.documents import Form
from durable_replay.drift.finding import Example, Kind, Origin
from durable_replay.drift.maps import join_maps
from durable_replay.drift.noted import Noted
from durable_replay.drift.paging import is_page_size, is_passing_page
from durable_replay.drift.shape import Shape, settle, shapes_at
from durable_replay.drift.statuses import Judged
from durable_replay.drift.tally import EndpointTally, Part, Parts, SideTally
from durable_replay.drift.values import Note, Record

__all__ = ["OTHER_ELEMENTS", "body_differences", "lists_things"]

_UNTYPED = frozenset({"xml", "xmlrpc", "form", "csv"})
_CAUSES = frozenset(
    {Kind.enum_added, Kind.enum_removed, Kind.format_changed, Kind.number_kind, Kind.type_changed, Kind.element_shape}
)
"""Kinds that explain another value at the same path."""
_OF_THINGS = frozenset(
    {
        *(Kind.field_added, Kind.field_removed, Kind.field_optional, Kind.nullable),
        *(Kind.enum_added, Kind.enum_removed, Kind.format_changed, Kind.status),
    }
)
"""Kinds in which one thing may differ from another."""
OTHER_ELEMENTS = "has other elements"


EACH_FRAME = 1_000_000
"""Frames are each about something else, as answers to different requests are."""


class _Pair(NamedTuple):
    """Two sides whose shapes are compared: a status, a form, and the fields that were asked for."""

    status: int
    before: Part
    after: Part
    untyped: bool = False
    same_selection: bool = True
    """Whether both sides were asked for the same fields; else only types tell something."""


def body_differences(tally: EndpointTally, retyped: frozenset[int], alike: bool = True) -> Iterator[Judged]:
    """The differences of bodies and conversations; `retyped` are the statuses whose media type has changed.

    `alike` False: the sides are of different runs, so that different requests are answered with other things.
    """
    for root, parts in (
        ("body.$", [pair for status in _both(tally) for pair in _bodies(tally, status)]),
        ("frames.$", [pair for status in _both(tally) for pair in _frames(tally, status)]),
    ):
        forms = list(_forms(tally, retyped)) if root == "body.$" else []
        doubt = "" if alike else OTHER_RUNS
        if tally.other_courses and root == "frames.$":
            doubt = OTHER_FRAMES
        yield from _judged(tally, root, parts, forms, bool(retyped), doubt)


def _both(tally: EndpointTally) -> list[int]:
    return sorted(tally.before.keys() & tally.after.keys())


def _bodies(tally: EndpointTally, status: int) -> Iterator[_Pair]:
    before, after = tally.before[status].bodies, tally.after[status].bodies
    for form in sorted(before.keys() & after.keys() - {"none"}):
        yield from _selections(status, before[form], after[form], form in _UNTYPED)


def _selections(status: int, before: Parts, after: Parts, untyped: bool) -> Iterator[_Pair]:
    """What was asked for the same fields is compared; where nothing was, all of both sides by type."""
    left, right = before.by_selection, after.by_selection
    shared = left.keys() & right.keys()
    for selection in sorted(shared):
        yield _Pair(status, left[selection], right[selection], untyped)
    if not shared:
        yield _Pair(status, before.joined(), after.joined(), untyped, same_selection=False)


def _frames(tally: EndpointTally, status: int) -> Iterator[_Pair]:
    before, after = tally.before[status].frames, tally.after[status].frames
    if before.count and after.count:
        yield _Pair(status, before, after)


def lists_things(tally: EndpointTally) -> bool:
    """Whether answers of an endpoint are listings: an array is at their root, or one or two steps below."""
    shapes = [
        part.shape
        for side in (tally.before, tally.after)
        for each in side.values()
        for parts in each.bodies.values()
        for part in parts.all
    ]
    return any(_has_array(shape, 2) for shape in shapes)


def _has_array(shape: Shape, depth: int) -> bool:
    if shape.element is not None or list in shape.empty:
        return True
    fields = [child for variant in shape.variants.values() for child in variant.fields.values()]
    return depth > 0 and any(_has_array(child, depth - 1) for child in fields)


# -- forms ------------------------------------------------------------------------------------------------------------


def _forms(tally: EndpointTally, retyped: frozenset[int]) -> Iterator[Difference]:
    for status in _both(tally):
        before, after = tally.before[status], tally.after[status]
        new = sorted(form for form in after.bodies if form not in before.bodies)
        kind, text = _form_change(before, after, new)
        if kind is not None and not (kind is Kind.type_changed and status in retyped):
            count = sum(after.bodies[form].count for form in new)
            first = min(before.bodies, key=lambda form: before.bodies[form].number)
            numbers = before.bodies[first].number, after.bodies[new[0]].number
            example = Example(first, new[0], *numbers, "body.$")
            yield Difference("body.$", kind, text, count, after.answers, (example,))
        yield from _separators(before, after)


def _separators(before: SideTally, after: SideTally) -> Iterator[Difference]:
    """Lines of values that are cut by another sign: who reads them splits at the old one."""
    was, now = before.separators, after.separators
    if len(was) == 1 and now and not was.keys() & now.keys():
        old, (new, count) = next(iter(was)), now.most_common(1)[0]
        text = f"columns are separated by {new!r} now, were by {old!r}"
        example = Example(example_text(old), example_text(new), before.number, after.number, "body.$")
        yield Difference("body.$", Kind.format_changed, text, count, after.answers, (example,))


def _form_change(before: SideTally, after: SideTally, new: list[Form]) -> tuple[Kind | None, str]:
    if not new:
        return None, ""
    some = " in some answers" if len(new) < len(after.bodies) else ""
    if set(before.bodies) == {"none"}:
        return Kind.field_added, f"there is a body{some}, was none"
    if new == ["none"]:
        return (None, "") if some else (Kind.field_removed, "there is no body, was one")
    return Kind.type_changed, f"is now {new[0]}{some}, was {' or '.join(sorted(set(before.bodies)))}"


# -- shapes, values, the rest -----------------------------------------------------------------------------------------


def _judged(
    tally: EndpointTally, root: str, parts: list[_Pair], forms: list[Difference], retyped: bool, doubt: str
) -> Iterator[Judged]:
    maps: set[str] = set()
    for pair in parts:
        join_maps(settle(pair.before.shape), settle(pair.after.shape), root, maps)
    noted = Noted(tally.body if root == "body.$" else tally.frames, maps, lists_things(tally))
    repeats = max(1.0, tally.befores / max(1, tally.requests))
    shapes = list(forms)
    yield from ((_with_pairs(form, noted), None, "") for form in forms)
    for pair in parts:
        requests = (tally.requests, tally.requests_after) if root == "body.$" else (EACH_FRAME, EACH_FRAME)
        evidence = noted.evidence(repeats, requests, pair.untyped)
        where = "" if pair.status < 300 else f", in answers with status {pair.status}"
        for difference in contrast(pair.before.shape, pair.after.shape, root, evidence):
            placed = _placed(difference, where, pair.after.count)
            shapes.append(placed)
            yield _judged_shape(_with_pairs(placed, noted), noted, pair, doubt)
    if retyped:
        noted.explained(root, Note.form)
    yield from _values(noted, shapes, parts, tally.afters, maps)
    yield from _capped(parts, root, tally.afters)


def _placed(difference: Difference, where: str, answers: int) -> Difference:
    """With the number of answers instead of the number of elements, and the status where it is no success."""
    count = max(1, min(difference.count, answers))
    return replace(difference, text=difference.text + where, count=count, seen=answers)


def _with_pairs(difference: Difference, noted: Noted) -> Difference:
    """Examples from pairs of one request, where there are any, tell more than those of the shapes."""
    record = noted.between(difference.path, _NOTES[difference.kind])
    if record is None and difference.kind in _OF_FIELDS:
        record = noted.between(difference.path, Note.empty)
    wrong_null = record is not None and difference.kind is Kind.nullable and record.examples[0][4] != "null"
    return difference if record is None or wrong_null else replace(difference, examples=record.shown())


_OF_FIELDS = frozenset({Kind.field_removed, Kind.field_optional, Kind.field_added})
"""Kinds that tell of an object's fields, one by one or, where it has none on one side, all at once."""
_NOTES: dict[Kind, Note] = {
    Kind.field_removed: Note.gone,
    Kind.field_optional: Note.gone,
    Kind.field_added: Note.new,
    Kind.type_changed: Note.type,
    Kind.element_shape: Note.type,
    Kind.nullable: Note.type,
    Kind.number_kind: Note.value,
    Kind.format_changed: Note.value,
    Kind.enum_added: Note.value,
    Kind.enum_removed: Note.value,
    Kind.status: Note.success,
}


def _judged_shape(difference: Difference, noted: Noted, pair: _Pair, doubt: str) -> Judged:
    path, kind = difference.path, difference.kind
    if kind in _OF_THINGS and not _shown_by_one_request(path, kind, noted):
        if not pair.same_selection and kind is not Kind.format_changed:
            return difference, "default", "both sides were asked for other fields"
        if (doubt or kind is Kind.status) and difference.chance >= BY_CHANCE:
            return difference, "default", doubt or OTHER_THINGS
    if kind in (Kind.enum_added, Kind.enum_removed) and (why := noted.varied_before(path)):
        return difference, "learnt", why
    if kind in _OF_THINGS and (why := is_passing_page(path, noted.lists)):
        few = difference.chance >= BY_CHANCE and not _shown_by_one_request(path, kind, noted)
        if kind is Kind.nullable or few:
            return difference, "default", why
    return difference, None, ""


def _values(noted: Noted, shapes: list[Difference], parts: list[_Pair], seen: int, maps: set[str]) -> Iterator[Judged]:
    covered = {path for d in shapes for path in (d.path, *d.covers)}
    caused = {path for d in shapes if d.kind in _CAUSES for path in (d.path, *d.covers)}
    for path in sorted(noted.by_path):
        for note in Note:
            record = noted.between(path, note)
            if record is not None and path not in (caused if note in _OF_VALUES else covered):
                yield _noted(noted, path, note, record, parts, seen, maps)


_OF_VALUES = frozenset({Note.success, Note.value, Note.volatile, Note.other, Note.length, Note.order})


def _noted(
    noted: Noted, path: str, note: Note, record: Record, parts: list[_Pair], seen: int, maps: set[str]
) -> Judged:
    kind = Kind.paging if note is Note.value and is_page_size(path, noted.lists) else Kind.value
    if note in (Note.gone, Note.new) and not path.endswith("{}"):
        kind = Kind.field_removed if note is Note.gone else Kind.field_added
    if note is Note.type:
        kind = Kind.type_changed
    if note is Note.success:
        kind = Kind.status
    text = _TEXTS[note]
    if note in (Note.value, Note.success) and len({example[3:] for example in record.examples}) == 1:
        text = f"is now {record.examples[0][4][:60]}, was {record.examples[0][3][:60]}"
    difference = Difference(path, kind, text, min(record.count, seen), seen, record.shown())
    return difference, *_origin(noted, path, note, record, parts, maps)


def _origin(
    noted: Noted, path: str, note: Note, record: Record, parts: list[_Pair], maps: set[str]
) -> tuple[Origin | None, str]:
    if why := noted.varies(path):
        return "learnt", why
    if note is Note.other and _all_alike(record) and not _is_left_over(noted, path, parts):
        return None, ""
    if note is Note.type and record.strong and _same_in_another_type(record):
        return None, ""
    if note is Note.success:
        return None, ""
    if note in (Note.value, Note.length):
        if not record.strong:
            return "default", "the elements are other ones than before, by what identifies them"
        why = is_passing_page(path, noted.lists)
        return ("format", why) if why else (None, "")
    if note is Note.empty:
        if path in maps:
            return "default", "the keys of a map are data"
        is_array = record.examples[0][3].startswith("[")
        return ("default", "an empty array tells nothing of its elements") if is_array else (None, "")
    if note in (Note.gone, Note.new) and path.endswith("{}"):
        return "default", "the keys of a map are data"
    return _ASIDE.get(note, ("learnt", "other answers of this endpoint show both, on one side or on both"))


def _shown_by_one_request(path: str, kind: Kind, noted: Noted) -> bool:
    """Whether a request that both sides have shows it, in a thing that both answers have."""
    record = noted.between(path, _NOTES[kind])
    return record is not None and record.strong > 0


def _all_alike(record: Record) -> bool:
    """Whether all elements had one value and now have one other, so that it is no matter which element is which."""
    return len(record.examples) > 1 and len({example[3:] for example in record.examples}) == 1


def _is_left_over(noted: Noted, path: str, parts: list[_Pair]) -> bool:
    """Whether one of the arrays had elements more, which may have had the other's value all along."""
    elements = path[: path.rfind("[]") + 2]
    if noted.between(elements, Note.length) is None:
        return False
    sides = [shape for pair in parts for part in (pair.before, pair.after) for shape in shapes_at(part.shape, path)]
    return any(len(shape.texts or ()) != 1 for shape in sides)


def _same_in_another_type(record: Record) -> bool:
    """5 and "5", in an array that holds values of both types by place."""
    return all(example[3].strip('"') == example[4].strip('"') for example in record.examples)


_ASIDE: dict[Note, tuple[Origin, str]] = {
    Note.volatile: ("format", "both values are of a kind that names nothing lasting"),
    Note.other: ("default", "the elements are other ones than before, by what identifies them"),
    Note.order: ("order", "only the order of the elements differs"),
    Note.gone: ("learnt", "the field is optional: answers of this endpoint lack it"),
    Note.new: ("learnt", "the field is optional: answers of this endpoint lack it"),
    Note.type: ("learnt", "answers of this endpoint have values of both types"),
    Note.form: ("learnt", "answers of this endpoint have bodies of both forms"),
}
_TEXTS: dict[Note, str] = {
    Note.value: "has another value",
    Note.volatile: "has another value",
    Note.other: "has another value",
    Note.type: "has a value of another type",
    Note.gone: "is missing in some answers",
    Note.new: "is there in some answers only",
    Note.length: OTHER_ELEMENTS,
    Note.empty: "is empty on one side",
    Note.order: "has another order",
    Note.form: "has another form",
    Note.success: "tells success for failure, or the reverse",
}


def _capped(parts: list[_Pair], root: str, seen: int) -> Iterator[Judged]:
    if any(part.shape.budget.capped for pair in parts for part in (pair.before, pair.after)):
        text = "has more paths than are compared"
        example = Example(example_text(None), example_text(None), place=root)
        difference = Difference(f"{root}.**", Kind.value, text, 1, seen, (example,))
        yield difference, "default", "an endpoint's answers are compared at up to 5,000 paths; the others were not"
