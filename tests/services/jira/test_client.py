"""The `jira` client from PyPI, unchanged, over a socket."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from jira import JIRA
from jira.exceptions import JIRAError

import durable_jira
from durable_replay.front.server import start_in_thread
from durable_replay.front.settings import Settings
from durable_replay.front.tls import Authority
from durable_replay.http import Interaction
from durable_replay.replaying import Answering
from durable_replay.testing import engine_over, exchange

Connect = Callable[..., JIRA]
SERVER = {"deploymentType": "Server", "version": "8.20.3", "versionNumbers": [8, 20, 3], "baseUrl": "http://jira.test"}


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """A client of a site with the project DEMO, of which this was recorded; at a plain endpoint, as `serve` has it."""
    with ExitStack() as stack:

        def connected(tape: list[Interaction] | None = None, path: str = "") -> JIRA:
            engine = engine_over(durable_jira.service, tape or ())
            authority = Authority.load_or_create(tmp_path)
            settings = Settings(fixed_host="api.atlassian.com")
            front = stack.enter_context(start_in_thread(Answering(engine), settings, authority))
            client = JIRA(server=front.url + path, basic_auth=("ann@example.com", "token"), max_retries=0)
            stack.callback(client.close)
            client._session.post(f"{front.url}{path}/rest/api/2/project", json={"key": "DEMO", "name": "Demo"})
            return client

        yield connected


def test_an_issue_lives_its_life_in_the_client_of_cloud(connect: Connect) -> None:
    jira = connect()
    assert jira._is_cloud
    issue = jira.create_issue(project="DEMO", summary="Milk is out", description="h1. Now", issuetype="Task")
    assert (issue.key, issue.fields.description, issue.fields.status.name) == ("DEMO-1", "h1. Now", "To Do")
    issue.update(summary="Oat milk is out", fields={"labels": ["shop"]})
    assert jira.issue("DEMO-1").fields.summary == "Oat milk is out"
    assert {one["name"]: one["id"] for one in jira.transitions(issue)}["Done"] == "31"
    jira.transition_issue(issue, "Done")
    comment = jira.add_comment(issue, "Bought *some*")
    assert [one.body for one in jira.comments(issue)] == ["Bought *some*"]
    comment.update(body="Bought two")
    assert jira.comment("DEMO-1", comment.id).body == "Bought two"
    found = jira.search_issues('project = DEMO AND status = Done AND text ~ "two"')
    assert [(one.key, str(one.fields.resolution)) for one in found] == [("DEMO-1", "Done")]
    comment.delete()
    assert jira.comments(issue) == []
    issue.delete()  # type: ignore[no-untyped-call]
    with pytest.raises(JIRAError, match="Issue does not exist") as refused:
        jira.issue("DEMO-1")
    assert refused.value.status_code == 404
    assert jira.search_issues("project = DEMO") == []


def test_an_issue_lives_its_life_in_the_client_of_data_center(connect: Connect) -> None:
    recorded = exchange("GET", "https://api.atlassian.com/rest/api/2/serverInfo", 200, SERVER)
    jira = connect([recorded])
    assert not jira._is_cloud
    issue = jira.create_issue(
        project="DEMO", summary="Milk is out", issuetype={"name": "Bug"}, assignee={"name": "admin"}
    )
    assert (issue.raw["fields"]["assignee"]["name"], issue.fields.creator.key) == ("admin", "JIRAUSER10000")
    jira.transition_issue(issue, "21")
    found = jira.search_issues("project = DEMO AND status = 'In Progress' ORDER BY created", maxResults=1)
    assert (found.total, found[0].key) == (1, "DEMO-1")
    assert "Epic" in {one.name for one in jira.issue_types_for_project("DEMO")}
    jira.assign_issue(issue, None)
    assert jira.issue(issue.key).fields.assignee is None
    with pytest.raises(JIRAError, match="Issue Does Not Exist"):
        jira.issue("DEMO-7")


def test_the_client_reads_what_a_site_has(connect: Connect) -> None:
    jira = connect()
    assert jira.myself()["displayName"] == "admin"
    assert [one.key for one in jira.projects()] == ["DEMO"]
    assert jira.project("DEMO").name == "Demo"
    assert {one.name for one in jira.issue_types()} >= {"Task", "Bug", "Story", "Epic", "Sub-task"}
    assert [one.name for one in jira.priorities()] == ["Highest", "High", "Medium", "Low", "Lowest"]
    assert [one.name for one in jira.statuses()] == ["To Do", "In Progress", "Done"]
    assert "summary" in {one["id"] for one in jira.fields()}


def test_pages_of_the_new_search_are_followed_to_the_end(connect: Connect) -> None:
    jira = connect()
    for number in range(7):
        jira.create_issue(project="DEMO", summary=f"Number {number}", issuetype="Task")
    found = jira.enhanced_search_issues("project = DEMO ORDER BY key", maxResults=3)
    assert [one.key for one in found] == ["DEMO-1", "DEMO-2", "DEMO-3"]
    everything = jira.enhanced_search_issues("project = DEMO ORDER BY key", maxResults=False)
    assert [one.fields.summary for one in everything] == [f"Number {number}" for number in range(7)]


def test_refusals_reach_the_client_in_jiras_words(connect: Connect) -> None:
    jira = connect()
    with pytest.raises(JIRAError) as refused:
        jira.search_issues("flavour = 3")
    assert refused.value.text == "Field 'flavour' does not exist or you do not have permission to view it."
    with pytest.raises(JIRAError, match="No project could be found with key 'NOPE'"):
        jira.create_issue(project="NOPE", summary="x", issuetype="Task")


def test_a_context_path_of_data_center_is_part_of_the_site(connect: Connect) -> None:
    jira = connect(path="/jira")
    issue = jira.create_issue(project="DEMO", summary="Below a path", issuetype="Task")
    assert issue.self.endswith("/jira/rest/api/2/issue/10001")
    issue.update(summary="Changed below a path")
    assert jira.issue("DEMO-1").fields.summary == "Changed below a path"
