"""What a request may set in an issue: field values checked, looked up, and turned into what an issue shows.

All faults of a request are told at once, by field, as Jira does. A value that is not known is taken as it is where
the site was recorded in part only: it may well exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from durable_jira.errors import text
from durable_jira.resources import FIELD, ISSUE, ISSUETYPE, PRIORITY, PROJECT, RESOLUTION, USER, user_id
from durable_jira.site import known_by, trusts
from durable_jira.wire import rest_version
from durable_replay.errors import NotEmulated
from durable_replay.service.api import Call, Document, Json, Key, Kind, Scope
from durable_replay.service.faults import Invalid

__all__ = ["VALUES", "asked_fields", "embedded", "project_of", "settled", "updated"]

RICH = ("description", "environment")
SUMMARY_LIMIT = 255
_PROJECT = ("self", "id", "key", "name", "projectTypeKey", "simplified", "avatarUrls")
_READ_ONLY = frozenset(
    ("status", "created", "updated", "creator", "statuscategorychangedate", "resolutiondate", "comment")
)


def VALUES(call: Call) -> list[Key]:  # noqa: N802 - a footing, named as the kinds are
    """The footing of what values are looked up in."""
    return [kind.of() for kind in (ISSUETYPE, PRIORITY, RESOLUTION, FIELD, USER)]


class _Refused(Exception):
    """One value that Jira refuses; its text is Jira's."""


def asked_fields(call: Call) -> Document:
    """The body's `fields`."""
    fields = call.json.get("fields", {})
    if not isinstance(fields, dict):
        raise Invalid("Can not deserialize the fields of the issue: an object was expected.")
    return fields


def settled(scope: Scope, call: Call, fields: Mapping[str, Json]) -> Document:
    """The fields as an issue holds them; raises Invalid with `errors` by field."""
    found: Document = {}
    errors: dict[str, str] = {}
    for name, value in fields.items():
        try:
            found[name] = _value(scope, call, name, value)
        except _Refused as refused:
            errors[name] = str(refused)
    if errors:
        raise Invalid("; ".join(errors.values()), errors=errors)
    return found


def _value(scope: Scope, call: Call, name: str, value: Json) -> Json:
    if name in _READ_ONLY or not _is_field(scope, name):
        raise _Refused(text("issue.field.unset", field=name))
    if name in RICH and value:
        return _rich(call, value)
    return _LOOKUPS[name](scope, value) if name in _LOOKUPS else value


def _is_field(scope: Scope, name: str) -> bool:
    return scope.exists(FIELD.of(name)) or (name.startswith("customfield_") and trusts(scope, FIELD))


def _rich(call: Call, value: Json) -> Json:
    if rest_version(call) == "3":
        if not isinstance(value, dict) or value.get("type") != "doc":
            raise _Refused(text("text.adf.expected"))
    elif not isinstance(value, str):
        raise _Refused(text("text.string.expected"))
    return value


def _summary(scope: Scope, value: Json) -> Json:
    if not isinstance(value, str) or not value.strip():
        raise _Refused(text("issue.summary.required"))
    if len(value) > SUMMARY_LIMIT:
        raise _Refused(text("issue.summary.long"))
    return value


def _option(kind: Kind, sentence: str) -> Callable[[Scope, Json], Json]:
    def find(scope: Scope, value: Json) -> Json:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _Refused(text(sentence))
        known = known_by(scope, kind, value.get("id"), value.get("name"))
        if known is not None:
            return known
        if trusts(scope, kind) and (value.get("id") or value.get("name")):
            return {**value, **({"id": str(value["id"])} if value.get("id") else {})}
        raise _Refused(text(sentence))

    return find


def _user(scope: Scope, value: Json) -> Json:
    if value is None or value == {"name": None} or value == {"accountId": None}:
        return None
    asked = value if isinstance(value, dict) else {"id": value}
    identity = user_id(asked) or str(asked.get("id", ""))
    known = scope.find(USER.of(identity))
    if known is None and not trusts(scope, USER):
        raise _Refused(text("user.missing", user=identity))
    return {name: one for name, one in (known or asked).items() if name != "id"}


def _project(scope: Scope, value: Json) -> Json:
    project = project_of(scope, value)
    if project is None:
        raise _Refused(text("project.invalid"))
    return embedded(project)


def _labels(scope: Scope, value: Json) -> Json:
    return value if value is not None else []


def _parent(scope: Scope, value: Json) -> Json:
    if not isinstance(value, dict):
        return None
    identity = str(value.get("id") or scope.identify(ISSUE, str(value.get("key", ""))))
    return {**value, "id": identity}


_LOOKUPS: Mapping[str, Callable[[Scope, Json], Json]] = {
    "summary": _summary,
    "project": _project,
    "issuetype": _option(ISSUETYPE, "issue.issuetype.invalid"),
    "priority": _option(PRIORITY, "issue.priority.invalid"),
    "resolution": _option(RESOLUTION, "issue.resolution.invalid"),
    "assignee": _user,
    "reporter": _user,
    "labels": _labels,
    "parent": _parent,
}


def project_of(scope: Scope, value: Json) -> Document | None:
    """The project that `{"key": ...}` or `{"id": ...}` names."""
    if not isinstance(value, dict):
        return None
    if value.get("key"):
        return scope.find(PROJECT.of(value["key"]))
    return scope.find(PROJECT.of(scope.identify(PROJECT, str(value.get("id", "")))))


def embedded(project: Document) -> Document:
    """A project as an issue shows it."""
    return {name: project[name] for name in _PROJECT if name in project}


def updated(scope: Scope, call: Call, issue: Document) -> Document:
    """The fields that the body's `update` verbs make of an issue's: `{"labels": [{"add": "x"}, {"remove": "y"}]}`."""
    update = call.json.get("update") or {}
    if not isinstance(update, dict):
        raise Invalid("Can not deserialize the update of the issue: an object was expected.")
    found: Document = {}
    for name, verbs in update.items():
        if name == "comment":  # comments are things of their own
            continue
        value = issue.get(name)
        for verb in verbs if isinstance(verbs, list) else []:
            value = _verb(name, value, verb)
        found[name] = value
    return settled(scope, call, found)


def _verb(name: str, value: Json, verb: Json) -> Json:
    if not isinstance(verb, dict) or len(verb) != 1:
        raise Invalid(text("issue.field.unset", field=name), name)
    ((word, operand),) = verb.items()
    held = value if isinstance(value, list) else []
    if word == "set":
        return operand
    if word == "add":
        return held if operand in held else [*held, operand]
    if word == "remove":
        return [one for one in held if not _is_same(one, operand)]
    raise NotEmulated(f"the verb {word!r} on the field {name!r} of an issue")


def _is_same(held: Json, named: Json) -> bool:
    if isinstance(held, dict) and isinstance(named, dict):
        return any(held.get(name) == named[name] for name in ("id", "name") if name in named)
    return held == named
