"""A site: its flavour, who asks, and what a fresh one has.

A site that no recording taught has one user, the default issue types, statuses, priorities, resolutions and fields,
a workflow of three steps, and no project. One that was recorded gets of these only what it lacks by name. Without a
recorded serverInfo it is Cloud, unless users were recorded and none of them has an accountId.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import cast

from durable_jira.resources import (
    FIELD,
    ISSUETYPE,
    PRIORITY,
    PROJECT,
    RESOLUTION,
    SITE,
    STATUS,
    TRANSITION,
    USER,
    above_ids,
    numeric,
    user_id,
)
from durable_jira.times import format_time
from durable_replay.service.api import Call, Document, Json, Key, Kind, Scope

__all__ = ["about_site", "clock", "current_user", "fresh_id", "is_cloud", "known_by", "seed", "trusts"]

_KINDS = (ISSUETYPE, STATUS, PRIORITY, RESOLUTION, FIELD, TRANSITION)


def about_site(call: Call) -> list[Key]:
    """The footing of what every operation may ask: flavour, caller, users."""
    return [SITE.of(), USER.of()]


def is_cloud(scope: Scope) -> bool:
    """Whether serverInfo, recorded or seeded, says Cloud."""
    return (scope.find(SITE.of("info")) or {}).get("deploymentType", "Cloud") == "Cloud"


def clock(scope: Scope) -> str:
    """Now, in Jira's form."""
    return format_time(scope.now)


def current_user(scope: Scope) -> Document:
    """The user who asks, as documents embed one."""
    known = scope.find(SITE.of("myself")) or {}
    user = scope.find(USER.of(known.get("user"))) or {}
    return {name: value for name, value in user.items() if name != "id"}


def known_by(scope: Scope, kind: Kind, *names: object) -> Document | None:
    """The first thing of this kind whose id or name is one of `names`; names ignore case."""
    wanted = [str(name) for name in names if name is not None]
    folded = {name.casefold() for name in wanted}
    for key, document in sorted(scope.all(kind.of()), key=numeric):
        if key[-1] in wanted or str(document.get("name", "")).casefold() in folded:
            return document
    return None


def fresh_id(scope: Scope, kind: Kind, issue: str) -> str:
    """The id of a new comment or history entry: no two of a site are the same, on whichever issues."""
    return scope.mint(kind, issue, form=lambda mint: above_ids(mint.shared()))


def trusts(scope: Scope, kind: Kind) -> bool:
    """Whether a thing of this kind that is not known may be there all the same: the site was recorded in part."""
    fresh = (scope.find(SITE.of("fresh")) or {}).get("fresh", False)
    return not fresh and not scope.world.is_complete(kind.of())


def seed(scope: Scope) -> None:
    """Fills a site before its first emulated answer."""
    fresh = not any(True for kind in (PROJECT, ISSUETYPE, FIELD) for _ in scope.all(kind.of()))
    scope.put(SITE.of("fresh"), {"fresh": fresh})
    defaults = _defaults()
    if not scope.exists(SITE.of("info")):
        users = [user for _, user in scope.all(USER.of())]
        server = bool(users) and not any("accountId" in user for user in users)
        infos = cast("dict[str, Document]", defaults["info"])
        scope.put(SITE.of("info"), infos["server" if server else "cloud"])
    for kind in _KINDS:
        _fill(scope, kind, cast("list[Document]", defaults[kind.name]))
    if not scope.exists(SITE.of("myself")):
        user = cast("Document", cast("Document", defaults["user"])["cloud" if is_cloud(scope) else "server"])
        scope.put(SITE.of("myself"), {"user": user_id(user)})
        scope.put(USER.of(user_id(user)), {**user, "id": user_id(user)})


def _fill(scope: Scope, kind: Kind, defaults: list[Document]) -> None:
    known = list(scope.all(kind.of()))
    if scope.world.is_complete(kind.of()) or (known and kind is TRANSITION):
        return
    names = {str(document.get("name", "")).casefold() for _, document in known}
    for document in defaults:
        if str(document["name"]).casefold() not in names:
            _add(scope, kind, document)


def _add(scope: Scope, kind: Kind, document: Document) -> None:
    identity = str(document["id"])
    if scope.exists(kind.of(identity)):
        identity = scope.mint(kind, form=lambda mint: above_ids(mint.number("")))
    path = {"self": f"/rest/api/2/{kind.name}/{identity}"} if kind in (ISSUETYPE, STATUS, PRIORITY, RESOLUTION) else {}
    made: Document = {**path, **document, "id": identity}
    if kind is TRANSITION:  # defaults name the status that they lead to
        made["to"] = cast("Json", known_by(scope, STATUS, document["to"]))
    scope.put(kind.of(identity), made)


@cache
def _defaults() -> dict[str, Json]:
    loaded: dict[str, Json] = json.loads(files(__package__).joinpath("seed.json").read_text("utf-8"))
    return loaded
