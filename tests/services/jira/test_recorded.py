"""Real traffic that others recorded: told again byte for byte, and a world to go on in."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import durable_jira
from durable_replay.answer import Answer
from durable_replay.cassette.store import CassetteWriter
from durable_replay.engine import Engine
from durable_replay.service.registry import Registry
from durable_replay.testing import ask
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.recordings import open_tape
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import SQLiteStore

SHARED = Path(os.environ.get("DURABLE_SHARED") or Path(__file__).resolve().parents[4] / "shared")
FOLDER = SHARED / "recordings" / "jira"
FILES = sorted(
    str(one.relative_to(FOLDER))
    for one in FOLDER.rglob("*")
    if one.suffix in (".yaml", ".har") or one.name.endswith(".test.json")
)
MAPPED = {"localhost": "jira", "example.com": "jira"}
Opened = Callable[[str], Engine]


@pytest.fixture
def replay(shared: Path, traffic: ModuleType, tmp_path: Path) -> Iterator[Opened]:
    """An engine over a real cassette that holds one of the recordings."""
    tapes = []

    def opened(name: str) -> Engine:
        path = tmp_path / "jira.cassette"
        with CassetteWriter.open(path) as writer:
            for one in traffic.interactions(shared / "recordings" / "jira" / name):
                writer.append(one)
        indexing = Indexing(Registry([durable_jira.service], MAPPED))
        tape = open_tape([path], indexing)
        tapes.append(tape)
        return Engine(tape, indexing, Sessions(tape, SQLiteStore(None), clock="2026-01-31T10:00:00+00:00", seed=1))

    yield opened
    for tape in tapes:
        tape.close()  # type: ignore[attr-defined]


def played(engine: Engine, until: int | None = None) -> None:
    """The recorded requests in order, up to this number."""
    for number in range(1, (len(engine.tape) if until is None else until) + 1):
        engine.answer("default", engine.tape.interaction(number).request)


def said(answer: Answer, status: int = 200) -> Any:
    body = answer.response.body.read()
    assert answer.response.status == status, body
    return json.loads(body) if body else None


@contextmanager
def nothing_else_stale(engine: Engine, numbers: list[int]) -> Iterator[None]:
    """What the block writes leaves these recordings as true as they were."""
    yield
    for number in numbers:
        answer = engine.answer("default", engine.tape.interaction(number).request)
        assert (answer.source, answer.interaction) == ("recorded", number)


@pytest.mark.parametrize("name", FILES)
def test_real_traffic_is_told_as_it_was_recorded(name: str, replay: Opened) -> None:
    engine = replay(name)
    assert len(engine.tape) > 0 or name.endswith("test.json")
    for number in range(1, len(engine.tape) + 1):
        recorded = engine.tape.interaction(number)
        answer = engine.answer("default", recorded.request)
        assert answer.source == "recorded", f"{recorded.request.url}: {answer.why}"
        assert answer.response == recorded.response, recorded.request.url


def test_an_issue_of_a_recorded_create_is_edited_found_and_moved(replay: Opened) -> None:
    engine = replay("defectdojo/test_create_edit_update_finding.yaml")
    played(engine)
    base = "https://defectdojo.atlassian.net/rest/api/2"
    untouched = engine.answer("default", _request_of(engine, f"{base}/issue/21255")).interaction
    assert untouched is not None
    with nothing_else_stale(engine, [untouched]):
        said(ask(engine, "PUT", f"{base}/issue/NTEST-3077", {"fields": {"summary": "Changed since"}}), 204)
    by_id = said(ask(engine, "GET", f"{base}/issue/21256"))
    assert by_id["key"] == "NTEST-3077"
    assert by_id["fields"]["summary"] == "Changed since"
    assert by_id["fields"]["customfield_10019"] == "0|i0126f:", "a field that nobody models survives"
    found = said(ask(engine, "GET", f"{base}/search/jql?jql=summary~since&fields=summary"))
    assert [(one["key"], one["fields"]["summary"]) for one in found["issues"]] == [("NTEST-3077", "Changed since")]
    done = {"transition": {"id": "31"}}
    said(ask(engine, "POST", f"{base}/issue/NTEST-3076/transitions", done), 204)
    moved = said(ask(engine, "GET", f"{base}/issue/21255"))["fields"]
    assert (moved["status"]["name"], moved["resolution"]["name"]) == ("Done", "Done")
    assert moved["resolutiondate"] == moved["updated"] == moved["statuscategorychangedate"]


def _request_of(engine: Engine, url: str) -> Any:
    requests = (engine.tape.interaction(number).request for number in range(1, len(engine.tape) + 1))
    return next(request for request in requests if request.url == url)


def test_new_issues_get_ids_and_keys_above_all_on_the_tape_even_before_it_is_played(replay: Opened) -> None:
    engine = replay("defectdojo/test_create_edit_update_finding.yaml")
    base = "https://defectdojo.atlassian.net/rest/api/2"
    asked = {"fields": {"project": {"key": "NTEST"}, "issuetype": {"name": "Task"}, "summary": "New"}}
    first = said(ask(engine, "POST", f"{base}/issue", asked), 201)
    assert (first["id"], first["key"]) == ("21258", "NTEST-3079")
    said(ask(engine, "DELETE", f"{base}/issue/NTEST-3079"), 204)
    assert said(ask(engine, "POST", f"{base}/issue", asked), 201)["key"] == "NTEST-3080"
    assert said(ask(engine, "GET", f"{base}/issue/21258"), 404)["errorMessages"]


def test_comments_go_on_after_those_that_were_recorded(replay: Opened) -> None:
    engine = replay("defectdojo/test_import_add_comments_then_push_to_jira.yaml")
    played(engine)
    base = "https://defectdojo.atlassian.net/rest/api/2/issue"
    added = said(ask(engine, "POST", f"{base}/NTEST-3104/comment", {"body": "A *third* one"}), 201)
    assert int(added["id"]) > 12090
    listed = said(ask(engine, "GET", f"{base}/21283/comment"))
    assert [one["id"] for one in listed["comments"]] == ["12089", "12090", added["id"]]
    shown = said(ask(engine, "GET", f"{base}/NTEST-3104"))["fields"]["comment"]
    assert (shown["total"], shown["comments"][2]["body"]) == (3, "A *third* one")
    adf = said(ask(engine, "GET", f"{base.replace('/2/', '/3/')}/NTEST-3104/comment/{added['id']}"))["body"]
    assert (adf["type"], adf["content"][0]["content"][1]["marks"]) == ("doc", [{"type": "strong"}])


def test_a_recorded_search_shows_what_was_edited_made_and_deleted_since(replay: Opened) -> None:
    engine = replay("graph-jira/cloud-v3-fetchIssuesPage.har")
    base = "https://jupiterone-dev.atlassian.net/rest/api/3"
    query = {"jql": "project='JJI'"}
    before = said(ask(engine, "POST", f"{base}/search", query))
    assert [one["key"] for one in before["issues"]] == ["JJI-1"]
    said(ask(engine, "PUT", f"{base}/issue/JJI-1", {"fields": {"summary": "Changed since"}}), 204)
    asked = {"fields": {"project": {"key": "JJI"}, "issuetype": {"name": "Story"}, "summary": "New"}}
    said(ask(engine, "POST", f"{base}/issue", asked), 201)
    after = said(ask(engine, "POST", f"{base}/search", query))
    summaries = [(one["key"], one["fields"]["summary"]) for one in after["issues"]]
    assert (after["total"], summaries) == (2, [("JJI-2", "New"), ("JJI-1", "Changed since")])
    assert after["issues"][1]["fields"].keys() >= before["issues"][0]["fields"].keys() - {"comment"}
    said(ask(engine, "DELETE", f"{base}/issue/JJI-1"), 204)
    assert [one["key"] for one in said(ask(engine, "POST", f"{base}/search", query))["issues"]] == ["JJI-2"]


def test_a_data_center_search_loses_a_deleted_issue_and_keeps_its_order(replay: Opened) -> None:
    engine = replay("osidb/field_and_search_pages.yaml")
    played(engine)
    last = engine.tape.interaction(len(engine.tape)).request
    before = [one["key"] for one in said(engine.answer("default", last))["issues"]]
    assert len(before) == 16
    said(ask(engine, "DELETE", f"https://example.com/rest/api/2/issue/{before[3]}"), 204)
    answer = engine.answer("default", last)
    after = said(answer)
    assert answer.source == "emulated"
    assert [one["key"] for one in after["issues"]] == [*before[:3], *before[4:]]
    assert after["total"] == 15


def test_a_recorded_workflow_is_the_one_that_issues_move_along(replay: Opened) -> None:
    engine = replay("osidb/transition_reject.yaml")
    base = "https://example.com/rest/api/2"
    known = said(ask(engine, "GET", f"{base}/issue/OSIM-123/transitions"))["transitions"]
    assert said(ask(engine, "POST", f"{base}/issue/OSIM-124/transitions", {"transition": {"id": "61"}}), 404)
    asked = {"fields": {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": "New"}}
    said(ask(engine, "POST", f"{base}/project", {"key": "DEMO", "name": "Demo"}), 201)
    key = said(ask(engine, "POST", f"{base}/issue", asked), 201)["key"]
    assert said(ask(engine, "GET", f"{base}/issue/{key}"))["fields"]["status"]["name"] == "New"
    rejected = next(one for one in known if one["id"] == "61")
    said(ask(engine, "POST", f"{base}/issue/{key}/transitions", {"transition": {"id": 61}}), 204)
    assert said(ask(engine, "GET", f"{base}/issue/{key}"))["fields"]["status"]["id"] == rejected["to"]["id"]


def test_the_gateways_site_is_a_world_of_its_own_with_its_own_addresses(replay: Opened) -> None:
    engine = replay("nango/get-issue.test.json")
    played(engine)
    base = "https://api.atlassian.com/ex/jira/07779958-e747-4285-ad18-0f5252a97bff/rest/api"
    shown = said(ask(engine, "GET", f"{base}/2/issue/KAN-2?fields=summary,status"))
    assert shown["self"] == f"{base}/2/issue/{shown['id']}"
    assert shown["fields"]["status"]["self"].startswith(f"{base}/2/status/")
    said(ask(engine, "GET", f"{base.replace('07779958', '17779958')}/2/issue/KAN-2"), 404)
    said(ask(engine, "GET", "https://nango-team-test.atlassian.net/rest/api/2/issue/KAN-2"), 404)
