from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard

from durable_replay.errors import LimitExceeded
from durable_replay.http import Frame, Interaction, Request, Response
from durable_replay.redaction import inflating
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.scan import scan_interactions

SECRET = "s3cr3t-Va1ue-0042"
READY = f'{{"op":0,"d":{{"session_id":"{SECRET}"}}}}'
HELLO = '{"op":10,"d":{"heartbeat_interval":41250}}'
ACK = '{"op":11}'
RESUME_HINT = f'{{"url":"https://joe:{SECRET}@gateway.example"}}'


def from_server(data: bytes) -> Frame:
    return Frame(False, "binary", data)


def zlib_stream(*texts: str) -> list[bytes]:
    """As Discord's gateway sends with `compress=zlib-stream`: one stream, flushed after each payload."""
    packer = zlib.compressobj()
    return [packer.compress(text.encode()) + packer.flush(zlib.Z_SYNC_FLUSH) for text in texts]


def zstd_stream(*texts: str) -> list[bytes]:
    packer = zstandard.ZstdCompressor().compressobj()
    return [packer.compress(text.encode()) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) for text in texts]


def read_zlib(frames: list[bytes]) -> list[str]:
    unpacker = zlib.decompressobj()
    return [unpacker.decompress(data).decode() for data in frames]


def read_zstd(frames: list[bytes]) -> list[str]:
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    return [unpacker.decompress(data).decode() for data in frames]


@pytest.mark.parametrize(("write", "read"), [(zlib_stream, read_zlib), (zstd_stream, read_zstd)])
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_secret_in_a_compressed_stream_is_replaced_and_the_stream_goes_on(
    redactor: Redactor,
    write: Callable[..., list[bytes]],
    read: Callable[[list[bytes]], list[str]],
    before: int,
) -> None:
    texts = [HELLO] * before + [READY, ACK, RESUME_HINT, HELLO, HELLO]
    conversation = redactor.conversation()
    shown = [each.data for data in write(*texts) for each in conversation.feed(from_server(data))]
    assert conversation.end() == [] and len(shown) == len(texts)
    told = read(shown)
    assert told[:before] == [HELLO] * before and told[before + 1] == ACK and told[-1] == HELLO
    assert told[before].startswith('{"op":0,"d":{"session_id":"secret-') and SECRET not in "".join(told)


def test_a_compressed_stream_without_secrets_keeps_its_bytes(redactor: Redactor) -> None:
    frames = tuple(map(from_server, zlib_stream(HELLO, ACK, HELLO)))
    assert redactor.frames(frames) == frames


def test_a_payload_over_several_messages_is_searched_whole_and_stays_in_as_many(redactor: Redactor) -> None:
    first, second = zlib_stream(READY, ACK)
    conversation = redactor.conversation()
    assert conversation.feed(from_server(first[:20])) == []
    heartbeat = Frame(True, "text", b'{"op":1}')
    assert conversation.feed(heartbeat) == []  # it waits, for the order is kept
    given = conversation.feed(from_server(first[20:]))
    given += conversation.feed(from_server(second))
    assert [each.from_client for each in given] == [False, True, False, False]
    told = "".join(read_zlib([each.data for each in given if not each.from_client]))
    assert told.endswith(ACK) and "secret-" in told and SECRET not in told


def test_what_a_cut_connection_left_is_searched_at_its_end(redactor: Redactor) -> None:
    (data,) = zlib_stream(READY)
    shown = redactor.frames([from_server(data[:-4])])
    assert SECRET not in "".join(read_zlib([each.data for each in shown]))


@pytest.mark.parametrize(("pack", "unpack"), [(zlib.compress, zlib.decompress), (gzip.compress, gzip.decompress)])
def test_messages_that_are_each_compressed_alone_are_searched(
    redactor: Redactor, pack: Callable[[bytes], bytes], unpack: Callable[[bytes], bytes]
) -> None:
    frames = [from_server(pack(text.encode())) for text in (HELLO, READY, ACK, READY)]
    shown = redactor.frames(frames)
    told = [unpack(each.data).decode() for each in shown]
    assert shown[0] == frames[0] and shown[2] == frames[2]
    assert told[0] == HELLO and told[2] == ACK and told[1] == told[3]
    assert told[1].startswith('{"op":0,"d":{"session_id":"secret-')


def test_both_sides_are_streams_of_their_own(redactor: Redactor) -> None:
    ours, theirs = zlib_stream(READY, ACK), zlib_stream(HELLO, READY)
    frames = [Frame(True, "binary", ours[0]), from_server(theirs[0]), Frame(True, "binary", ours[1])]
    shown = redactor.frames([*frames, from_server(theirs[1])])
    assert SECRET not in "".join(read_zlib([each.data for each in shown if each.from_client]))
    assert SECRET not in "".join(read_zlib([each.data for each in shown if not each.from_client]))


def test_bytes_that_only_look_compressed_are_searched_as_they_are(redactor: Redactor) -> None:
    data = b"\x78\x9c not zlib at all AKIAIOSFODNN7EXAMPLE"
    (shown,) = redactor.frames([from_server(data)])
    assert b"IOSFODNN7EXAMPLE" not in shown.data and len(shown.data) == len(data)


def test_a_bomb_is_refused_by_what_it_unpacks_to(redactor: Redactor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflating, "LIMIT", 1 << 20)
    with pytest.raises(LimitExceeded, match="unpacks to more than 1,048,576 bytes"):
        redactor.frames([from_server(zlib.compress(b"\0" * (8 << 20)))])
    with pytest.raises(LimitExceeded, match="leave this connection out"):
        redactor.frames([from_server(zstandard.compress(b"\0" * (8 << 20)))])


@pytest.mark.parametrize("write", [zlib_stream, zstd_stream])
def test_the_scan_reads_compressed_streams(write: Callable[..., list[bytes]]) -> None:
    frames = tuple(map(from_server, write(HELLO, RESUME_HINT)))
    request = Request("GET", "wss", "gateway", 443, "/")
    found = scan_interactions([Interaction(request, Response(101), frames=frames)])
    assert [(each.rule, each.place) for each in found] == [("url-password", "interaction 0, frame 2")]


@pytest.mark.parametrize("bits", [15, 31])
def test_a_stream_that_is_ended_after_it_was_taken_over_has_the_sums_of_what_is_in_it(
    redactor: Redactor, bits: int
) -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, bits)
    first = packer.compress(HELLO.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    last = packer.compress(READY.encode()) + packer.flush(zlib.Z_FINISH)
    shown = redactor.frames(map(from_server, (first, last)))
    told = zlib.decompress(b"".join(each.data for each in shown), bits).decode()  # raises where a sum is wrong
    assert shown[0].data == first and told.startswith(HELLO) and SECRET not in told
