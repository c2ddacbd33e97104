"""Cassettes to take care of."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response

Exchange = Callable[..., Interaction]


@pytest.fixture
def exchange() -> Exchange:
    """One exchange; all its parts can be given."""

    def make(
        target: str = "/", method: str = "GET", host: str = "api.test", body: bytes = b"{}", at: float = 1_700_000_000.0
    ) -> Interaction:
        request = Request(method, "https", host, 443, target, Headers([("Accept", "*/*"), ("X-Request-Id", str(at))]))
        headers = Headers([("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Date", str(at))])
        return Interaction(request, Response(200, headers, BytesBody(body), "OK"), started=at, duration=0.1)

    return make


@pytest.fixture
def tape(tmp_path: Path) -> Callable[..., Path]:
    """Writes a cassette by name."""

    def write(name: str, interactions: Sequence[Interaction], hosts: str = "") -> Path:
        with CassetteWriter.open(tmp_path / name) as writer:
            writer.extend(interactions)
            if hosts:
                writer.set_meta("hosts", hosts)
        return tmp_path / name

    return write


@pytest.fixture
def targets() -> Callable[[Path], list[str]]:
    """What the interactions of a cassette ask for."""

    def read(path: Path) -> list[str]:
        with Cassette.open(path) as cassette:
            assert cassette.verify() == len(cassette)
            return [each.request.target for each in cassette.interactions()]

    return read


@pytest.fixture
def identity() -> Callable[[Path], str]:
    """The identity of a cassette's tape."""

    def read(path: Path) -> str:
        with Cassette.open(path) as cassette:
            return cassette.identity

    return read


IsMoment = Callable[[str], bool]
Killed = Callable[[Callable[[], object], int], bool]


@pytest.fixture
def is_moment() -> IsMoment:
    """Whether an audited event is one at which a process may be killed: it touches a file, a process or a database."""
    return lambda event: event.startswith(("os.", "open", "sqlite3.", "shutil."))


@pytest.fixture
def killed(is_moment: IsMoment) -> Killed:
    """`killed(work, moment)` does it in a child that is killed at that moment; False: it was done before."""

    def kill(work: Callable[[], object], moment: int) -> bool:
        if (child := os.fork()) == 0:
            left = moment

            def met(event: str, args: tuple[object, ...]) -> None:
                nonlocal left
                left -= is_moment(event)
                if left < 0 and event != "os.kill":
                    os.kill(os.getpid(), signal.SIGKILL)

            try:
                sys.addaudithook(met)
                work()
            finally:
                os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    return kill
