"""mitmproxy runs in a process of its own, for its imports warn and the tests take warnings for errors."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette

RUN = """
import json, sys
from pathlib import Path
from durable_replay.errors import ReplayError
from durable_replay.recording.run import record
path, *command = sys.argv[1:]
try:
    outcome = record(Path(path), include_loopback=True, command=command or None,
                     on_ready=lambda url: print(url, flush=True), on_progress=lambda seen: None)
except ReplayError as wrong:
    print(json.dumps({"refused": str(wrong)}))
    raise SystemExit(2)
print(json.dumps({"written": outcome.written, "exit_code": outcome.exit_code, "error": outcome.error}))
"""


def run(path: Path, *command: str) -> dict[str, object]:
    process = subprocess.run([sys.executable, "-c", RUN, str(path), *command], capture_output=True, timeout=90)
    answer: dict[str, object] = json.loads(process.stdout.splitlines()[-1])
    return answer


def fetch(url: str) -> list[str]:
    code = f"import urllib.request as u, sys; u.urlopen({url!r}).read(); sys.exit(3)"
    return [sys.executable, "-c", code]


def test_the_traffic_of_a_command_is_recorded_and_its_exit_code_is_ours(tmp_path: Path, server: str) -> None:
    path = tmp_path / "x.cassette"
    assert run(path, *fetch(f"{server}/a?token=s3cr3t-t0ken")) == {"written": 1, "exit_code": 3, "error": ""}
    with Cassette.open(path) as cassette:
        assert cassette.interaction(1).request.target.startswith("/a?token=secret-")


def test_a_command_that_does_not_exist_is_wrong_use(tmp_path: Path) -> None:
    assert "cannot be started" in str(run(tmp_path / "x.cassette", "/no/such/command")["refused"])


def test_a_command_is_not_started_after_a_signal_that_it_would_not_hear_of(tmp_path: Path) -> None:
    told = "on_ready=lambda url: print(url, flush=True)"
    assert told in RUN
    code = RUN.replace(told, "on_ready=lambda url: __import__('signal').raise_signal(2)")
    command = [sys.executable, "-c", code, str(tmp_path / "x.cassette"), "sh", "-c", f"echo > '{tmp_path / 'ran'}'"]
    process = subprocess.run(command, capture_output=True, timeout=90)
    assert json.loads(process.stdout.splitlines()[-1]) == {"written": 0, "exit_code": 130, "error": ""}
    assert process.stderr == b""
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_recording_without_command_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "x.cassette"
    process = subprocess.Popen([sys.executable, "-c", RUN, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline().startswith(b"http://127.0.0.1:")
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert json.loads(output) == {"written": 0, "exit_code": 0, "error": ""}
    assert [file.name for file in tmp_path.glob("x.cassette*")] == ["x.cassette"]


def test_ctrl_c_at_a_terminal_is_the_commands_to_answer(tmp_path: Path) -> None:
    """A suite that tidies up after itself is not ended in the middle of it: it ends with its own code, untold."""
    tidy = (
        "import signal, sys\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [2, 15])\n"  # one that comes before it is waited for is not lost
        "print('asked', flush=True)\n"
        "number = signal.sigwait([2, 15])\n"
        "sys.exit(15 if signal.sigtimedwait([15], 0.5) else number)\n"
    )
    keyboard, terminal = pty.openpty()
    at_terminal = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{RUN}"
    command = [sys.executable, "-c", at_terminal, str(tmp_path / "x.cassette"), sys.executable, "-c", tidy]
    process = subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert any(line == b"asked\n" for line in process.stdout)
    os.write(keyboard, b"\x03")
    output, _ = process.communicate(timeout=60)
    os.close(keyboard)
    os.close(terminal)
    assert json.loads(output.splitlines()[-1])["exit_code"] == signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_terminal_a_signal_is_passed_on_as_it_is_and_the_recording_kept(
    tmp_path: Path, server: str, number: signal.Signals
) -> None:
    """As in replay: a suite tidies up at SIGINT, and has no time for that at SIGTERM."""
    waiting = (
        "import signal, sys, urllib.request\n"
        f"urllib.request.urlopen({server + '/a'!r}).read()\n"
        "for number in (2, 15): signal.signal(number, lambda number, frame: sys.exit(100 + number))\n"
        "print('asked', flush=True)\n"
        "while True: signal.pause()"
    )
    command = [sys.executable, "-c", RUN, str(tmp_path / "x.cassette"), sys.executable, "-c", waiting]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    assert any(line == b"asked\n" for line in process.stdout)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert json.loads(output.splitlines()[-1]) == {"written": 1, "exit_code": 100 + number, "error": ""}
