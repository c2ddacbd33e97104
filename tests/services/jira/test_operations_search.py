"""Searches of both generations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from durable_replay.testing import ask, exchange

if TYPE_CHECKING:
    from tests.services.jira.conftest import Site

BASE = "https://demo.atlassian.net/rest/api"
SERVER = {"deploymentType": "Server", "version": "8.20.3", "versionNumbers": [8, 20, 3]}


def keys(site: Site, jql: str, more: str = "&fields=key") -> list[str]:
    return [one["key"] for one in site(f"GET 3/search/jql?jql={quote(jql)}{more}")["issues"]]


def test_the_new_search_gives_ids_alone_until_fields_are_asked_for(site: Site) -> None:
    site.issue()
    assert site("GET 3/search/jql?jql=project=DEMO") == {"issues": [{"id": "10001"}], "isLast": True}
    asked = {"jql": "project = DEMO", "fields": ["summary"]}
    assert site("POST 3/search/jql", asked)["issues"][0]["fields"] == {"summary": "Milk is out"}


def test_pages_follow_their_tokens_to_the_last(site: Site) -> None:
    made = [site.issue() for _ in range(5)]
    found, token = [], ""
    while True:
        page = site(f"GET 3/search/jql?jql=project=DEMO+ORDER+BY+key&maxResults=2&fields=key{token}")
        found += [one["key"] for one in page["issues"]]
        if page["isLast"]:
            break
        token = f"&nextPageToken={page['nextPageToken']}"
    assert found == made and "nextPageToken" not in page


def test_a_search_sees_each_write_at_once(site: Site) -> None:
    key = site.issue(labels=["shop"])
    assert keys(site, "labels = shop AND status = 'To Do'") == [key]
    site(f"POST 2/issue/{key}/transitions", {"transition": {"id": "31"}}, 204)
    assert keys(site, "labels = shop AND status = 'To Do'") == []
    assert keys(site, "labels = shop AND statusCategory = Done AND assignee IS EMPTY") == [key]
    assert site("POST 3/search/approximate-count", {"jql": "project = DEMO"}) == {"count": 1}
    site(f"DELETE 2/issue/{key}", status=204)
    assert site("POST 3/search/approximate-count", {"jql": "project = DEMO"}) == {"count": 0}


def test_who_asks_is_the_current_user(site: Site) -> None:
    key = site.issue()
    assert keys(site, "reporter = currentUser()") == [key]
    assert keys(site, "assignee = currentUser()") == []


@pytest.mark.parametrize(
    ("jql", "told"),
    [
        ("flavour = 3", "Field 'flavour' does not exist or you do not have permission to view it."),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("status WAS Done", "Error in the JQL Query: the history operator 'WAS' is not emulated."),
        ('summary ~ "', "has not been completed"),
        ("ORDER BY created", "Unbounded JQL queries are not allowed here."),
        ("project = DEMO ORDER BY " + ", ".join(["key"] * 8), "at most 7 fields"),
    ],
)
def test_a_query_that_cannot_be_judged_is_refused(site: Site, jql: str, told: str) -> None:
    refused = site(f"GET 3/search/jql?jql={quote(jql)}", status=400)
    assert told in refused["errorMessages"][0] and refused["warningMessages"] == []


def test_the_old_search_is_gone_from_cloud(site: Site) -> None:
    told = site("GET 3/search?jql=project=DEMO", status=410)
    assert "Please migrate to the /rest/api/3/search/jql API" in told["errorMessages"][0]


def test_the_old_search_is_there_on_data_center_with_total_and_window(site_of: Callable[..., Site]) -> None:
    site = site_of([exchange("GET", f"{BASE}/2/serverInfo", 200, SERVER)])
    site("POST 2/project", {"key": "DEMO", "name": "Demo"}, 201)
    for _ in range(3):
        site.issue()
    page = site("GET 2/search?jql=project=DEMO&startAt=1&maxResults=1")
    assert (page["total"], page["startAt"], page["maxResults"]) == (3, 1, 1)
    assert [one["key"] for one in page["issues"]] == ["DEMO-2"]
    assert "summary" in page["issues"][0]["fields"] and "comment" not in page["issues"][0]["fields"]
    assert site("POST 2/search", {"jql": "flavour = 3"}, 400)["errors"] == {}


def test_a_search_recorded_in_part_is_patched_and_its_total_corrected(site_of: Callable[..., Site]) -> None:
    issues = [{"id": str(n), "key": f"DEMO-{n}", "fields": {"summary": f"n{n}", "labels": []}} for n in (12, 11)]
    recorded = {"startAt": 0, "maxResults": 2, "total": 40, "issues": issues}
    site = site_of([exchange("GET", f"{BASE}/2/search?jql=project=DEMO&maxResults=2", 200, recorded)])
    site("DELETE 2/issue/DEMO-12", status=204)
    page = site("GET 2/search?jql=project=DEMO&maxResults=2")
    assert (page["total"], [one["key"] for one in page["issues"]]) == (39, ["DEMO-11"])


def test_priorities_compare_by_the_sites_own_order(site: Site) -> None:
    urgent = site.issue(priority={"name": "Highest"})
    site.issue(priority={"name": "Low"})
    assert keys(site, "priority > Medium") == [urgent]
    assert keys(site, "project = DEMO ORDER BY priority DESC")[0] == urgent


def test_custom_fields_are_found_by_name_and_number(site_of: Callable[..., Site]) -> None:
    field = {
        "id": "customfield_10016",
        "name": "Story Points",
        "schema": {"type": "number"},
        "clauseNames": ["cf[10016]"],
    }
    issue = {"id": "10", "key": "DEMO-10", "fields": {"summary": "x", "customfield_10016": 5}}
    tape = [
        exchange("GET", f"{BASE}/3/field", 200, [field]),
        exchange("GET", f"{BASE}/3/issue/DEMO-10", 200, issue),
    ]
    site = site_of(tape)
    assert keys(site, '"Story Points" >= 5') == keys(site, "cf[10016] = 5") == ["DEMO-10"]
    assert keys(site, "cf[10016] > 5") == []


def test_a_search_is_put_in_order_by_any_name_of_a_field(site: Site) -> None:
    late, never, soon = site.issue(duedate="2026-03-01"), site.issue(), site.issue(duedate="2026-02-01")
    assert keys(site, "project = DEMO ORDER BY due") == [soon, late, never]
    assert keys(site, "project = DEMO") == [soon, never, late], "without ORDER BY by key, the last first"


def test_a_search_brings_histories_when_asked(site: Site) -> None:
    key = site.issue()
    site(f"PUT 2/issue/{key}", {"fields": {"summary": "Changed"}}, 204)
    (found,) = site("GET 3/search/jql?jql=project=DEMO&expand=changelog")["issues"]
    assert found["changelog"]["histories"][0]["items"][0]["toString"] == "Changed"
    refused = ask(site.engine, "GET", f"{site.base}/rest/api/3/search/jql?jql=project=DEMO&expand=names")
    assert (refused.source, refused.response.status) == ("refused", 501)
