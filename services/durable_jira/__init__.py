"""Jira Cloud and Data Center.

A search is read by ``jql`` and judged by ``query``; rich text is stored once and seen as wiki markup or ADF (``adf``).
"""

from durable_jira.resources import KINDS
from durable_jira.routes import ROUTES
from durable_jira.site import seed
from durable_jira.wire import JiraCodec
from durable_replay.service.api import Service

service = Service(
    "jira",
    ("*.atlassian.net", "api.atlassian.com"),
    JiraCodec(),
    ROUTES,
    KINDS,
    seed=seed,
    examples=True,
    # Who asks, how often it may, and when it last looked are no part of the API; custom fields are added by admins.
    varies=(
        "header.x-aaccountid",
        "kind=field-added path=body.$.**.customfield_*",
        "kind=header-changed path=header.x-ratelimit-*",
        "body.$.**.lastViewed",
    ),
)
