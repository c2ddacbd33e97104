"""An S3 server of ours is killed, clients vanish, bodies lie: no acknowledged write is lost, nothing half is kept."""

from __future__ import annotations

import gzip
import hashlib
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.end_to_end.record_replay import MOCK_S3, Served, serving


def s3(url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def content(number: int) -> bytes:
    """Small contents, and some that do not fit into a page, a chunk or memory at once."""
    size = (17, 5_000, 70_000, 1_500_000)[number % 4]
    return hashlib.sha256(str(number).encode()).digest() * (size // 32 + 1)


class Writer(Thread):
    """Puts objects, one after the other, until the server is gone; knows which were acknowledged."""

    def __init__(self, url: str, first: int) -> None:
        super().__init__()
        self.client, self.next = s3(url), first
        self.acknowledged: list[int] = []

    def run(self) -> None:
        try:
            while True:
                self.client.put_object(Bucket="kept", Key=f"{self.next:06}", Body=content(self.next))
                self.acknowledged.append(self.next)
                self.next += 1
        except (BotoCoreError, ClientError):
            self.client.close()


def test_kill_9_while_boto3_writes_loses_no_acknowledged_object(tmp_path: Path) -> None:
    data = tmp_path / "data"
    acknowledged: list[int] = []
    for wanted in (1, 7, 20):
        with serving(*_start(data)) as served:
            url = served.url
            if not acknowledged:
                s3(url).create_bucket(Bucket="kept")
            _all_there(url, acknowledged)
            writer = Writer(url, max(acknowledged, default=0) + 1)
            writer.start()
            while len(writer.acknowledged) < wanted and writer.is_alive():
                time.sleep(0.001)
            served.kill()
            writer.join(30)
            assert len(writer.acknowledged) >= wanted
            acknowledged += writer.acknowledged
    with serving(*_start(data)) as served:
        _all_there(served.url, acknowledged)


def _start(data: Path) -> tuple[str | Path, ...]:
    return (MOCK_S3, "start", "--port", "0", "--data-dir", data)


def _all_there(url: str, acknowledged: list[int]) -> None:
    client = s3(url)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="kept")
    listed = {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", ())}
    for number in acknowledged:
        key = f"{number:06}"
        assert client.get_object(Bucket="kept", Key=key)["Body"].read() == content(number)
        assert listed.pop(key) == len(content(number))
    # What was under way may have been written or not; what is listed is whole.
    for key, size in listed.items():
        assert client.get_object(Bucket="kept", Key=key)["Body"].read() == content(int(key))
        assert size == len(content(int(key)))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A durable S3 with a bucket `kept`; all its files are below `tmp_path`."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(*_start(tmp_path / "data")) as served:
        s3(served.url).create_bucket(Bucket="kept")
        yield served


def _send(url: str, *pieces: bytes, shut: bool = False) -> socket.socket:
    parts = urlsplit(url)
    client = socket.create_connection((parts.hostname or "", parts.port or 0), 20)
    for piece in pieces:
        client.sendall(piece)
    if shut:
        client.shutdown(socket.SHUT_WR)
    return client


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _new(folder: Path, before: set[str]) -> list[str]:
    return [name for name in _files(folder) - before if not name.endswith(("-wal", "-shm", "-journal"))]


def _eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds within ten seconds; a server may notice a lost client a little later than we lose it."""
    until = time.monotonic() + 10
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.01)
    return held


@pytest.mark.parametrize("sent", [100, 3_000_000], ids=["in memory", "spooled"])
def test_a_client_that_vanishes_in_its_upload_leaves_no_object_and_no_file(
    server: Served, tmp_path: Path, sent: int
) -> None:
    before = _files(tmp_path)
    head = b"PUT /kept/half.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n"
    with _send(server.url, head, b"x" * sent):
        assert sent < 1_000_000 or _eventually(lambda: bool(_new(tmp_path, before)))
    assert _eventually(lambda: not _new(tmp_path, before))
    with pytest.raises(ClientError, match="404"):
        s3(server.url).head_object(Bucket="kept", Key="half.bin")
    assert "Contents" not in s3(server.url).list_objects_v2(Bucket="kept")


def test_a_body_shorter_than_its_length_is_refused_and_kept_nowhere(server: Served) -> None:
    head = b"PUT /kept/short.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
    with _send(server.url, head, b"12345", shut=True) as client:
        answer = client.recv(65536)
    assert not answer.startswith(b"HTTP/1.1 2"), answer
    assert "Contents" not in s3(server.url).list_objects_v2(Bucket="kept")


def test_a_chunked_body_whose_framing_lies_is_a_400_and_kept_nowhere(server: Served) -> None:
    fields = (
        b"PUT /kept/lie.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n"
        b"x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: 5\r\n\r\n"
    )
    with _send(server.url, fields, b"ffff\r\nhello\r\n00") as client:
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"IncompleteBody" in answer
    assert "Contents" not in s3(server.url).list_objects_v2(Bucket="kept")


def test_a_gzip_bomb_is_an_object_like_any_other_and_never_unpacked(server: Served) -> None:
    bomb = gzip.compress(gzip.compress(bytes(200_000_000), 9), 9)
    client = s3(server.url)
    client.put_object(Bucket="kept", Key="bomb.gz", Body=bomb, ContentEncoding="gzip")
    got = client.get_object(Bucket="kept", Key="bomb.gz")
    assert (got["Body"].read(), got["ContentEncoding"]) == (bomb, "gzip")
    xml = gzip.compress(b"<Delete>" + b" " * 50_000_000 + b"</Delete>", 9)
    fields = (
        b"POST /kept?delete HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n"
        b"Content-MD5: " + b64encode(hashlib.md5(xml).digest()) + b"\r\n"
        b"Content-Length: " + str(len(xml)).encode() + b"\r\n\r\n"
    )
    with _send(server.url, fields, xml) as raw:
        assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert _peak_of(server.process.pid) < 200 * 1024 * 1024


def _peak_of(process: int) -> int:
    """Most resident memory of a process in bytes; 0 where the system does not tell."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
