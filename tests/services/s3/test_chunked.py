"""aws-chunked bodies: every framing that clients send, and every way in which it can be broken."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.http import Body, BytesBody, Headers
from durable_s3.chunked import Decoder, decoded_length, is_chunked, stored_content_encoding
from durable_s3.errors import S3Fault

UNSIGNED = ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
SIGNATURE = ";chunk-signature=" + "ab" * 32


class PiecemealBody(Body):
    """A body that arrives in given pieces, as HTTP chunks do."""

    __slots__ = ("pieces", "size")

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.size = sum(map(len, pieces))

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        yield from (piece for piece in self.pieces if piece)


def decode(raw: bytes, *headers: tuple[str, str]) -> tuple[bytes, Headers]:
    decoder = Decoder(BytesBody(raw), Headers((UNSIGNED, *headers)))
    return b"".join(decoder), decoder.trailers


def fault_of(raw: bytes, *headers: tuple[str, str]) -> str:
    with pytest.raises(S3Fault) as caught:
        decode(raw, *headers)
    return caught.value.code


def test_botos_unsigned_body_with_a_trailing_checksum_is_unframed() -> None:
    content, trailers = decode(
        b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-decoded-content-length", "5"),
    )
    assert (content, trailers.get("x-amz-checksum-crc32")) == (b"hello", "NhCmhg==")


def test_signed_chunks_are_unframed_without_checking_when_no_secret_is_known() -> None:
    raw = f"3{SIGNATURE}\r\nabc\r\n2{SIGNATURE}\r\nde\r\n0{SIGNATURE}\r\n\r\n"
    assert decode(raw.encode()) == (b"abcde", Headers())


def test_a_trailer_with_a_stray_line_feed_and_a_signature_is_read() -> None:
    trailers = f"x-amz-checksum-crc32:6Le+Qw==\n\r\nx-amz-trailer-signature:{'0' * 64}\r\n\r\n"
    raw = f"1{SIGNATURE}\r\na\r\n0{SIGNATURE}\r\n{trailers}"
    assert decode(raw.encode())[1] == Headers([("x-amz-checksum-crc32", "6Le+Qw==")])


def test_an_empty_body_may_end_right_after_its_last_chunk() -> None:
    assert decode(b"0\r\n") == (b"", Headers())


@given(chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=5), cuts=st.lists(st.integers(0, 300), max_size=8))
def test_content_does_not_depend_on_chunking_nor_on_how_it_arrives(chunks: list[bytes], cuts: list[int]) -> None:
    raw = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\nx-amz-a:b\r\n\r\n"
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    pieces = [raw[start:stop] for start, stop in pairwise(edges)]
    decoder = Decoder(PiecemealBody(pieces), Headers([UNSIGNED]))
    assert b"".join(decoder) == b"".join(chunks)
    assert decoder.trailers.get("x-amz-a") == "b"


@given(cut=st.integers(0, 30))
def test_a_body_that_ends_early_is_never_taken_for_whole(cut: int) -> None:
    raw = b"14\r\n" + b"x" * 20 + b"\r\n0\r\n"
    if cut < len(raw):
        assert fault_of(raw[:cut]) == "IncompleteBody"
    else:
        assert decode(raw)[0] == b"x" * 20


@pytest.mark.parametrize(
    "raw",
    [
        b"hello",
        b"zz\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"4\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"a" * 100_000,
    ],
)
def test_broken_framing_is_an_incomplete_body(raw: bytes) -> None:
    assert fault_of(raw) == "IncompleteBody"


@pytest.mark.parametrize("length", ["4", "6"])
def test_content_of_another_length_than_promised_is_an_incomplete_body(length: str) -> None:
    assert fault_of(b"5\r\nhello\r\n0\r\n\r\n", ("x-amz-decoded-content-length", length)) == "IncompleteBody"


def test_a_promised_length_that_is_no_number_is_an_invalid_argument() -> None:
    with pytest.raises(S3Fault, match="InvalidArgument"):
        decoded_length(Headers([("x-amz-decoded-content-length", "five")]))
    assert decoded_length(Headers()) is None


@pytest.mark.parametrize(
    "trailer", [b"\r\n", b"no colon\r\n", b":value\r\n", b"x-amz-other:1\r\n", b"a:" + b"b" * 20_000]
)
def test_a_trailer_that_is_missing_or_malformed_is_refused(trailer: bytes) -> None:
    announced = ("x-amz-trailer", "x-amz-checksum-crc32")
    assert fault_of(b"0\r\n" + trailer + b"\r\n", announced) == "MalformedTrailerError"


def test_a_chunk_larger_than_memory_streams() -> None:
    size = 1 << 36
    body = PiecemealBody([b"%x\r\n" % size, b"x" * 1000])
    assert next(iter(Decoder(body, Headers([UNSIGNED])))) == b"x" * 1000


@pytest.mark.parametrize(
    ("headers", "framed"),
    [
        ([("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")], True),
        ([("x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER")], True),
        ([("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), ("content-encoding", "aws-chunked")], False),
        ([("x-amz-content-sha256", "0" * 64)], False),
        ([("content-encoding", "gzip, aws-chunked")], True),
        ([("content-encoding", "gzip")], False),
    ],
)
def test_the_content_hash_tells_the_framing(headers: list[tuple[str, str]], framed: bool) -> None:
    assert is_chunked(Headers(headers)) is framed


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("aws-chunked", ""),
        ("gzip, aws-chunked", "gzip"),
        ("aws-chunked,gzip", "gzip"),
        ("gzip,AWS-Chunked,br", "gzip, br"),
        ("gzip,br", "gzip,br"),
        ("", ""),
    ],
)
def test_aws_chunked_is_stripped_from_the_stored_encoding_wherever_it_stands(sent: str, stored: str) -> None:
    assert stored_content_encoding(sent) == stored
