"""What is safe to ask, where services are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.drift.live.selecting import Plan, Server, Targets, is_safe, selected
from durable_replay.drift.sources import Tapes
from durable_replay.errors import UsageError
from durable_replay.http import Frame, Interaction
from durable_replay.service.registry import Registry
from durable_replay.testing import exchange, request
from durable_replay.timeline.indexing import Indexing

JIRA, S3 = "https://site.atlassian.net", "https://photos.s3.amazonaws.com"
Planned = Callable[..., Plan]


@pytest.fixture(scope="module")
def indexing() -> Indexing:
    return Indexing(Registry.installed())


@pytest.mark.parametrize(
    ("method", "url", "send", "safe"),
    [
        ("GET", f"{JIRA}/rest/api/3/issue/P-7", None, True),
        ("HEAD", f"{JIRA}/rest/api/3/issue/P-7", None, True),
        ("POST", f"{JIRA}/rest/api/3/search/jql", {"jql": "project = P"}, True),
        ("POST", f"{JIRA}/rest/api/3/issue", {"fields": {}}, False),
        ("PUT", f"{JIRA}/rest/api/3/issue/P-7", {"fields": {}}, False),
        ("POST", f"{JIRA}/rest/api/3/nobody/knows/this", {}, False),
        ("GET", f"{JIRA}/rest/api/3/nobody/knows/this", None, True),
        ("GET", f"{S3}/cat.jpg", None, True),
        ("PUT", f"{S3}/cat.jpg", b"x", False),
        ("PUT", f"{S3}/?lifecycle", b"<x/>", False),
        ("DELETE", f"{S3}/cat.jpg", None, False),
        ("POST", f"{S3}/?delete", b"<Delete/>", False),
        ("GET", "https://unknown.test/a", None, True),
        ("POST", "https://unknown.test/search", {"q": 1}, False),
        ("PROPFIND", "https://unknown.test/a", None, False),
    ],
)
def test_what_is_safe(indexing: Indexing, method: str, url: str, send: object, safe: bool) -> None:
    assert is_safe(request(method, url, send), indexing) is safe


def test_no_row_of_any_service_that_is_not_get_is_safe_without_saying_what_it_reads(indexing: Indexing) -> None:
    """Rows that are not emulated often declare nothing; asking them would be guessing."""
    silent = [
        (service.name, text)
        for service in indexing.registry.services()
        for text, row in service.routes.items()
        if not row.reads and not row.writes and text.split()[0] not in ("GET", "HEAD", "OPTIONS")
    ]
    assert silent  # else this test tells nothing
    for name, text in silent:
        host = {"s3": S3, "jira": JIRA}.get(name)
        parts = text.split()
        if host and len(parts) == 2 and "{" not in parts[1]:
            assert not is_safe(request(parts[0], host + parts[1]), indexing), text


@pytest.fixture
def planned(tmp_path: Path, indexing: Indexing) -> Planned:
    def plan(*interactions: Interaction, **more: Any) -> Plan:
        path = tmp_path / "x.cassette"
        with CassetteWriter.open(path) as writer:
            for interaction in interactions:
                writer.append(interaction)
        with Tapes([path]) as side:
            return selected(side, indexing, more.pop("targets", Targets()), **more)

    return plan


def test_what_is_left_out_is_counted_by_endpoint_and_reason(planned: Planned) -> None:
    from dataclasses import replace

    get = exchange("GET", "https://a.test/x", 200, {})
    preflight = exchange("OPTIONS", "https://a.test/x", 204, headers={"Access-Control-Request-Method": "PUT"})
    socket = replace(exchange("GET", "https://a.test/ws", 101), frames=(Frame(True, "text", b"hi"),))
    limited = exchange("GET", "https://a.test/x", 429)
    posts = [exchange("POST", f"https://a.test/users/{number}", 201, {}) for number in (1, 2, 3)]
    plan = planned(get, replace(get, outcome="aborted"), preflight, socket, limited, *posts)
    assert [step.number for step in plan.steps] == [1]
    assert {(str(one.endpoint), one.reason, one.count) for one in plan.skipped} == {
        ("a.test GET /x", "its answer ended early when it was recorded", 1),
        ("a.test GET /x", "the service limited the rate when it was recorded", 1),
        ("a.test OPTIONS /x", "a CORS preflight", 1),
        ("a.test GET /ws", "a WebSocket conversation", 1),
        ("a.test POST /users/{}", "a write, or not known to be none", 3),
    }


def test_requests_that_redaction_made_alike_stay_apart(planned: Planned) -> None:
    pages = [exchange("GET", f"https://a.test/x?access_token=secret-{at:016x}", 200, {}) for at in range(3)]
    assert len(planned(*pages).steps) == 3


def test_an_operation_can_be_chosen(planned: Planned) -> None:
    both = [exchange("GET", "https://a.test/x", 200, {}), exchange("GET", "https://a.test/y", 200, {})]
    plan = planned(*both, wanted=lambda endpoint: endpoint.path == "/y")
    assert [step.number for step in plan.steps] == [2]
    assert plan.skipped == ()


@pytest.mark.parametrize(
    "url", ["ftp://a", "a.test", "http://", "http://u:p@a", "http://a/base", "http://a?x", "http://a:99999"]
)
def test_a_server_is_a_url_without_path(url: str) -> None:
    with pytest.raises(UsageError, match="--to api=") as wrong:
        Targets.of({"api": url}, frozenset(), include_writes=False)
    assert "HOST[:PORT]=URL" in str(wrong.value)


def test_a_host_with_port_goes_before_the_host_alone() -> None:
    targets = Targets.of({"a.test": "http://one", "a.test:8443": "https://two:9"}, frozenset(), include_writes=False)
    assert targets.of_request(request("GET", "https://a.test/")) == Server("http", "one", 80)
    assert targets.of_request(request("GET", "https://a.test:8443/")).url == "https://two:9"
    assert targets.of_request(request("GET", "http://b.test:81/")).url == "http://b.test:81"


def test_an_address_of_ipv6_is_written_in_brackets_once() -> None:
    assert Server("http", "::1", 8080).url == Server("http", "[::1]", 8080).url == "http://[::1]:8080"
    targets = Targets.of({"a.test": "https://[::1]"}, frozenset(), include_writes=False)
    assert targets.of_request(request("GET", "https://a.test/")).url == "https://[::1]"
