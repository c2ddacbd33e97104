"""Pages of listings: put together they are the whole, for any keys."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_s3.errors import S3Fault
from durable_s3.listing import (
    BEGINNING,
    Position,
    after_key,
    after_upload,
    count_limit,
    from_token,
    key_page,
    number_page,
    to_token,
    upload_page,
)

NOT_UTF8 = urlsafe_b64encode(zlib.crc32(b"\xff").to_bytes(4, "big") + b"\xff").decode()

texts = st.text(alphabet="ab/é😀\uffff", max_size=6)
some_keys = st.sets(texts.filter(bool), max_size=25)


def entries(keys: set[str]) -> list[tuple[str, str]]:
    return [(key, key) for key in sorted(keys, key=lambda key: key.encode())]


def naive(keys: set[str], prefix: str, delimiter: str) -> tuple[list[str], list[str]]:
    items, prefixes = [], set()
    for key in sorted(key for key in keys if key.startswith(prefix)):
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if found:
            prefixes.add(prefix + head + delimiter)
        else:
            items.append(key)
    return items, sorted(prefixes)


@given(keys=some_keys, prefix=texts.map(lambda text: text[:2]), delimiter=st.sampled_from(["", "/", "a", "/a"]),
       limit=st.integers(1, 5))  # fmt: skip
def test_pages_put_together_are_the_unpaged_listing(keys: set[str], prefix: str, delimiter: str, limit: int) -> None:
    items: list[str] = []
    prefixes: list[str] = []
    after: Position = BEGINNING
    while True:
        page = key_page(entries(keys), prefix, delimiter, after, limit)
        items += page.items
        prefixes += page.prefixes
        if not page.truncated:
            break
        assert page.count == limit
        assert page.last is not None
        after = from_token(to_token(page.last))
    assert (items, prefixes) == naive(keys, prefix, delimiter)


def test_common_prefixes_count_and_the_marker_steps_past_a_whole_one() -> None:
    keys = {"a/1", "a/2", "b", "c/1"}
    first = key_page(entries(keys), "", "/", limit=1)
    assert (first.items, first.prefixes, first.truncated, first.last) == ((), ("a/",), True, ("a/", ""))
    second = key_page(entries(keys), "", "/", after_key("a/"), limit=2)
    assert (second.items, second.prefixes, second.truncated, second.count) == (("b",), ("c/",), False, 2)


def test_a_page_that_ends_inside_the_last_prefix_is_not_truncated() -> None:
    assert not key_page(entries({"a/1", "a/2", "a/3"}), "", "/", limit=1).truncated


def test_no_keys_asked_for_is_an_empty_whole_page() -> None:
    page = key_page(entries({"a", "b"}), "", "", limit=0)
    assert (page.items, page.truncated, page.last) == ((), False, None)


@pytest.mark.parametrize(("value", "limit"), [("", 1000), ("0", 0), ("7", 7), ("1000", 1000), ("5000", 1000)])
def test_a_page_size_is_cut_to_a_thousand(value: str, limit: int) -> None:
    assert count_limit("max-keys", value) == limit


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "²", "99999999999", "-"])
def test_a_page_size_that_is_no_count_is_an_invalid_argument(value: str) -> None:
    with pytest.raises(S3Fault) as caught:
        count_limit("max-keys", value)
    assert caught.value.details == {"ArgumentName": "max-keys", "ArgumentValue": value}


@given(key=st.text(min_size=1))
def test_a_token_goes_on_after_its_key(key: str) -> None:
    assert from_token(to_token((key, ""))) == after_key(key)


@pytest.mark.parametrize("token", ["", "garbage", "é", urlsafe_b64encode(b"\0\0\0\0key").decode(), NOT_UTF8])
def test_a_token_that_was_never_given_out_is_refused(token: str) -> None:
    with pytest.raises(S3Fault, match="The continuation token provided is incorrect"):
        from_token(token)


@given(uploads=st.sets(st.tuples(texts.filter(bool), st.sampled_from("123"))), limit=st.integers(1, 4),
       delimiter=st.sampled_from(["", "/"]))  # fmt: skip
def test_pages_of_uploads_put_together_are_all_uploads(
    uploads: set[tuple[str, str]], limit: int, delimiter: str
) -> None:
    rows = [(upload, upload) for upload in sorted(uploads)]
    whole = upload_page(rows, "", delimiter)
    items: list[Position] = []
    prefixes: list[str] = []
    after = BEGINNING
    while True:
        page = upload_page(rows, "", delimiter, after, limit)
        items += page.items
        prefixes += page.prefixes
        if not page.truncated:
            break
        assert page.last is not None
        after = after_upload(*page.last)
    assert (tuple(items), tuple(prefixes)) == (whole.items, whole.prefixes)


def test_a_key_marker_alone_leaves_out_all_uploads_of_that_key() -> None:
    rows = [(("a", "1"), 1), (("a", "2"), 2), (("b", "1"), 3)]
    assert upload_page(rows, "", "", after_upload("a", "")).items == (3,)
    assert upload_page(rows, "", "", after_upload("a", "1")).items == (2, 3)
    assert upload_page(rows, "", "", after_upload("", "1")).items == (1, 2, 3)


def test_parts_are_paged_by_number() -> None:
    parts = [(1, "a"), (5, "b"), (10, "c")]
    first = number_page(parts, 0, 2)
    assert (first.items, first.truncated, first.last) == (("a", "b"), True, ("5", ""))
    second = number_page(parts, 5, 2)
    assert (second.items, second.truncated) == (("c",), False)
