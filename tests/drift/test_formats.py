"""Values that name nothing lasting, told from those that do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.drift.documents import Node
from durable_replay.drift.formats import same_but_volatile
from durable_replay.redaction.placeholders import Keyed

UUIDS = ("3fa85f64-5717-4562-b3fc-2c963f66afa6", "0b0e6f0c-9d0e-4a38-8f3f-1f0a3a1b2c3d")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("status", "active", "archived"),
        ("maxResults", 50, 20),
        ("startAt", 0, 50),
        ("total", 5, 6),
        ("apiVersion", "1.2", "2.0"),
        ("apiVersion", "2023-01-01", "2024-01-01"),
        ("schemaVersion", 1, 2),
        ("version", "1.0.0", "2.0.0"),
        ("currency", "USD", "EUR"),
        ("self", "https://x.example/v1/a", "https://x.example/v2/a"),
        ("self", "https://x.example/rest/api/2/issue/1", "https://x.example/rest/api/3/issue/1"),
        ("self", "https://x.example/a", "https://y.example/a"),
        ("self", "http://x.example/a/1", "https://x.example/a/1"),
        ("self", "https://x.example/a/1", "https://x.example/b/1"),
        ("self", "https://x.example/a/1", "https://x.example/a/1/2"),
        ("next", "https://x.example/a?page=2", "https://x.example/a?page=3"),
        ("next", "https://x.example/a?id=2", "https://x.example/a?ids=2"),
        ("self", "http://[bad/1", "http://[bad/2"),
        ("id", "low", "high"),
        ("region_id", "us-east-1", "us-west-2"),
        ("size", 1_200_000_000, 1_300_000_000),
        ("expires_in", 3600, 7200),
        ("created", "0001-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("created", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00"),
        ("message", "got 50 items", "got 20 items"),
        ("text", "hello big world", "hello small world"),
        ("name", "vm-1", "vm-2"),
        ("price", 1.5, 2.5),
        ("token_type", "bearer", "mac"),
        ("token", "bearer", "basic"),
        ("email", "a@b.example", "c@d.example"),
        ("enabled", "true", "false"),
        ("enabled", True, False),
        ("id", True, 2),
        ("id", 5, "5"),
        ("id", 5, None),
        ("id", 5, 5.5),
        ("id", "", "7"),
        ("maxMem", 5, 6),
    ],
)
def test_a_difference_that_a_client_may_rely_on_is_real(name: str, before: Node, after: Node) -> None:
    assert same_but_volatile(name, before, after) == ""


@pytest.mark.parametrize(
    ("name", "before", "after", "reason"),
    [
        ("anything", *UUIDS, "uuid"),
        ("created", "2024-01-01T00:00:00Z", "2024-02-01T00:00:00.123Z", "date-time:Z"),
        ("date", "2024-01-01", "2024-02-01", "date"),
        ("d", "Wed, 01 May 2024 10:00:00 GMT", "Thu, 02 May 2024 10:00:00 GMT", "date-time:http"),
        ("id", 1, 2, "id"),
        ("issueId", "10", "11", "id"),
        ("issue_id", 10, 11, "id"),
        ("VMID", 100, 101, "id"),
        ("key", "P-7", "P-8", "id"),
        ("key", "ABC-1", "XYZ-9", "id"),
        ("Id", "001D000000IqhSLIAZ", "001D000000JqhSMIA0", "id"),
        ("id", "dQw4w9WgXcQ", "bMhqPlTsXcQ", "id"),
        ("request_id", "req_abc123xyz9", "req_k2j3h4k5jj", "id"),
        ("ETag", f'"{"d4" * 16}"', f'"{"d5" * 16}"', "etag"),
        ("etag", "abc1", "abc2", "token"),
        ("nonce", "x7f9", "aa", "token"),
        ("nextPageToken", "CAUQAA", "CAoQAA", "token"),
        ("version", 3, 4, "counter"),
        ("resourceVersion", "100", "101", "counter"),
        ("viewCount", "100", "102", "counter"),
        ("took", 5, 7, "measure"),
        ("uptime", 5.1, 7.2, "measure"),
        ("exp", 1_700_000_000, 1_710_000_000, "epoch"),
        ("when", 1_700_000_000.25, 1_710_000_000.5, "epoch"),
        ("x", 1_700_000_000_123, 1_710_000_000_456, "epoch"),
        ("mtime", "1700000000", "1710000000", "epoch"),
        ("self", "https://x.example/rest/api/2/issue/10001", "https://x.example/rest/api/2/issue/10002", "uri"),
        ("self", "https://x.example/i/P-7", "https://x.example/i/P-8", "uri"),
        ("self", f"https://x.example/{UUIDS[0]}", f"https://x.example/{UUIDS[1]}", "uri"),
        (
            "url",
            "https://x.example/a?X-Amz-Signature=ab12&X-Amz-Date=20240101T000000Z",
            "https://x.example/a?X-Amz-Date=20240102T000000Z&X-Amz-Signature=cd12",
            "uri",
        ),
        ("self", "http://127.0.0.1:12345/a", "http://127.0.0.1:23456/a", "uri"),
        ("path", "/users/17", "/users/18", "path"),
        (
            "message",
            f"{UUIDS[0]} failed at 2024-01-01T00:00:00Z.",
            f"{UUIDS[1]} failed at 2024-01-02T00:00:00Z.",
            "text",
        ),
        ("message", "Order 1234567 is done", "Order 1234568 is done", "text"),
        ("message", "See P-7, please", "See P-8, please", "text"),
        ("name", f"bucket-{UUIDS[0]}", f"bucket-{UUIDS[1]}", "text"),
    ],
)
def test_a_difference_that_names_nothing_lasting_has_its_reason(
    name: str, before: Node, after: Node, reason: str
) -> None:
    assert same_but_volatile(name, before, after) == reason
    assert same_but_volatile(name, after, before) == reason


@pytest.mark.parametrize("secret", ["hunter2-and-more", "person@corp.example", "203.0.113.9", "AKIAIOSFODNN7EXAMPLE"])
def test_placeholders_of_two_redactions_are_the_same_secret(secret: str) -> None:
    ones, others = Keyed(b"k" * 16), Keyed(b"l" * 16)
    replaced = ("person" if "@" in secret or secret[0] == "2" else "of",)
    before, after = (getattr(keyed, replaced[0])(secret) for keyed in (ones, others))
    assert before != after
    assert same_but_volatile("anything", before, after) == "placeholder"
    assert same_but_volatile("anything", f"for {before} only", f"for {after} only") == "placeholder"


def test_a_text_around_a_placeholder_still_counts() -> None:
    one, other = Keyed(b"k" * 16).of("hunter2-and-more"), Keyed(b"l" * 16).of("hunter2-and-more")
    assert same_but_volatile("authorization", f"Bearer {one}", f"Basic {other}") == ""


VALUES = st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none())


@given(st.text(), VALUES, VALUES)
def test_no_value_is_too_odd_to_judge(name: str, before: Node, after: Node) -> None:
    assert isinstance(same_but_volatile(name, before, after), str)


def test_a_namespace_is_never_volatile_and_fractions_of_a_second_are_no_other_time() -> None:
    before, after = ("http://api.test/doc/2013-10-15/", "http://api.test/doc/2016-11-15/")
    assert same_but_volatile("@xmlns", before, after) == ""
    assert same_but_volatile("at", "2026-01-31T10:00:00Z", "2026-01-31T10:00:01.5Z")
