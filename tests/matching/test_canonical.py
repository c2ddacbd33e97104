"""Requests that are the same have one key, and requests that are not have different ones."""

from __future__ import annotations

import json
import random
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.http import BytesBody, Headers, Request
from durable_replay.matching.canonical import canonical
from durable_replay.matching.defaults import DEFAULT
from durable_replay.matching.pattern import NOTHING, Significance, header, query

Ask = Callable[..., Request]
WORDS = st.text(min_size=1, max_size=8)
PAIRS = st.lists(st.tuples(WORDS, st.text(max_size=8)), min_size=1, max_size=5)
TOKENS = st.text(st.sampled_from("abcdef0123456789"), min_size=1, max_size=16)

INSIGNIFICANT = [
    *("Authorization", "Cookie", "Date", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"),
    *("Traceparent", "X-Request-Id", "X-Amzn-Trace-Id", "X-B3-TraceId", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request"),
    *("User-Agent", "Accept-Encoding", "Connection", "Proxy-Authorization", "Content-Length", "Te"),
]


def key(request: Request, same: Significance = DEFAULT) -> bytes:
    return canonical(request, same).key


def url(pairs: list[tuple[str, str]]) -> str:
    return "/v1/app?" + urllib.parse.urlencode(pairs)


def by_name(pairs: list[tuple[str, str]], seed: int) -> list[tuple[str, str]]:
    """Another order of the names, in which those that repeat keep theirs."""
    names = list(dict.fromkeys(name for name, _ in pairs))
    random.Random(seed).shuffle(names)
    return [pair for name in names for pair in pairs if pair[0] == name]


@given(PAIRS, st.integers())
def test_the_order_of_query_names_does_not_count(ask: Ask, pairs: list[tuple[str, str]], seed: int) -> None:
    assert key(ask("GET", url(pairs))) == key(ask("GET", url(by_name(pairs, seed))))


@given(PAIRS, st.integers(min_value=0), WORDS)
def test_every_query_value_counts(ask: Ask, pairs: list[tuple[str, str]], index: int, more: str) -> None:
    at = index % len(pairs)
    changed = [*pairs[:at], (pairs[at][0], pairs[at][1] + more), *pairs[at + 1 :]]
    assert key(ask("GET", url(pairs))) != key(ask("GET", url(changed)))


def test_the_order_of_a_repeated_query_name_counts(ask: Ask) -> None:
    assert key(ask("GET", "/?a=1&a=2")) != key(ask("GET", "/?a=2&a=1"))


@given(st.lists(st.tuples(st.sampled_from(INSIGNIFICANT), TOKENS), max_size=8), st.integers())
def test_credentials_dates_ids_and_the_order_and_case_of_headers_do_not_count(
    ask: Ask, fields: list[tuple[str, str]], seed: int
) -> None:
    plain = ask("GET", headers=[("Range", "bytes=0-9"), ("If-Match", '"x"')])
    mixed = [("RANGE", "bytes=0-9"), ("if-match", '"x" '), *fields]
    random.Random(seed).shuffle(mixed)
    assert key(plain) == key(ask("GET", headers=mixed))


@pytest.mark.parametrize(
    "name",
    [
        "Range",
        "If-Match",
        "If-None-Match",
        "If-Modified-Since",
        "If-Unmodified-Since",
        "If-Range",
        "X-Http-Method-Override",
    ],
)
def test_a_header_that_changes_the_answer_counts(ask: Ask, name: str) -> None:
    keys = {key(ask()), key(ask(headers=[(name, "a")])), key(ask(headers=[(name, "b")]))}
    assert len(keys) == 3


def test_method_path_host_and_port_count_and_the_scheme_does_not(ask: Ask) -> None:
    different = [
        ask("GET", "/a"),
        ask("HEAD", "/a"),
        ask("GET", "/a/"),
        ask("GET", "/a", host="b.example.com"),
        ask("GET", "/a", scheme="http", port=80),
    ]
    assert len({key(request) for request in different}) == len(different)
    assert key(ask("GET", "/a")) == key(ask("GET", "/a", scheme="http", port=443))


def test_a_websocket_handshake_is_no_get(ask: Ask) -> None:
    assert key(ask("GET", "/a", scheme="wss")) != key(ask("GET", "/a"))
    assert canonical(ask("GET", "/a", scheme="wss"), DEFAULT).method == "WEBSOCKET"


def test_escapes_that_mean_the_same_are_the_same_and_an_escaped_slash_is_no_slash(ask: Ask) -> None:
    assert key(ask("GET", "/%7euser/%2fx")) == key(ask("GET", "/~user/%2Fx"))
    assert key(ask("GET", "/a%2Fb")) != key(ask("GET", "/a/b"))


def test_bytes_that_are_no_utf8_stay_different(ask: Ask) -> None:
    assert key(ask("GET", "/?a=%ff")) != key(ask("GET", "/?a=%fe"))


@given(TOKENS, TOKENS, TOKENS)
def test_a_presigned_url_signed_again_is_the_same(ask: Ask, date: str, signature: str, token: str) -> None:
    four = (
        f"/photos/cat.jpg?versionId=7&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={token}&X-Amz-Date={date}"
        f"&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}&X-Amz-Security-Token={token}"
    )
    two = f"/photos/cat.jpg?AWSAccessKeyId={token}&versionId=7&Signature={signature}&Expires={date}"
    assert key(ask("GET", four)) == key(ask("GET", two)) == key(ask("GET", "/photos/cat.jpg?versionId=7"))
    assert key(ask("GET", four.replace("versionId=7", "versionId=8"))) != key(ask("GET", four))


def test_signature_and_expires_count_where_no_access_key_stands_beside_them(ask: Ask) -> None:
    assert key(ask("GET", "/?Expires=1")) != key(ask("GET", "/?Expires=2"))


def test_no_credential_is_in_the_canonical_request(ask: Ask) -> None:
    request = ask(
        "POST",
        "/?access_token=hunter2&X-Amz-Signature=hunter2",
        json.dumps({"user": "u", "login": [{"password": "hunter2"}]}).encode(),
        "application/json",
        [("Authorization", "hunter2"), ("Cookie", "s=hunter2")],
    )
    found = canonical(request, DEFAULT)
    assert "hunter2" not in repr(found) + json.dumps(found.body.value)
    assert "login" in json.dumps(found.body.value)


def test_an_operation_stands_for_the_path_and_the_tenant_for_the_host(ask: Ask) -> None:
    one = ask("GET", "/photos/cat.jpg", host="s3.amazonaws.com")
    other = ask("GET", "/cat.jpg", host="photos.s3.amazonaws.com")
    parameters = {"Bucket": "photos", "Key": "cat.jpg"}
    shuffled = {"Key": "cat.jpg", "Bucket": "photos"}
    first = canonical(one, DEFAULT, operation="get_object", parameters=parameters, tenant="aws")
    assert first == canonical(other, DEFAULT, operation="get_object", parameters=shuffled, tenant="aws")
    assert (first.host, first.path, first.operation) == ("aws", "", "get_object")
    changed = [
        canonical(one, DEFAULT, operation="head_object", parameters=parameters, tenant="aws"),
        canonical(one, DEFAULT, operation="get_object", parameters=parameters, tenant="gcs"),
        canonical(one, DEFAULT, operation="get_object", parameters={**parameters, "Key": "dog.jpg"}, tenant="aws"),
    ]
    assert first.key not in {one.key for one in changed}


def test_parts_that_run_into_each_other_stay_apart(ask: Ask) -> None:
    keys = {
        key(ask("GET", target)) for target in ("/a?b=c", "/a?b%3Dc", "/a%3Fb=c", "/a?b=&c=", "/a?b='%2C'c", "/a?b%26c")
    }
    assert len(keys) == 6


def test_nothing_counts_where_nothing_is_counted(ask: Ask) -> None:
    assert key(ask("GET", "/a?b=c"), NOTHING) == key(ask("PUT", "/b", b"x", headers=[("Range", "x")]), NOTHING)


def test_a_setting_adds_and_takes_away_by_name(ask: Ask) -> None:
    same = DEFAULT & ~query("nonce") & header("accept-language")
    assert key(ask("GET", "/?Nonce=1"), same) == key(ask("GET", "/?Nonce=2"), same)
    assert key(ask(headers=[("Accept-Language", "de")]), same) != key(ask(headers=[("Accept-Language", "en")]), same)


def test_one_query_name_can_be_all_that_counts(ask: Ask) -> None:
    assert key(ask("GET", "/?a=1&b=1"), query("a")) == key(ask("PUT", "/x?a=1&b=2"), query("a"))
    assert key(ask("GET", "/?a=1"), query("a")) != key(ask("GET", "/?a=2"), query("a"))


def test_a_mask_makes_a_live_secret_equal_to_its_placeholder(ask: Ask) -> None:
    def mask(text: str) -> str:
        return text.replace("hunter2", "<secret>")

    def masked(secret: str) -> bytes:
        found = canonical(
            ask(
                "POST",
                f"/hooks/{secret}?key={secret}",
                json.dumps({"deep": [secret]}).encode(),
                "application/json",
                [("X-Key", secret)],
            ),
            DEFAULT & header("x-key"),
            mask=mask,
        )
        return found.key

    assert masked("hunter2") == masked("<secret>") != masked("hunter3")


def test_a_key_is_the_same_on_every_machine_for_all_time(ask: Ask) -> None:
    request = ask(
        "POST", "/v1/app?b=2&a=\xe9", b'{"b": 1, "a": "\xc3\xa9"}', "application/json", [("Range", "bytes=0-")]
    )
    assert key(request).hex() == "efba630f7fbc50926b68bb149ed7f16c"


@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 + 1])
def test_a_change_in_the_last_byte_of_a_large_body_counts(ask: Ask, size: int) -> None:
    one, other = b"a" * size, b"a" * (size - 1) + b"b"
    assert key(ask("PUT", "/x", one)) == key(ask("PUT", "/x", bytes(one)))
    assert key(ask("PUT", "/x", one)) != key(ask("PUT", "/x", other))


def test_a_request_with_an_empty_body_is_one_without(ask: Ask) -> None:
    assert key(ask("POST", "/x", b"", "application/json")) == key(ask("POST", "/x"))
    assert key(Request("GET", "https", "h", 443, "/", Headers(), BytesBody(b""))) == key(
        Request("GET", "https", "h", 443, "/")
    )
