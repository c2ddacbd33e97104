"""The headers of two answers to the same request."""

from __future__ import annotations

from durable_replay.drift.documents import Node
from durable_replay.drift.headers import (
    has_another_form,
    has_passing_value,
    is_insignificant,
    meaning,
    names_another_thing,
    own_address,
)
from durable_replay.drift.values import Note, Place, Walk

__all__ = ["compare_headers"]

PAGES = frozenset({"next", "prev", "previous", "first", "last"})
Origins = tuple[str, str]


def compare_headers(
    walk: Walk, place: Place, before: dict[str, str], after: dict[str, str], origins: Origins = ("", "")
) -> None:
    """Notes each difference under the place of all headers. A `type` is a change of paging or of authentication.

    `origins` are scheme and host that were asked on each side: `https://api.example.com`.
    """
    for name, left in before.items():
        right = after.get(name)
        if right is None:
            walk.note(place.child(name), Note.gone, left, None, (), 2)
        elif left != right:
            _changed(walk, place.child(name), left, right, origins)
    for name, right in after.items():
        if name not in before:
            walk.note(place.child(name), Note.new, None, right, (), 1)


def _changed(walk: Walk, place: Place, before: str, after: str, origins: Origins) -> None:
    name = place.name
    if is_insignificant(name) or (has_passing_value(name) and not has_another_form(before, after)):
        walk.note(place, Note.volatile, before, after, ())
        return
    was, now = (own_address(name, value, origin) for value, origin in zip((before, after), origins, strict=True))
    left, right = meaning(name, was), meaning(name, now)
    if left == right or names_another_thing(name, was, now):
        walk.note(place, Note.volatile, before, after, ()).reason = "they differ only in ids, times or spelling"
    elif _is_structural(name, left, right):
        walk.note(place, Note.type, left, right, ())
    elif isinstance(left, str) and isinstance(right, str) and name != "content-type" and not has_passing_value(name):
        walk.changed(place, left, right, ())
    else:
        walk.note(place, Note.value, left, right, ())


def _is_structural(name: str, left: Node, right: Node) -> bool:
    """Whether a listing is paged otherwise, or credentials are asked for by another scheme."""
    if not isinstance(left, dict) or not isinstance(right, dict):
        return False
    if name == "www-authenticate":
        return left["scheme"] != right["scheme"]
    return name == "link" and any(left.get(rel) != right.get(rel) for rel in PAGES)
