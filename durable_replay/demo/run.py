"""The demonstration's steps. Each is a process of its own, as a user would start it; nothing stands in for anything."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from durable_replay.errors import ReplayError, UsageError

__all__ = ["DemoFailed", "Line", "Step", "steps"]

NEEDED = ("mitmproxy", "moto", "flask", "boto3")
PATIENCE = 120  # seconds for a step, on a machine that is busy
DEVIATION = (
    # What the test wrote, and whatever shows it, is emulated: and nothing else.
    ("GetObject photos/dog.txt", "recorded"),
    ("PutObject photos/cat.txt", "emulated"),
    ("DeleteObject photos/fox.txt", "emulated"),
    ("PutObject photos/owl.txt", "emulated"),
    ("GetObject photos/cat.txt", "emulated"),
    ("GetObject photos/dog.txt", "recorded"),
    ("GetObject photos/owl.txt", "emulated"),
    ("GetObject photos/fox.txt", "emulated"),
    ("ListObjectsV2 photos", "emulated"),
)


class DemoFailed(ReplayError):
    """An answer was not what it must be; exit code 1."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One request of a script, and where its answer came from."""

    operation: str
    on: str
    status: int
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, the command that did it, the answers that its script had, and what the command said at its end."""

    title: str
    command: str
    lines: tuple[Line, ...]
    said: tuple[str, ...]


def steps() -> Iterator[Step]:
    """Does the demonstration step by step and checks each. Raises DemoFailed; UsageError where a tool is missing."""
    _require()
    with TemporaryDirectory(prefix="durable-replay-demo-") as name:
        demo = _Demo(Path(name))
        with _upstream() as port:
            demo.use(port)
            yield demo.record()
        yield demo.replay()
        yield demo.deviate()


def _require() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(f"the demo needs {', '.join(missing)}: pip install 'durable-replay[demo]'")


@contextmanager
def _upstream() -> Iterator[int]:
    """A real S3 implementation on loopback; when the block ends, its process has ended."""
    command = [sys.executable, "-m", "durable_replay.demo.upstream"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None and server.stdin is not None
        line = server.stdout.readline()
        if not line.strip().isdigit():
            raise DemoFailed("moto's server did not start; what it said is above")
        try:
            yield int(line)
        finally:
            server.stdin.close()
            server.wait(PATIENCE)


class _Demo:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._endpoint = ""
        self._recorded = ""

    def use(self, port: int) -> None:
        self._endpoint = f"127.0.0.1:{port}"

    def record(self) -> Step:
        """The script against the real service."""
        options = ["record", "-c", "s3.cassette", "--map", f"{self._endpoint}=s3"]
        step, self._recorded = self._run("Record boto3 against moto's S3 server", options, "script")
        return step

    def replay(self) -> Step:
        """The same script without it: the same output, from the tape alone."""
        options = ["replay", "-c", "s3.cassette", "--strict"]
        step, output = self._run("Stop moto, and replay the same script", options, "script")
        if output != self._recorded:
            raise DemoFailed(f"the replayed output differs from the recorded one: {output!r} and {self._recorded!r}")
        _expect(step.lines, [(f"{line.operation} {line.on}", "recorded") for line in step.lines])
        return step

    def deviate(self) -> Step:
        """Another script: as recorded first, then not."""
        step, _ = self._run("Replay a script that goes its own way", ["replay", "-c", "s3.cassette"], "deviation")
        begun = len(step.lines) - len(DEVIATION)
        as_recorded = [(f"{line.operation} {line.on}", "recorded") for line in step.lines[:begun]]
        _expect(step.lines, [*as_recorded, *DEVIATION])
        return step

    def _run(self, title: str, options: Sequence[str], script: str) -> tuple[Step, str]:
        child = [sys.executable, "-m", f"durable_replay.demo.{script}"]
        command = [sys.executable, "-m", "durable_replay", *options, "--", *child]
        trace = self._folder / "trace.jsonl"
        trace.write_bytes(b"")
        environment = {**os.environ, "DEMO_ENDPOINT": f"http://{self._endpoint}", "DEMO_TRACE": str(trace)}
        done = subprocess.run(  # noqa: S603 - our own commands
            command, cwd=self._folder, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
        if done.returncode != 0:
            raise DemoFailed(f"{title}: exit code {done.returncode}: {done.stdout}{done.stderr}")
        lines = tuple(Line(**json.loads(text)) for text in trace.read_text("utf-8").splitlines())
        shown = shlex.join(["durable-replay", *options, "--", "python", f"{script}.py"])
        return Step(title, shown, lines, tuple(done.stderr.splitlines())), done.stdout


def _expect(lines: Sequence[Line], wanted: Sequence[tuple[str, str]]) -> None:
    found = [(f"{line.operation} {line.on}", line.source) for line in lines]
    for had, due in zip_longest(found, wanted):
        if had != due:
            raise DemoFailed(f"an answer came from elsewhere than it must: {had}, expected {due}")
