"""Projects, and what may be created in them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from durable_jira.errors import text
from durable_jira.resources import (
    FIELD,
    ISSUETYPE,
    PRIORITY,
    PROJECT,
    STATUS,
    documents,
    numeric,
    options_shown,
    project_shown,
)
from durable_jira.site import about_site, current_user, is_cloud
from durable_jira.views import shown, window
from durable_jira.wire import base_url, rest_version
from durable_replay.http import Response
from durable_replay.service.api import Call, Document, Json, Key, Reply, Scope, Sighting, operation
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.faults import Invalid
from durable_replay.service.verbs import patched

__all__ = [
    "create_meta",
    "create_meta_fields",
    "create_meta_types",
    "create_project",
    "get_project",
    "get_project_statuses",
    "list_projects",
    "search_projects",
]

_KEY = re.compile(r"[A-Z][A-Z0-9]{1,9}")
EXPAND = "description,lead,issueTypes,url,projectKeys,permissions,insight"
_META = ("summary", "issuetype", "project", "parent", "description", "priority", "labels", "assignee", "reporter")


def _seen(call: Call, response: Response) -> Iterable[Sighting]:
    if response.status == 404:
        return [Sighting(PROJECT.key(call.params), None)]
    return project_shown(shown(response)) if response.status in (200, 201) else []


def _list_seen(call: Call, response: Response) -> Iterable[Sighting]:
    if response.status != 200:
        return
    content = JsonCodec().read(response)
    values = content.get("values") if isinstance(content, dict) else content
    for project in documents(values):
        yield from project_shown(project)
    if isinstance(content, list) and not call.request.query_string:
        yield Sighting(PROJECT.of(), {}, complete=True)


@operation(reads=[PROJECT, about_site, lambda call: [ISSUETYPE.of()]], learns=_seen)
def get_project(scope: Scope, call: Call) -> Reply:
    """A project with its lead and issue types."""
    return Reply(200, _whole(scope, scope.get(PROJECT.key(call.params))))


def _whole(scope: Scope, project: Document) -> Document:
    return project if "issueTypes" in project else {**project, "issueTypes": list[Json](_types(scope))}


def _types(scope: Scope) -> list[Document]:
    return [one for _, one in sorted(scope.all(ISSUETYPE.of()), key=numeric)]


def _projects(scope: Scope, call: Call) -> list[Document]:
    query = call.query.get("query", "").casefold()
    return patched(scope, PROJECT.of(), lambda one: query in f"{one.get('key')} {one.get('name')}".casefold())[0]


@operation(reads=[lambda call: [PROJECT.of()], about_site], learns=_list_seen)
def list_projects(scope: Scope, call: Call) -> Reply:
    """All projects, as an array."""
    return Reply(200, list[Json](_projects(scope, call)))


@operation(reads=[lambda call: [PROJECT.of()], about_site], paging=("startAt", "maxResults"), learns=_list_seen)
def search_projects(scope: Scope, call: Call) -> Reply:
    """A page of projects (Cloud)."""
    found = _projects(scope, call)
    start, limit = window(call, 50, 100)
    page: Document = {
        "self": f"{base_url(call.request)}/rest/api/{rest_version(call)}/project/search",
        "maxResults": limit,
        "startAt": start,
        "total": len(found),
        "isLast": start + limit >= len(found),
        "values": list[Json](found[start : start + limit]),
    }
    return Reply(200, page)


def _new_project(call: Call) -> list[Key]:
    try:
        key = call.json.get("key")
    except Invalid:
        key = None
    return [PROJECT.of(key) if isinstance(key, str) and key else PROJECT.of()]


_EXAMPLE = '{"key": "DEMO", "name": "Demo", "projectTypeKey": "software"}'


@operation(reads=[about_site], writes=[_new_project], learns=_seen, example=_EXAMPLE)
def create_project(scope: Scope, call: Call) -> Reply:
    """201 `{"self", "id", "key"}`."""
    key, name = call.json.get("key"), call.json.get("name")
    errors: dict[str, str] = {}
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        errors["projectKey"] = text("project.key.invalid")
    elif scope.exists(PROJECT.of(key)):
        errors["projectKey"] = text("project.key.taken")
    if not isinstance(name, str) or not name.strip():
        errors["projectName"] = text("project.name.required")
    if errors:
        raise Invalid("; ".join(errors.values()), errors=errors)
    identity = _free_id(scope)
    scope.put(PROJECT.of(key), {**_fresh(scope, call, identity), "key": key, "name": name})
    return Reply(201, {"self": f"/rest/api/2/project/{identity}", "id": int(identity), "key": key})


def _free_id(scope: Scope) -> str:
    """An id that names no project; ids are names here, since a request tells a new project's key and not its id."""
    while True:
        identity = str(scope.next("project", 10_000))
        if scope.identify(PROJECT, identity) == identity:
            return identity


def _fresh(scope: Scope, call: Call, identity: str) -> Document:
    asked = call.json
    lead = {"lead": current_user(scope)}
    cloud: Document = {"simplified": False, "style": "classic", "isPrivate": False, "properties": {}}
    return {
        "expand": EXPAND,
        "self": f"/rest/api/2/project/{identity}",
        "id": identity,
        "description": asked.get("description", ""),
        **lead,
        "components": [],
        "assigneeType": asked.get("assigneeType", "UNASSIGNED"),
        "versions": [],
        "projectTypeKey": asked.get("projectTypeKey", "software"),
        **(cloud if is_cloud(scope) else {}),
    }


def _statuses_seen(call: Call, response: Response) -> Iterable[Sighting]:
    content = JsonCodec().read(response) if response.status == 200 else None
    for kind in documents(content):
        known = {name: value for name, value in kind.items() if name != "statuses"}
        yield from options_shown(ISSUETYPE, [known])
        yield from options_shown(STATUS, kind.get("statuses"))


@operation(reads=[PROJECT, about_site, lambda call: [ISSUETYPE.of(), STATUS.of()]], learns=_statuses_seen)
def get_project_statuses(scope: Scope, call: Call) -> Reply:
    """The issue types, each with the statuses of its workflow: all that the site has."""
    scope.get(PROJECT.key(call.params))
    statuses: list[Json] = [one for _, one in sorted(scope.all(STATUS.of()), key=numeric)]
    return Reply(200, [{**kind, "statuses": statuses} for kind in _types(scope)])


# --- createmeta: what a new issue may hold ------------------------------------------------------------------------


def _meta_seen(call: Call, response: Response) -> Iterable[Sighting]:
    for project in documents(shown(response).get("projects")):
        partial = {name: value for name, value in project.items() if name not in ("issuetypes", "expand")}
        yield from project_shown(partial)
        for kind in documents(project.get("issuetypes")):
            yield from options_shown(ISSUETYPE, [kind])
            fields = kind.get("fields")
            yield from _allowed(fields if isinstance(fields, dict) else {})


def _allowed(fields: Document) -> Iterable[Sighting]:
    priority = fields.get("priority")
    yield from options_shown(PRIORITY, priority.get("allowedValues") if isinstance(priority, dict) else None)


def _footing(call: Call) -> list[Key]:
    return [ISSUETYPE.of(), PRIORITY.of(), FIELD.of(), PROJECT.of(call.params.get("project"))]


@operation(reads=[_footing, about_site], learns=_meta_seen)
def create_meta(scope: Scope, call: Call) -> Reply:
    """The old form: projects, their issue types, and with `expand=projects.issuetypes.fields` the fields."""
    projects = [one for _, one in scope.all(PROJECT.of()) if _asked(call, one, "projectKeys", "key")]
    return Reply(200, {"expand": "projects", "projects": [_meta_project(scope, call, one) for one in projects]})


def _asked(call: Call, document: Document, parameter: str, name: str) -> bool:
    asked = call.query.get(parameter)
    return not asked or str(document.get(name)) in [word.strip() for word in asked.split(",")]


_META_PROJECT = ("self", "id", "key", "name", "avatarUrls")


def _meta_project(scope: Scope, call: Call, project: Document) -> Json:
    has_fields = "fields" in call.query.get("expand", "")
    types: list[Json] = []
    for kind in _types(scope):
        if _asked(call, kind, "issuetypeNames", "name") and _asked(call, kind, "issuetypeIds", "id"):
            fields = {str(one["key"]): one for one in _meta_fields(scope, project, kind)}
            types.append({**kind, **({"expand": "fields", "fields": dict[str, Json](fields)} if has_fields else {})})
    known: Document = {name: project[name] for name in _META_PROJECT if name in project}
    return {"expand": "issuetypes", **known, "issuetypes": types}


def _meta_fields(scope: Scope, project: Document, kind: Document) -> list[Document]:
    values: dict[str, list[Json]] = {
        "issuetype": [kind],
        "project": [{name: project[name] for name in ("self", "id", "key", "name") if name in project}],
        "priority": [one for _, one in sorted(scope.all(PRIORITY.of()), key=numeric)],
    }
    found: list[Document] = []
    for name in _META:
        field = scope.find(FIELD.of(name))
        if field is not None:
            found.append(_meta_field(name, field, values.get(name)))
    return found


def _meta_field(name: str, field: Document, allowed: list[Json] | None) -> Document:
    verbs: list[Json] = ["add", "set", "remove"] if name == "labels" else ["set"]
    return {
        "required": name in ("summary", "issuetype", "project"),
        "schema": field.get("schema"),
        "name": field.get("name"),
        "key": name,
        "fieldId": name,
        "hasDefaultValue": name in ("priority", "reporter"),
        "operations": verbs,
        **({} if allowed is None else {"allowedValues": allowed}),
    }


def _meta_page(scope: Scope, call: Call, found: list[Document], cloud_name: str) -> Reply:
    start, limit = window(call, 50, 200)
    page: Document = {"startAt": start, "maxResults": limit, "total": len(found)}
    items = list[Json](found[start : start + limit])
    if is_cloud(scope):
        return Reply(200, {**page, cloud_name: items})
    return Reply(200, {**page, "isLast": start + limit >= len(found), "values": items})


@operation(
    reads=[_footing, about_site],
    learns=lambda call, response: [
        one for name in ("issueTypes", "values") for one in options_shown(ISSUETYPE, shown(response).get(name))
    ],
)
def create_meta_types(scope: Scope, call: Call) -> Reply:
    """The new form: a page of a project's issue types (`issueTypes` on Cloud, `values` on Data Center)."""
    scope.get(PROJECT.key(call.params))
    return _meta_page(scope, call, _types(scope), "issueTypes")


@operation(reads=[_footing, about_site])
def create_meta_fields(scope: Scope, call: Call) -> Reply:
    """The new form: a page of an issue type's fields (`fields` on Cloud, `values` on Data Center)."""
    project = scope.get(PROJECT.key(call.params))
    kind = scope.get(ISSUETYPE.of(call["issuetype"]))
    return _meta_page(scope, call, _meta_fields(scope, project, kind), "fields")
