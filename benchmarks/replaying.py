"""Replay hits of one recording of 1 KB JSON: `durable-replay replay` as users run it, against a bare server that
answers a constant and against mitmproxy's own server replay, in one run and in turns."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.bare import BODY, HOST
from benchmarks.load import PATH, Measured, Way, measure, running
from durable_replay.cassette.store import CassetteWriter
from durable_replay.front.tls import Authority
from durable_replay.http import BytesBody, Headers
from durable_replay.testing import exchange

FLOWS = """
import sys
from mitmproxy import connection, http, io
host, path, target = sys.argv[1:]
body = sys.stdin.buffer.read()
client = connection.Client(peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), timestamp_start=1)
with open(target, "wb") as file:
    for scheme, port in (("https", 443), ("http", 80)):
        flow = http.HTTPFlow(client, connection.Server(address=(host, port)))
        flow.request = http.Request.make("GET", f"{scheme}://{host}{path}")
        flow.response = http.Response.make(200, body, {"Content-Type": "application/json"})
        io.FlowWriter(file).add(flow)
"""


def one_recording(path: Path) -> None:
    """A cassette of the one answer, by https and by http."""
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
    with CassetteWriter.open(path) as writer:
        for scheme in ("https", "http"):
            made = exchange("GET", f"{scheme}://{HOST}{PATH.decode()}", at=1_700_000_000)
            writer.append(
                replace(made, response=replace(made.response, headers=Headers(headers), body=BytesBody(BODY)))
            )


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, tuple[int, int, Path]]]:
    """Process, port and CA of each neighbour."""
    cassette, ca = folder / "one.cassette", folder / "ca"
    one_recording(cassette)
    authority = Authority.load_or_create(ca)
    environment = {"DURABLE_REPLAY_CA_DIR": str(ca)}
    bare = [sys.executable, "-m", "benchmarks.bare", str(ca)]
    ours = [sys.executable, "-m", "durable_replay", "replay", "-c", str(cassette)]
    with running(bare) as (bare_id, bare_port), running(ours, environment) as (our_id, our_port):
        yield {
            "bare": (bare_id, bare_port, authority.path),
            "durable-replay": (our_id, our_port, authority.path),
        }


@contextmanager
def mitmproxy(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """mitmproxy's server replay of the same answer."""
    import subprocess

    flows, settings = folder / "flows", folder / "mitm"
    command = [sys.executable, "-c", FLOWS, HOST, PATH.decode(), str(flows)]
    subprocess.run(command, input=BODY, check=True)
    options = ["server_replay_reuse=true", "connection_strategy=lazy", f"confdir={settings}", "flow_detail=0"]
    sets = [word for option in options for word in ("--set", option)]
    program = str(Path(sys.executable).with_name("mitmdump"))
    listen = ["--listen-host", "127.0.0.1", "--listen-port", "0"]
    with running([program, *listen, *sets, "--server-replay", str(flows)]) as (process, port):
        yield process, port, settings / "mitmproxy-ca-cert.pem"


def run(folder: Path, *, rounds: int = 3, seconds: float = 2.0, connections: int = 16) -> list[str]:
    """The table's lines; each ratio is the median of the rounds."""
    lines = []
    with servers(folder) as at:
        for way in ("direct", "tunnel", "varied"):
            lines.append(_compare(way, at, rounds, seconds, connections))
        with mitmproxy(folder) as theirs:
            ours = measure(*at["durable-replay"], "tunnel", connections, seconds)
            other = measure(*theirs, "tunnel", connections, seconds)
    lines.append(f"tunnel   mitmproxy's server replay {_text(other)}   durable-replay × {ours.rate / other.rate:.1f}")
    return lines


def _compare(way: Way, at: dict[str, tuple[int, int, Path]], rounds: int, seconds: float, connections: int) -> str:
    pairs = [
        (measure(*at["bare"], way, connections, seconds), measure(*at["durable-replay"], way, connections, seconds))
        for _ in range(rounds)
    ]
    rate = statistics.median(ours.rate / bare.rate for bare, ours in pairs)
    cpu = statistics.median(bare.microseconds / ours.microseconds for bare, ours in pairs)
    bare, ours = pairs[-1]
    return f"{way:8} bare {_text(bare)}   durable-replay {_text(ours)}   throughput × {rate:.2f}   CPU × {cpu:.2f}"


def _text(measured: Measured) -> str:
    return f"{measured.rate:8,.0f}/s {measured.microseconds:6.1f} µs"
