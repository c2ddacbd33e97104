"""The kinds of things in a Jira site, how their documents are kept, and what an answer's JSON shows of them.

An issue is kept flat, `{"id", "key", <field id>: value, ...}`, so that two partial sightings of it merge field by
field; its comments and its history are things of their own below it. Rich text is kept as it came, wiki markup or
ADF: the codec writes the view that a request asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from durable_replay.service.api import Document, Json, Key, Kind, Sighting, kind

__all__ = [
    "CHANGE",
    "COMMENT",
    "FIELD",
    "FIRST_ID",
    "ISSUE",
    "ISSUETYPE",
    "KINDS",
    "PRIORITY",
    "PROJECT",
    "RESOLUTION",
    "SITE",
    "STATUS",
    "TRANSITION",
    "USER",
    "above_ids",
    "changes_shown",
    "comments_shown",
    "documents",
    "issue_shown",
    "kept_issue",
    "numeric",
    "project_shown",
    "user_id",
    "user_shown",
]

SITE = kind("site", "site")
"""Two documents: `info` (what serverInfo says) and `myself` (`{"user": id}`)."""
PROJECT = kind("project", "project", identity="key", names="id")
ISSUE = kind("issue", "issue", names="key", fold=True)
COMMENT = kind("comment", "issue comment")
CHANGE = kind("change", "issue change")
TRANSITION = kind("transition", "transition")
ISSUETYPE = kind("issuetype", "issuetype")
STATUS = kind("status", "status")
PRIORITY = kind("priority", "priority")
RESOLUTION = kind("resolution", "resolution")
FIELD = kind("field", "field")
USER = kind("user", "user")
KINDS: tuple[Kind, ...] = (
    SITE,
    PROJECT,
    ISSUE,
    COMMENT,
    CHANGE,
    TRANSITION,
    ISSUETYPE,
    STATUS,
    PRIORITY,
    RESOLUTION,
    FIELD,
    USER,
)
_OPTIONS = {"issuetype": ISSUETYPE, "status": STATUS, "priority": PRIORITY, "resolution": RESOLUTION}
_USERS = ("assignee", "reporter", "creator")
_ISSUE_OF = re.compile(r"/rest/api/\w+/issue/(\d+)/")
FIRST_ID = 10_000
"""Jira gives its first ids above this."""


def numeric(key_and_document: tuple[Key, Document]) -> tuple[int, str]:
    """A sort key: ids as numbers."""
    last = key_and_document[0][-1]
    return (int(last) if last.isdecimal() else 0, last)


def above_ids(number: int) -> str:
    """An id for the next number: as high as Jira's are."""
    return str(number if number >= FIRST_ID else FIRST_ID + number)


def documents(value: object) -> list[Document]:
    """The objects of a JSON array; none when it is something else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def user_id(user: object) -> str:
    """What names a user for good: the accountId on Cloud, the name on Data Center; empty when it is no user."""
    if not isinstance(user, dict):
        return ""
    return str(user.get("accountId") or user.get("name") or "")


def user_shown(user: object) -> Iterator[Sighting]:
    """A user as other documents embed one."""
    if isinstance(user, dict) and user_id(user):
        yield Sighting(USER.of(user_id(user)), {**user, "id": user_id(user)}, whole=False)


def project_shown(project: object) -> Iterator[Sighting]:
    """A project as it is shown whole or embedded; its lead and issue types too."""
    if not isinstance(project, dict) or not project.get("key"):
        return
    yield Sighting(PROJECT.of(project["key"]), dict(project), whole=False)
    yield from user_shown(project.get("lead"))
    for name in ("issueTypes", "issuetypes"):
        yield from options_shown(ISSUETYPE, project.get(name))


def options_shown(kind_: Kind, shown: object) -> Iterator[Sighting]:
    """Things with an id and a name: issue types, statuses, priorities, resolutions."""
    for one in documents(shown):
        if one.get("id"):
            known = {name: value for name, value in one.items() if name not in ("expand", "fields")}
            yield Sighting(kind_.of(one["id"]), known, whole=False)


def kept_issue(shown: Document) -> Document:
    """An issue as it is kept: flat, without what is kept below it."""
    fields = shown.get("fields")
    flat = {name: shown[name] for name in ("id", "key") if shown.get(name)}
    kept = dict(fields) if isinstance(fields, dict) else {}
    kept.pop("comment", None)
    return {**kept, **flat}


def issue_shown(shown: Document) -> Iterator[Sighting]:
    """An issue and all that it embeds: `{"id", "key"?, "fields"?: {...}, "changelog"?, "transitions"?}`."""
    if not shown.get("id"):
        return
    yield Sighting(ISSUE.of(shown["id"]), kept_issue(shown), whole=False)
    if isinstance(key := shown.get("key"), str) and "-" in key:
        yield Sighting(PROJECT.of(key.rpartition("-")[0]), {"key": key.rpartition("-")[0]}, whole=False)
    fields = shown.get("fields")
    if isinstance(fields, dict):
        yield from _embedded(fields)
        comment = fields.get("comment")
        yield from comments_shown(str(shown["id"]), comment if isinstance(comment, dict) else {})
    history = shown.get("changelog")
    yield from changes_shown(str(shown["id"]), history if isinstance(history, dict) else {}, "histories")
    yield from transitions_shown(shown.get("transitions"))


def _embedded(fields: Document) -> Iterator[Sighting]:
    yield from project_shown(fields.get("project"))
    for name, kind_ in _OPTIONS.items():
        yield from options_shown(kind_, [fields.get(name)])
    for name in _USERS:
        yield from user_shown(fields.get(name))
    parent = fields.get("parent")
    yield from issue_shown(parent) if isinstance(parent, dict) else ()


def comments_shown(issue: str, page: Document) -> Iterator[Sighting]:
    """A page of comments, `{"startAt", "total", "comments": [...]}`; complete when it shows all of them."""
    shown = documents(page.get("comments"))
    for one in shown:
        yield from comment_shown(one, issue)
    if issue.isdecimal() and page.get("total") == len(shown):
        yield Sighting(COMMENT.of(issue), {}, complete=True)


def comment_shown(shown: Document, issue: str = "") -> Iterator[Sighting]:
    """One comment; its issue's id is in its own address (`self`)."""
    found = _ISSUE_OF.search(str(shown.get("self", "")))
    issue = found[1] if found else issue
    if issue.isdecimal() and shown.get("id"):
        yield Sighting(COMMENT.of(issue, shown["id"]), shown)
        yield from user_shown(shown.get("author"))


def changes_shown(issue: str, page: Document, name: str) -> Iterator[Sighting]:
    """A page of an issue's history: `{"startAt", "total", name: [...]}`."""
    if issue.isdecimal():
        for one in documents(page.get(name)):
            if one.get("id"):
                yield Sighting(CHANGE.of(issue, one["id"]), one)


def transitions_shown(shown: Json) -> Iterable[Sighting]:
    """Transitions and the statuses that they lead to."""
    for one in documents(shown):
        if one.get("id"):
            yield Sighting(TRANSITION.of(one["id"]), {k: v for k, v in one.items() if k != "fields"}, whole=False)
            yield from options_shown(STATUS, [one.get("to")])
