"""What JQL knows of each field: its names, its kind, the operators of the kind, and where an issue holds its values.

The table is ``fields.json``; names and operators follow Atlassian's reference "JQL fields". Field names are
case-insensitive. Fields and functions that Jira has and the emulator lacks are listed there too, so that they are
refused by name and not called unknown.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypedDict

from durable_jira.adf import to_markup
from durable_jira.errors import JqlError, Unsupported, text

__all__ = [
    "Field",
    "JsonObject",
    "Kind",
    "aliases",
    "field_from_rest",
    "operators",
    "refuse_function",
    "resolve",
    "texts",
    "values",
]

JsonObject = Mapping[str, object]
Kind = Literal["key", "option", "priority", "user", "label", "text", "date", "datetime", "number", "string"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its id in an issue's ``fields``, its kind, and the names that JQL takes for it."""

    id: str
    kind: Kind
    names: tuple[str, ...]


def field_from_rest(document: JsonObject) -> Field:
    """Make a ``Field`` of one item of ``GET /rest/api/3/field``: ``{"id", "name", "schema": {"type", "items"?}}``."""
    identity, name = str(document["id"]), str(document.get("name") or document["id"])
    clauses = document.get("clauseNames")
    names = (identity, name, *(map(str, clauses) if isinstance(clauses, list) else ()))
    number = identity.removeprefix("customfield_")
    if number != identity:
        names += (f"cf[{number}]",)
    schema = document.get("schema")
    return Field(identity, _kind(schema if isinstance(schema, dict) else {}), names)


def resolve(name: str, known: tuple[Field, ...]) -> Field:
    """Find the field that JQL calls ``name``; raises ``JqlError`` for one that nobody knows."""
    # Cloud writes the kind behind the name to tell namesakes apart: "Story points[Number]".
    untyped = _TYPED.sub("", name)
    for wanted in (name.casefold(), untyped.casefold()):
        for field in (*_table().fields, *known):
            if any(wanted == each.casefold() for each in field.names):
                return field
    if name.casefold() in _table().not_emulated_fields:
        raise Unsupported(text("jql.unsupported", what=f"the field '{name}'"))
    raise JqlError(text("jql.field.unknown", field=name))


def operators(kind: Kind) -> frozenset[str]:
    """The operators that fields of ``kind`` take."""
    return _table().operators[kind]


def refuse_function(name: str, field: str) -> JqlError:
    """The error for a function that ``field`` cannot take: not emulated, of another field, or unknown."""
    if name.casefold() in _table().not_emulated_functions:
        return Unsupported(text("jql.unsupported", what=f"the function '{name}()'"))
    if name.casefold() in _EVALUATED:
        return JqlError(text("jql.function.wrong_field", function=name, field=field))
    return JqlError(text("jql.function.unknown", function=f"{name}()"))


def values(field: Field, issue: JsonObject) -> tuple[object, ...]:
    """The JSON values that ``issue`` holds for ``field``; none when it is EMPTY."""
    if field.kind == "key":
        return ({"key": issue.get("key"), "id": issue.get("id")},)
    if field.id == "statusCategory":
        status = _inside(issue, "fields", "status")
        return _listed(status.get("statusCategory")) if isinstance(status, dict) else ()
    return _listed(_inside(issue, "fields", field.id))


def texts(field: Field, issue: JsonObject) -> tuple[str, ...]:
    """The readable texts of a text field; ``text`` is summary, description, environment and comments together."""
    if field.id == "text":
        parts = (_inside(issue, "fields", each) for each in ("summary", "description", "environment"))
        return (*(_plain(each) for each in parts if each), *_comments(issue))
    if field.id == "comment":
        return _comments(issue)
    return tuple(_plain(each) for each in values(field, issue))


def aliases(value: object) -> frozenset[str]:
    """Every text, casefolded, by which JQL may name ``value``: id, key, name, e-mail address, ..."""
    if isinstance(value, dict):
        found = {str(value[name]).casefold() for name in _ALIASES if value.get(name)}
        return frozenset(found)
    return frozenset({str(value).casefold()})


_TYPED = re.compile(r"\[[^\[\]]*\]\Z")
_ALIASES = ("id", "key", "name", "value", "accountId", "displayName", "emailAddress")
_UNITS = ("day", "week", "month", "year")
_EVALUATED = frozenset({"now", "currentuser", *(edge + unit for edge in ("startof", "endof") for unit in _UNITS)})
_KINDS: Mapping[str, Kind] = {
    "user": "user",
    "date": "date",
    "datetime": "datetime",
    "number": "number",
    "string": "string",
    "option": "option",
}


@dataclass(frozen=True, slots=True)
class _Table:
    operators: Mapping[str, frozenset[str]]
    fields: tuple[Field, ...]
    not_emulated_fields: frozenset[str]
    not_emulated_functions: frozenset[str]


class _FieldRow(TypedDict):
    id: str
    kind: Kind
    names: list[str]


class _Document(TypedDict):
    operators: dict[str, list[str]]
    fields: list[_FieldRow]
    not_emulated_fields: list[str]
    not_emulated_functions: list[str]


@cache
def _table() -> _Table:
    document: _Document = json.loads(files(__package__).joinpath("fields.json").read_text("utf-8"))
    return _Table(
        {kind: frozenset(each) for kind, each in document["operators"].items()},
        tuple(Field(row["id"], row["kind"], tuple(row["names"])) for row in document["fields"]),
        frozenset(name.casefold() for name in document["not_emulated_fields"]),
        frozenset(name.casefold() for name in document["not_emulated_functions"]),
    )


def _kind(schema: JsonObject) -> Kind:
    if schema.get("type") == "array":
        return "label" if schema.get("items") == "string" else _KINDS.get(str(schema.get("items")), "option")
    return _KINDS.get(str(schema.get("type")), "option")


def _inside(document: object, *path: str) -> object:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _listed(value: object) -> tuple[object, ...]:
    if value is None or value == "":
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def _comments(issue: JsonObject) -> tuple[str, ...]:
    found = _inside(issue, "fields", "comment", "comments")
    return tuple(_plain(_inside(each, "body")) for each in _listed(found))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return to_markup(value) if value.get("type") == "doc" else " ".join(sorted(aliases(value)))
    return "" if value is None else str(value)
