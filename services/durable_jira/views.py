"""An issue as an answer shows it: which fields, and what lies below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from durable_jira.errors import text
from durable_jira.resources import CHANGE, COMMENT, FIELD, ISSUE, TRANSITION, numeric
from durable_jira.site import is_cloud
from durable_replay.errors import NotEmulated
from durable_replay.http import Response
from durable_replay.service.api import Call, Document, Json, Scope
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.faults import Missing

__all__ = [
    "comments_page",
    "expanded",
    "history",
    "shown",
    "shown_issue",
    "the_issue",
    "transitions",
    "wanted",
    "window",
]

EXPAND = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations"
# Which custom fields are navigable is for the site to say; all of them are taken to be.
_NOT_EXPANDED = frozenset(("renderedFields", "editmeta", "operations", "versionedRepresentations"))
_NOT_NAVIGABLE = frozenset(("comment", "attachment", "worklog"))


def shown(response: Response) -> Document:
    """A recorded answer's object; empty where it is none."""
    content = JsonCodec().read(response) if response.body else None
    return content if isinstance(content, dict) else {}


def the_issue(scope: Scope, call: Call) -> Document:
    """The issue that the address names; raises Missing in the words of its flavour."""
    key = ISSUE.key(call.params)
    issue = scope.find(key)
    if issue is None:
        raise Missing(key, text("issue.missing.cloud" if is_cloud(scope) else "issue.missing.server"))
    return {"id": key[-1], **issue}


def window(call: Call, default: int, most: int) -> tuple[int, int]:
    """`startAt` and `maxResults` of a query; what is no number is as if it were not there."""
    asked = [call.query.get(name, "") for name in ("startAt", "maxResults")]
    start, limit = (int(one) if one.isdecimal() and len(one) < 10 else None for one in asked)
    return start or 0, min(default if limit is None else limit, most)


def wanted(asked: str | Iterable[str] | None, default: str) -> tuple[str, ...]:
    """The `fields` parameter as words: a comma list or an array."""
    words = asked.split(",") if isinstance(asked, str) else list(asked or ())
    return tuple(word.strip() for word in words if word.strip()) or (default,)


def is_wanted(name: str, words: Sequence[str]) -> bool:
    """Whether the field belongs to the answer: `*all,-comment`, `summary,status`, `*navigable`."""
    if f"-{name}" in words:
        return False
    positive = [word for word in words if not word.startswith("-")] or ["*navigable"]
    if "*all" in positive or name in positive:
        return True
    return "*navigable" in positive and name not in _NOT_NAVIGABLE


def shown_issue(scope: Scope, issue: Document, words: Sequence[str]) -> Document:
    """`{"expand", "id", "self", "key", "fields"}`."""
    identity = str(issue["id"])
    fields = {name: issue[name] for name in issue if name not in ("id", "key") and is_wanted(name, words)}
    if is_wanted("comment", words):
        fields["comment"] = comments_page(scope, identity)
    path = f"/rest/api/2/issue/{identity}"
    key: Document = {"key": issue["key"]} if "key" in issue else {}
    return {"expand": EXPAND, "id": identity, "self": path, **key, "fields": fields}


def expanded(scope: Scope, issue: str, asked: str) -> Document:
    """What `expand` adds to an issue. Words that Jira does not know are ignored, as it does; raises NotEmulated."""
    words = {word.strip().partition(".")[0] for word in asked.split(",")}
    if missing := sorted(words & _NOT_EXPANDED):
        raise NotEmulated(f"expand={missing[0]} of an issue")
    more: Document = {}
    if "transitions" in words:
        more["transitions"] = list[Json](transitions(scope))
    if "changelog" in words:
        found = history(scope, issue)
        newest: list[Json] = [*reversed(found)]
        more["changelog"] = {"startAt": 0, "maxResults": len(found), "total": len(found), "histories": newest}
    for word, name in (("names", "name"), ("schema", "schema")):
        if word in words:
            more[word] = {key[-1]: field.get(name) for key, field in scope.all(FIELD.of())}
    return more


def comments_page(scope: Scope, issue: str, start: int = 0, limit: int | None = None, newest: bool = False) -> Document:
    """`{"comments", "self", "maxResults", "total", "startAt"}`, as an issue embeds it."""
    found = [comment for _, comment in sorted(scope.all(COMMENT.of(issue)), key=numeric, reverse=newest)]
    page = found[start:] if limit is None else found[start : start + limit]
    return {
        "comments": list[Json](page),
        "self": f"/rest/api/2/issue/{issue}/comment",
        "maxResults": len(found) if limit is None else limit,
        "total": len(found),
        "startAt": start,
    }


def history(scope: Scope, issue: str) -> list[Document]:
    """The issue's history, oldest first."""
    return [change for _, change in sorted(scope.all(CHANGE.of(issue)), key=numeric)]


def transitions(scope: Scope) -> list[Document]:
    """The transitions that are known, in the order of their ids. Every one leads from anywhere (see the README)."""
    return [one for _, one in sorted(scope.all(TRANSITION.of()), key=numeric)]
