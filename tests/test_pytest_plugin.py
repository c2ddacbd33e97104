"""The plug-in in a pytest of its own, as a user has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from durable_replay.cassette.writer import CassetteWriter
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response


def _pytest(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    request = Request("GET", "https", "api.example.com", 443, "/me", Headers())
    answer = Response(200, Headers([("Content-Type", "text/plain")]), BytesBody(b"alice"))
    with CassetteWriter.open(folder / "api.cassette") as writer:
        writer.append(Interaction(request, answer, started=1.7e9))
    (folder / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-c", os.devnull]
    return subprocess.run(
        [*command, "--rootdir", str(folder), str(folder)], cwd=folder, capture_output=True, text=True, timeout=100
    )


def test_a_test_is_answered_from_its_cassette(tmp_path: Path) -> None:
    done = _pytest(
        tmp_path,
        """
import pytest, requests

@pytest.mark.durable_replay("api.cassette", strict=True)
def test_me(durable_replay):
    answer = requests.get("https://api.example.com/me")
    assert (answer.text, answer.headers["x-durable-source"]) == ("alice", "recorded")
    assert durable_replay.summary().never_used == 0

def test_without_it_the_environment_is_untouched():
    import os
    assert "HTTPS_PROXY" not in os.environ
""",
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_a_strict_test_fails_by_a_miss_and_says_which(tmp_path: Path) -> None:
    done = _pytest(
        tmp_path,
        """
import pytest, requests

@pytest.mark.durable_replay("api.cassette", strict=True)
def test_other(durable_replay):
    assert requests.get("https://api.example.com/other").status_code == 501
""",
    )
    assert done.returncode == 1
    assert "1 answers were not recorded ones: GET https://api.example.com/other was refused" in done.stdout


def test_a_misspelt_option_is_refused(tmp_path: Path) -> None:
    done = _pytest(
        tmp_path,
        """
import pytest

@pytest.mark.durable_replay("api.cassette", srtict=True)
def test_it(durable_replay):
    pass
""",
    )
    assert done.returncode == 1
    assert "not srtict" in done.stdout


def test_the_plugin_costs_nothing_until_it_is_used() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import durable_replay.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["durable_replay", "durable_replay.pytest_plugin"]
