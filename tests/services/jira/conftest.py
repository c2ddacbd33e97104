"""Issues and a clock for the Jira tests."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest

from durable_jira.fields import Field
from durable_jira.query import Context

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
