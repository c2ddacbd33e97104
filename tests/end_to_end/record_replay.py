"""A service on loopback and the two commands of a user: record a program against it, replay the program without it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from durable_replay.front.tls import Authority

__all__ = [
    "DURABLE",
    "MOCK_S3",
    "SCRIPTS",
    "Completed",
    "Served",
    "json_service",
    "moto_server",
    "recorded",
    "replayed",
    "run",
    "serving",
]

DURABLE = (sys.executable, "-m", "durable_replay")
MOCK_S3 = Path(sys.executable).with_name("durable-mock-s3")
SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE = 90

Completed = subprocess.CompletedProcess[str]


class _Notes(BaseHTTPRequestHandler):
    """Notes by number: POST /notes makes one, GET /notes/1 shows it; each answer has a count that never repeats."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.notes.append(json.loads(text)["text"])  # type: ignore[attr-defined]
        self._say(201, {"id": len(self.server.notes)})  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        number = int(self.path.rpartition("/")[2])
        notes: list[str] = self.server.notes  # type: ignore[attr-defined]
        if number > len(notes):
            return self._say(404, {"error": "no such note"})
        return self._say(200, {"id": number, "text": notes[number - 1]})

    def _say(self, status: int, content: Mapping[str, object]) -> None:
        self.server.answers += 1  # type: ignore[attr-defined]
        body = json.dumps({**content, "answer": self.server.answers}).encode()  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: stderr is the test's."""


@contextmanager
def json_service(folder: Path | None = None) -> Iterator[str]:
    """A JSON service; its URL. With a folder it speaks TLS, by a private CA whose certificate is `folder/ca.pem`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Notes)
    server.notes, server.answers = [], 0  # type: ignore[attr-defined]
    if folder is not None:
        authority = Authority.load_or_create(folder / "private-ca")
        (folder / "ca.pem").write_bytes(authority.pem)
        server.socket = authority.context("localhost").wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    scheme = "http" if folder is None else "https"
    try:
        yield f"{scheme}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def moto_server() -> Iterator[str]:
    """moto's S3 server, an independent implementation, in a process of its own; gives `127.0.0.1:PORT`."""
    command = [sys.executable, "-m", "durable_replay.demo.upstream"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None and server.stdin is not None
        try:
            yield f"127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.stdin.close()
            server.wait(20)


class Served:
    """A server of ours as a process; `url` is where it listens."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url = process, url

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(PATIENCE)


@contextmanager
def serving(*command: str | Path) -> Iterator[Served]:
    """A command that says where it is ready; it is told to end when the block does."""
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = re.search(r"http://[^ ,]+", process.stdout.readline())
            assert found is not None
            yield Served(process, found[0])
        finally:
            process.terminate()
            process.wait(PATIENCE)


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None) -> Completed:
    """Runs it to its end in this folder."""
    return subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE
    )


def recorded(folder: Path, command: Sequence[str | Path], *options: str) -> Completed:
    """`durable-replay record -c x.cassette OPTIONS -- COMMAND`, which must end well."""
    done = run([*DURABLE, "record", "-c", "x.cassette", *options, "--", *command], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def replayed(folder: Path, command: Sequence[str | Path], *options: str) -> Completed:
    """`durable-replay replay -c x.cassette OPTIONS -- COMMAND`."""
    return run([*DURABLE, "replay", "-c", "x.cassette", *options, "--", *command], folder)
