"""What a site says of itself and of who asks."""

from __future__ import annotations

from collections.abc import Iterable

from durable_jira.resources import SITE, USER, user_id, user_shown
from durable_jira.site import about_site, clock, current_user
from durable_jira.views import shown
from durable_jira.wire import base_url
from durable_replay.http import Response
from durable_replay.service.api import Call, Reply, Scope, Sighting, operation

__all__ = ["get_myself", "server_info"]


def _info_seen(call: Call, response: Response) -> Iterable[Sighting]:
    info = shown(response) if response.status == 200 else {}
    return [Sighting(SITE.of("info"), info)] if "deploymentType" in info else []


@operation(reads=[about_site], learns=_info_seen)
def server_info(scope: Scope, call: Call) -> Reply:
    """Flavour, version, the site's address, and its time."""
    known = scope.get(SITE.of("info"))
    return Reply(200, {"baseUrl": base_url(call.request), **known, "serverTime": clock(scope)})


def _myself_seen(call: Call, response: Response) -> Iterable[Sighting]:
    user = shown(response) if response.status == 200 else {}
    if user_id(user):
        yield Sighting(SITE.of("myself"), {"user": user_id(user)})
        yield from user_shown(user)


@operation(reads=[about_site, lambda call: [USER.of()]], learns=_myself_seen)
def get_myself(scope: Scope, call: Call) -> Reply:
    """The user who asks; credentials are not looked at."""
    return Reply(200, current_user(scope))
