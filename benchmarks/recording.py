"""What recording costs: `mitmdump -w`, our add-on and our add-on without any rule for secrets, taken in turns.

    python benchmarks/recording.py [REQUESTS] [TURNS]

Prints requests a second and CPU of each, their ratios, and what the rules cost (1 KB JSON answers over kept-alive
connections, 8 at a time).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 8
BODY = json.dumps([{"id": n, "name": f"item {n}", "state": "open"} for n in range(22)]).encode()
BARE = """\
from pathlib import Path
from durable_addons.record import Record
from durable_replay.recording.recorder import Recorder
from durable_replay.redaction.rules import Rules
addons = [Record(Recorder.start(Path({cassette!r}), "once", [], Rules(())))]
"""
"""An add-on that replaces nothing."""
ADDON = Path(__file__).parents[1] / "addons" / "durable_addons" / "record.py"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(head + BODY)
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


async def client(proxy: int, server: int, first: int, count: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy)
    for number in range(first, first + count):
        url = f"http://127.0.0.1:{server}/v1/items?page={number}"
        head = f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1:{server}\r\nAuthorization: Bearer t0ken-t0ken-t0ken\r\n"
        writer.write(f"{head}Accept: application/json\r\nUser-Agent: benchmark\r\n\r\n".encode())
        answered = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answered[:16]:
            raise RuntimeError(f"the proxy answered {answered[:80]!r}")
        await reader.readexactly(len(BODY))
    writer.close()


async def load(proxy: int, requests: int) -> float:
    """Requests a second through a proxy."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    each = requests // CONNECTIONS
    await asyncio.gather(*(client(proxy, port, 0, 2) for _ in range(CONNECTIONS)))
    begun = time.perf_counter()
    await asyncio.gather(*(client(proxy, port, 1000 + n * each, each) for n in range(CONNECTIONS)))
    taken = time.perf_counter() - begun
    server.close()
    return each * CONNECTIONS / taken


def cpu_seconds(process: int) -> float:
    """User and system time so far, as Linux tells it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Turn:
    """One short turn: requests a second, and milliseconds of CPU for each request."""

    rate: float
    cpu: float


@dataclass(frozen=True)
class Result:
    """What was measured: medians over all turns, and recording's share of what `mitmdump -w` does in the same time and
    with the same CPU. Aim: 0.85."""

    plain: Turn
    recording: Turn
    wall: float
    cpu: float
    rules: float
    """The share of recording's CPU that the default rules take. Aim: 0.05 at most."""

    def __str__(self) -> str:
        return (
            f"mitmdump -w {self.plain.rate:5,.0f}/s, {self.plain.cpu:.2f} ms CPU a request; "
            f"recording {self.recording.rate:5,.0f}/s, {self.recording.cpu:.2f} ms: "
            f"recording keeps {self.wall:.2f} by the clock, {self.cpu:.2f} by CPU (aim 0.85); "
            f"the rules for secrets take {self.rules:.1%} of its CPU (aim 5 %)"
        )


class Dump:
    """A running mitmdump."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.port = free_port()
        command = [str(Path(sys.executable).with_name("mitmdump")), "-q", "--listen-port", str(self.port), *arguments]
        environment = {**os.environ, "DURABLE_REPLAY_REDACTION_KEY_FILE": str(folder / "key")}
        self._process = subprocess.Popen([*command, "--set", f"confdir={folder}"], env=environment)

    def ready(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError("mitmdump does not listen")

    def turn(self, requests: int) -> Turn:
        before = cpu_seconds(self._process.pid)
        rate = asyncio.run(load(self.port, requests))
        time.sleep(0.1)  # what is written a little later is counted too
        return Turn(rate, (cpu_seconds(self._process.pid) - before) / requests * 1000)

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)


def run(requests: int = 400, turns: int = 12) -> list[Result]:
    """All run all the time and are loaded in turns, so that a busy machine is busy for each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = Dump(folder, "-w", str(folder / "flows"))
        ours = Dump(folder, "-s", str(ADDON), "--set", f"durable_cassette={folder / 'a.cassette'}")
        script = folder / "bare.py"
        script.write_text(BARE.format(cassette=str(folder / "b.cassette")))
        bare = Dump(folder, "-s", str(script))
        dumps = (plain, ours, bare)
        try:
            for dump in dumps:
                dump.ready()
                dump.turn(requests)
            taken = [[dump.turn(requests) for dump in dumps] for _ in range(turns)]
        finally:
            for dump in dumps:
                dump.end()
    return [_result(*([turn[at] for turn in taken] for at in range(len(dumps))))]


def _result(plain: list[Turn], ours: list[Turn], bare: list[Turn]) -> Result:
    pairs = list(zip(plain, ours, strict=True))
    return Result(
        _median(plain),
        _median(ours),
        statistics.median(second.rate / first.rate for first, second in pairs),
        statistics.median(first.cpu / second.cpu for first, second in pairs),
        statistics.median(1 - without.cpu / with_rules.cpu for with_rules, without in zip(ours, bare, strict=True)),
    )


def _median(turns: list[Turn]) -> Turn:
    return Turn(statistics.median(turn.rate for turn in turns), statistics.median(turn.cpu for turn in turns))


def main(*sizes: int) -> None:
    for result in run(*sizes):
        print(result)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
