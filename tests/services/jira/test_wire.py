"""Addresses of sites, views of documents, and errors on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import durable_jira
from durable_jira.wire import JiraCodec, base_url
from durable_replay.testing import ask, engine_over, request

if TYPE_CHECKING:
    from tests.services.jira.conftest import Site


@pytest.mark.parametrize(
    ("url", "tenant", "target"),
    [
        ("https://a.atlassian.net/rest/api/3/field", "a.atlassian.net", "/rest/api/3/field"),
        (
            "https://api.atlassian.com/ex/jira/1-2/rest/api/3/x?y=1",
            "api.atlassian.com/ex/jira/1-2",
            "/rest/api/3/x?y=1",
        ),
        ("https://jira.test/a/b/rest/api/2/x", "jira.test/a/b", "/rest/api/2/x"),
        ("http://jira.test:8080/rest/api/2/user/?username=.", "jira.test:8080", "/rest/api/2/user?username=."),
        ("http://127.0.0.1:5001/rest/api/2/x", "localhost", "/rest/api/2/x"),
        ("http://localhost:5002/rest/api/2/x", "localhost", "/rest/api/2/x"),
    ],
)
def test_a_site_is_a_host_with_its_path_and_the_rest_is_the_address(url: str, tenant: str, target: str) -> None:
    asked, codec = request("GET", url), JiraCodec()
    located = codec.locate(asked)
    assert located is not None
    assert (codec.tenant(asked), located.target) == (tenant, target)


@pytest.mark.parametrize("path", ["/", "/login.jsp", "/oauth/token/accessible-resources", "/restless"])
def test_what_is_no_rest_address_is_unknown(path: str) -> None:
    assert durable_jira.service.find(request("GET", f"https://api.atlassian.com{path}")) is None


def test_addresses_in_answers_lead_back_to_where_the_client_asked() -> None:
    plain = request("GET", "http://api.atlassian.com/rest/api/2/x", headers={"Host": "127.0.0.1:8000"})
    assert base_url(plain) == "http://127.0.0.1:8000"
    forged = request("GET", "http://api.atlassian.com/rest/api/2/x", headers={"Host": "a/b?c"})
    assert base_url(forged) == "http://api.atlassian.com"


def test_an_unknown_address_is_told_as_jira_does() -> None:
    answer = ask(engine_over(durable_jira.service), "GET", "https://a.atlassian.net/rest/api/3/nope")
    assert answer.response.status == 404
    told = b'{"message":"null for uri: https://a.atlassian.net/rest/api/3/nope","status-code":404}'
    assert answer.response.body.read() == told


def test_two_sites_know_nothing_of_each_other(site: Site) -> None:
    key = site.issue()
    other = ask(site.engine, "GET", f"https://other.atlassian.net/rest/api/3/issue/{key}")
    assert other.response.status == 404


def test_a_body_that_is_no_json_is_the_clients_fault(site: Site) -> None:
    answer = ask(site.engine, "POST", f"{site.base}/rest/api/3/issue", b"{" * 5000)
    assert answer.response.status == 400
    answer = ask(site.engine, "POST", f"{site.base}/rest/api/3/search/jql", b"[" * 100_000)
    assert answer.response.status == 400


@pytest.mark.parametrize("deep", [100, 400])
def test_a_document_nested_deeply_is_taken_and_given_back(site: Site, deep: int) -> None:
    node: dict[str, object] = {"type": "text", "text": "deep"}
    for _ in range(deep):
        node = {"type": "blockquote", "content": [node]}
    key = site("POST 3/issue", _described({"type": "doc", "version": 1, "content": [node]}), 201)["key"]
    shown = site(f"GET 3/issue/{key}")["fields"]["description"]
    assert shown["content"] == [node]
    assert isinstance(site(f"GET 2/issue/{key}")["fields"]["description"], str)


def _described(description: object) -> dict[str, object]:
    asked = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "x", "description": description}
    return {"fields": asked}
