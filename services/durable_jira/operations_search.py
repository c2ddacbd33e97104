"""Searches: the old one with totals and `startAt`, the new one with page tokens, and the count.

A search that was recorded keeps what it showed, minus what no longer answers the query, plus what now does; JQL that
cannot be judged is refused with Jira's 400, never ignored.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from durable_jira.errors import JqlError, text
from durable_jira.resources import (
    CHANGE,
    COMMENT,
    FIELD,
    ISSUE,
    PRIORITY,
    PROJECT,
    SITE,
    documents,
    issue_shown,
    numeric,
    user_id,
)
from durable_jira.site import about_site, current_user, is_cloud
from durable_jira.views import expanded, shown, shown_issue, wanted
from durable_replay.errors import NotEmulated
from durable_replay.http import Response
from durable_replay.service.api import Call, Document, Json, Key, Listed, Reply, Scope, Sighting, operation
from durable_replay.service.faults import Fault, Invalid
from durable_replay.service.verbs import patched

if TYPE_CHECKING:
    from durable_jira.fields import Field
    from durable_jira.jql import Query
    from durable_jira.query import Context

__all__ = ["count_issues", "search_issues", "search_pages"]

MOST_SORTS = 7
_EXAMPLE = '?jql=project+%3D+DEMO&fields=summary\n{"jql": "project = DEMO", "fields": ["summary"]}'
_PAGING = ("startAt", "maxResults", "nextPageToken", "$.startAt", "$.maxResults", "$.nextPageToken")


def _footing(call: Call) -> list[Key]:
    return [ISSUE.of(), COMMENT.of(), CHANGE.of(), FIELD.of(), PRIORITY.of(), PROJECT.of()]


def _seen(call: Call, response: Response) -> Iterable[Sighting]:
    if response.status == 410:
        yield Sighting(SITE.of("search"), {"old": False})
    if response.status != 200:
        return
    answer = shown(response)
    if "total" in answer:
        yield Sighting(SITE.of("search"), {"old": True})
    for issue in documents(answer.get("issues")):
        yield from issue_shown(issue)


class _Asked:
    """A search's parameters, wherever they came: the query of a GET, the body of a POST."""

    def __init__(self, call: Call) -> None:
        self.values: Mapping[str, object] = call.json if call.request.method == "POST" else call.query

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    @property
    def expand(self) -> str:
        """Of each issue: a comma list, or an array. Raises NotEmulated for what belongs to the page."""
        value = self.values.get("expand")
        words = ",".join(map(str, value)) if isinstance(value, list) else str(value or "")
        for word in ("names", "schema", "transitions"):
            if word in words:
                raise NotEmulated(f"expand={word} of a search")
        return words

    def number(self, name: str, default: int, most: int) -> int:
        value = str(self.values.get(name, ""))
        return min(int(value), most) if value.isdecimal() and len(value) < 10 else default

    def fields(self, default: str) -> tuple[str, ...]:
        value = self.values.get("fields")
        asked = [str(one) for one in value] if isinstance(value, list) else value
        return wanted(asked if isinstance(asked, str | list) else None, default)


def _refused(scope: Scope, sentence: str) -> Fault:
    return Invalid(sentence, warnings=is_cloud(scope))


def _read(scope: Scope, jql: str) -> tuple[Query, Context]:
    from durable_jira.jql import parse
    from durable_jira.query import Context, check

    try:
        query = parse(jql)
        context = Context(scope.now, user_id(current_user(scope)), _custom(scope), _priorities(scope))
        check(query, context)
        _check_projects(scope, query)
    except JqlError as error:
        raise _refused(scope, str(error)) from error
    return query, context


def _custom(scope: Scope) -> tuple[Field, ...]:
    from durable_jira.fields import field_from_rest

    found = (document for _, document in scope.all(FIELD.of()))
    return tuple(field_from_rest(one) for one in found if str(one.get("id", "")).startswith("customfield_"))


def _priorities(scope: Scope) -> tuple[str, ...]:
    return tuple(str(one.get("name")) for _, one in sorted(scope.all(PRIORITY.of()), key=numeric))


def _check_projects(scope: Scope, query: Query) -> None:
    """A project that a query names must be there; one that was recorded in part may be."""
    from durable_jira.query import values_named

    names = values_named(query, "project")
    known = {str(one.get(name, "")).casefold() for _, one in scope.all(PROJECT.of()) for name in ("id", "key", "name")}
    for name in names:
        if name.casefold() not in known:
            raise JqlError(text("jql.value.unknown", value=name, field="project"))


def _found(scope: Scope, jql: str) -> tuple[list[Document], Listed | None]:
    """The issues in order, and the recorded listing that they stand on."""
    from durable_jira.query import ordering, select

    query, context = _read(scope, jql)
    views = _views(scope, query)
    chosen = {str(view["id"]) for view in select(replace(query, order=()), views.values(), context)}
    is_listed = scope.listed() is not None
    order = _by_key_descending if is_listed else None
    found, listed = patched(scope, ISSUE.of(), lambda issue: str(issue.get("id")) in chosen, order)
    if not is_listed:
        found.sort(key=_by_key_descending)
    if query.order and (not is_listed or all(_is_sortable(issue, query, context) for issue in found)):
        by_id = {str(issue["id"]): issue for issue in found}
        found = [by_id[str(view["id"])] for view in ordering(query, [views[one] for one in by_id], context)]
    return found, listed


def _views(scope: Scope, query: Query) -> dict[str, Mapping[str, object]]:
    """All issues as JQL looks at them, by id; with their comments where the query asks for texts."""
    from durable_jira.query import fields_named

    comments: dict[str, list[object]] = {}
    if fields_named(query) & {"text", "comment"}:
        for key, comment in scope.all(COMMENT.of()):
            comments.setdefault(key[1], []).append(comment)
    views: dict[str, Mapping[str, object]] = {}
    for key, issue in scope.all(ISSUE.of()):
        fields = {**issue, "comment": {"comments": comments.get(key[1], [])}}
        views[key[1]] = {"id": key[1], "key": issue.get("key", ""), "fields": fields}
    return views


def _by_key_descending(issue: Document) -> str:
    """Without ORDER BY, keys come in descending order [seen in recordings]; a text that sorts the other way round."""
    project, _, number = str(issue.get("key", "")).rpartition("-")
    turned = "".join(chr(_LAST - ord(character)) for character in project if ord(character) < _ASCII)
    return f"{turned}{chr(_LAST)}{10**18 - int(number if number.isdecimal() else 0):020d}"


_LAST, _ASCII = 0x10FFFF, 128


def _is_sortable(issue: Document, query: Query, context: Context) -> bool:
    """Whether a recorded issue is known well enough to be put in order; else the recorded order stays."""
    from durable_jira.fields import resolve

    ids = [resolve(sort.field, context.known_fields).id for sort in query.order]
    return all(one in issue or one == "issuekey" for one in ids)


@operation(reads=[_footing, about_site], paging=_PAGING, learns=_seen, example=_EXAMPLE)
def search_issues(scope: Scope, call: Call) -> Reply:
    """The old search. Cloud has removed it: 410, unless the site was recorded while it was there."""
    if is_cloud(scope) and not (scope.find(SITE.of("search")) or {}).get("old", False):
        raise Invalid(text("search.removed"), status=410)
    asked = _Asked(call)
    found, listed = _found(scope, asked.text("jql"))
    start, limit = asked.number("startAt", 0, 2**31), asked.number("maxResults", 50, 1000)
    words = asked.fields("*navigable")
    page: Document = {
        "expand": "schema,names",
        "startAt": start,
        "maxResults": limit,
        "total": _total(found, listed),
        "issues": [_item(scope, issue, words, asked) for issue in found[start : start + limit]],
    }
    return Reply(200, page)


def _total(found: list[Document], listed: Listed | None) -> int:
    """The recorded total, more or less what this session changed; recorded pages need not be all."""
    if listed is None:
        return len(found)
    recorded = shown(listed.response).get("total")
    issues = [key for key in listed.keys if key[0] == ISSUE.name]
    return (recorded if isinstance(recorded, int) else len(issues)) + len(found) - len(issues)


@operation(reads=[_footing, about_site], paging=_PAGING, learns=_seen, example=_EXAMPLE)
def search_pages(scope: Scope, call: Call) -> Reply:
    """The new search: `{"issues", "isLast", "nextPageToken"?}`, ids alone unless `fields` asks for more."""
    asked = _Asked(call)
    query, _ = _read(scope, asked.text("jql"))
    from durable_jira.query import is_bounded

    if not is_bounded(query):
        raise _refused(scope, text("jql.unbounded"))
    if len(query.order) > MOST_SORTS:
        raise _refused(scope, text("search.order", limit=MOST_SORTS))
    found, _ = _found(scope, asked.text("jql"))
    start, limit = _start(asked.text("nextPageToken")), asked.number("maxResults", 50, 5000)
    words = asked.fields("id")
    issues = [_item(scope, issue, words, asked) for issue in found[start : start + limit]]
    is_last = start + limit >= len(found)
    token: Document = {} if is_last else {"nextPageToken": _token(start + limit)}
    return Reply(200, {"issues": issues, **token, "isLast": is_last})


def _item(scope: Scope, issue: Document, words: tuple[str, ...], asked: _Asked) -> Json:
    identity = str(issue["id"])
    item: Document = {"id": identity} if words == ("id",) else shown_issue(scope, issue, words)
    return {**item, **expanded(scope, identity, asked.expand)}


def _token(start: int) -> str:
    return base64.urlsafe_b64encode(f"start={start}".encode()).decode()


def _start(token: str) -> int:
    """Where a page begins; a token that is not ours begins anew."""
    try:
        written = base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        return 0
    number = written.removeprefix("start=")
    return int(number) if number.isdecimal() and len(number) < 10 else 0


@operation(reads=[_footing, about_site], example=_EXAMPLE)
def count_issues(scope: Scope, call: Call) -> Reply:
    """`{"count": n}`."""
    found, _ = _found(scope, cast("str", call.json.get("jql") or ""))
    return Reply(200, {"count": len(found)})
