"""Issues and a clock for the Jira tests."""

import importlib.util
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import durable_jira
from durable_jira.fields import Field
from durable_jira.query import Context
from durable_replay.answer import Answer
from durable_replay.engine import Engine
from durable_replay.testing import ask, engine_over

NOW = datetime(2024, 1, 31, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.fixture(scope="session")
def context() -> Context:
    return Context(
        NOW,
        current_user="5b10a2844c20165700ede21g",
        known_fields=(
            Field("customfield_10001", "number", ("customfield_10001", "Story Points", "cf[10001]")),
            Field("customfield_10002", "option", ("customfield_10002", "Team", "cf[10002]")),
        ),
    )


@pytest.fixture(scope="session")
def issue() -> Callable[..., Mapping[str, object]]:
    def build(key: str = "LAUNCH-1", /, **fields: object) -> Mapping[str, object]:
        project = {"id": "10000", "key": key.partition("-")[0], "name": "The Launch"}
        return {"id": "20001", "key": key, "fields": {"project": project, **fields}}

    return build


class Site:
    """A Jira site behind an engine, asked in one line; `last` is the answer's provenance."""

    def __init__(self, engine: Engine, base: str = "https://demo.atlassian.net") -> None:
        self.engine, self.base = engine, base
        self.last: Answer

    def __call__(self, line: str, content: object = None, status: int = 200) -> Any:
        """`"GET 3/issue/DEMO-1"`; the JSON of an answer that must have this status."""
        method, _, path = line.partition(" ")
        self.last = ask(self.engine, method, f"{self.base}/rest/api/{path}", content)
        body = self.last.response.body.read()
        assert self.last.response.status == status, body
        return json.loads(body) if body else None

    def issue(self, summary: str = "Milk is out", **fields: object) -> str:
        """Makes an issue in DEMO; gives its key."""
        asked = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": summary, **fields}
        return str(self("POST 2/issue", {"fields": asked}, 201)["key"])


@pytest.fixture
def empty_site() -> Site:
    """A site of which nothing was recorded."""
    return Site(engine_over(durable_jira.service))


@pytest.fixture
def site(empty_site: Site) -> Site:
    """A site with the project DEMO."""
    empty_site("POST 3/project", {"key": "DEMO", "name": "Demo"}, 201)
    return empty_site


@pytest.fixture
def site_of() -> Callable[..., Site]:
    """A site of which this was recorded."""
    return lambda tape, base="https://demo.atlassian.net": Site(engine_over(durable_jira.service, tape), base)


@pytest.fixture(scope="session")
def traffic() -> ModuleType:
    """`recorded_traffic.py`: the reader of other tools' recordings."""
    spec = importlib.util.spec_from_file_location("jira_traffic", Path(__file__).with_name("recorded_traffic.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
