"""How listings are cut into pages: the names of cursors, links and sizes, and one finding for what is one cause."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from durable_replay.drift.difference import Difference
from durable_replay.drift.finding import Kind
from durable_replay.drift.headers import is_paging as is_paging_header

__all__ = ["is_page_size", "is_passing_page", "joined_paging"]

_STRUCTURAL = frozenset(
    {
        Kind.field_added,
        Kind.field_removed,
        Kind.field_optional,
        Kind.type_changed,
        Kind.format_changed,
        Kind.nullable,
        Kind.header_added,
        Kind.header_removed,
        Kind.paging,
    }
)
_PLAIN = re.compile(r"[^a-z0-9]")


@lru_cache(maxsize=1)
def _names() -> dict[str, frozenset[str]]:
    data: dict[str, list[str]] = json.loads(Path(__file__).with_name("paging_names.json").read_text("utf-8"))
    return {group: frozenset(names) for group, names in data.items()}


def _steps(path: str) -> list[str]:
    """The names of a body's path without `body.$`, as letters and digits; of an XML element without its list."""
    steps = path.removeprefix("body.$").replace("[]", "").split(".")
    return [_PLAIN.sub("", step.lower()) for step in steps if step]


def _is(path: str, group: str, lists: bool) -> bool:
    """Whether the field at a path is of a group of names, where a listing tells of itself. `lists`: there is an array
    in the answer; without one `limit` and `next` are not of pages."""
    if not path.startswith("body.$.") or "{}" in path or path.count("[].") > 1:
        return False
    *parents, name = _steps(path) or [""]
    names = _names()
    if name not in names[group]:
        return False
    if name not in names["ambiguous"]:
        return True
    return lists and (not parents or parents[-1] in names["holders"])


def is_page_size(path: str, lists: bool) -> bool:
    """Whether a value is the number of elements that a page has at most."""
    return _is(path, "size", lists)


def is_passing_page(path: str, lists: bool) -> str:
    """Why a value is of one page alone, or ""."""
    if _is(path, "cursor", lists):
        return "a cursor or a place in a listing is of one page alone"
    return ""


def _is_paging(difference: Difference, lists: bool) -> bool:
    if difference.kind is Kind.paging:
        return True
    if difference.kind not in _STRUCTURAL:
        return False
    if difference.path.startswith("header."):
        return is_paging_header(difference.path.removeprefix("header."))
    return _is(difference.path, "cursor", lists) or _is(difference.path, "size", lists)


def joined_paging(differences: list[Difference], lists: bool) -> list[Difference]:
    """The differences with one `paging` for all that tell how a listing is cut into pages."""
    paging = [difference for difference in differences if _is_paging(difference, lists)]
    if not paging:
        return differences
    beside = [
        difference
        for difference in differences
        if difference not in paging and difference.kind in _STRUCTURAL and _is(difference.path, "beside", lists)
    ]
    joined = [*paging, *beside]
    first = min(joined, key=lambda d: (d.path.startswith("header."), _RANK.get(d.kind, 1), d.path))
    rest = [difference for difference in differences if difference not in joined]
    texts = "; ".join(f"{d.path.rpartition('$.')[2]} {d.text}" for d in sorted(joined, key=lambda d: d.path))
    examples = tuple(example for d in [first, *joined] for example in d.examples)
    whole = replace(
        first,
        kind=Kind.paging,
        text=texts if len(joined) > 1 else first.text,
        count=max(d.count for d in joined),
        examples=tuple(dict.fromkeys(examples))[:3],
        severity=None,
    )
    return [*rest, whole]


_RANK = {Kind.field_removed: 0, Kind.paging: 0, Kind.header_removed: 0, Kind.field_added: 2, Kind.header_added: 2}
