"""Packing, spooling, and what refuses to inflate."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from durable_replay.cassette.bodies import (
    INLINE,
    BodyWriter,
    DamagedBody,
    SpooledBody,
    chunk_checksum,
    packed,
    unpacked,
)


@given(st.binary(max_size=2000))
def test_packing_is_undone_and_never_makes_larger(data: bytes) -> None:
    packing, stored = packed(data)
    assert unpacked(packing, len(data), stored) == data
    assert len(stored) <= len(data)


def test_text_becomes_smaller_and_noise_stays_raw() -> None:
    noise = os.urandom(5000)
    assert packed(noise) == ("raw", noise)
    packing, stored = packed(b"the same again " * 300)
    assert packing == "zstd" and len(stored) < 200


def test_a_frame_that_would_inflate_beyond_what_was_stored_is_not_inflated() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(200 * INLINE))
    nameless = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(200 * INLINE))
    tracemalloc.start()
    for data, size in [(bomb, 10), (bomb, 200 * INLINE), (nameless, 10), (nameless, -1), (b"no zstd", 7), (b"", 0)]:
        with pytest.raises(DamagedBody):
            unpacked("zstd", size, data)
    assert tracemalloc.get_traced_memory()[1] < INLINE
    tracemalloc.stop()


@pytest.mark.parametrize(("packing", "size"), [("raw", 4), ("other", 3), ("chunks", 3)])
def test_a_wrong_packing_or_size_is_refused(packing: str, size: int) -> None:
    with pytest.raises(DamagedBody):
        unpacked(packing, size, b"abc")


def test_a_chunks_checksum_depends_on_body_place_and_bytes() -> None:
    one, two = sha256(b"1").digest(), sha256(b"2").digest()
    sums = {chunk_checksum(one, 0, b"x"), chunk_checksum(two, 0, b"x"), chunk_checksum(one, 1, b"x")}
    assert len(sums | {chunk_checksum(one, 0, b"y")}) == 4


@given(st.lists(st.integers(0, 700_000), max_size=6))
def test_a_body_in_pieces_is_the_same_body(sizes: list[int]) -> None:
    writer = BodyWriter(Path("."))
    pieces = [bytes([65 + index]) * size for index, size in enumerate(sizes)]
    for piece in pieces:
        writer.write(piece)
    whole = b"".join(pieces)
    body = writer.finish()
    assert body.size == len(whole) and body.read() == whole
    assert isinstance(body, SpooledBody) == (len(whole) > INLINE)
    assert b"".join(body.chunks(3, len(whole) - 3)) == whole[3 : max(3, len(whole) - 3)]


FULL = """
import resource, sys
from pathlib import Path
from durable_replay.cassette.bodies import BodyWriter
from durable_replay.errors import CassetteError
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    BodyWriter(Path(sys.argv[1])).write(bytes(3 << 20))
except CassetteError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limits for files")
def test_a_body_that_fits_a_buffer_but_not_the_disk_is_named(tmp_path: Path) -> None:
    said = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert f"cannot be kept in {tmp_path}" in said.stdout and "Make room" in said.stdout
    assert not said.stderr and not list(tmp_path.iterdir())
