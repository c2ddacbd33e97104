"""What recording costs: throughput of `mitmdump -w` and of our add-on on the same traffic, taken in turns.

    python benchmarks/recording.py [REQUESTS] [ROUNDS]

Prints requests a second of each and their ratio (1 KB JSON answers over kept-alive connections, 8 at a time).
Aim: 0.85.
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
from pathlib import Path

CONNECTIONS = 8
BODY = json.dumps([{"id": n, "name": f"item {n}", "state": "open"} for n in range(22)]).encode()
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
    await asyncio.gather(*(client(proxy, port, 0, 20) for _ in range(CONNECTIONS)))
    begun = time.perf_counter()
    await asyncio.gather(*(client(proxy, port, 1000 + n * each, each) for n in range(CONNECTIONS)))
    taken = time.perf_counter() - begun
    server.close()
    return each * CONNECTIONS / taken


def cpu_seconds(process: int) -> float:
    """User and system time so far, as Linux tells it."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(arguments: list[str], folder: Path, requests: int) -> tuple[float, float]:
    """Requests a second, and milliseconds of CPU for each."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("mitmdump")), "-q", "--listen-port", str(port), *arguments]
    environment = {**os.environ, "DURABLE_REPLAY_REDACTION_KEY_FILE": str(folder / "key")}
    process = subprocess.Popen([*command, "--set", f"confdir={folder}"], env=environment)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        before = cpu_seconds(process.pid)
        rate = asyncio.run(load(port, requests))
        return rate, (cpu_seconds(process.pid) - before) / requests * 1000
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main(requests: int = 4000, rounds: int = 3) -> None:
    ratios = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            plain = measure(["-w", str(folder / "flows")], folder, requests)
            ours = measure(["-s", str(ADDON), "--set", f"durable_cassette={folder / 'a.cassette'}"], folder, requests)
        ratios.append(ours[0] / plain[0])
        print(
            f"round {number + 1}: mitmdump -w {plain[0]:7,.0f}/s ({plain[1]:.2f} ms CPU)   "
            f"recording {ours[0]:7,.0f}/s ({ours[1]:.2f} ms CPU)   {ratios[-1]:.2f}"
        )
    print(f"recording keeps {statistics.median(ratios):.2f} of mitmdump -w (median of {rounds})")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
