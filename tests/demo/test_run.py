from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from durable_replay.demo import run
from durable_replay.demo.run import DemoFailed, Line, steps
from durable_replay.errors import UsageError


def test_the_demonstration_holds() -> None:
    """All of it: moto's server, mitmproxy, boto3, and each answer from where it must come."""
    for name in run.NEEDED:
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed; it comes with durable-replay[demo]")
    recorded, replayed, deviated = steps()
    assert [line.source for line in recorded.lines] == ["the service itself"] * 8
    assert [line.source for line in replayed.lines] == ["recorded"] * 8
    assert len(deviated.lines) == 17
    assert "replay: 10 recorded, 7 emulated" in deviated.said


def test_an_answer_from_elsewhere_fails_it_loudly() -> None:
    line = Line("GetObject", "photos/cat.txt", 200, "recorded", "")
    with pytest.raises(DemoFailed, match=r"came from elsewhere.*emulated") as failed:
        run._expect([line], [("GetObject photos/cat.txt", "emulated")])
    assert failed.value.exit_code == 1
    with pytest.raises(DemoFailed):
        run._expect([line], [("GetObject photos/cat.txt", "recorded"), ("ListObjectsV2 photos", "emulated")])


def test_what_is_missing_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "NEEDED", ("json", "no_such_package"))
    with pytest.raises(UsageError, match=r"needs no_such_package: pip install 'durable-replay\[demo\]'"):
        next(steps())


def test_a_script_that_fails_fails_the_demonstration(tmp_path: Path) -> None:
    """The deviating script itself, with nobody to answer it, exits with a traceback."""
    environment = {"DEMO_ENDPOINT": "http://127.0.0.1:9", "DEMO_TRACE": str(tmp_path / "trace")}
    command = [sys.executable, "-m", "durable_replay.demo.deviation"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "EndpointConnectionError" in done.stderr
