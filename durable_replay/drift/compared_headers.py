"""The headers of two answers to the same request."""

from __future__ import annotations

from durable_replay.drift.documents import Node
from durable_replay.drift.headers import has_passing_value, is_insignificant, meaning, names_another_thing
from durable_replay.drift.values import Note, Place, Walk

__all__ = ["compare_headers"]

PAGES = frozenset({"next", "prev", "previous", "first", "last"})


def compare_headers(walk: Walk, place: Place, before: dict[str, str], after: dict[str, str]) -> None:
    """Notes each difference under the place of all headers. A `type` is a change of paging or of authentication."""
    for name, left in before.items():
        right = after.get(name)
        if right is None:
            walk.note(place.child(name), Note.gone, left, None, (), 2)
        elif left != right:
            _changed(walk, place.child(name), left, right)
    for name, right in after.items():
        if name not in before:
            walk.note(place.child(name), Note.new, None, right, (), 1)


def _changed(walk: Walk, place: Place, before: str, after: str) -> None:
    if is_insignificant(place.name) or has_passing_value(place.name):
        walk.note(place, Note.volatile, before, after, ())
    else:
        left, right = meaning(place.name, before), meaning(place.name, after)
        if left == right or names_another_thing(place.name, before, after):
            walk.note(place, Note.volatile, before, after, ()).reason = "they differ only in ids, times or spelling"
        elif _is_structural(place.name, left, right):
            walk.note(place, Note.type, left, right, ())
        elif isinstance(left, str) and isinstance(right, str) and place.name != "content-type":
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
