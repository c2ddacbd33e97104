"""Conditional reads, copies and writes, by recorded answers of AWS."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from durable_replay.http import Headers
from durable_s3.conditions import Verdict, check_copy_source, check_read, check_write
from durable_s3.errors import S3Fault

ETAG, MODIFIED, NOW = '"abc"', datetime(2026, 1, 2, 3, 4, 5, 600_000, UTC), datetime(2026, 2, 1, tzinfo=UTC)
BEFORE, SAME, AFTER = (f"Fri, 02 Jan 2026 03:04:{second} GMT" for second in ("04", "05", "06"))
FUTURE = "Fri, 01 Jan 2027 00:00:00 GMT"
SERVE, NOT_MODIFIED = Verdict.SERVE, Verdict.NOT_MODIFIED


def read(**conditions: str) -> Verdict:
    headers = Headers((name.replace("_", "-"), value) for name, value in conditions.items())
    return check_read(headers, ETAG, MODIFIED, NOW)


@pytest.mark.parametrize(
    ("conditions", "verdict"),
    [
        ({}, SERVE),
        ({"if_match": '"abc"'}, SERVE),
        ({"if_match": "abc"}, SERVE),
        ({"if_match": '"x", "abc"'}, SERVE),
        ({"if_match": "*"}, SERVE),
        ({"if_none_match": '"abc"'}, NOT_MODIFIED),
        ({"if_none_match": "abc"}, NOT_MODIFIED),
        ({"if_none_match": '"x"'}, SERVE),
        ({"if_modified_since": BEFORE}, SERVE),
        ({"if_modified_since": SAME}, NOT_MODIFIED),
        ({"if_modified_since": FUTURE}, SERVE),
        ({"if_modified_since": "yesterday"}, SERVE),
        ({"if_unmodified_since": "Fri, 31 Dec 9999 23:59:59 -2300"}, SERVE),
        ({"if_unmodified_since": SAME}, SERVE),
        ({"if_match": "abc", "if_unmodified_since": BEFORE}, SERVE),
        ({"if_none_match": '"x"', "if_modified_since": AFTER}, SERVE),
        ({"if_none_match": '"abc"', "if_modified_since": BEFORE}, NOT_MODIFIED),
    ],
)
def test_a_read_is_served_or_not_modified(conditions: dict[str, str], verdict: Verdict) -> None:
    assert read(**conditions) is verdict


@pytest.mark.parametrize(
    ("conditions", "condition"),
    [
        ({"if_match": '"x"'}, "If-Match"),
        ({"if_unmodified_since": BEFORE}, "If-Unmodified-Since"),
        ({"if_match": '"x"', "if_none_match": '"abc"'}, "If-Match"),
    ],
)
def test_a_failed_demand_names_its_condition(conditions: dict[str, str], condition: str) -> None:
    with pytest.raises(S3Fault) as caught:
        read(**conditions)
    assert (caught.value.status, caught.value.code) == (412, "PreconditionFailed")
    assert caught.value.details == {"Condition": condition}


@pytest.mark.parametrize(("name", "value"), [("if-match", "x"), ("if-none-match", "abc"), ("if-modified-since", AFTER)])
def test_every_failed_condition_on_a_copy_source_is_a_412(name: str, value: str) -> None:
    with pytest.raises(S3Fault) as caught:
        check_copy_source(Headers([(f"x-amz-copy-source-{name}", value)]), ETAG, MODIFIED, NOW)
    assert caught.value.code == "PreconditionFailed"
    assert str(caught.value.details["Condition"]).lower() == f"x-amz-copy-source-{name}"


def test_a_copy_source_as_wanted_passes() -> None:
    check_copy_source(Headers([("x-amz-copy-source-if-match", "abc"), ("if-match", "x")]), ETAG, MODIFIED, NOW)


@pytest.mark.parametrize(
    ("headers", "current", "code"),
    [
        ([("If-None-Match", "*")], None, ""),
        ([("If-None-Match", "*")], "abc", "PreconditionFailed"),
        ([("If-None-Match", '"abc"')], None, "NotImplemented"),
        ([("If-Match", '"abc"')], "abc", ""),
        ([("If-Match", "abc")], "abc", ""),
        ([("If-Match", "other")], "abc", "PreconditionFailed"),
        ([("If-Match", "abc")], None, "NoSuchKey"),
        ([("If-Match", "*")], "abc", "NotImplemented"),
        ([("If-Match", "abc"), ("If-None-Match", "*")], "abc", "NotImplemented"),
        ([], "abc", ""),
    ],
)
def test_a_conditional_write(headers: list[tuple[str, str]], current: str | None, code: str) -> None:
    found = ""
    try:
        check_write(Headers(headers), current, "k")
    except S3Fault as fault:
        found = fault.code
    assert found == code


def test_an_object_that_changed_during_an_upload_is_a_conflict() -> None:
    check_write(Headers(), "abc", "k", changed_meanwhile=True)
    with pytest.raises(S3Fault) as caught:
        check_write(Headers([("If-None-Match", "*")]), "abc", "k", changed_meanwhile=True)
    assert (caught.value.status, caught.value.code) == (409, "ConditionalRequestConflict")
    assert caught.value.details == {"Condition": "If-None-Match", "Key": "k"}
