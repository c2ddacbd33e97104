"""Signatures are those that botocore makes, and no others pass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.http import BytesBody, Headers, Request
from durable_s3.chunked import Decoder
from durable_s3.errors import S3Fault
from durable_s3.signatures import ChunkChain, verify
from durable_s3.signing import Scope, SigV4, check_time, recognise

Maker = Callable[..., Request]
KEYS = ["k", "a b+c/d//é~(1)!.txt", "%2F", "100%", "a=b&c", "../x"]


def check(request: Request, secret: str) -> None:
    found = recognise(request)
    assert found is not None
    verify(found, request, secret)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_boto3s_signed_requests_verify(capture: Maker, secret: str, version: str, key: str) -> None:
    put = capture("put_object", "http", version, Bucket="b", Key=key, Body=b"x", Metadata={"a": " b  c "})
    listing = capture("list_objects_v2", "http", version, Bucket="b", Prefix=key, Delimiter="/")
    acl = capture("get_object_acl", "http", version, Bucket="b", Key=key, VersionId="a+b/c")
    for request in (put, listing, acl):
        check(request, secret)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_boto3s_presigned_urls_verify(presign: Maker, secret: str, version: str, key: str) -> None:
    check(
        presign(
            "get_object", version, Bucket="b", Key=key, ResponseContentDisposition='attachment; filename="a b.txt"'
        ),
        secret,
    )
    check(presign("put_object", version, Bucket="b", Key=key), secret)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_another_secret_or_path_or_method_does_not_match(capture: Maker, secret: str, version: str) -> None:
    request = capture("get_object", "http", version, Bucket="b", Key="k")
    wrong = [
        (request, secret + "x"),
        (replace(request, target="/b/k2"), secret),
        (replace(request, method="PUT"), secret),
    ]
    for changed, key in wrong:
        with pytest.raises(S3Fault) as caught:
            check(changed, key)
        assert (caught.value.status, caught.value.code) == (403, "SignatureDoesNotMatch")
        assert secret not in str(caught.value.details)


def test_a_mismatch_shows_what_was_signed(presign: Maker) -> None:
    with pytest.raises(S3Fault) as caught:
        check(presign("get_object", Bucket="b", Key="k"), "wrong")
    assert list(caught.value.details) == [
        "AWSAccessKeyId",
        "StringToSign",
        "SignatureProvided",
        "StringToSignBytes",
        "CanonicalRequest",
        "CanonicalRequestBytes",
    ]


def test_an_unsigned_amz_header_is_refused(presign: Maker, secret: str) -> None:
    request = presign("put_object", Bucket="b", Key="k")
    extended = replace(request, headers=request.headers.with_(("x-amz-acl", "public-read")))
    with pytest.raises(S3Fault) as caught:
        check(extended, secret)
    assert (caught.value.code, caught.value.details) == ("AccessDenied", {"HeadersNotSigned": "x-amz-acl"})


def example_chain() -> ChunkChain:
    """The seed of AWS's published example of a chunked upload."""
    scope = Scope("AKIAIOSFODNN7EXAMPLE", "20130524", "us-east-1", "s3")
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    seeded = SigV4("AWS4-HMAC-SHA256", scope, ("host",), seed, "20130524T000000Z")
    return ChunkChain(seeded, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


EXAMPLE = (
    b"10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
    + b"a" * 65536
    + b"\r\n"
    b"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + b"a" * 1024 + b"\r\n"
    b"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
)


def test_awss_published_chunked_example_verifies() -> None:
    decoder = Decoder(BytesBody(EXAMPLE), Headers(), example_chain())
    assert hashlib.md5(b"".join(decoder)).digest() == hashlib.md5(b"a" * 66560).digest()


@pytest.mark.parametrize(
    "changed", [EXAMPLE.replace(b"a\r\n", b"b\r\n", 1), EXAMPLE.replace(b"=0055", b"=0155"), b"0\r\n\r\n"]
)
def test_a_chunk_that_is_changed_or_unsigned_does_not_match(changed: bytes) -> None:
    with pytest.raises(S3Fault, match="SignatureDoesNotMatch"):
        list(Decoder(BytesBody(changed), Headers(), example_chain()))


FIELDS = {
    "X-Amz-Algorithm": ["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"],
    "X-Amz-Credential": ["A/20260101/r/s3/aws4_request", "A/20260101/s3/aws4_request"],
    "X-Amz-Date": ["20260101T000000Z", "99991231T235959Z"],
    "X-Amz-Expires": ["1", "604800", "9" * 30],
    "X-Amz-SignedHeaders": ["host", "host;date"],
    "X-Amz-Signature": ["00"],
}
values = {name: st.sampled_from(good) | st.text(max_size=8) for name, good in FIELDS.items()}


@given(query=st.fixed_dictionaries(values), date=st.text(st.characters(max_codepoint=255), max_size=30))
def test_no_client_can_cause_any_error_but_a_fault_of_s3(query: dict[str, str], date: str) -> None:
    request = Request("GET", "http", "h", 80, f"/b/k?{urlencode(query)}", Headers([("Date", date)]))
    with pytest.raises(S3Fault):
        found = recognise(request)
        assert found is not None
        check_time(found, request, datetime(2026, 1, 1, tzinfo=UTC))
        verify(found, request, "secret")
