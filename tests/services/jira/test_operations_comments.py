"""Comments, and what else shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from durable_replay.testing import exchange

if TYPE_CHECKING:
    from tests.services.jira.conftest import Site

BASE = "https://demo.atlassian.net/rest/api"


def test_a_comment_is_added_read_changed_and_taken_away(site: Site) -> None:
    key = site.issue()
    made = site(f"POST 2/issue/{key}/comment", {"body": "Bought *two*"}, 201)
    assert site.last.response.headers.get("location") == made["self"] == f"{BASE}/2/issue/10001/comment/{made['id']}"
    changed = site(f"PUT 2/issue/{key}/comment/{made['id']}", {"body": "Bought three"})
    assert (changed["body"], changed["created"]) == ("Bought three", made["created"])
    assert changed["updated"] > made["updated"]
    assert site(f"GET 2/issue/10001/comment/{made['id']}") == changed
    site(f"DELETE 2/issue/{key}/comment/{made['id']}", status=204)
    missing = site(f"GET 2/issue/{key}/comment/{made['id']}", status=404)
    assert missing["errorMessages"] == [f"Can not find a comment for the id: {made['id']}."]


def test_no_two_comments_of_a_site_have_one_id(site: Site) -> None:
    keys = [site.issue(), site.issue()]
    made = [site(f"POST 2/issue/{key}/comment", {"body": "x"}, 201)["id"] for key in keys * 2]
    assert len(set(made)) == 4


def test_a_page_of_comments_may_begin_with_the_newest(site: Site) -> None:
    key = site.issue()
    for text in ("one", "two", "three"):
        site(f"POST 2/issue/{key}/comment", {"body": text}, 201)
    page = site(f"GET 2/issue/{key}/comment?startAt=1&maxResults=1")
    assert (page["total"], page["startAt"], [one["body"] for one in page["comments"]]) == (3, 1, ["two"])
    newest = site(f"GET 2/issue/{key}/comment?orderBy=-created")["comments"]
    assert [one["body"] for one in newest] == ["three", "two", "one"]


@pytest.mark.parametrize(
    ("version", "body", "told"),
    [
        (2, "", "Comment body can not be empty!"),
        (2, {"type": "doc"}, "Operation value must be a string"),
        (3, "plain", "Operation value must be an Atlassian Document (see the Atlassian Document Format)"),
    ],
)
def test_a_body_of_the_wrong_form_is_refused(site: Site, version: int, body: object, told: str) -> None:
    key = site.issue()
    assert site(f"POST {version}/issue/{key}/comment", {"body": body}, 400)["errors"] == {"comment": told}
    assert site(f"GET 2/issue/{key}/comment")["total"] == 0


def test_a_comment_makes_its_issue_and_searches_stale_and_no_other_issue(site_of: Callable[..., Site]) -> None:
    issues = [{"id": str(n), "key": f"DEMO-{n}", "fields": {"summary": "x", "updated": "2020"}} for n in (10, 11)]
    search = {"issues": [{"id": "10", "key": "DEMO-10"}], "isLast": True}
    tape = [
        *(exchange("GET", f"{BASE}/2/issue/{one['key']}", 200, one) for one in issues),
        exchange("GET", f"{BASE}/2/search/jql?jql=text~milk", 200, search),
    ]
    site = site_of(tape)
    site("POST 2/issue/DEMO-11/comment", {"body": "milk"}, 201)
    shown = site("GET 2/issue/DEMO-11")["fields"]
    assert shown["comment"]["comments"][0]["body"] == "milk" and shown["updated"] != "2020"
    assert [one["id"] for one in site("GET 2/search/jql?jql=text~milk")["issues"]] == ["11", "10"]
    assert site("GET 2/issue/DEMO-10") == issues[0] and site.last.source == "recorded"


def test_recorded_comments_are_there_under_key_and_id(site_of: Callable[..., Site]) -> None:
    comment = {"id": "12089", "self": f"{BASE}/2/issue/21283/comment/12089", "author": {"accountId": "v"}, "body": "x"}
    listed = {"startAt": 0, "maxResults": 50, "total": 1, "comments": [comment]}
    issue = {"id": "21283", "key": "DEMO-1", "fields": {"summary": "s"}}
    tape = [
        exchange("GET", f"{BASE}/2/issue/21283", 200, issue),
        exchange("GET", f"{BASE}/2/issue/DEMO-1/comment", 200, listed),
    ]
    site = site_of(tape)
    assert site("GET 2/issue/21283/comment/12089") == comment
    site("PUT 2/issue/DEMO-1/comment/12089", {"body": "changed"})
    assert [one["body"] for one in site("GET 2/issue/DEMO-1/comment")["comments"]] == ["changed"]
    assert site.last.source == "emulated"
