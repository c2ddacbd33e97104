"""A payload is summed and checked while it streams."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from durable_replay.http import BytesBody, Headers, Request
from durable_s3.checksums import Algorithm
from durable_s3.errors import S3Fault
from durable_s3.payload import Payload

CONTENT = b"some content\r\n" * 1000


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_what_boto3_puts_comes_out_whole(capture: Callable[..., Request], scheme: str, algorithm: str) -> None:
    request = capture("put_object", scheme, Bucket="b", Key="k", Body=CONTENT, ChecksumAlgorithm=algorithm)
    assert (scheme == "https") == request.headers.get("x-amz-content-sha256").startswith("STREAMING-")
    payload = Payload(request.body, request.headers)
    assert b"".join(payload) == CONTENT
    assert (payload.algorithm, payload.size) == (Algorithm(algorithm), len(CONTENT))
    assert payload.md5 == hashlib.md5(CONTENT).digest()


def test_a_flipped_byte_in_boto3s_streamed_body_is_a_bad_digest(capture: Callable[..., Request]) -> None:
    request = capture("put_object", "https", Bucket="b", Key="k", Body=CONTENT)
    damaged = request.body.read().replace(b"some", b"sOme", 1)
    with pytest.raises(S3Fault, match="BadDigest"):
        list(Payload(BytesBody(damaged), request.headers))


def test_a_flipped_byte_in_boto3s_plain_body_is_a_hash_mismatch(capture: Callable[..., Request]) -> None:
    request = capture("put_object", Bucket="b", Key="k", Body=CONTENT)
    damaged = replace(request, body=BytesBody(b"X" + CONTENT[1:]))
    with pytest.raises(S3Fault) as caught:
        list(Payload(damaged.body, damaged.headers))
    assert caught.value.code == "XAmzContentSHA256Mismatch"
    assert caught.value.details["ClientComputedContentSHA256"] == hashlib.sha256(CONTENT).hexdigest()


def test_without_a_sum_from_the_client_crc64nvme_is_computed() -> None:
    payload = Payload(BytesBody(b"123456789"), Headers())
    assert b"".join(payload) == b"123456789"
    assert (payload.algorithm, payload.value) == (Algorithm.CRC64NVME, "rosUhgp5mIg=")


def test_a_wrong_content_md5_is_found_at_the_end() -> None:
    payload = Payload(BytesBody(b"x"), Headers([("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")]))
    with pytest.raises(S3Fault, match="BadDigest"):
        list(payload)
