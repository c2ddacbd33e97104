from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from durable_replay.cassette.store import Cassette
from durable_replay.http import BytesBody, Interaction


class Echo(BaseHTTPRequestHandler):
    """Answers a GET with its path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[str]:
    """The URL of a loopback server."""
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    listening.daemon_threads = True
    Thread(target=listening.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    listening.server_close()


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and authorities of the tests' own."""
    monkeypatch.setenv("DURABLE_REPLAY_REDACTION_KEY_FILE", str(tmp_path / "redaction.key"))
    monkeypatch.setenv("DURABLE_REPLAY_CA_DIR", str(tmp_path / "ca"))


RECORD = """
import json, sys
from pathlib import Path
from durable_replay.front.tls import Authority
from durable_replay.recording.run import Upstream, record
folder, proxy, trusted = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
outcome = record(folder / "x.cassette", include_loopback=True, authority=Authority.load_or_create(folder / "ours"),
                 upstream=Upstream(proxy or None, Path(trusted) if trusted else None), key=b"0123456789abcdef",
                 on_ready=lambda url: print(url, flush=True))
print(json.dumps({"written": outcome.written, "exit_code": outcome.exit_code, "error": outcome.error}))
"""


@dataclass
class Recording:
    """A recording in a process of its own; `ca` is what its clients trust."""

    process: subprocess.Popen[bytes]
    url: str
    cassette: Path
    ca: Path

    def recorded(self, path: str, ready: Callable[[Interaction], bool] = lambda _: True) -> Interaction:
        """The interaction with this path, as soon as it is on the tape and `ready`."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with Cassette.open(self.cassette) as cassette:
                for each in cassette.interactions():
                    if each.request.path == path and ready(each):
                        request = replace(each.request, body=BytesBody(each.request.body.read()))
                        response = replace(each.response, body=BytesBody(each.response.body.read()))
                        return replace(each, request=request, response=response)
            threading.Event().wait(0.02)
        raise AssertionError(f"{path} was not recorded")

    def end(self) -> dict[str, object]:
        """Its outcome."""
        self.process.terminate()
        output, _ = self.process.communicate(timeout=60)
        outcome: dict[str, object] = json.loads(output.splitlines()[-1])
        return outcome


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Recording]]:
    """Starts a recording until its `end`."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(proxy: str = "", trusted: Path | None = None) -> Recording:
        folder = tmp_path_factory.mktemp("recording")
        arguments = [sys.executable, "-c", RECORD, str(folder), proxy, str(trusted or "")]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        running.append(process)
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        assert url.startswith("http://127.0.0.1:")
        return Recording(process, url, folder / "x.cassette", folder / "ours" / "ca.pem")

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()
