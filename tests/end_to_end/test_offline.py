"""Property 8: a replay dials no address but loopback, neither itself nor by the program that it runs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.record_replay import DURABLE, SCRIPTS, Completed, moto_server, recorded, run

WATCH = '''\
"""Every address that a Python process of this run dials or asks for, by a line in the file DIALLED."""
import os, sys

def watch(event, args):
    if event in ("socket.connect", "socket.sendto"):
        address = args[1]
        told = address[0] if isinstance(address, tuple) else "a file"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        told = args[0] or "any"
    else:
        return
    told = told.decode() if isinstance(told, bytes) else str(told)
    with open(os.environ["DIALLED"], "a") as file:
        file.write(f"{os.getpid()} {event} {told}\\n")
    if told not in ("127.0.0.1", "::1", "localhost", "any", "a file", "0.0.0.0"):
        raise OSError(f"refused: {event} {told}")

sys.addaudithook(watch)
'''


@dataclass(frozen=True)
class Recorded:
    """A cassette of boto3 against a server that is gone: its folder and what boto3's program printed."""

    folder: Path
    program: tuple[str | Path, ...]
    output: str

    def replay(self) -> list[str | Path]:
        """The command."""
        return [*DURABLE, "replay", "-c", "x.cassette", "--strict", "--", *self.program]


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("offline")
    with moto_server() as authority:
        program = ("env", f"S3=http://{authority}", sys.executable, SCRIPTS / "with_boto3.py")
        first = recorded(folder, program, "--map", f"{authority}=s3")
    assert "NoSuchKey" in first.stdout
    yield Recorded(folder, program, first.stdout)


def _in_a_namespace(folder: Path, *command: str | Path) -> Completed:
    """Runs it where there is no network but a loopback of its own."""
    script = 'ip link set lo up && exec "$@"'
    return run(["unshare", "--net", "sh", "-c", script, "sh", *command], folder)


@pytest.fixture
def no_network(tmp_path: Path) -> None:
    """Skips where this user may not make a network namespace."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("unshare and ip (util-linux, iproute2) are needed for a network namespace")
    if _in_a_namespace(tmp_path, "true").returncode:
        pytest.skip("this user may not make a network namespace")


def test_a_replay_in_a_network_namespace_without_network_has_the_recorded_output(
    tape: Recorded, no_network: None
) -> None:
    outside = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"
    assert "unreachable" in _in_a_namespace(tape.folder, sys.executable, "-c", outside).stderr
    done = _in_a_namespace(tape.folder, *tape.replay())
    assert (done.returncode, done.stdout) == (0, tape.output), done.stderr
    assert done.stderr.startswith("replay: "), done.stderr


def test_every_address_that_a_replay_and_its_program_dial_is_loopback(tape: Recorded, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    log = tmp_path / "dialled"
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    done = run(tape.replay(), tape.folder, {**os.environ, "PYTHONPATH": path, "DIALLED": str(log)})
    assert (done.returncode, done.stdout) == (0, tape.output), done.stderr
    lines = [line.split(" ", 2) for line in log.read_text().splitlines()]
    assert {address for _, _, address in lines} <= {"127.0.0.1", "::1", "localhost", "any", "a file", "0.0.0.0"}
    assert any(event == "socket.connect" and address == "127.0.0.1" for _, event, address in lines)


def test_the_watch_sees_the_replay_process_and_the_program(tape: Recorded, tmp_path: Path) -> None:
    """So that the test above can fail."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    log = tmp_path / "dialled"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "DIALLED": str(log)}
    forward = [*DURABLE, "replay", "-c", "x.cassette", "--on-miss", "forward", "--", sys.executable, "-c"]
    own = (
        "import socket, urllib.request as u\n"
        "try: u.urlopen('http://example.test/')\n"
        "except u.HTTPError: pass\n"
        "socket.create_connection(('192.0.2.1', 80), 3)"
    )
    run([*forward, own], tape.folder, environment)
    lines = [line.split(" ", 2) for line in log.read_text().splitlines()]
    assert {"example.test", "192.0.2.1"} <= {address for _, _, address in lines}
    assert len({process for process, _, _ in lines}) == 2
