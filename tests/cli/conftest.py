"""The command line as a user has it: processes of its own, a real server on loopback, cassettes on disk."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from durable_replay.cassette.writer import CassetteWriter
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response

Run = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "durable_replay"]

SCRIPT = """\
import os, sys, urllib.request
for path in sys.argv[1:]:
    with urllib.request.urlopen(os.environ["SERVER"] + path) as answer:
        print(path, answer.status, answer.read().decode())
"""

WITH_REQUESTS = """\
import os, sys, requests
for path in sys.argv[1:]:
    answer = requests.get(os.environ["SERVER"] + path, timeout=30)
    print(path, answer.status_code, answer.text)
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `durable-replay ARGUMENTS…` to its end, in the test's folder."""

    def run_it(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]

    return run_it


Told = tuple[int, str, str]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    """Runs a command line in this process, in the test's folder; gives exit code, stdout and stderr."""
    from durable_replay.cli import main

    monkeypatch.chdir(tmp_path)

    def tell(*arguments: str | Path) -> Told:
        capfd.readouterr()
        code = main([str(each) for each in arguments])
        return code, *capfd.readouterr()

    return tell


class Started:
    """A command that runs until it is told to end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said: list[str] = []

    def until(self, pattern: str) -> re.Match[str]:
        """Reads on until a line of stdout matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it ended without {pattern!r}: {self.said}")

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Signals it; gives its exit code and what it said on stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Starts a command line that runs until it is signalled."""
    running: list[subprocess.Popen[str]] = []

    def start_it(*arguments: str | Path, command: list[str] = COMMAND) -> Started:
        line = [*command, *map(str, arguments)]
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(line, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True))
        return Started(running[-1])

    yield start_it
    for process in running:
        process.kill()
        process.communicate()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        count = self.server.counts[self.path] = self.server.counts.get(self.path, 0) + 1  # type: ignore[attr-defined]
        body = f"answer {count} of {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: stderr is the test's."""


@contextmanager
def _server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.counts = {}  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def server() -> Iterator[str]:
    """A real HTTP server whose answers count the requests for each path."""
    with _server() as url:
        yield url


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A program that gets the paths it is given from `SERVER`, and prints what it is told."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return path


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A cassette of three requests to a server that is gone, recorded by the command line; and that server's URL."""
    folder = tmp_path_factory.mktemp("recorded")
    program, path = folder / "script.py", folder / "three.cassette"
    program.write_text(WITH_REQUESTS)
    with _server() as url:
        recording = [*COMMAND, "record", "-c", str(path), "--include-loopback"]
        command = [*recording, "--", "env", f"SERVER={url}", sys.executable, str(program), "/a", "/b", "/a"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["/a 200 answer 1 of /a", "/b 200 answer 1 of /b", "/a 200 answer 2 of /a"]
    return path, url


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    """A cassette of two interactions with `api.example.com`, the second a picture."""
    path = tmp_path / "api.cassette"
    text = Response(
        200, Headers([("Content-Type", "application/json")]), BytesBody(b'{"name": "\x1b[31mred"}'), reason="OK"
    )
    picture = Response(404, Headers([("Content-Type", "image/png")]), BytesBody(b"\x89PNG\x00\xff"))
    with CassetteWriter.open(path) as writer:
        for target, response in (("/text?page=2", text), ("/picture", picture)):
            request = Request("GET", "https", "api.example.com", 443, target, Headers([("Accept", "*/*")]))
            writer.append(Interaction(request, response, started=1_767_225_600.0, duration=0.25))
    return path
