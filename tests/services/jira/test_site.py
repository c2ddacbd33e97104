"""What a site is when nothing, or something, was recorded of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import durable_jira
from durable_replay.testing import ask, engine_over, exchange

if TYPE_CHECKING:
    from tests.services.jira.conftest import Site

BASE = "https://demo.atlassian.net/rest/api"


def test_a_fresh_site_has_a_user_a_workflow_and_no_project(empty_site: Site) -> None:
    assert empty_site("GET 3/project") == []
    assert empty_site("GET 3/myself")["displayName"] == "admin"
    assert empty_site("GET 3/serverInfo")["deploymentType"] == "Cloud"
    assert [one["name"] for one in empty_site("GET 3/status")] == ["To Do", "In Progress", "Done"]
    assert [one["name"] for one in empty_site("GET 3/resolution")] == ["Done", "Won't Do", "Duplicate"]


def test_the_servers_time_is_the_sessions(empty_site: Site) -> None:
    assert empty_site("GET 3/serverInfo")["serverTime"].startswith("2026-01-31T10:00:0")


def test_a_recorded_user_is_the_one_who_writes(site_of: Callable[..., Site]) -> None:
    me = {"accountId": "abc", "displayName": "Ann", "self": f"{BASE}/3/user?accountId=abc"}
    site = site_of([exchange("GET", f"{BASE}/3/myself", 200, me)])
    site("POST 3/project", {"key": "DEMO", "name": "Demo"}, 201)
    assert site(f"GET 3/issue/{site.issue()}")["fields"]["reporter"] == me


def test_a_complete_recorded_list_is_not_added_to(site_of: Callable[..., Site]) -> None:
    site = site_of([exchange("GET", f"{BASE}/3/issuetype", 200, [{"id": "7", "name": "Wish"}])])
    site("POST 3/project", {"key": "DEMO", "name": "Demo"}, 201)
    asked = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "x"}
    told = site("POST 3/issue", {"fields": asked}, 400)["errors"]
    assert told == {"issuetype": "Specify a valid issue type"}
    site("POST 3/issue", {"fields": {**asked, "issuetype": {"name": "wish"}}}, 201)


def test_what_a_partly_recorded_site_may_have_is_not_refused(site_of: Callable[..., Site]) -> None:
    issue = {"id": "10", "key": "DEMO-10", "fields": {"summary": "x", "issuetype": {"id": "7", "name": "Wish"}}}
    site = site_of([exchange("GET", f"{BASE}/3/issue/DEMO-10", 200, issue)])
    fields = {"customfield_9": 3, "assignee": {"accountId": "someone"}}
    site("PUT 3/issue/DEMO-10", {"fields": fields}, 204)
    assert site("GET 3/issue/DEMO-10")["fields"]["customfield_9"] == 3


def test_defaults_take_no_id_that_was_recorded(site_of: Callable[..., Site]) -> None:
    issue = {"id": "10", "key": "DEMO-10", "fields": {"issuetype": {"id": "10002", "name": "Wish"}}}
    site = site_of([exchange("GET", f"{BASE}/3/issue/DEMO-10", 200, issue)])
    types = {one["name"]: one["id"] for one in site("GET 3/issuetype")}
    assert types["Wish"] == "10002" != types["Task"]


def test_a_site_whose_users_have_names_alone_is_data_center(site_of: Callable[..., Site]) -> None:
    issue = {"id": "10", "key": "DEMO-10", "fields": {"creator": {"name": "ann", "key": "JIRAUSER1"}}}
    site = site_of([exchange("GET", f"{BASE}/2/issue/DEMO-10", 200, issue)])
    assert site("GET 2/serverInfo")["deploymentType"] == "Server"
    assert site("GET 2/myself")["name"] == "admin"
    assert site("GET 2/issue/DEMO-11", status=404)["errorMessages"] == ["Issue Does Not Exist"]
    assert site("GET 2/search?jql=creator=ann")["total"] == 1


def test_a_site_is_as_it_was_after_a_restart(tmp_path: Path) -> None:
    def request(method: str, path: str, content: object = None) -> Any:
        engine = engine_over(durable_jira.service, data_dir=tmp_path)
        answer = ask(engine, method, f"https://demo.atlassian.net/rest/api/2/{path}", content)
        engine.sessions.close()
        body = answer.response.body.read()
        return json.loads(body) if body else answer.response.status

    new = {"fields": {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "Milk"}}
    request("POST", "project", {"key": "DEMO", "name": "Demo"})
    assert request("POST", "issue", new)["key"] == "DEMO-1"
    assert request("DELETE", "issue/DEMO-1") == 204
    assert request("POST", "issue", new)["key"] == "DEMO-2"
    assert request("GET", "issue/DEMO-2")["fields"]["summary"] == "Milk"
    refused = request("POST", "issue", {"fields": {**new["fields"], "issuetype": {"name": "Wish"}}})
    assert refused["errors"] == {"issuetype": "Specify a valid issue type"}, "it is still a fresh site"
