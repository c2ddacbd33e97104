"""Where bucket and key stand, and which names are good."""

from __future__ import annotations

import pytest

from durable_s3.errors import S3Fault
from durable_s3.names import check_bucket_name, check_key, split

BASES = ("localhost", "127.0.0.1", "s3.test", "test")


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("s3.amazonaws.com", "/b/k", ("b", "k")),
        ("s3.eu-west-1.amazonaws.com", "/b", ("b", "")),
        ("s3-us-west-2.amazonaws.com", "/b/", ("b", "")),
        ("s3.dualstack.eu-west-1.amazonaws.com", "/", ("", "")),
        ("b.s3.amazonaws.com", "/k", ("b", "k")),
        ("my.dotted.bucket.s3.us-gov-east-1.amazonaws.com", "/a/b", ("my.dotted.bucket", "a/b")),
        ("b.s3-ap-south-1.amazonaws.com", "/k", ("b", "k")),
        ("b.s3.dualstack.ap-south-1.amazonaws.com", "/", ("b", "")),
        ("b.s3.cn-north-1.amazonaws.com.cn", "/k", ("b", "k")),
        ("localhost", "/b/k", ("b", "k")),
        ("b.localhost", "/k", ("b", "k")),
        ("127.0.0.1", "/b/k", ("b", "k")),
        ("b.s3.test", "/k", ("b", "k")),
        ("s3.test", "/b/k", ("b", "k")),
        ("some-container", "/b/k", ("b", "k")),
        ("evil-localhost", "/b/k", ("b", "k")),
    ],
)
def test_both_styles_of_addressing_are_understood(host: str, path: str, expected: tuple[str, str]) -> None:
    assert split(host, path, BASES) == expected


@pytest.mark.parametrize(
    ("raw", "key"),
    [("a//b", "a//b"), ("./../x", "./../x"), ("a+b", "a+b"), ("a%2Fb%2f", "a/b/"), ("a%20b", "a b"), ("/lead", "/lead"),
     ("%252F", "%2F"), ("%C3%A9", "é"), ("\u00c3\u00a9", "é"), ("100%", "100%")],
)  # fmt: skip
def test_a_key_is_decoded_once_and_never_normalised(raw: str, key: str) -> None:
    assert split("localhost", f"/b/{raw}") == ("b", key)
    assert split("b.localhost", f"/{raw}") == ("b", key)


def test_bytes_that_are_no_utf8_are_an_invalid_uri() -> None:
    with pytest.raises(S3Fault, match="InvalidURI"):
        split("localhost", "/b/%FF")


@pytest.mark.parametrize("name", ["abc", "my-bucket.2", "a" * 63, "0ab"])
def test_a_good_bucket_name(name: str) -> None:
    check_bucket_name(name)


@pytest.mark.parametrize(
    "name", ["ab", "a" * 64, "Abc", "a_b_c", "-abc", "abc.", "a..b", "192.168.0.1", "xn--abc", "abc--x-s3", "abc\n"]
)
def test_a_bad_bucket_name(name: str) -> None:
    with pytest.raises(S3Fault) as caught:
        check_bucket_name(name)
    assert (caught.value.status, caught.value.details) == (400, {"BucketName": name})


def test_a_key_is_measured_in_bytes() -> None:
    check_key("é" * 512)
    with pytest.raises(S3Fault, match="KeyTooLongError"):
        check_key("é" * 512 + "x")
