import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_jira.errors import JqlError
from durable_jira.jql import (
    MAX_DEPTH,
    And,
    Call,
    Clause,
    Empty,
    History,
    Node,
    Not,
    Operator,
    Or,
    Predicate,
    Query,
    Sort,
    Value,
    Values,
    parse,
    unparse,
)

SINGLES = st.one_of(
    st.builds(Value, st.text(max_size=8)),
    st.just(Empty()),
    st.builds(Call, st.text(max_size=5), st.lists(st.text(max_size=4), max_size=2).map(tuple)),
)
LISTS = st.lists(SINGLES, min_size=1, max_size=3).map(lambda items: Values(tuple(items)))
OPERANDS = SINGLES | LISTS
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in", "not in", "is", "is not"])
FIELDS = st.text(max_size=6) | st.integers(0, 99999).map(lambda number: f"cf[{number}]")
PREDICATES = st.lists(st.builds(Predicate, st.sampled_from(["after", "by", "from", "during"]), OPERANDS), max_size=2)
HISTORIES = st.builds(
    History, FIELDS, st.sampled_from(["was", "was not", "was in", "was not in"]), OPERANDS, PREDICATES.map(tuple)
) | st.builds(History, FIELDS, st.just("changed"), st.none(), PREDICATES.map(tuple))


def _compound(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(Not, inner) | st.builds(And, several) | st.builds(Or, several)


NODES: st.SearchStrategy[Node] = st.recursive(
    st.builds(Clause, FIELDS, OPERATORS, OPERANDS) | HISTORIES, _compound, max_leaves=6
)
SORTS = st.lists(st.builds(Sort, FIELDS, st.none() | st.booleans()), max_size=3).map(tuple)


@given(st.builds(Query, st.none() | NODES, SORTS))
def test_every_query_is_read_back_as_it_was_written(query: Query) -> None:
    assert parse(unparse(query)) == query


@given(st.text(alphabet="ab =!~<>()\"'\\,[]andorin&|@1-", max_size=30))
def test_any_text_is_a_query_or_a_jira_error(written: str) -> None:
    try:
        query = parse(written)
    except JqlError as error:
        assert str(error).startswith("Error in")
    else:
        assert parse(unparse(query)) == query


@pytest.mark.parametrize(
    ("written", "operator"),
    [
        ("a=1", "="),
        ("a != 1", "!="),
        ("a>=1", ">="),
        ("a !~ x", "!~"),
        ("a NOT In (1)", "not in"),
        ("a Is Not 1", "is not"),
    ],
)
def test_operators_are_read_in_any_case_and_spacing(written: str, operator: Operator) -> None:
    where = parse(written).where
    assert isinstance(where, Clause)
    assert where.operator == operator


def test_symbols_and_words_connect_alike() -> None:
    assert parse("!a=1 && b=2 || c=3") == parse("NOT a = 1 AND b = 2 OR c = 3")


def test_and_binds_closer_than_or() -> None:
    assert parse("a=1 OR b=2 AND c=3") == parse("a=1 OR (b=2 AND c=3)")


def test_quotes_of_both_kinds_and_escapes_are_read() -> None:
    assert parse(r""""Epic Link" = 'it\'s \u0040 "x"'""").where == Clause("Epic Link", "=", Value('it\'s @ "x"'))


def test_words_that_begin_like_keywords_are_words() -> None:
    assert parse("island in (organ, not-yet, inn)").where == Clause(
        "island", "in", Values((Value("organ"), Value("not-yet"), Value("inn")))
    )


def test_order_says_its_direction_or_leaves_it_open() -> None:
    assert parse("order by a, cf[1] desc, c ASC").order == (Sort("a"), Sort("cf[1]", True), Sort("c", False))


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("a = 1 AND", "Error in the JQL Query: Expecting a field name at the end of the query."),
        ("a =", "Error in JQL Query: Expecting either a value, list or function before the end of the query."),
        (
            "project = LAUNCH AND status = = Done",
            "Error in JQL Query: Expecting either a value, list or function but got '='. You must surround '=' in "
            "quotation marks to use it as a value. (line 1, character 31)",
        ),
        (
            "project = LAUNCH status",
            "Error in the JQL Query: Expecting either 'OR' or 'AND' but got 'status'. (line 1, character 18)",
        ),
        ("a = 1 AND (b = 2", "Error in the JQL Query: Expecting ')' before the end of the query."),
        (
            'summary ~ "unclosed',
            "Error in the JQL Query: The quoted string 'unclosed' has not been completed. (line 1, character 11)",
        ),
        (
            "invalid query",
            "Error in the JQL Query: Expecting operator but got 'query'. The valid operators are '=', '!=', '<', '>', "
            "'<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'. (line 1, character 9)",
        ),
        (
            "a = me@x",
            "Error in the JQL Query: The character '@' is a reserved JQL character. You must enclose it in a string or "
            r"use the escape '\u0040' instead. (line 1, character 7)",
        ),
        (
            "labels\n= SET",
            "Error in the JQL Query: 'SET' is a reserved JQL word. You must surround it in quotation marks to use it "
            "in a query. (line 2, character 3)",
        ),
    ],
)
def test_a_query_that_cannot_be_read_is_refused_in_jiras_words(written: str, sentence: str) -> None:
    with pytest.raises(JqlError) as caught:
        parse(written)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("written", ["NOT " * (MAX_DEPTH + 1) + "a = 1", "a = " + "x" * 100_001])
def test_a_query_beyond_the_limits_is_refused(written: str) -> None:
    with pytest.raises(JqlError, match="the emulator's limit"):
        parse(written)


def test_brackets_a_thousand_deep_do_no_harm() -> None:
    assert parse("(" * 1000 + "a = 1" + ")" * 1000) == parse("a = 1")


def _recordings() -> Path:
    shared = os.environ.get("DURABLE_SHARED")
    return (Path(shared) if shared else Path(__file__).parents[4] / "shared") / "recordings" / "jira"


def _found(value: object) -> Iterator[str]:
    """Every JQL text inside a recording: members named ``jql``, queries of URLs, and bodies that are JSON texts."""
    if isinstance(value, dict):
        if isinstance(value.get("jql"), str):
            yield value["jql"]
        for each in value.values():
            yield from _found(each)
    elif isinstance(value, list):
        for each in value:
            yield from _found(each)
    elif isinstance(value, str) and "jql" in value:
        yield from parse_qs(urlsplit(value).query).get("jql", []) if value.startswith("http") else _in_text(value)


def _in_text(value: str) -> Iterator[str]:
    try:
        loaded = json.loads(value)
    except ValueError:
        return
    if not isinstance(loaded, str):
        yield from _found(loaded)


def test_every_query_seen_in_real_traffic_is_read() -> None:
    folder = _recordings()
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set DURABLE_SHARED")
    yaml = pytest.importorskip("yaml")
    seen: set[str] = set()
    for path in folder.rglob("*"):
        written = path.read_text("utf-8", errors="replace") if path.is_file() else ""
        if "jql" not in written:
            continue
        if path.suffix in (".har", ".json"):
            seen.update(_found(json.loads(written)))
        elif path.suffix in (".yaml", ".yml"):
            seen.update(_found(yaml.load(written, getattr(yaml, "CSafeLoader", yaml.SafeLoader))))
    assert len(seen) >= 5
    for jql in seen:
        assert parse(jql).where is not None
