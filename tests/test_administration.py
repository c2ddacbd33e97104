"""What the admin API tells: counts, sessions, the log with its provenance, and what a session knows."""

from __future__ import annotations

import pytest

import durable_replay
from durable_replay.administration import Administration
from durable_replay.errors import UsageError
from durable_replay.service.api import Service
from durable_replay.testing import ask, engine_over, exchange
from tests.service import tiny_services

TAPE = [
    exchange("GET", "https://todo.test/projects", 200, {"data": [{"id": "1", "slug": "home"}]}),
    exchange("POST", "https://todo.test/projects", 201, {"data": {"id": "9", "slug": "boat"}}, send={"data": {}}),
    exchange("GET", "https://store.test/b/a/x", 200, b"<Thing>one</Thing>"),
]
SERVICES: list[Service] = [tiny_services.TODO, tiny_services.STORE]


@pytest.fixture
def told() -> Administration:
    engine = engine_over(SERVICES, TAPE)
    engine.answer("s", TAPE[0].request)
    ask(engine, "DELETE", "https://todo.test/projects/1", session="s")
    ask(engine, "GET", "http://other.test:8080/x?y", session="t")
    return Administration(engine)


def test_health_counts_what_there_is(told: Administration) -> None:
    assert told.health() == {
        "version": durable_replay.__version__,
        "interactions": 3,
        "services": ["store", "todo"],
        "sessions": 2,
    }


def test_each_session_is_told_with_what_it_was_answered(told: Administration) -> None:
    one, two = told.sessions()
    assert (one.name, one.played, one.live, dict(one.answers)) == ("s", 0, 1, {"recorded": 1, "emulated": 1})
    assert (two.name, two.live, dict(two.answers), two.snapshots) == ("t", 0, {"refused": 1}, ())
    assert one.now.startswith("2026-01-31T10:00:01")


def test_the_log_is_in_order_of_one_session_or_of_all_and_limited_to_the_newest(told: Administration) -> None:
    lines = told.log()
    assert [(one.session, one.method, one.status, one.source, one.interaction) for one in lines] == [
        ("s", "GET", 200, "recorded", 1),
        ("s", "DELETE", 204, "emulated", None),
        ("t", "GET", 501, "refused", None),
    ]
    assert [one.url for one in lines[1:]] == ["https://todo.test/projects/1", "http://other.test:8080/x?y"]
    assert all(one.why for one in lines)
    assert told.log("t") == lines[2:]
    assert told.log(limit=1) == lines[2:]
    assert told.log("nobody") == []


def test_a_log_of_no_lines_is_empty(told: Administration) -> None:
    assert told.log(limit=0) == []


def test_the_state_is_what_a_session_knows_by_service_tenant_and_key(told: Administration) -> None:
    everything = told.state("new")
    assert everything == {
        "store/thing/b/a/x": {"text": "one"},
        "todo/project.name/home": {"id": "1"},
        "todo/project/1": {"id": "1", "slug": "home"},
    }
    assert list(told.state("new", "todo/project/")) == ["todo/project/1"]
    assert list(told.state("s")) == ["store/thing/b/a/x"]


def test_sessions_are_made_forked_kept_and_taken_back(told: Administration) -> None:
    assert told.create("u", 7).seed == 7
    assert told.snapshot("s", "now").snapshots == ("now",)
    assert told.fork("s", "v").live == 1
    assert told.reset("s").live == 0
    assert told.restore("s", "now").live == 1
    told.delete("v")
    assert [one.name for one in told.sessions()] == ["s", "t", "u"]


@pytest.mark.parametrize("name", ["", "a/b", "a b", "a@b", "ä", "a" * 101])
def test_what_is_no_name_is_refused(told: Administration, name: str) -> None:
    for act in (told.create, lambda one: told.fork("s", one), lambda one: told.snapshot("s", one)):
        with pytest.raises(UsageError, match="no session name"):
            act(name)
    with pytest.raises(UsageError):
        told.state(name)


def test_what_is_not_there_is_named(told: Administration) -> None:
    for act in (told.delete, told.reset, lambda one: told.fork(one, "x"), lambda one: told.snapshot(one, "x")):
        with pytest.raises(UsageError, match="there is no session 'nobody'"):
            act("nobody")
    with pytest.raises(UsageError, match="no snapshot 'then'; there are: none"):
        told.restore("s", "then")
