"""Listings are ordered, rolled up and paged as in AWS."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from durable_replay.engine import Engine
from durable_replay.testing import ask, engine_over, exchange
from durable_s3 import service

B = "https://s3.amazonaws.com/photos"
KEYS = ["a", "a!", "b/1", "b/2", "b/c/3", "b0", "d e+f", "é"]


@pytest.fixture(scope="module")
def engine() -> Engine:
    engine = engine_over(service)
    ask(engine, "PUT", B)
    for key in reversed(KEYS):
        ask(engine, "PUT", f"{B}/{quote(key)}", key)
    return engine


def text(engine: Engine, query: str = "") -> str:
    answer = ask(engine, "GET", f"{B}?{query}").response
    found = answer.body.read().decode()
    assert answer.status == 200, found
    return found


def values(text: str, element: str) -> list[str]:
    return re.findall(f"<{element}>(.*?)</{element}>", text)


def prefixes(text: str) -> list[str]:
    return re.findall("<CommonPrefixes><Prefix>(.*?)</Prefix></CommonPrefixes>", text)


def test_keys_come_in_the_order_of_their_bytes(engine: Engine) -> None:
    for version in ("", "list-type=2"):
        assert values(text(engine, version), "Key") == KEYS


def test_a_delimiter_rolls_keys_up_below_a_prefix(engine: Engine) -> None:
    top = text(engine, "list-type=2&delimiter=/")
    assert (values(top, "Key"), prefixes(top)) == (["a", "a!", "b0", "d e+f", "é"], ["b/"])
    assert values(top, "KeyCount") == ["6"]
    below = text(engine, "list-type=2&delimiter=/&prefix=b/")
    assert (values(below, "Key"), prefixes(below)) == (["b/1", "b/2"], ["b/c/"])
    inside = text(engine, "prefix=b/1")
    assert values(inside, "Key") == ["b/1"]


def test_encoding_type_writes_keys_for_urls(engine: Engine) -> None:
    found = text(engine, "list-type=2&encoding-type=url&prefix=d")
    assert (values(found, "Key"), values(found, "EncodingType")) == (["d+e%2Bf"], ["url"])
    assert ask(engine, "GET", f"{B}?encoding-type=oops").response.status == 400


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 1000])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_of_the_second_version_join_to_the_whole(engine: Engine, size: int, delimiter: str) -> None:
    whole = text(engine, f"list-type=2&delimiter={delimiter}")
    keys, rolled, token = [], [], ""
    for _ in range(len(KEYS) + 1):
        more = f"&continuation-token={quote(token)}" if token else ""
        page = text(engine, f"list-type=2&delimiter={delimiter}&max-keys={size}{more}")
        keys += values(page, "Key")
        rolled += prefixes(page)
        assert len(values(page, "Key")) + len(prefixes(page)) <= size
        token = next(iter(values(page, "NextContinuationToken")), "")
        assert values(page, "IsTruncated") == [str(bool(token)).lower()]
        if not token:
            break
    assert (keys, rolled) == (values(whole, "Key"), prefixes(whole))


def test_pages_of_the_first_version_go_on_by_marker(engine: Engine) -> None:
    first = text(engine, "max-keys=3")
    assert (values(first, "Key"), values(first, "NextMarker"), values(first, "IsTruncated")) == (KEYS[:3], [], ["true"])
    assert values(text(engine, "max-keys=3&marker=b/1"), "Key") == KEYS[3:6]
    rolled = text(engine, "max-keys=3&delimiter=/")
    assert values(rolled, "NextMarker") == ["b/"]
    assert values(text(engine, "max-keys=3&delimiter=/&marker=b/"), "Key") == ["b0", "d e+f", "é"]


def test_start_after_and_the_owner_are_shown_on_wish(engine: Engine) -> None:
    found = text(engine, "list-type=2&start-after=b/2")
    assert (values(found, "Key"), values(found, "StartAfter")) == (KEYS[4:], ["b/2"])
    assert "<Owner>" not in found
    assert "<Owner>" in text(engine, "list-type=2&fetch-owner=true") and "<Owner>" in text(engine)


def test_an_empty_page_is_not_truncated(engine: Engine) -> None:
    found = text(engine, "list-type=2&max-keys=0")
    assert (values(found, "Key"), values(found, "IsTruncated")) == ([], ["false"])


@pytest.mark.parametrize("query", ["max-keys=x", "list-type=2&continuation-token=", "max-keys=-1"])
def test_nonsense_is_refused(engine: Engine, query: str) -> None:
    answer = ask(engine, "GET", f"{B}?{query}").response
    assert (answer.status, b"<Code>InvalidArgument</Code>" in answer.body.read()) == (400, True)


def test_an_entry_has_what_aws_shows_today(engine: Engine) -> None:
    found = text(engine, "list-type=2&prefix=a&max-keys=1")
    assert values(found, "ChecksumAlgorithm") == ["CRC64NVME"]
    assert re.fullmatch(r"2026-01-31T10:00:\d\d\.000Z", values(found, "LastModified")[0])
    assert values(found, "ETag") == ["&quot;0cc175b9c0f1b6a831c399e269772661&quot;"]
    assert values(found, "Size") == ["1"] and values(found, "StorageClass") == ["STANDARD"]


def test_a_bucket_that_is_not_there_has_no_listing(engine: Engine) -> None:
    assert ask(engine, "GET", "https://s3.amazonaws.com/none?list-type=2").response.status == 404


def test_a_recorded_folder_of_a_bucket_that_was_made_on_the_tape_hides_nothing() -> None:
    rolled = (
        b"<ListBucketResult><IsTruncated>false</IsTruncated><Delimiter>/</Delimiter>"
        b"<CommonPrefixes><Prefix>b/</Prefix></CommonPrefixes></ListBucketResult>"
    )
    tape = [
        exchange("PUT", B, 200),
        exchange("PUT", f"{B}/b/1", 200, send=b"one", answer_headers={"ETag": '"f97c5d29941bfb1b2fdab0874906ab82"'}),
        exchange("GET", f"{B}?delimiter=/&marker=a", 200, rolled),
    ]
    engine = engine_over(service, tape)
    for one in tape:
        assert engine.answer("default", one.request).source == "recorded"
    ask(engine, "PUT", f"{B}/a", b"own")
    assert values(text(engine), "Key") == ["a", "b/1"]
    unmade = engine_over(service, tape[2:])
    assert ask(unmade, "GET", B).source == "refused"  # there, nobody knows what is in the folder
