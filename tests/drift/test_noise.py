"""Rules that set differences aside."""

from __future__ import annotations

import pytest

from durable_replay.drift.finding import Endpoint, Kind
from durable_replay.drift.noise import IgnoreRule
from durable_replay.errors import UsageError

ISSUE = Endpoint("jira", "GET", "/rest/api/3/issue/{}", "get_issue")


@pytest.mark.parametrize(
    ("text", "path", "covered"),
    [
        ("body.$.fields.**", "body.$.fields.a.b[].c", True),
        ("body.$.fields.**", "body.$.fields", False),
        ("body.$.*.id", "body.$.a.id", True),
        ("body.$.*.id", "body.$.a.b.id", False),
        ("body.$.a[].id", "body.$.a[].id", True),
        ("body.$.m{}.id", "body.$.m{}.id", True),
        ("header.x-*", "header.x-motto", True),
        ("path=**", "status", True),
    ],
)
def test_a_path_glob_stays_within_a_step_unless_it_is_doubled(text: str, path: str, covered: bool) -> None:
    assert IgnoreRule.parse(text).covers(ISSUE, path, Kind.value) is covered


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("operation=get_issue", True),
        ("operation=jira.*", True),
        ("operation=box.*", False),
        ('operation="GET /rest/*"', True),
        ('endpoint="jira GET /rest/*"', True),
        ("host=jira kind=value", True),
        ("host=jira kind=field-*", False),
        ("kind=value path=body.$.b", False),
    ],
)
def test_all_parts_of_a_rule_must_hold(text: str, covered: bool) -> None:
    assert IgnoreRule.parse(text).covers(ISSUE, "body.$.a", Kind.value) is covered


def test_a_rule_keeps_its_text() -> None:
    assert IgnoreRule.parse("kind=value header.x-*").text == "kind=value header.x-*"


@pytest.mark.parametrize(
    "text", ["", "''", "kind=", "path='' kind=value", "knid=value", "kind=colour", "path=a path=b", 'operation="GET']
)
def test_a_rule_that_says_nothing_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        IgnoreRule.parse(text)
    assert text in str(refused.value)


def test_an_equals_sign_within_a_path_is_of_the_path() -> None:
    assert IgnoreRule.parse("body.$.a=b").covers(ISSUE, "body.$.a=b", Kind.value)
    assert IgnoreRule.parse("**=x").covers(ISSUE, "body.$.a=x", Kind.value)
