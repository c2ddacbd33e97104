"""Issues: create, get, edit, delete, assign, move along the workflow, and their history."""

from __future__ import annotations

from collections.abc import Iterable

from durable_jira.changelog import changed, note
from durable_jira.errors import text
from durable_jira.operations_comments import put_comment
from durable_jira.resources import (
    CHANGE,
    COMMENT,
    FIELD,
    ISSUE,
    PRIORITY,
    PROJECT,
    RESOLUTION,
    STATUS,
    TRANSITION,
    above_ids,
    changes_shown,
    documents,
    issue_shown,
    numeric,
    transitions_shown,
)
from durable_jira.site import about_site, clock, current_user, known_by
from durable_jira.values import VALUES, asked_fields, embedded, project_of, settled, updated
from durable_jira.views import expanded, history, shown, shown_issue, the_issue, transitions, wanted, window
from durable_jira.wire import base_url, rest_version
from durable_replay.errors import NotEmulated
from durable_replay.http import Response
from durable_replay.service.api import Call, Document, Json, Key, Reply, Scope, Sighting, operation
from durable_replay.service.faults import Invalid

__all__ = [
    "assign_issue",
    "create_issue",
    "delete_issue",
    "edit_issue",
    "get_changelog",
    "get_issue",
    "get_transitions",
    "move_issue",
]


def _issue_seen(call: Call, response: Response) -> Iterable[Sighting]:
    if response.status == 404:
        return [Sighting(ISSUE.key(call.params), None)]
    return issue_shown(shown(response)) if response.status == 200 else []


@operation(reads=[ISSUE, COMMENT, CHANGE, about_site, lambda call: [TRANSITION.of(), FIELD.of()]], learns=_issue_seen)
def get_issue(scope: Scope, call: Call) -> Reply:
    """The issue with the `fields` and the expansions that were asked for."""
    issue = the_issue(scope, call)
    more = expanded(scope, str(issue["id"]), call.query.get("expand", ""))
    return Reply(200, {**shown_issue(scope, issue, wanted(call.query.get("fields"), "*all")), **more})


def _projects(call: Call) -> list[Key]:
    """The project that a body names by key; any, when it names one by id."""
    try:
        project = asked_fields(call).get("project")
    except Invalid:
        project = None
    key = project.get("key") if isinstance(project, dict) else None
    return [PROJECT.of(key) if key else PROJECT.of()]


def _created(call: Call, response: Response) -> Iterable[Sighting]:
    """What the answer says, and of what was asked the plain texts: they are in no answer until the issue is read."""
    answer = shown(response)
    if response.status != 201 or not answer.get("id"):
        return []
    plain: Document = {name: value for name, value in asked_fields(call).items() if isinstance(value, str)}
    return issue_shown({**answer, "fields": plain})


@operation(
    reads=[_projects, VALUES, about_site, lambda call: [STATUS.of()]],
    writes=[lambda call: [ISSUE.of()]],
    learns=_created,
    example='{"fields": {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "Milk is out"}}',
)
def create_issue(scope: Scope, call: Call) -> Reply:
    """201 `{"id", "key", "self"}`."""
    if call.json.get("transition") or call.json.get("properties"):
        raise NotEmulated("transition or properties in the creation of an issue")
    asked = asked_fields(call)
    _require(scope, asked)
    fields = settled(scope, call, asked)
    project = project_of(scope, asked["project"]) or {}
    names: list[str] = []

    def identity(number: int, key: int) -> str:
        names.append(f"{project['key']}-{key}")
        return above_ids(number)

    made = scope.mint(ISSUE, form=lambda mint: identity(mint.number(""), mint.number(f"{project['key']}-")))
    named: Document = {"key": names[-1]} if names else {}
    issue: Document = {"id": made, **named, **_fresh(scope, project), **fields}
    issue.update(updated(scope, call, issue))
    scope.put(ISSUE.of(made), issue)
    return Reply(201, {"id": made, **named, "self": f"/rest/api/2/issue/{made}"})


def _require(scope: Scope, asked: Document) -> None:
    errors: dict[str, str] = {}
    if project_of(scope, asked.get("project")) is None:
        errors["project"] = text("project.invalid")
    if not asked.get("issuetype"):
        errors["issuetype"] = text("issue.issuetype.required")
    if not asked.get("summary"):
        errors["summary"] = text("issue.summary.required")
    if errors:
        raise Invalid("; ".join(errors.values()), errors=errors)


def _fresh(scope: Scope, project: Document) -> Document:
    """What a new issue holds beyond what was asked, in the order of Jira's own answers."""
    now, user = clock(scope), current_user(scope)
    return {
        "statuscategorychangedate": now,
        "issuetype": None,
        "timespent": None,
        "project": embedded(project),
        "fixVersions": [],
        "resolution": None,
        "resolutiondate": None,
        "workratio": -1,
        "created": now,
        "priority": known_by(scope, PRIORITY, "Medium"),
        "labels": [],
        "versions": [],
        "issuelinks": [],
        "assignee": None,
        "updated": now,
        "status": _first_status(scope),
        "components": [],
        "description": None,
        "summary": None,
        "creator": user,
        "reporter": user,
        "subtasks": [],
        "environment": None,
        "duedate": None,
    }


def _first_status(scope: Scope) -> Json:
    """Where the workflow begins: at the known status still to do that is the oldest of the site."""
    statuses = [status for _, status in sorted(scope.all(STATUS.of()), key=numeric)]
    return next((one for one in statuses if _category(one) == "new"), None)


def _category(status: Json) -> str:
    category = status.get("statusCategory") if isinstance(status, dict) else None
    return str(category.get("key", "")) if isinstance(category, dict) else ""


def _commented(call: Call) -> list[Key]:
    """The issue's comments, when the edit brings one."""
    try:
        update = call.json.get("update")
    except Invalid:
        return []
    return [COMMENT.key(call.params)] if isinstance(update, dict) and "comment" in update else []


def _apply(scope: Scope, call: Call, issue: Document, more: Document | None = None) -> None:
    """Fields, verbs and consequences of one edit, noted in the history; comments that came with it."""
    changes = {**settled(scope, call, asked_fields(call)), **updated(scope, call, issue), **(more or {})}
    changes.pop("project", None)
    after: Document = {**issue, **changes, "updated": clock(scope)}
    scope.put(ISSUE.of(issue["id"]), after)
    note(scope, str(issue["id"]), changed(issue, changes))
    update = call.json.get("update")
    for verb in documents(update.get("comment")) if isinstance(update, dict) else ():
        if isinstance(added := verb.get("add"), dict):
            put_comment(scope, call, str(issue["id"]), added)


@operation(
    reads=[VALUES, about_site, COMMENT, lambda call: [PROJECT.of()]],
    writes=[ISSUE, CHANGE, _commented],
    learns=lambda call, response: issue_shown(shown(response)) if response.status == 200 else [],
    example='{"fields": {"summary": "Oat milk is out"}, "update": {"labels": [{"add": "shop"}]}}',
)
def edit_issue(scope: Scope, call: Call) -> Reply:
    """204; 200 with the issue for `returnIssue=true`."""
    issue = the_issue(scope, call)
    _apply(scope, call, issue)
    if call.query.get("returnIssue", "").lower() != "true":
        return Reply(204)
    return Reply(200, shown_issue(scope, the_issue(scope, call), ("*all",)))


@operation(
    reads=[VALUES, about_site],
    writes=[ISSUE, CHANGE],
    example='{"accountId": "557058:00000000-0000-4000-8000-000000000001"}',
)
def assign_issue(scope: Scope, call: Call) -> Reply:
    """204. The body is a user; `{"accountId": null}` takes the assignee away."""
    issue = the_issue(scope, call)
    after = settled(scope, call, {"assignee": call.json or None})
    scope.put(ISSUE.of(issue["id"]), {**issue, **after, "updated": clock(scope)})
    note(scope, str(issue["id"]), changed(issue, after))
    return Reply(204)


@operation(
    reads=[about_site],
    writes=[ISSUE, COMMENT, CHANGE],
    learns=lambda call, response: [Sighting(ISSUE.key(call.params), None)] if response.status in (204, 404) else [],
)
def delete_issue(scope: Scope, call: Call) -> Reply:
    """204; its comments and its history go with it."""
    issue = the_issue(scope, call)
    for kind in (COMMENT, CHANGE):
        scope.clear(kind.of(issue["id"]))
    scope.delete(ISSUE.of(issue["id"]))
    return Reply(204)


@operation(
    reads=[ISSUE, about_site, lambda call: [TRANSITION.of()]],
    learns=lambda call, response: transitions_shown(shown(response).get("transitions")),
)
def get_transitions(scope: Scope, call: Call) -> Reply:
    """`{"expand", "transitions": [...]}`."""
    the_issue(scope, call)
    asked = call.query.get("transitionId")
    found = [one for one in transitions(scope) if asked in (None, "", one.get("id"))]
    return Reply(200, {"expand": "transitions", "transitions": list[Json](found)})


@operation(
    reads=[VALUES, about_site, lambda call: [TRANSITION.of(), PROJECT.of()]],
    writes=[ISSUE, CHANGE, _commented],
    example='{"transition": {"id": "31"}}',
)
def move_issue(scope: Scope, call: Call) -> Reply:
    """204. The status changes, and with it its category's date and the resolution."""
    issue = the_issue(scope, call)
    transition = call.json.get("transition")
    asked = transition.get("id") if isinstance(transition, dict) else None
    if asked is None:
        raise Invalid(text("transition.required"))
    known = scope.find(TRANSITION.of(asked))
    if known is None:
        raise Invalid(text("transition.invalid", id=str(asked)))
    _apply(scope, call, issue, _moved(scope, call, issue, known.get("to")))
    return Reply(204)


def _moved(scope: Scope, call: Call, issue: Document, to: Json) -> Document:
    """The consequences of a new status."""
    changes: Document = {"status": to}
    was, now = _category(issue.get("status")), _category(to)
    if was != now:
        changes["statuscategorychangedate"] = clock(scope)
    if now == "done" and not issue.get("resolution"):
        asked = settled(scope, call, asked_fields(call)).get("resolution")
        changes["resolution"] = asked or known_by(scope, RESOLUTION, "Done")
        changes["resolutiondate"] = clock(scope)
    elif was == "done" and now != "done":
        changes["resolution"] = changes["resolutiondate"] = None
    return changes


def _history_seen(call: Call, response: Response) -> Iterable[Sighting]:
    return changes_shown(call["issue"], shown(response), "values")


@operation(reads=[ISSUE, CHANGE, about_site], paging=("startAt", "maxResults"), learns=_history_seen)
def get_changelog(scope: Scope, call: Call) -> Reply:
    """A page of the history, oldest first (Cloud)."""
    issue = the_issue(scope, call)
    start, limit = window(call, 100, 100)
    found = history(scope, str(issue["id"]))
    page: Document = {
        "self": f"{base_url(call.request)}/rest/api/{rest_version(call)}/issue/{call['issue']}/changelog",
        "maxResults": limit,
        "startAt": start,
        "total": len(found),
        "isLast": start + limit >= len(found),
        "values": list[Json](found[start : start + limit]),
    }
    return Reply(200, page)
