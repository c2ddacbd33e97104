from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

Start = Callable[..., Any]
Tell = Callable[..., tuple[int, str, str]]
MOCK = [sys.executable, "-c", "import sys; from durable_replay.cli.mock import s3; sys.exit(s3())"]


def _put(url: str, data: bytes | None = None) -> int:
    with urlopen(Request(url, data=data, method="PUT")) as answer:
        return int(answer.status)


def test_it_serves_at_a_plain_endpoint_until_it_is_told_to_end(start: Start) -> None:
    running = start("serve", "s3", "--port", "0")
    url = running.until(r"ready at (http://127\.0\.0\.1:\d+)")[1]
    assert _put(f"{url}/photos") == 200
    assert running.end(signal.SIGTERM) == (0, "")


def test_the_executable_of_a_service_keeps_its_data(start: Start, tmp_path: Path) -> None:
    for turn in range(2):
        running = start("start", "--port", "0", "--data-dir", "kept", command=MOCK)
        ready = running.until(r"s3 is ready at (http://127\.0\.0\.1:\d+), data in (.+);")
        assert Path(ready[2]) == (tmp_path / "kept").resolve()
        if turn == 0:
            assert (_put(f"{ready[1]}/photos"), _put(f"{ready[1]}/photos/cat", b"meow")) == (200, 200)
        else:
            with urlopen(f"{ready[1]}/photos/cat") as answer:
                assert answer.read() == b"meow"
        assert running.end(signal.SIGINT)[0] == 0


def test_an_unknown_service_names_those_there_are(told: Tell) -> None:
    code, output, errors = told("serve", "s4", "--port", "0")
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
    assert "'s4'" in errors
    assert "s3" in errors


def test_a_port_in_use_is_one_line_and_exit_2(told: Tell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, output, errors = told("serve", "s3", "--port", str(taken.getsockname()[1]))
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
    assert "choose another port" in errors


def test_a_data_directory_that_cannot_be_used_is_one_line_and_exit_2(told: Tell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    code, output, errors = told("serve", "s3", "--port", "0", "--data-dir", "file")
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
    assert "--data-dir" in errors


@pytest.mark.parametrize("service", ["s3", "jira"])
def test_each_executable_helps_under_its_own_name(
    service: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from durable_replay.cli import mock

    monkeypatch.setattr(sys, "argv", [f"durable-mock-{service}", "start", "--help"])
    assert getattr(mock, service)() == 0
    assert f"Usage: durable-mock-{service} start" in capsys.readouterr().out
