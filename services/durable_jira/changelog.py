"""An issue's history: which items an edit adds to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from durable_jira.adf import to_markup
from durable_jira.resources import CHANGE
from durable_jira.site import clock, current_user, fresh_id
from durable_replay.service.api import Document, Json, Scope

__all__ = ["changed", "note"]

# Kept out of the history by Jira itself: they follow from other changes.
_SILENT = frozenset(("id", "key", "updated", "created", "statuscategorychangedate", "resolutiondate"))
_NAMES = {"fixVersions": "Fix Version", "versions": "Version", "components": "Component"}


def changed(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[Document]:
    """The items: `{"field", "fieldtype", "fieldId", "from", "fromString", "to", "toString"}`."""
    return list(_items(before, after))


def _items(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Document]:
    for name, value in after.items():
        old = before.get(name)
        if name in _SILENT or old == value or (not old and not value):
            continue
        yield {
            "field": _NAMES.get(name, name),
            "fieldtype": "custom" if name.startswith("customfield_") else "jira",
            "fieldId": name,
            "from": _identity(old),
            "fromString": _written(old),
            "to": _identity(value),
            "toString": _written(value),
        }


def _identity(value: Json) -> str | None:
    if isinstance(value, dict):
        found = value.get("id") or value.get("accountId") or value.get("key")
        return None if found is None or value.get("type") == "doc" else str(found)
    return None


def _written(value: Json) -> str | None:
    if value is None:
        return None
    if isinstance(value, list):
        return " ".join(_written(one) or "" for one in value)
    if isinstance(value, dict):
        if value.get("type") == "doc":
            return to_markup(value)
        return str(value.get("name") or value.get("displayName") or value.get("value") or value.get("key") or "")
    return str(value)


def note(scope: Scope, issue: str, items: list[Document]) -> None:
    """Adds an entry to the issue's history, unless nothing changed."""
    if not items:
        return
    identity = fresh_id(scope, CHANGE, issue)
    entry: Document = {"id": identity, "author": current_user(scope), "created": clock(scope)}
    scope.put(CHANGE.of(issue, identity), {**entry, "items": list[Json](items)})
