"""What the name of a field says of its value: an id, a time, a counter. The names are in `volatile_names.json`."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["classes_of"]

_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class _Names(NamedTuple):
    """A name is of this class when its last word, or all of it without separators, is in `last`, or one of its words
    in `any`; and none of them in `unless`."""

    last: frozenset[str]
    any: frozenset[str]
    unless: frozenset[str]


@lru_cache(maxsize=1)
def _table() -> dict[str, _Names]:
    table: dict[str, dict[str, list[str]]] = json.loads(
        Path(__file__).with_name("volatile_names.json").read_text("utf-8")
    )
    return {
        kind: _Names(*(frozenset(names.get(part, ())) for part in ("last", "any", "unless")))
        for kind, names in table.items()
    }


@lru_cache(maxsize=8192)
def classes_of(name: str) -> frozenset[str]:
    """The classes that a name is of; `nextPageToken`, `next_page_token` and `Next-Page-Token` are one name.

    >>> sorted(classes_of("issueId"))
    ['id']
    """
    words = [word.lower() for word in _WORD.findall(name[:200])]
    joined = "".join(words)
    ends = {words[-1], joined} if words else set()
    return frozenset(
        kind
        for kind, names in _table().items()
        if (not names.last.isdisjoint(ends) or not names.any.isdisjoint({*words, joined}))
        and names.unless.isdisjoint(words)
    )
