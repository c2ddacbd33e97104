"""What happens to issues: made, read, edited, moved, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from durable_jira.resources import ISSUE
from durable_replay.testing import ask, exchange

if TYPE_CHECKING:
    from tests.services.jira.conftest import Site

Fields = dict[str, object]

ADF = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "now", "marks": [{"type": "strong"}]}]}],
}
BASE = "https://demo.atlassian.net/rest/api"


def test_what_is_written_as_adf_is_read_as_markup_and_back(site: Site) -> None:
    made = site("POST 3/issue", _new(description=ADF), 201)
    assert site(f"GET 2/issue/{made['key']}")["fields"]["description"] == "*now*"
    assert site(f"GET latest/issue/{made['key']}")["fields"]["description"] == "*now*"
    assert site(f"GET 3/issue/{made['id']}")["fields"]["description"] == ADF
    site(f"PUT 2/issue/{made['key']}", {"fields": {"description": "_later_", "environment": "h1. Shop"}}, 204)
    shown = site(f"GET 3/issue/{made['key']}")["fields"]
    assert shown["description"]["content"][0]["content"] == [
        {"type": "text", "text": "later", "marks": [{"type": "em"}]}
    ]
    assert shown["environment"]["content"][0]["type"] == "heading"


def _new(**fields: object) -> dict[str, object]:
    asked = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "Milk is out", **fields}
    return {"fields": asked}


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"project": {"id": -100}}, {"project": "Specify a valid project ID or key"}),
        ({"summary": " "}, {"summary": "You must specify a summary of the issue."}),
        ({"summary": "x" * 256}, {"summary": "Summary must be less than 255 characters."}),
        ({"issuetype": None}, {"issuetype": "Specify an issue type"}),
        ({"issuetype": {"name": "Wish"}}, {"issuetype": "Specify a valid issue type"}),
        ({"priority": {"name": "Whenever"}}, {"priority": "The priority selected is invalid."}),
        ({"assignee": {"accountId": "nobody"}}, {"assignee": "User 'nobody' does not exist."}),
        (
            {"status": {"name": "Done"}, "customfield_1": 2},
            {
                name: f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
                for name in ("status", "customfield_1")
            },
        ),
        (
            {"description": "plain"},
            {"description": "Operation value must be an Atlassian Document (see the Atlassian Document Format)"},
        ),
    ],
)
def test_a_creation_is_refused_by_field_and_nothing_is_made(site: Site, fields: Fields, errors: dict[str, str]) -> None:
    assert site("POST 3/issue", _new(**fields), 400) == {"errorMessages": [], "errors": errors}
    assert site.issue() == "DEMO-1"


@pytest.mark.parametrize("project", [{"key": "DEMO"}, {"id": "10000"}, {"id": 10000}])
@pytest.mark.parametrize("issuetype", [{"name": "bug"}, {"id": "10004"}, {"id": 10004}])
def test_project_and_type_are_named_by_id_number_or_name(site: Site, project: Fields, issuetype: Fields) -> None:
    made = site("POST 2/issue", _new(project=project, issuetype=issuetype), 201)
    assert made == {"id": "10001", "key": "DEMO-1", "self": f"{BASE}/2/issue/10001"}
    assert site("GET 2/issue/DEMO-1")["fields"]["issuetype"]["name"] == "Bug"


def test_a_key_is_never_given_out_again(site: Site) -> None:
    assert [site.issue(), site.issue()] == ["DEMO-1", "DEMO-2"]
    site("DELETE 2/issue/DEMO-2", status=204)
    assert site.issue() == "DEMO-3"


def test_keys_of_a_project_with_digits_in_its_name_continue_above_the_tape(site_of: Callable[..., Site]) -> None:
    recorded = {"id": "20000", "key": "P2P-17", "fields": {"summary": "x", "project": {"id": "1", "key": "P2P"}}}
    site = site_of([exchange("GET", f"{BASE}/2/issue/P2P-17", 200, recorded)])
    made = site("POST 2/issue", _new(project={"key": "P2P"}), 201)
    assert (made["key"], int(made["id"]) > 20000) == ("P2P-18", True)


def test_moving_to_done_sets_what_follows_and_moving_back_takes_it_away(site: Site) -> None:
    key = site.issue()
    before = site(f"GET 2/issue/{key}")["fields"]
    assert {one["id"] for one in site(f"GET 2/issue/{key}/transitions")["transitions"]} == {"11", "21", "31"}
    site(f"POST 2/issue/{key}/transitions", {"transition": {"id": 31}}, 204)
    done = site(f"GET 2/issue/{key}")["fields"]
    assert (done["status"]["name"], done["resolution"]["name"]) == ("Done", "Done")
    assert done["resolutiondate"] == done["statuscategorychangedate"] == done["updated"] > before["updated"]
    site(f"POST 2/issue/{key}/transitions", {"transition": {"id": "11"}}, 204)
    back = site(f"GET 2/issue/{key}")["fields"]
    assert (back["status"]["name"], back["resolution"], back["resolutiondate"]) == ("To Do", None, None)


def test_a_resolution_asked_for_with_the_transition_is_taken(site: Site) -> None:
    key = site.issue()
    asked = {"transition": {"id": "31"}, "fields": {"resolution": {"name": "Won't Do"}}}
    site(f"POST 2/issue/{key}/transitions", asked, 204)
    assert site(f"GET 2/issue/{key}")["fields"]["resolution"]["name"] == "Won't Do"


@pytest.mark.parametrize(
    ("asked", "told"),
    [({}, "Missing 'transition' identifier"), ({"transition": {"id": "99"}}, "Transition id '99' is not valid")],
)
def test_a_transition_that_is_not_there_is_refused(site: Site, asked: Fields, told: str) -> None:
    key = site.issue()
    assert told in site(f"POST 2/issue/{key}/transitions", asked, 400)["errorMessages"][0]
    assert site(f"GET 2/issue/{key}")["fields"]["status"]["name"] == "To Do"


def test_verbs_of_an_update_add_remove_and_set(site: Site) -> None:
    key = site.issue(labels=["a", "b"])
    update = {"labels": [{"remove": "a"}, {"add": "c"}], "summary": [{"set": "Changed"}]}
    shown = site(f"PUT 3/issue/{key}?returnIssue=true", {"update": update})
    assert (shown["fields"]["labels"], shown["fields"]["summary"]) == (["b", "c"], "Changed")


def test_an_edit_may_bring_a_comment(site: Site) -> None:
    key = site.issue()
    site(f"PUT 2/issue/{key}", {"update": {"comment": [{"add": {"body": "Bought"}}]}}, 204)
    assert [one["body"] for one in site(f"GET 2/issue/{key}/comment")["comments"]] == ["Bought"]


def test_the_history_tells_each_change_from_and_to(site: Site) -> None:
    key = site.issue()
    site(f"PUT 2/issue/{key}", {"fields": {"summary": "Changed", "priority": {"name": "High"}}}, 204)
    site(f"PUT 2/issue/{key}", {"fields": {"summary": "Changed"}}, 204)
    values = site(f"GET 3/issue/{key}/changelog")["values"]
    assert [[(item["field"], item["fromString"], item["toString"]) for item in entry["items"]] for entry in values] == [
        [("summary", "Milk is out", "Changed"), ("priority", "Medium", "High")]
    ]
    assert site(f"GET 3/issue/{key}?expand=changelog")["changelog"]["histories"] == values


def test_only_the_fields_that_are_asked_for_are_shown(site: Site) -> None:
    key = site.issue()
    assert set(site(f"GET 2/issue/{key}?fields=summary,status")["fields"]) == {"summary", "status"}
    assert "comment" in site(f"GET 2/issue/{key}")["fields"]
    everything_but = site(f"GET 2/issue/{key}?fields=*all,-comment")["fields"]
    assert "comment" not in everything_but and "created" in everything_but


def test_an_assignee_is_set_and_taken_away(site: Site) -> None:
    key, me = site.issue(), site("GET 3/myself")
    site(f"PUT 3/issue/{key}/assignee", {"accountId": me["accountId"]}, 204)
    assert site(f"GET 3/issue/{key}")["fields"]["assignee"]["displayName"] == "admin"
    site(f"PUT 3/issue/{key}/assignee", {"accountId": None}, 204)
    assert site(f"GET 3/issue/{key}")["fields"]["assignee"] is None


def test_a_deleted_issue_takes_its_comments_along(site: Site) -> None:
    key = site.issue()
    comment = site(f"POST 2/issue/{key}/comment", {"body": "Bought"}, 201)
    site(f"DELETE 2/issue/{key}", status=204)
    for line in (f"GET 2/issue/{key}", f"GET 2/issue/{key}/comment", f"GET 2/issue/{key}/comment/{comment['id']}"):
        told = site(line, status=404)["errorMessages"]
        assert told == ["Issue does not exist or you do not have permission to see it."]


def test_a_recorded_issue_keeps_what_nobody_models_and_other_recordings_stay_true(site_of: Callable[..., Site]) -> None:
    one = {"id": "10010", "key": "DEMO-10", "fields": {"summary": "One", "customfield_7": {"deep": [1]}}}
    two = {"id": "10011", "key": "DEMO-11", "fields": {"summary": "Two"}}
    site = site_of([exchange("GET", f"{BASE}/3/issue/{each['key']}", 200, each) for each in (one, two)])
    site("PUT 3/issue/10010", {"fields": {"summary": "Changed"}}, 204)
    shown = site("GET 3/issue/DEMO-10")
    assert site.last.source == "emulated" and "issue/10010 was written by this session" in site.last.why
    assert (shown["fields"]["summary"], shown["fields"]["customfield_7"]) == ("Changed", {"deep": [1]})
    assert (site("GET 3/issue/DEMO-11"), site.last.interaction) == (two, 2)


def test_two_partial_sightings_of_an_issue_make_one(site_of: Callable[..., Site]) -> None:
    found = {"issues": [{"id": "10010", "key": "DEMO-10", "fields": {"labels": ["a"]}}], "isLast": True}
    shown = {"id": "10010", "key": "DEMO-10", "fields": {"summary": "One"}}
    tape = [
        exchange("GET", f"{BASE}/3/search/jql?jql=labels=a&fields=labels", 200, found),
        exchange("GET", f"{BASE}/3/issue/10010?fields=summary", 200, shown),
    ]
    fields = site_of(tape)("GET 3/issue/DEMO-10?fields=summary,labels")["fields"]
    assert fields == {"summary": "One", "labels": ["a"]}


def test_the_issue_of_a_recorded_create_holds_what_was_asked_for(site_of: Callable[..., Site]) -> None:
    answer = {"id": "10010", "key": "DEMO-10", "self": f"{BASE}/2/issue/10010"}
    tape = [exchange("POST", f"{BASE}/2/issue", 201, answer, send=_new(labels=["shop"]))]
    site = site_of(tape)
    site("GET 2/issue/DEMO-10", status=404)
    assert site("POST 2/issue", _new(labels=["shop"]), 201) == answer
    shown = site("GET 2/issue/DEMO-10")["fields"]
    assert (shown["summary"], shown["labels"], shown["issuetype"]["name"]) == ("Milk is out", ["shop"], "Task")
    assert shown["project"]["key"] == "DEMO"


def test_an_issue_goes_by_its_key_beside_its_id() -> None:
    assert (ISSUE.identity, ISSUE.names) == ("id", ("key",))


def test_expansions_are_answered_or_refused_and_unknown_words_ignored(site: Site) -> None:
    key = site.issue()
    shown = site(f"GET 3/issue/{key}?fields=summary&expand=names,schema,transitions,nonsense")
    assert (shown["names"]["summary"], shown["schema"]["summary"]["type"]) == ("Summary", "string")
    assert [one["name"] for one in shown["transitions"]] == ["To Do", "In Progress", "Done"]
    refused = ask(site.engine, "GET", f"{site.base}/rest/api/3/issue/{key}?expand=renderedFields")
    assert (refused.source, refused.response.status) == ("refused", 501)
