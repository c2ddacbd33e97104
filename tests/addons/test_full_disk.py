"""A recording on a disk that gets full, which is a real one: a tmpfs of 1.5 MiB."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from durable_replay.cassette.store import Cassette
from durable_replay.http import Interaction

Serve = Callable[[Callable[[socket.socket], None]], str]


class Proxy(Protocol):
    """See conftest.py."""

    process: subprocess.Popen[bytes]
    cassette: Path

    def get(self, url: str, extra: bytes = ...) -> bytes: ...
    def end(self) -> int: ...
    def recorded(self, path: str, ready: Callable[[Interaction], bool] = ...) -> Interaction: ...


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a disk of a known size needs Linux and the right to mount")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1536k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # a recorder of a failed test may hold it yet


def test_a_full_disk_ends_the_recording_not_the_traffic(
    start: Callable[..., Proxy], serve: Serve, small_disk: Path
) -> None:
    def noise(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + os.urandom(100_000))

    proxy, url = start(cassette=small_disk / "x.cassette", errors=subprocess.PIPE), serve(noise)
    proxy.get(f"{url}/0")
    proxy.recorded("/0")
    for number in range(1, 40):
        answer = proxy.get(f"{url}/{number}")
        assert answer.startswith(b"HTTP/1.1 200") and len(answer) > 100_000
    assert proxy.end() == 1
    assert proxy.process.stdout is not None
    told = proxy.process.stdout.read().decode()
    while_it_runs, at_the_end = told.strip().splitlines()
    assert "not recorded any more" in while_it_runs and at_the_end.count(str(proxy.cassette)) == 1
    assert "the disk is full" in at_the_end
    assert at_the_end.endswith("Make room, then record again.")
    with Cassette.open(proxy.cassette) as cassette:
        assert 1 <= cassette.verify() < 40
        assert cassette.interaction(1).request.path == "/0"
