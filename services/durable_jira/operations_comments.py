"""Comments of an issue. Each write also moves the issue's `updated`, and is in every search from then on."""

from __future__ import annotations

from collections.abc import Iterable

from durable_jira.errors import text
from durable_jira.resources import COMMENT, ISSUE, comment_shown, comments_shown
from durable_jira.site import about_site, clock, current_user, fresh_id
from durable_jira.views import comments_page, shown, the_issue, window
from durable_jira.wire import base_url, rest_version
from durable_replay.http import Response
from durable_replay.service.api import Call, Document, Json, Reply, Scope, Sighting, operation
from durable_replay.service.faults import Invalid, Missing

__all__ = ["add_comment", "delete_comment", "edit_comment", "get_comment", "list_comments", "put_comment"]

_ASKED = ("visibility", "properties", "public")


def _seen(call: Call, response: Response) -> Iterable[Sighting]:
    return comment_shown(shown(response)) if response.status in (200, 201) else []


def _list_seen(call: Call, response: Response) -> Iterable[Sighting]:
    return comments_shown(call["issue"], shown(response)) if response.status == 200 else []


def _body(call: Call, asked: Document) -> Json:
    body = asked.get("body")
    if not body:
        raise Invalid(text("comment.empty"), "comment")
    if rest_version(call) == "3" and not (isinstance(body, dict) and body.get("type") == "doc"):
        raise Invalid(text("text.adf.expected"), "comment")
    if rest_version(call) == "2" and not isinstance(body, str):
        raise Invalid(text("text.string.expected"), "comment")
    return body


def put_comment(scope: Scope, call: Call, issue: str, asked: Document) -> Document:
    """A new comment of this issue, as it is kept."""
    body = _body(call, asked)
    identity = fresh_id(scope, COMMENT, issue)
    now, user = clock(scope), current_user(scope)
    comment: Document = {
        "self": f"/rest/api/2/issue/{issue}/comment/{identity}",
        "id": identity,
        "author": user,
        "body": body,
        "updateAuthor": user,
        "created": now,
        "updated": now,
        **{name: asked[name] for name in _ASKED if name in asked and name != "properties"},
        "jsdPublic": True,
    }
    scope.put(COMMENT.of(issue, identity), comment)
    return comment


def _comment(scope: Scope, call: Call) -> tuple[Document, Document]:
    issue = the_issue(scope, call)
    key = COMMENT.key(call.params)
    comment = scope.find(key)
    if comment is None:
        raise Missing(key, text("comment.missing", id=call["comment"]))
    return issue, comment


def _touch(scope: Scope, issue: Document) -> None:
    scope.put(ISSUE.of(issue["id"]), {**issue, "updated": clock(scope)})


@operation(reads=[ISSUE, COMMENT, about_site], paging=("startAt", "maxResults"), learns=_list_seen)
def list_comments(scope: Scope, call: Call) -> Reply:
    """`{"startAt", "maxResults", "total", "comments"}`; `orderBy=-created` puts the newest first."""
    issue = the_issue(scope, call)
    start, limit = window(call, 5000, 5000)
    newest = call.query.get("orderBy", "").startswith("-")
    page = comments_page(scope, str(issue["id"]), start, limit, newest)
    return Reply(200, {name: page[name] for name in ("startAt", "maxResults", "total", "comments")})


@operation(reads=[ISSUE, COMMENT, about_site], learns=_seen)
def get_comment(scope: Scope, call: Call) -> Reply:
    """One comment."""
    return Reply(200, _comment(scope, call)[1])


_EXAMPLE = '{"body": "Bought some."}'


@operation(reads=[about_site], writes=[ISSUE, COMMENT], learns=_seen, example=_EXAMPLE)
def add_comment(scope: Scope, call: Call) -> Reply:
    """201 with the comment and its Location."""
    issue = the_issue(scope, call)
    comment = put_comment(scope, call, str(issue["id"]), call.json)
    _touch(scope, issue)
    place = f"{base_url(call.request)}/rest/api/{rest_version(call)}/issue/{issue['id']}/comment/{comment['id']}"
    return Reply(201, comment, (("Location", place),))


@operation(reads=[about_site], writes=[ISSUE, COMMENT], learns=_seen, example=_EXAMPLE)
def edit_comment(scope: Scope, call: Call) -> Reply:
    """200 with the comment."""
    issue, comment = _comment(scope, call)
    changes: Document = {"body": _body(call, call.json), "updateAuthor": current_user(scope), "updated": clock(scope)}
    if "visibility" in call.json:
        changes["visibility"] = call.json["visibility"]
    changed = scope.merge(COMMENT.of(issue["id"], comment["id"]), changes)
    _touch(scope, issue)
    return Reply(200, changed)


@operation(reads=[about_site], writes=[ISSUE, COMMENT])
def delete_comment(scope: Scope, call: Call) -> Reply:
    """204."""
    issue, comment = _comment(scope, call)
    scope.delete(COMMENT.of(issue["id"], comment["id"]))
    _touch(scope, issue)
    return Reply(204)
