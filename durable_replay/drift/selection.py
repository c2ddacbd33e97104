"""Which fields a request asks for: answers to two selections have other fields, and the API is the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from durable_replay.http import Request, parse_query

__all__ = ["selection_of"]

_NAMES = frozenset(
    {
        "fields", "field", "part", "parts", "expand", "expands", "expansions", "include", "includes", "exclude",
        "excludes", "select", "only", "embed", "embeds", "view", "projection", "properties", "columns", "attributes",
        "attribs", "with", "optfields", "optexpand", "extend", "omit", "showfields", "additionalfields", "fl", "source",
    }
)  # fmt: skip
"""Names of parameters, as small letters."""
_PLAIN = re.compile(r"[^a-z]")
_SELECT = re.compile(r"\s*select\s+(?P<list>.+?)\s+from\s+(?P<table>\S+)", re.IGNORECASE | re.DOTALL)
_GRAPH = re.compile(r"\s*(?:query|mutation|subscription|fragment)?\b[^{]*\{", re.DOTALL)
_IN_BODIES = tuple(f'"{name}'.encode() for name in ("field", "expand", "select", "include", "propert", "query", 'q"'))
_LARGEST = 16 * 1024
"""Bytes of a request's body in which a selection is looked for."""


def selection_of(request: Request) -> str:
    """What a request says of the fields that it wants, as a text in which equal selections are equal; "" for all.

    Parameters such as `fields`, `part` and `expand` in the query or in a body of JSON, a list of columns in a `SELECT`,
    and the document of a GraphQL query.
    """
    query = request.query_string
    asked = _in_query(query) if query else ""
    size = request.body.size
    if 2 < size <= _LARGEST and request.method != "GET":
        data = request.body.read()
        if data[:1] == b"{" and any(name in data for name in _IN_BODIES):
            asked += _in_body(data)
    return asked


@lru_cache(maxsize=4096)
def _in_query(query: str) -> str:
    return _joined((name, [value]) for name, value in parse_query(query))


def _in_body(data: bytes) -> str:
    try:
        fields = json.loads(data)
    except ValueError:
        return ""
    if not isinstance(fields, dict):
        return ""
    return _joined((name, value if isinstance(value, list) else [value]) for name, value in fields.items())


def _joined(parameters: Iterable[tuple[str, list[object]]]) -> str:
    words = [
        f"{name}={','.join(sorted(wanted))}"
        for name, values in parameters
        if (wanted := {word for value in values if isinstance(value, str) for word in _wanted(name, value)})
    ]
    return "&".join(sorted(words))


def _wanted(name: str, value: str) -> Iterable[str]:
    plain = _PLAIN.sub("", name.partition("[")[0].lower())
    if plain in _NAMES:
        return [word.strip() for word in value.split(",") if word.strip()]
    if plain in ("q", "query", "sql", "soql", "statement"):
        if found := _SELECT.match(value):
            return [*(word.strip() for word in found["list"].split(",")), f"from {found['table']}"]
        if plain == "query" and _GRAPH.match(value):
            return [" ".join(value.split())]
    return []
