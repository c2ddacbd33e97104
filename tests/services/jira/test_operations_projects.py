"""Projects, and what may be created in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from durable_replay.testing import exchange

if TYPE_CHECKING:
    from tests.services.jira.conftest import Site

Fields = dict[str, object]

BASE = "https://demo.atlassian.net/rest/api"


def test_a_new_project_goes_by_key_and_id(empty_site: Site) -> None:
    made = empty_site("POST 3/project", {"key": "SHOP", "name": "The Shop"}, 201)
    assert made == {"self": f"{BASE}/3/project/10000", "id": 10000, "key": "SHOP"}
    shown = empty_site("GET 2/project/10000")
    assert (shown["key"], shown["name"], shown["lead"]["displayName"]) == ("SHOP", "The Shop", "admin")
    assert {one["name"] for one in shown["issueTypes"]} == {"Epic", "Story", "Task", "Sub-task", "Bug"}
    assert empty_site("GET 3/project/SHOP")["id"] == "10000"
    assert [one["key"] for one in empty_site("GET 3/project")] == ["SHOP"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"key": "shop", "name": "x"}, "projectKey"),
        ({"key": "S", "name": "x"}, "projectKey"),
        ({"key": "DEMO", "name": "x"}, "projectKey"),
        ({"key": "SHOP", "name": ""}, "projectName"),
    ],
)
def test_a_bad_or_taken_project_is_refused_by_field(site: Site, asked: Fields, field: str) -> None:
    assert list(site("POST 3/project", asked, 400)["errors"]) == [field]


def test_a_project_that_is_not_there_is_told_with_its_key(empty_site: Site) -> None:
    told = empty_site("GET 3/project/NOPE", status=404)
    assert told == {"errorMessages": ["No project could be found with key 'NOPE'."], "errors": {}}


def test_projects_are_searched_in_pages(site: Site) -> None:
    site("POST 3/project", {"key": "SHOP", "name": "Corner shop"}, 201)
    page = site("GET 3/project/search?maxResults=1")
    assert (page["total"], page["isLast"], len(page["values"])) == (2, False, 1)
    assert [one["key"] for one in site("GET 3/project/search?query=corner")["values"]] == ["SHOP"]


def test_what_may_be_created_is_told_in_the_old_and_the_new_form(site: Site) -> None:
    old = site("GET 2/issue/createmeta?projectKeys=DEMO&issuetypeNames=Task&expand=projects.issuetypes.fields")
    ((task,),) = [project["issuetypes"] for project in old["projects"]]
    assert task["name"] == "Task" and task["fields"]["summary"]["required"]
    types = site("GET 2/issue/createmeta/DEMO/issuetypes")
    assert types["total"] == len(types["issueTypes"]) == 5
    fields = site("GET 2/issue/createmeta/10000/issuetypes/10002?maxResults=2")
    assert (fields["total"], [one["fieldId"] for one in fields["fields"]]) == (9, ["summary", "issuetype"])


def test_data_center_pages_of_createmeta_are_called_values(site_of: Callable[..., Site]) -> None:
    info = {"deploymentType": "Server", "version": "8.20.3"}
    site = site_of([exchange("GET", f"{BASE}/2/serverInfo", 200, info)])
    site("POST 2/project", {"key": "DEMO", "name": "Demo"}, 201)
    page = site("GET 2/issue/createmeta/DEMO/issuetypes")
    assert (page["isLast"], len(page["values"])) == (True, 5)


def test_a_recorded_create_is_true_after_another_project_was_made(site_of: Callable[..., Site]) -> None:
    asked = {"fields": {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "x"}}
    answer = {"id": "10010", "key": "DEMO-10", "self": f"{BASE}/2/issue/10010"}
    site = site_of([exchange("POST", f"{BASE}/2/issue", 201, answer, send=asked)])
    site("POST 2/project", {"key": "SHOP", "name": "Shop"}, 201)
    assert site("POST 2/issue", asked, 201) == answer
    assert site.last.source == "recorded"


def test_statuses_are_told_by_issue_type(site: Site) -> None:
    told = site("GET 3/project/DEMO/statuses")
    assert [[status["name"] for status in one["statuses"]] for one in told] == [["To Do", "In Progress", "Done"]] * 5
