from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest


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
