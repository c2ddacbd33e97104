"""A service on loopback that a test scripts, a clock that does not wait, and runs over small tapes."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.drift.live.auth import guarded
from durable_replay.drift.live.taking import LiveOptions, LiveOutcome, take
from durable_replay.drift.sources import Tapes
from durable_replay.front.tls import Authority
from durable_replay.http import BytesBody, Interaction
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.rules import DEFAULT
from durable_replay.service.registry import Registry
from durable_replay.timeline.indexing import Indexing

KEY = b"0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Asked:
    """What the service was asked."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


Said = tuple[Any, ...]
"""What the service answers: a status, a body (a dict or list is sent as JSON), and headers as pairs."""
Answer = Callable[[Asked], Said]


@dataclass
class Upstream:
    """A service that answers by `answer`, and remembers what it was asked."""

    port: int
    scheme: str = "http"
    answer: Answer = lambda asked: (200, {})
    asked: list[Asked] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0
    lock: Lock = field(default_factory=Lock)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def targets(self) -> list[str]:
        return [one.target for one in self.asked]


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._any
            raise AttributeError(name)

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            with upstream.lock:
                upstream.asked.append(asked)
                upstream.at_once += 1
                upstream.most_at_once = max(upstream.most_at_once, upstream.at_once)
            try:
                self._say(upstream.answer(asked))
            finally:
                with upstream.lock:
                    upstream.at_once -= 1

        def _say(self, said: Said) -> None:
            status, data, fields = (*said, None, ())[:3] if len(said) < 3 else said
            fields = [*(fields or ())]
            if isinstance(data, dict | list):
                data = json.dumps(data).encode()
                fields.append(("Content-Type", "application/json"))
            data = data.encode() if isinstance(data, str) else data or b""
            self.send_response(status)
            for name, value in fields:
                self.send_header(name, value)
            if not any(name.lower() == "content-length" for name, _ in fields):
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            return

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that refuses our certificate is no error of this server's."""


@pytest.fixture
def start() -> Iterator[Callable[..., Upstream]]:
    """Starts a service; `tls` with a certificate for 127.0.0.1."""
    running: list[_Server] = []

    def begin(answer: Answer = lambda asked: (200, {}), tls: ssl.SSLContext | None = None) -> Upstream:
        upstream = Upstream(0, "https" if tls else "http", answer)
        server = _Server(("127.0.0.1", 0), _handler(upstream))
        upstream.port = server.server_port
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(server)
        return upstream

    yield begin
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs the certificates of a test's servers; `path` is what a client has to trust."""
    return Authority.load_or_create(tmp_path_factory.mktemp("authority"))


class StillClock:
    """Waiting costs nothing, and is remembered."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.time = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


Run = Callable[..., LiveOutcome]


@dataclass
class Bench:
    """A folder with a tape, and the live runs over it."""

    folder: Path
    clock: StillClock

    @property
    def before(self) -> Path:
        return self.folder / "before.cassette"

    @property
    def target(self) -> Path:
        return self.folder / "live.cassette"

    def tape(self, *interactions: Interaction) -> None:
        with CassetteWriter.open(self.before) as writer:
            for interaction in interactions:
                writer.append(interaction)

    def take(self, registry: Registry | None = None, **options: Any) -> LiveOutcome:
        chosen = LiveOptions(**{"second_look": False, **options})
        redactor = Redactor(KEY, guarded(DEFAULT, chosen.credentials))
        with Tapes([self.before]) as side:
            return take(side, self.target, chosen, Indexing(registry or Registry()), redactor, clock=self.clock)

    def taken(self) -> list[Interaction]:
        """With bodies that outlive the cassette."""
        with Cassette.open(self.target) as cassette:
            return [
                replace(
                    one,
                    request=replace(one.request, body=BytesBody(one.request.body.read())),
                    response=replace(one.response, body=BytesBody(one.response.body.read())),
                )
                for one in cassette.interactions()
            ]

    def bodies(self) -> list[bytes]:
        with Cassette.open(self.target) as cassette:
            return [interaction.response.body.read() for interaction in cassette.interactions()]


@pytest.fixture
def bench(tmp_path: Path, clock: StillClock) -> Bench:
    return Bench(tmp_path, clock)
