"""Whether a corpus asks for nothing that its reader could not know from the recordings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.drift.corpus.cases import Case
from tests.drift.corpus_blind.observed import Seen

__all__ = ["news", "shows"]

_TIME = re.compile(r"\d{4}-\d\d-\d\d|17\d{8}(\d{3})?$")
WHOLE_ANSWER = frozenset({"status", "newly-required", "auth", "endpoint-gone", "endpoint-new"})
"""Where one of these is the change, the rest of the answer only follows from it."""
FEW = 8
OFTEN = 2.5
ALWAYS = 6
"""A place seen so often, and then not at all, would be taken for removed."""


def news(case: Case, before: Mapping[str, Seen], after: Mapping[str, Seen], *, labelled: bool) -> Iterator[str]:
    """What a reader would take for a change at the places that no label names."""
    if labelled and any(label.kinds & WHOLE_ANSWER for label in case.labels):
        return
    own = [path for label in case.labels for path in label.paths] if labelled else []
    for place in sorted(before.keys() | after.keys()):
        if not _named(place, own):
            yield from (f"{place} {what}" for what in _new(before.get(place), after.get(place)))


def _new(before: Seen | None, after: Seen | None) -> Iterator[str]:
    if before is None:
        yield "is new"
    elif after is None:
        if len(before.texts) >= ALWAYS:
            yield "is gone"
    else:
        yield from (f"is {each} for the first time" for each in sorted(after.types - before.types))
        if _few(before):
            yield from (f"says {each!r} for the first time" for each in sorted(set(after.texts) - set(before.texts)))


def _few(seen: Seen) -> bool:
    """Whether these are a small fixed set of words."""
    if "str" not in seen.types or all(_TIME.match(text) for text in seen.texts):
        return False  # any reader knows a time or a count when he sees one
    distinct = len(set(seen.texts))
    return distinct <= FEW and len(seen.texts) >= OFTEN * distinct


def _named(place: str, own: list[re.Pattern[str]]) -> bool:
    """Whether a label names this place or one that holds it."""
    ends = [found.start() for found in re.finditer(r"\.|\[\]|\{\}", place)] + [len(place)]
    return any(pattern.fullmatch(place[:end]) for pattern in own for end in ends)


def shows(paths: tuple[re.Pattern[str], ...], before: Mapping[str, Seen], after: Mapping[str, Seen]) -> bool:
    """Whether at a place of a label both versions differ, in two answers or more."""
    places = {place for place in (*before, *after) if any(pattern.fullmatch(place) for pattern in paths)}
    return any(_differ(before.get(place), after.get(place)) for place in places)


def _differ(before: Seen | None, after: Seen | None) -> bool:
    shown = max(len(each.texts) for each in (before, after) if each)
    if before is None or after is None:
        return shown >= 2
    return shown >= 2 and (
        before.types != after.types or set(before.texts) != set(after.texts) or _rarer(before, after)
    )


def _rarer(before: Seen, after: Seen) -> bool:
    return len(after.texts) < len(before.texts) / 2
