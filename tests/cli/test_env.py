from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

Tell = Callable[..., tuple[int, str, str]]


def test_a_shell_that_evaluates_the_lines_has_the_variables(told: Tell) -> None:
    code, output, _ = told("env", "--port", "8123")
    assert code == 0
    shown = 'echo "$HTTPS_PROXY $http_proxy $NO_PROXY" && test -s "$SSL_CERT_FILE"'
    done = subprocess.run(["sh", "-c", f"{output}\n{shown}"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0
    assert done.stdout == "http://127.0.0.1:8123 http://127.0.0.1:8123 localhost,127.0.0.1,::1\n"


def test_json_has_the_same_variables_for_programs(told: Tell) -> None:
    variables = json.loads(told("env", "--proxy", "http://127.0.0.1:9", "--format", "json")[1])
    assert variables["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert "NODE_EXTRA_CA_CERTS" in variables


def test_a_session_and_loopback_can_be_asked_for(told: Tell) -> None:
    options = ("--session", "worker-7", "--include-loopback", "--format", "json")
    variables = json.loads(told("env", "--port", "9", *options)[1])
    assert variables["HTTP_PROXY"] == "http://worker-7@127.0.0.1:9"
    assert "127.0.0.1" not in variables.get("NO_PROXY", "")


@pytest.mark.parametrize("options", [("--proxy", "ftp://x"), ("--session", "a b"), ("--port", "0")])
def test_wrong_use_is_one_line_and_exit_2(told: Tell, options: tuple[str, str]) -> None:
    code, output, errors = told("env", *options)
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
