"""Which headers matter, and what their values mean."""

from __future__ import annotations

import pytest

from durable_replay.drift.headers import fields_of, is_insignificant, is_relied_on, meaning, names_another_thing
from durable_replay.http import Headers


@pytest.mark.parametrize("name", ["date", "server", "cf-ray", "x-amz-request-id", "x-new-request-id", "via"])
def test_headers_of_one_answer_or_one_machine_say_nothing(name: str) -> None:
    assert is_insignificant(name)


@pytest.mark.parametrize("name", ["etag", "location", "link", "x-amz-meta-owner"])
def test_clients_rely_on_some(name: str) -> None:
    assert is_relied_on(name)
    assert not is_insignificant(name)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("content-type", "Application/JSON;charset=UTF-8", 'application/json; charset="utf-8"'),
        ("content-type", "multipart/mixed; boundary=a", "multipart/mixed; boundary=b"),
        ("set-cookie", "sid=1; Path=/; Expires=Mon", "sid=2; path=/; expires=Tue"),
        ("set-cookie", "sid=1; HttpOnly\nAWSALB=7", "sid=1; HttpOnly"),
        ("link", '<https://h/u?page=2>; rel="next"', '<https://h/u?page=3>; rel="next"'),
        ("location", "/users/17", "/users/18"),
        ("vary", "Accept, Origin", "origin,accept"),
        ("www-authenticate", 'Digest realm="a", nonce="1"', 'Digest realm="a", nonce="2"'),
    ],
)
def test_values_that_mean_the_same_are_the_same(name: str, before: str, after: str) -> None:
    assert meaning(name, before) == meaning(name, after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("content-type", "text/plain", "text/plain; charset=utf-8"),
        ("set-cookie", "sid=1; SameSite=None", "sid=1; SameSite=Strict"),
        ("link", '<https://h/u?page=2>; rel="next"', '<https://h/u?cursor=2>; rel="next"'),
        ("location", "/users/17", "/people/17"),
        ("www-authenticate", "Basic", "Bearer"),
    ],
)
def test_values_that_mean_something_else_are_others(name: str, before: str, after: str) -> None:
    assert meaning(name, before) != meaning(name, after)


def test_an_address_may_name_another_thing_of_the_same_sort() -> None:
    assert names_another_thing("location", "/boxes/qwErTyUiop", "/boxes/17")
    assert not names_another_thing("location", "/login", "/signin")


def test_repeated_headers_are_one() -> None:
    assert fields_of(Headers([("Set-Cookie", "a"), ("set-cookie", "b")])) == {"set-cookie": "a\nb"}
