from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_jira.errors import JqlError, Unsupported
from durable_jira.jql import And, Clause, Empty, Node, Not, Or, Query, Value, Values, parse
from durable_jira.query import Context, check, fields_named, is_bounded, matches, ordering, select
from durable_jira.times import format_time

Issue = Mapping[str, object]
Build = Callable[..., Issue]

TOMAS = {"accountId": "5b10a2844c20165700ede21g", "displayName": "Tomas Ek", "emailAddress": "tomas@example.com"}
NOOR = {"name": "noor", "key": "JIRAUSER1", "displayName": "Noor"}
FULL = {
    "issuetype": {"id": "1", "name": "Story"},
    "status": {
        "id": "3",
        "name": "In Progress",
        "statusCategory": {"id": 4, "key": "indeterminate", "name": "In Progress"},
    },
    "priority": {"id": "2", "name": "High"},
    "resolution": None,
    "assignee": TOMAS,
    "reporter": NOOR,
    "labels": ["docs", "beta"],
    "components": [{"id": "7", "name": "Export"}],
    "fixVersions": [{"id": "8", "name": "3.14"}],
    "parent": {"id": "9", "key": "LAUNCH-9"},
    "summary": "The new export writes a changelog",
    "description": {
        "type": "doc",
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": "shared folder"}]}],
    },
    "comment": {"comments": [{"body": "looks good"}]},
    "created": "2024-01-31T10:00:00.000+0000",
    "updated": "2024-01-31T11:30:00.000+0000",
    "duedate": "2024-02-10",
    "customfield_10001": 5.0,
    "customfield_10002": {"id": "11", "value": "Platform"},
}


@pytest.mark.parametrize(
    "jql",
    [
        "project = LAUNCH",
        'project = "the launch"',
        "project = 10000",
        "key = launch-1",
        "id = 20001",
        "issue in (LAUNCH-1, LAUNCH-2)",
        "key > LAUNCH-0",
        "type = Story",
        "issuetype = 1",
        'status = "In Progress"',
        "statusCategory = indeterminate",
        "priority >= High",
        "priority > Medium",
        "resolution = Unresolved",
        "resolution is EMPTY",
        "assignee = currentUser()",
        'assignee = "tomas@example.com"',
        'assignee = "Tomas Ek"',
        "reporter in (noor)",
        "reporter = JIRAUSER1",
        "assignee != noor",
        "labels = docs AND labels = beta",
        "labels in (other, BETA)",
        "component = export",
        'fixVersion = "3.14"',
        "affectedVersion is empty",
        "parent = LAUNCH-9",
        "summary ~ changelog",
        'summary ~ "chang*"',
        'text ~ "\\"new export\\""',
        'text ~ "shared folder"',
        "comment ~ good",
        "description !~ good",
        'created >= "2024/01/31 10:00"',
        'created <= "2024-01-31 10:00"',
        'created < "2024-01-31 10:01"',
        "updated >= -1h",
        'created < "-1h 30m"',
        "created >= startOfDay()",
        'created > startOfWeek("-1w")',
        "created < endOfMonth()",
        "created >= 1706695200000",
        "updated < now()",
        'due = "2024-02-10"',
        "due < startOfMonth(1M) OR due > -1d",
        '"Story Points" >= 5',
        "cf[10001] in (5)",
        '"story points[Number]" < 6',
        "Team = platform",
        "NOT assignee = noor",
        "NOT (labels = x OR labels = y)",
        "",
    ],
)
def test_the_issue_answers(jql: str, issue: Build, context: Context) -> None:
    assert matches(parse(jql), issue(**FULL), context)


@pytest.mark.parametrize(
    "jql",
    [
        "project = VAULT",
        "key = LAUNCH-2",
        "key > LAUNCH-1",
        "key > FIELD-0",
        "priority < High",
        "resolution is not EMPTY",
        "labels != docs",
        "labels not in (beta)",
        "summary ~ chang",
        'text ~ "\\"export new\\""',
        'summary ~ "export missing"',
        'created > "2024-01-31 10:00"',
        "updated >= -29m",
        "created >= endOfDay()",
        "created < startOfDay()",
        "due < 2024-02-10",
        '"Story Points" > 5',
        "NOT assignee = currentUser()",
        "project = LAUNCH AND NOT type = Story",
    ],
)
def test_the_issue_does_not_answer(jql: str, issue: Build, context: Context) -> None:
    assert not matches(parse(jql), issue(**FULL), context)


@pytest.mark.parametrize(
    "jql",
    [
        "assignee != noor",
        "NOT assignee = noor",
        "labels not in (x)",
        "summary !~ x",
        "due != 2024-01-01",
        "due < 2024-01-01",
    ],
)
def test_a_negative_clause_leaves_out_an_empty_field(jql: str, issue: Build, context: Context) -> None:
    assert not matches(parse(jql), issue(assignee=None, labels=[]), context)


@pytest.mark.parametrize(
    ("jql", "sentence"),
    [
        ("universe = 42", "Field 'universe' does not exist or you do not have permission to view it."),
        ("key = A-1 ORDER BY universe", "Field 'universe' does not exist or you do not have permission to view it."),
        ("summary = test", "The operator '=' is not supported by the 'summary' field."),
        ("status ~ x", "The operator '~' is not supported by the 'status' field."),
        ("created > EMPTY", "The operator '>' is not supported by the 'created' field."),
        ("status is Done", "The operator 'is' does not support searching for non-empty values for the field 'status'."),
        ("status in Done", "Operator 'in' does not support the non-list value '\"Done\"' for field 'status'."),
        ("status = (a, b)", "Operator '=' does not support the list value (\"a\", \"b\") for field 'status'."),
        ("assignee = nobody()", "Unable to find JQL function 'nobody()'."),
        (
            "project in currentUser()",
            "A value provided by the function 'currentUser' is invalid for the field 'project'.",
        ),
        ('text ~ ""', "The field 'text' does not support searching for an empty string."),
        ("created > startOfCentury()", "Unable to find JQL function 'startOfCentury()'."),
        ("priority > Sky", "The value 'Sky' does not exist for the field 'priority'."),
        ('"Story Points" > many', "The value 'many' does not exist for the field 'Story Points'."),
        (
            "updated >= yesterday",
            "Date value 'yesterday' for field 'updated' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.",
        ),
    ],
)
def test_a_query_that_jira_refuses_is_refused_in_its_words(jql: str, sentence: str, context: Context) -> None:
    with pytest.raises(JqlError) as caught:
        check(parse(jql), context)
    assert str(caught.value) == sentence
    assert not isinstance(caught.value, Unsupported)


@pytest.mark.parametrize(
    "jql",
    [
        "status WAS Done",
        "status CHANGED AFTER -1d",
        "assignee in membersOf(devs)",
        "filter = 10000",
        "fixVersion < 3",
        "project = NOWHERE AND status WAS Done",
    ],
)
def test_what_only_the_emulator_lacks_is_never_ignored(jql: str, issue: Build, context: Context) -> None:
    with pytest.raises(JqlError):
        matches(parse(jql), issue(**FULL), context)


def test_history_and_group_searches_are_named_as_not_emulated(context: Context) -> None:
    with pytest.raises(Unsupported, match="'WAS NOT' is not emulated"):
        check(parse("status WAS NOT Done"), context)
    with pytest.raises(Unsupported, match=r"'membersOf\(\)' is not emulated"):
        check(parse("assignee in membersOf(devs)"), context)


def test_dates_without_a_zone_are_read_in_the_askers(issue: Build, context: Context) -> None:
    tokyo = replace(context, now=context.now.astimezone(timezone(timedelta(hours=9))))
    assert matches(parse('created = "2024-01-31 19:00"'), issue(**FULL), tokyo)


def test_ascending_order_has_empty_last_and_descending_first(issue: Build, context: Context) -> None:
    issues = [issue("A-1"), issue("A-2", duedate="2024-02-02"), issue("A-3", duedate="2024-02-01")]
    assert _keys(ordering(parse("order by due"), issues, context)) == ["A-3", "A-2", "A-1"]
    assert _keys(ordering(parse("order by due desc"), issues, context)) == ["A-1", "A-2", "A-3"]


def test_keys_are_ordered_by_number_and_priorities_by_rank(issue: Build, context: Context) -> None:
    issues = [issue("A-10", priority={"name": "Low"}), issue("A-9", priority={"name": "Highest"})]
    assert _keys(ordering(parse("order by key"), issues, context)) == ["A-9", "A-10"]
    assert _keys(ordering(parse("order by priority asc"), issues, context)) == ["A-10", "A-9"]


def test_select_filters_and_orders(issue: Build, context: Context) -> None:
    issues = [issue("A-2"), issue("B-1"), issue("A-1")]
    assert _keys(select(parse("project = A order by key"), issues, context)) == ["A-1", "A-2"]


def test_the_fields_of_a_query_are_named_once_from_both_parts() -> None:
    query = parse("Status = a AND (status WAS b OR NOT cf[10001] = 1) ORDER BY Created")
    assert fields_named(query) == {"status", "cf[10001]", "created"}


def test_only_a_restriction_bounds_a_query() -> None:
    assert is_bounded(parse("updated > -1d order by key"))
    assert not is_bounded(parse("order by key"))
    assert not is_bounded(parse(""))


# --- laws -------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
LABELS = st.lists(NAMES, unique=True)
STAMPS = st.integers(-100, 100)
DATED = st.builds(
    Clause,
    st.just("created"),
    st.sampled_from(["<", "<=", ">", ">=", "=", "!="]),
    STAMPS.map(lambda hours: Value(f"{hours}h")),
)
LABELLED = st.builds(Clause, st.just("labels"), st.sampled_from(["=", "!="]), st.builds(Value, NAMES))
LEAVES: st.SearchStrategy[Node] = DATED | LABELLED
NODES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner) | st.builds(And, st.tuples(inner, inner)) | st.builds(Or, st.tuples(inner, inner))
    ),
    max_leaves=5,
)


def _holds(node: Node, context: Context, build: Build, labels: list[str], hours: int) -> bool:
    created = format_time(context.now + timedelta(hours=hours))
    return matches(Query(node), build(labels=labels, created=created), context)


@given(node=NODES, labels=LABELS.filter(bool), hours=STAMPS)
def test_not_is_the_contrary_where_no_field_is_empty(
    node: Node, labels: list[str], hours: int, context: Context, issue: Build
) -> None:
    assert _holds(Not(node), context, issue, labels, hours) != _holds(node, context, issue, labels, hours)


@given(node=NODES, labels=LABELS, hours=STAMPS)
def test_not_twice_is_nothing(node: Node, labels: list[str], hours: int, context: Context, issue: Build) -> None:
    assert _holds(Not(Not(node)), context, issue, labels, hours) == _holds(node, context, issue, labels, hours)


@given(left=NODES, right=NODES, labels=LABELS, hours=STAMPS)
def test_de_morgans_laws_hold(
    left: Node, right: Node, labels: list[str], hours: int, context: Context, issue: Build
) -> None:
    pairs: list[tuple[Node, Node]] = [
        (Not(And((left, right))), Or((Not(left), Not(right)))),
        (Not(Or((left, right))), And((Not(left), Not(right)))),
    ]
    for one, other in pairs:
        assert _holds(one, context, issue, labels, hours) == _holds(other, context, issue, labels, hours)


@given(names=st.lists(NAMES.map(Value) | st.just(Empty()), min_size=2, max_size=4), labels=LABELS)
def test_in_is_any_of_equals_and_not_in_its_negation(
    names: list[Value | Empty], labels: list[str], context: Context, issue: Build
) -> None:
    listed = Clause("labels", "in", Values(tuple(names)))
    alternatives = Or(tuple(Clause("labels", "=", name) for name in names))
    assert _holds(listed, context, issue, labels, 0) == _holds(alternatives, context, issue, labels, 0)
    outside = Clause("labels", "not in", Values(tuple(names)))
    assert _holds(Not(listed), context, issue, labels, 0) == _holds(outside, context, issue, labels, 0)


@given(summaries=st.lists(NAMES), descending=st.booleans())
def test_ordering_is_stable(summaries: list[str], descending: bool, context: Context, issue: Build) -> None:
    issues = [issue(f"A-{number}", summary=summary) for number, summary in enumerate(summaries, 1)]
    ordered = ordering(parse("order by summary" + (" desc" if descending else "")), issues, context)
    assert sorted(_keys(ordered)) == sorted(_keys(issues))
    for name in "abc":
        of_name = [key for key, summary in zip(_keys(issues), summaries, strict=True) if summary == name]
        assert [key for key in _keys(ordered) if key in of_name] == of_name


def _keys(issues: list[Issue]) -> list[str]:
    return [str(each["key"]) for each in issues]
