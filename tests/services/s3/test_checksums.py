"""Sums of every kind, and S3's words when one is wrong."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.http import Headers
from durable_s3.checksums import (
    Algorithm,
    Checksummer,
    Claim,
    check,
    check_md5,
    checksum_type,
    claimed,
    combined,
    composite,
    content_md5,
    multipart_etag,
)
from durable_s3.errors import S3Fault

# The catalogue of parametrised CRC algorithms gives these check values for "123456789".
CATALOGUE = {Algorithm.CRC32: 0xCBF43926, Algorithm.CRC32C: 0xE3069283, Algorithm.CRC64NVME: 0xAE8B14860A799888}


def sum_of(algorithm: Algorithm, data: bytes) -> str:
    summer = Checksummer([algorithm])
    summer.update(data)
    return summer.value(algorithm)


@pytest.mark.parametrize("algorithm", CATALOGUE)
def test_a_crc_has_the_catalogue_value(algorithm: Algorithm) -> None:
    assert sum_of(algorithm, b"123456789") == b64encode(CATALOGUE[algorithm].to_bytes(algorithm.size, "big")).decode()


def test_hashes_are_those_of_hashlib() -> None:
    summer = Checksummer([Algorithm.SHA1, Algorithm.SHA256])
    summer.update(b"ab")
    summer.update(b"c")
    assert summer.value(Algorithm.SHA1) == b64encode(hashlib.sha1(b"abc").digest()).decode()
    assert summer.hex(Algorithm.SHA256) == hashlib.sha256(b"abc").hexdigest()
    assert (summer.md5, summer.size) == (hashlib.md5(b"abc").digest(), 3)


@given(
    data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=4), algorithm=st.sampled_from(Algorithm)
)
def test_a_sum_does_not_depend_on_how_the_stream_is_cut(data: bytes, cuts: list[int], algorithm: Algorithm) -> None:
    summer = Checksummer([algorithm])
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, stop in pairwise(edges):
        summer.update(data[start:stop])
    assert summer.value(algorithm) == sum_of(algorithm, data)


@given(parts=st.lists(st.binary(max_size=80), max_size=5), algorithm=st.sampled_from(sorted(CATALOGUE)))
def test_the_parts_crcs_combine_to_that_of_the_whole(parts: list[bytes], algorithm: Algorithm) -> None:
    pairs = [(sum_of(algorithm, part), len(part)) for part in parts]
    assert combined(algorithm, pairs) == sum_of(algorithm, b"".join(parts))


def test_a_composite_sum_is_taken_over_the_binary_sums_of_the_parts() -> None:
    parts = [b"a" * 10, b"b" * 3]
    joined = b"".join(hashlib.sha256(part).digest() for part in parts)
    expected = b64encode(hashlib.sha256(joined).digest()).decode() + "-2"
    assert composite(Algorithm.SHA256, [sum_of(Algorithm.SHA256, part) for part in parts]) == expected


def test_a_multipart_etag_is_the_md5_of_the_md5s_and_their_number() -> None:
    parts = [hashlib.md5(data).digest() for data in (b"one", b"two", b"three")]
    expected = hashlib.md5(b"".join(parts)).hexdigest() + "-3"
    assert multipart_etag([part.hex() for part in parts]) == expected


def test_a_claim_is_read_from_the_header_or_announced_for_the_trailer() -> None:
    value = sum_of(Algorithm.CRC32, b"x")
    given_sum = Headers([("x-amz-checksum-crc32", value), ("x-amz-sdk-checksum-algorithm", "CRC32")])
    assert claimed(given_sum) == Claim(Algorithm.CRC32, value)
    assert claimed(Headers([("X-Amz-Trailer", "x-amz-checksum-crc64nvme")])) == Claim(Algorithm.CRC64NVME, None)
    assert claimed(Headers([("x-amz-checksum-mode", "ENABLED"), ("x-amz-checksum-algorithm", "CRC32")])) is None


@pytest.mark.parametrize("value", ["", "!!!", "AAAA", "wdBDMA"])
def test_a_malformed_sum_is_an_invalid_request_that_names_the_header(value: str) -> None:
    with pytest.raises(S3Fault) as caught:
        claimed(Headers([("x-amz-checksum-sha256", value)]))
    assert (caught.value.code, caught.value.status) == ("InvalidRequest", 400)
    assert caught.value.message == "Value for x-amz-checksum-sha256 header is invalid."


@pytest.mark.parametrize(
    "second", [("x-amz-checksum-sha1", "AAAA"), ("x-amz-trailer", "x-amz-checksum-crc32c")], ids=["header", "trailer"]
)
def test_two_sums_are_refused(second: tuple[str, str]) -> None:
    with pytest.raises(S3Fault, match="Expecting a single x-amz-checksum- header"):
        claimed(Headers([("x-amz-checksum-crc32", sum_of(Algorithm.CRC32, b"")), second]))


def test_a_bare_or_unknown_algorithm_is_refused() -> None:
    with pytest.raises(S3Fault, match="but no corresponding"):
        claimed(Headers([("x-amz-sdk-checksum-algorithm", "CRC32")]))
    with pytest.raises(S3Fault, match="unsupported"):
        claimed(Headers([("x-amz-checksum-crc16", "AAA=")]))


def test_a_well_formed_wrong_sum_is_a_bad_digest() -> None:
    right = sum_of(Algorithm.CRC32, b"right")
    check(Algorithm.CRC32, right, right)
    with pytest.raises(S3Fault) as caught:
        check(Algorithm.CRC32, sum_of(Algorithm.CRC32, b"wrong"), right)
    assert caught.value.code == "BadDigest"
    assert caught.value.message == "The CRC32 you specified did not match the calculated checksum."


def test_content_md5_is_checked_with_both_sums_in_the_fault() -> None:
    said, found = hashlib.md5(b"said").digest(), hashlib.md5(b"found").digest()
    check_md5(None, found)
    check_md5(found, found)
    with pytest.raises(S3Fault) as caught:
        check_md5(content_md5(Headers([("Content-MD5", b64encode(said).decode())])), found)
    assert caught.value.code == "BadDigest"
    assert caught.value.details == {
        "ExpectedDigest": b64encode(said).decode(),
        "CalculatedDigest": b64encode(found).decode(),
    }


@pytest.mark.parametrize("value", ["", "not base64!", "AAAA"])
def test_a_malformed_content_md5_is_an_invalid_digest(value: str) -> None:
    with pytest.raises(S3Fault) as caught:
        content_md5(Headers([("Content-MD5", value)]))
    assert caught.value.code == "InvalidDigest"


def test_the_type_of_a_multipart_sum_follows_its_algorithm_unless_asked() -> None:
    kinds = {algorithm: checksum_type(algorithm) for algorithm in Algorithm}
    assert kinds.pop(Algorithm.CRC64NVME) == "FULL_OBJECT"
    assert set(kinds.values()) == {"COMPOSITE"}
    assert checksum_type(Algorithm.CRC32, "FULL_OBJECT") == "FULL_OBJECT"


@pytest.mark.parametrize(
    ("algorithm", "asked"),
    [(Algorithm.CRC64NVME, "COMPOSITE"), (Algorithm.SHA1, "FULL_OBJECT"), (Algorithm.SHA256, "FULL_OBJECT")],
)
def test_an_impossible_type_is_an_invalid_request(algorithm: Algorithm, asked: str) -> None:
    with pytest.raises(S3Fault, match=f"{asked} checksum type cannot be used with the {algorithm.lower()}"):
        checksum_type(algorithm, asked)
