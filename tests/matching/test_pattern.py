"""The algebra of patterns: its laws, its text, and what it refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.errors import UsageError
from durable_replay.matching import pattern
from durable_replay.matching.defaults import DEFAULT
from durable_replay.matching.pattern import (
    ALWAYS,
    NEVER,
    NOTHING,
    Address,
    Condition,
    Significance,
    body,
    content,
    glob_matches,
    header,
    host,
    method,
    on_host,
    on_method,
    on_operation,
    on_path,
    parse_term,
    path,
    query,
)
from durable_replay.matching.rules import rules_of

NAMES = st.sampled_from(["nonce", "page", "x-trace", "x-*"])
TERMS = st.one_of(
    st.sampled_from([method, host, path, query, body, content]),
    NAMES.map(query),
    NAMES.map(header),
    NAMES.map(lambda name: body(f"$.{name}")),
)
SIGNIFICANCES = st.recursive(
    TERMS | st.just(NOTHING),
    lambda inner: st.tuples(inner, inner).map(lambda two: two[0] & two[1]) | inner.map(lambda one: ~one),
)
PLAIN = st.one_of(
    st.sampled_from(["GET", "post"]).map(on_method),
    st.sampled_from(["*.atlassian.net", "api.*"]).map(on_host),
    st.sampled_from(["/rest/*", "/v1"]).map(on_path),
    st.sampled_from(["search", "s*"]).map(on_operation),
    st.sampled_from([ALWAYS, NEVER]),
)
CONDITIONS = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
        inner.map(lambda one: ~one),
    ),
    max_leaves=8,
)
ADDRESSES = st.builds(
    Address,
    method=st.sampled_from(["GET", "POST"]),
    host=st.sampled_from(["a.atlassian.net", "api.example.com"]),
    path=st.sampled_from(["/rest/api/2", "/v1"]),
    operation=st.sampled_from(["search", "show", ""]),
)
WORDS = {name: getattr(pattern, name) for name in pattern.__all__}


@given(SIGNIFICANCES, SIGNIFICANCES, SIGNIFICANCES)
def test_joining_parts_knows_no_order_no_grouping_and_no_repetition(
    a: Significance, b: Significance, c: Significance
) -> None:
    assert a & b == b & a
    assert (a & b) & c == a & (b & c)
    assert a & a == a
    assert a & NOTHING == a


@given(SIGNIFICANCES, SIGNIFICANCES)
def test_taking_away_twice_gives_back_and_goes_into_a_join(a: Significance, b: Significance) -> None:
    assert ~~a == a
    assert ~(a & b) == ~a & ~b


@given(SIGNIFICANCES, NAMES)
def test_a_part_taken_away_never_counts_whatever_else_is_said(a: Significance, name: str) -> None:
    rules = rules_of(a & ~query(name) & query(name) & ~header(name) & header(name) & ~method & method)
    assert not rules.counts_query(name)
    assert not rules.counts_header(name)
    assert not rules.method


@given(SIGNIFICANCES)
def test_a_significance_prints_as_the_words_that_make_it(a: Significance) -> None:
    assert eval(repr(a), dict(WORDS)) == a


@given(CONDITIONS)
def test_a_condition_prints_as_the_words_that_make_it(a: Condition) -> None:
    assert eval(repr(a), dict(WORDS)) == a


@given(CONDITIONS, CONDITIONS, ADDRESSES)
def test_conditions_mean_what_their_operators_say(a: Condition, b: Condition, address: Address) -> None:
    assert (a & b).matches(address) == (a.matches(address) and b.matches(address))
    assert (a | b).matches(address) == (a.matches(address) or b.matches(address))
    assert (~a).matches(address) != a.matches(address)
    assert (~(a & b)).matches(address) == (~a | ~b).matches(address)


@given(CONDITIONS, CONDITIONS, CONDITIONS)
def test_conditions_know_no_order_no_grouping_and_no_repetition(a: Condition, b: Condition, c: Condition) -> None:
    assert a & b == b & a
    assert a | b == b | a
    assert (a & b) & c == a & (b & c)
    assert (a | b) | c == a | (b | c)
    assert a & a == a
    assert a | a == a
    assert ~~a == a
    assert a & ALWAYS == a
    assert a | NEVER == a


def test_a_pattern_reads_as_a_sentence() -> None:
    assert (
        repr(method & host & ~header("Date") & ~query("nonce")) == "host & method & ~header('date') & ~query('nonce')"
    )
    assert repr((on_method("post") | on_host("A.com")) & ~on_path("/x")) == (
        "(on_host('a.com') | on_method('POST')) & ~on_path('/x')"
    )
    assert repr(~(on_method("GET") & on_path("/x"))) == "~(on_method('GET') & on_path('/x'))"
    assert repr(ALWAYS) == "ALWAYS"
    assert repr(NOTHING) == "NOTHING"


def test_hosts_and_methods_fit_without_case_and_paths_with_it() -> None:
    address = Address(method="post", host="Team.Atlassian.NET", path="/Rest/x")
    assert (on_method("POST") & on_host("*.atlassian.net")).matches(address)
    assert not on_path("/rest/*").matches(address)


def test_a_star_stands_for_slashes_too_and_brackets_for_themselves() -> None:
    assert glob_matches("/rest/*", "/rest/api/2/issue")
    assert glob_matches("/a[0]", "/a[0]")
    assert not glob_matches("/a[0]", "/a0")


def test_counting_again_undoes_what_was_taken_away() -> None:
    again = DEFAULT.counting(query("access_token"))
    assert not rules_of(DEFAULT).counts_query("access_token")
    assert rules_of(again).counts_query("access_token")


def test_a_name_with_a_star_stands_for_many() -> None:
    rules = rules_of(header("x-amz-meta-*") & ~header("x-amz-meta-trace"))
    assert rules.counts_header("x-amz-meta-color")
    assert not rules.counts_header("x-amz-meta-trace")
    assert not rules.counts_header("x-amz-date")


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("query", query),
        ("query.Nonce", query("nonce")),
        ("header.x-trace", header("x-trace")),
        ("body.$.a.requestId", body("$.a.requestId")),
    ],
)
def test_settings_write_a_term_with_a_dot(text: str, term: Significance) -> None:
    assert parse_term(text) == term


@pytest.mark.parametrize("text", ["", "cookie", "header", "query.", "path.x", "body.requestId", "body.$", "body.$.a["])
def test_a_misspelt_term_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_term(text)


def test_only_parts_with_names_can_be_narrowed_to_one() -> None:
    with pytest.raises(UsageError, match="has no names"):
        path("x")
    with pytest.raises(UsageError, match="names nothing"):
        query("")
