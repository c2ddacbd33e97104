from __future__ import annotations

import pytest

from durable_replay.errors import UsageError
from durable_replay.http import Headers
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.rules import DEFAULT, Rule, Rules

KEY = b"0123456789abcdef"


def test_a_rule_of_the_users_is_applied_beside_the_default_ones() -> None:
    rules = DEFAULT.with_(
        Rule("tenant", "header", frozenset({"X-Tenant"})), Rule("ssn", "text", pattern=r"\d{3}-\d{4}")
    )
    shown = Redactor(KEY, rules).headers(Headers([("x-tenant", "acme"), ("note", "call 555-1234"), ("x-api-key", "k")]))
    assert "acme" not in str(shown) and "555-1234" not in str(shown) and ("x-api-key", "k") not in shown.fields


def test_a_default_rule_is_taken_off_by_its_name() -> None:
    headers = Headers([("Cookie", "theme=dark"), ("X-Api-Key", "abc")])
    shown = Redactor(KEY, DEFAULT.without("cookies")).headers(headers)
    assert shown.get("cookie") == "theme=dark" and shown.get("x-api-key") != "abc"


def test_taking_off_a_rule_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(UsageError, match=r"no redaction rule is called 'jwts'.*jwt"):
        DEFAULT.without("jwts")


@pytest.mark.parametrize("pattern", ["(", "", "x*"])
def test_a_text_rule_that_cannot_work_is_refused_by_name(pattern: str) -> None:
    with pytest.raises(UsageError, match="'mine'"):
        Rule("mine", "text", pattern=pattern)


def test_a_named_rule_without_names_is_refused() -> None:
    with pytest.raises(UsageError, match="needs names"):
        Rule("mine", "header")


@pytest.mark.parametrize(
    "hint", ["~tok[+-/]", "~^tok", "~tok$", r"~tok\x2c", r"~tok\s", r"~tok\,", "~tok[!-~]x", "~tok.", "a,b"]
)
def test_a_hint_that_may_reach_over_a_comma_keeps_texts_whole(hint: str) -> None:
    assert not Rules([Rule("mine", "text", pattern="tok.*", hint=hint)]).stay_between(",")


@pytest.mark.parametrize("hint", [r"~\.[\w-]{6}\.", r"~\btok\d", "~[12]/", "i~tok|key="])
def test_a_hint_of_words_and_plain_signs_stays_between_commas(hint: str) -> None:
    assert Rules([Rule("mine", "text", pattern="tok.*", hint=hint)]).stay_between(",")
    assert DEFAULT.stay_between(",") and DEFAULT.stay_between("\n")
