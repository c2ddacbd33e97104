"""Buckets are made, found, listed and removed as in AWS."""

from __future__ import annotations

import re

import pytest

from durable_replay.engine import Engine
from durable_replay.testing import ask, engine_over, exchange
from durable_s3 import service

AWS = "https://s3.amazonaws.com"


@pytest.fixture
def engine() -> Engine:
    return engine_over(service)


def made(engine: Engine, name: str, region: str = "") -> tuple[int, str]:
    sent = f"<CreateBucketConfiguration><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
    answer = ask(engine, "PUT", f"{AWS}/{name}", sent if region else None).response
    found = re.search(rb"<Code>(.*?)</Code>", answer.body.read())
    return answer.status, found[1].decode() if found else answer.headers.get("location")


def test_a_bucket_made_again_by_its_owner_stays_as_it_is(engine: Engine) -> None:
    assert made(engine, "photos") == (200, "/photos")
    ask(engine, "PUT", f"{AWS}/photos/k", b"x")
    assert made(engine, "photos") == (200, "/photos")
    assert ask(engine, "GET", f"{AWS}/photos/k").response.status == 200


def test_outside_us_east_1_a_bucket_is_made_once(engine: Engine) -> None:
    assert made(engine, "fotos", "eu-west-1") == (200, "http://fotos.s3.amazonaws.com/")
    assert made(engine, "fotos", "eu-west-1") == (409, "BucketAlreadyOwnedByYou")
    assert ask(engine, "HEAD", f"{AWS}/fotos").response.headers.get("x-amz-bucket-region") == "eu-west-1"
    assert b">eu-west-1</LocationConstraint>" in ask(engine, "GET", f"{AWS}/fotos?location").response.body.read()


@pytest.mark.parametrize("region", ["us-east-1", "mars-north-1"])
def test_a_region_that_cannot_be_asked_for_is_refused(engine: Engine, region: str) -> None:
    assert made(engine, "photos", region) == (400, "InvalidLocationConstraint")
    assert ask(engine, "HEAD", f"{AWS}/photos").response.status == 404


def test_a_bad_name_and_bad_xml_are_refused(engine: Engine) -> None:
    assert made(engine, "Photos") == (400, "InvalidBucketName")
    assert ask(engine, "PUT", f"{AWS}/photos", "<Create").response.status == 400
    assert ask(engine, "HEAD", f"{AWS}/photos").response.status == 404


def test_object_lock_is_refused_and_no_bucket_is_made(engine: Engine) -> None:
    answer = ask(engine, "PUT", f"{AWS}/photos", headers={"x-amz-bucket-object-lock-enabled": "true"})
    assert (answer.source, answer.response.status) == ("refused", 501)
    assert ask(engine, "HEAD", f"{AWS}/photos").response.status == 404


def test_only_an_empty_bucket_can_be_removed_and_its_uploads_go_with_it(engine: Engine) -> None:
    made(engine, "photos")
    ask(engine, "PUT", f"{AWS}/photos/k", b"x")
    ask(engine, "POST", f"{AWS}/photos/m?uploads")
    assert ask(engine, "DELETE", f"{AWS}/photos").response.status == 409
    ask(engine, "DELETE", f"{AWS}/photos/k")
    assert ask(engine, "DELETE", f"{AWS}/photos").response.status == 204
    assert ask(engine, "GET", f"{AWS}/photos").response.status == 404
    made(engine, "photos")
    assert b"<Upload>" not in ask(engine, "GET", f"{AWS}/photos?uploads").response.body.read()


def names(engine: Engine, query: str = "") -> list[str]:
    text = ask(engine, "GET", f"{AWS}/{query}").response.body.read().decode()
    return re.findall("<Name>(.*?)</Name>", text)


def test_buckets_are_listed_by_name_in_pages_and_by_region(engine: Engine) -> None:
    for name in ("ccc", "aaa", "bbb"):
        made(engine, name)
    made(engine, "abc", "eu-west-1")
    assert names(engine) == ["aaa", "abc", "bbb", "ccc"]
    assert names(engine, "?prefix=a") == ["aaa", "abc"]
    assert names(engine, "?bucket-region=eu-west-1") == ["abc"]
    first = ask(engine, "GET", f"{AWS}/?max-buckets=3").response.body.read().decode()
    token = re.search("<ContinuationToken>(.*?)</ContinuationToken>", first)
    assert token is not None and re.findall("<Name>(.*?)</Name>", first) == ["aaa", "abc", "bbb"]
    assert names(engine, f"?max-buckets=3&continuation-token={token[1]}") == ["ccc"]


def test_a_bucket_that_the_tape_shows_only_by_an_object_is_listed_too() -> None:
    engine = engine_over(service, [exchange("GET", f"{AWS}/photos/k", 200, b"x", at=1_700_000_000.0)])
    text = ask(engine, "GET", f"{AWS}/").response.body.read()
    assert b"<Name>photos</Name><CreationDate>2023-11-14T22:13:20.000Z</CreationDate>" in text
