"""The headers and trailers of one endpoint are judged: which came, went or changed, and of which that matters."""

from __future__ import annotations

from collections.abc import Iterator

from durable_replay.drift.difference import BY_CHANCE, Difference, by_chance, example_text
from durable_replay.drift.finding import Example, Kind, Origin, Severity
from durable_replay.drift.headers import HeaderTally, is_insignificant, is_paging, is_relied_on
from durable_replay.drift.noted import Noted
from durable_replay.drift.statuses import Judged
from durable_replay.drift.tally import EndpointTally, SideTally
from durable_replay.drift.values import Note, Record

__all__ = ["header_differences", "retyped_statuses", "trailer_differences"]

CONTENT_TYPE = "header.content-type"
_STRUCTURED = ("json", "xml", "csv", "html", "form-urlencoded", "event-stream")
GRPC_STATUS = "grpc-status"
GRPC_OK = '"0"'
"""As an example has it; all else is the number of an error."""
ENOUGH = 3
"""Answers of different requests that agree in a media type that says nothing of an API's form."""


def header_differences(tally: EndpointTally, noted: Noted) -> Iterator[Judged]:
    """The differences of all headers, set aside or not."""
    yield from _content_types(tally, noted)
    yield from _fields(tally, noted, "header")


def trailer_differences(tally: EndpointTally) -> Iterator[Judged]:
    """The differences of the fields that came behind the bodies."""
    yield from _fields(tally, Noted(tally.trailer, ()), "trailer")


def _fields(tally: EndpointTally, noted: Noted, root: str) -> Iterator[Judged]:
    for before, after in _both(tally).values():
        sides = (before.headers, after.headers) if root == "header" else (before.trailers, after.trailers)
        yield from _presence(*sides, noted, root)
    for path in sorted(noted.by_path):
        for note in (Note.value, Note.volatile, Note.type):
            record = noted.between(path, note)
            if record is not None and (path != CONTENT_TYPE or note is Note.volatile):
                yield _changed(path, note, record, noted, tally.afters)


def _changed(path: str, note: Note, record: Record, noted: Noted, seen: int) -> Judged:
    name = path.partition(".")[2]
    kind, own = Kind.content_type if path == CONTENT_TYPE else Kind.header_changed, None
    if note is Note.type:
        kind = Kind.auth if name == "www-authenticate" else Kind.paging
    elif is_paging(name) and name != "link":
        kind = Kind.paging
    elif name == GRPC_STATUS:
        kind = Kind.status
        own = None if GRPC_OK in record.examples[0][3:] else Severity.cosmetic
    text = f"is now {record.examples[0][4][:80]}, was {record.examples[0][3][:80]}"
    difference = Difference(path, kind, text, record.count, seen, record.shown(), own)
    if note is Note.volatile:
        if is_insignificant(name):
            return difference, "default", "this header says nothing of the API"
        return difference, "format", record.reason or "the value of this header is of one answer alone"
    if note is not Note.type and (why := noted.varies(path)):
        return difference, "learnt", why
    return difference, None, ""


# -- presence ---------------------------------------------------------------------------------------------------------


def _presence(left: HeaderTally, right: HeaderTally, noted: Noted, root: str) -> Iterator[Judged]:
    for name in sorted(left.counts.keys() | right.counts.keys()):
        path = f"{root}.{name}"
        if path == CONTENT_TYPE:
            continue
        was, now = left.counts.get(name, 0), right.counts.get(name, 0)
        if not was and now:
            yield _aside(_field(Kind.header_added, "is new", path, left, right, now), noted)
        elif was and _is_missed(was, now, left.answers, right.answers):
            missing = right.answers - now
            text = "is missing in some answers" if now else "is no longer there"
            yield _aside(_field(Kind.header_removed, text, path, left, right, missing), noted)
        elif (gone := noted.between(path, Note.gone) or noted.between(path, Note.new)) is not None:
            text = "comes and goes"
            difference = Difference(path, Kind.header_changed, text, gone.count, right.answers, gone.shown())
            origin, why = _set_aside(path, noted)
            yield difference, origin or "learnt", why or "answers of this endpoint lack this header on both sides"


def _is_missed(was: int, now: int, before: int, after: int) -> bool:
    if was >= before:
        return not now or by_chance(after - now, after, before) < BY_CHANCE
    return not now and by_chance(was, before, after) < BY_CHANCE


def _field(kind: Kind, text: str, path: str, left: HeaderTally, right: HeaderTally, count: int) -> Difference:
    root, _, name = path.partition(".")
    sides = [tally.first.get(name) for tally in (left, right)]
    texts = [example_text(side[1]) if side else "" for side in sides]
    numbers = [side[0] if side else tally.number for side, tally in zip(sides, (left, right), strict=True)]
    own = Severity.breaking if kind is Kind.header_removed and is_relied_on(name) else None
    if is_paging(name):
        kind, own, text = Kind.paging, None, f"the {root} {text}"
    example = Example(texts[0], texts[1], numbers[0], numbers[1], path)
    return Difference(path, kind, text, count, right.answers, (example,), own)


def _aside(difference: Difference, noted: Noted) -> Judged:
    return difference, *_set_aside(difference.path, noted)


def _set_aside(path: str, noted: Noted) -> tuple[Origin | None, str]:
    if is_insignificant(path.partition(".")[2]):
        return "default", "this header says nothing of the API"
    if why := noted.comes_and_goes(path):
        return "learnt", why
    return None, ""


# -- content types ----------------------------------------------------------------------------------------------------


def retyped_statuses(tally: EndpointTally, noted: Noted) -> frozenset[int]:
    """The statuses of which some answers have a media type that none had before."""
    if noted.varied_before(CONTENT_TYPE):
        return frozenset()
    return frozenset(
        status
        for status in tally.before.keys() & tally.after.keys()
        if _media(tally.after[status]) - _media(tally.before[status])
    )


def _media(side: SideTally) -> set[str]:
    return {text.partition(";")[0] for text in side.types}


def _content_types(tally: EndpointTally, noted: Noted) -> Iterator[Judged]:
    told = list(_new_types(tally, noted))
    yield from told
    record = noted.between(CONTENT_TYPE, Note.value)
    if record is not None and not told and not any(_no_bodies(*sides) for sides in _both(tally).values()):
        text = f"is now {record.examples[0][4]}, was {record.examples[0][3]}"
        difference = Difference(CONTENT_TYPE, Kind.content_type, text, record.count, tally.afters, record.shown())
        yield difference, "learnt", "answers of this endpoint have both types on the before side"


def _both(tally: EndpointTally) -> dict[int, tuple[SideTally, SideTally]]:
    """By status, where both sides have it."""
    shared = sorted(tally.before.keys() & tally.after.keys())
    return {status: (tally.before[status], tally.after[status]) for status in shared}


def _new_types(tally: EndpointTally, noted: Noted) -> Iterator[Judged]:
    for status, (before, after) in _both(tally).items():
        new = sorted(text for text in after.types if text not in before.types)
        if not new or _no_bodies(before, after):
            continue
        if not tally.paired[status] and not _is_steady(before, after):
            continue
        was, now = before.types.most_common(1)[0][0], new[0]
        count = sum(after.types[text] for text in new)
        same_media = {text.partition(";")[0] for text in new} <= _media(before)
        own = Severity.cosmetic if same_media else Severity.breaking
        text = f"is now {now or 'absent'}, was {was or 'absent'}"
        example = Example(example_text(was), example_text(now), before.number, after.number, CONTENT_TYPE)
        record = noted.between(CONTENT_TYPE, Note.value)
        examples = record.shown() if record is not None else (example,)
        difference = Difference(CONTENT_TYPE, Kind.content_type, text, count, after.answers, examples, own)
        why = noted.varies(CONTENT_TYPE) or noted.comes_and_goes(CONTENT_TYPE)
        yield difference, "learnt" if why else None, why


def _no_bodies(before: SideTally, after: SideTally) -> bool:
    """Whether one side has no bodies at all: then its content type is not the cause."""
    return (set(before.bodies) == {"none"}) != (set(after.bodies) == {"none"})


def _is_steady(before: SideTally, after: SideTally) -> bool:
    """Whether different requests tell enough of the media type."""
    if len(before.types) > 1 or before.types.keys() & after.types.keys():
        return False
    only = next(iter(before.types))
    return any(word in only for word in _STRUCTURED) or before.answers >= ENOUGH
