from __future__ import annotations

import gzip
import zlib

import pytest

from durable_replay.errors import LimitExceeded
from durable_replay.redaction.coding import CODINGS, coding_of, decode, decoder, encoder

TEXT = b"".join(b"line %d\n" % number for number in range(20_000))


def packed(coding: str, data: bytes = TEXT) -> bytes:
    packer = encoder(coding)
    return b"".join(packer.feed(data[at : at + 1000]) for at in range(0, len(data), 1000)) + packer.end()


@pytest.mark.parametrize("coding", ["", *sorted(CODINGS)])
@pytest.mark.parametrize("step", [1, 1000, 1 << 20])
def test_what_was_encoded_is_decoded_wherever_it_is_cut(coding: str, step: int) -> None:
    data = packed(coding, TEXT[:5000])
    assert decode(coding, (data[at : at + step] for at in range(0, len(data), step)), 10_000) == TEXT[:5000]


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_the_same_content_gives_the_same_bytes(coding: str) -> None:
    assert packed(coding) == packed(coding)


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_damaged_data_is_told(coding: str) -> None:
    data = packed(coding)
    with pytest.raises(ValueError, match="damaged"):
        decode(coding, [data[:8] + bytes(byte ^ 0x55 for byte in data[8:])], 1 << 20)


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_data_that_ends_too_early_is_told(coding: str) -> None:
    with pytest.raises(ValueError, match="too early"):
        decode(coding, [packed(coding)[:-20]], 1 << 20)


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_what_unpacks_to_more_than_the_limit_is_refused(coding: str) -> None:
    with pytest.raises(LimitExceeded, match="more than 1,000 bytes"):
        decode(coding, [packed(coding)], 1000)


@pytest.mark.parametrize("coding", sorted(CODINGS))
def test_a_bomb_is_unpacked_in_pieces(coding: str) -> None:
    bomb = packed(coding, b"\0" * (64 << 20))
    assert max(len(piece) for piece in decoder(coding).feed(bomb)) <= 16 << 20
    assert sum(len(piece) for piece in decoder(coding).feed(bomb)) == 64 << 20


def test_zstd_frames_in_a_row_are_read() -> None:
    assert decode("zstd", [packed("zstd", b"one ") + packed("zstd", b"two")], 100) == b"one two"


def test_gzip_members_in_a_row_and_raw_deflate_are_read() -> None:
    assert decode("gzip", [gzip.compress(b"one ") + gzip.compress(b"two")], 100) == b"one two"
    raw = zlib.compressobj(6, zlib.DEFLATED, -15)
    assert decode("deflate", [raw.compress(b"raw") + raw.flush()], 100) == b"raw"


@pytest.mark.parametrize(
    ("header", "coding"),
    [("", ""), ("identity", ""), (" GZIP ", "gzip"), ("gzip, br", None), ("aws-chunked", None), ("x-gzip", "x-gzip")],
)
def test_one_coding_can_be_undone(header: str, coding: str | None) -> None:
    assert coding_of(header) == coding
