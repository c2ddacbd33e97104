from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest

from durable_replay.cassette.index import Index
from durable_replay.cassette.store import Cassette

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]
Tell = Callable[..., tuple[int, str, str]]


def test_a_recording_has_its_index_and_its_hosts_and_the_childs_exit_code_is_ours(
    run: Run, script: Path, server: str, tmp_path: Path
) -> None:
    mapped = f"{server.removeprefix('http://')}=s3"
    child = ["--", "sh", "-c", 'SERVER="$1" "$2" "$3" /bucket; exit 7', "sh", server, sys.executable, str(script)]
    done = run("record", "-c", "x.cassette", "--map", mapped, "--format", "json", *child)
    assert (done.returncode, done.stdout) == (7, "/bucket 200 answer 1 of /bucket\n")
    told = json.loads(done.stderr.splitlines()[-1])
    assert (told["interactions"], told["written"], told["hosts"]) == (1, 1, [server.removeprefix("http://")])
    with Cassette.open(tmp_path / "x.cassette") as cassette:
        assert Index(cassette.connection).fact(1).service == "s3"
        assert Index(cassette.connection).used() == {"s3": 1}


def test_a_second_recording_once_is_refused_with_what_to_do(run: Run, cassette: Path) -> None:
    done = run("record", "-c", cassette, "--", "true")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "--mode new" in done.stderr


def test_a_command_that_is_not_there_is_exit_127_and_leaves_no_file(told: Tell, tmp_path: Path) -> None:
    code, output, errors = told("record", "-c", "x.cassette", "--", "no-such-program")
    assert (code, output, len(errors.splitlines())) == (127, "", 1)
    assert not (tmp_path / "x.cassette").exists()


def test_without_a_command_it_says_where_it_listens_and_ends_cleanly(start: Start, server: str, tmp_path: Path) -> None:
    recording = start("record", "-c", "x.cassette", "--include-loopback")
    proxy = recording.until(r"at (http://127\.0\.0\.1:\d+),")[1]
    with build_opener(ProxyHandler({"http": proxy})).open(f"{server}/a") as answer:
        assert answer.read() == b"answer 1 of /a"
    code, errors = recording.end()
    assert (code, errors.splitlines()[-1].startswith("recorded 1 of 1 interactions")) == (0, True)
    with Cassette.open(tmp_path / "x.cassette") as cassette:
        assert len(cassette) == 1


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--", "true"], "Missing option"),
        (["-c", "no/such/folder/x.cassette", "--", "true"], "there is no folder"),
        (["-c", "x.cassette", "--mode", "twice", "--", "true"], "is not one of once, new, all, none"),
        (["-c", "x.cassette", "--map", "nowhere", "--", "true"], "is not HOST[:PORT]=SERVICE"),
        (["-c", "x.cassette", "--upstream-proxy", "squid", "--", "true"], "is not http://HOST:PORT"),
        (["-c", "x.cassette", "--upstream-proxy", "http://squid:a", "--", "true"], "is not http://HOST:PORT"),
        (["-c", "x.cassette", "--upstream-ca", "absent.pem", "--", "true"], "absent.pem is no PEM file"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(told: Tell, arguments: list[str], what: str) -> None:
    code, output, errors = told("record", *arguments)
    assert (code, output) == (2, "")
    assert len(errors.splitlines()) == 1
    assert what in errors
    assert not Path("x.cassette").exists()


def test_a_recording_of_nothing_says_where_the_requests_may_have_gone(run: Run) -> None:
    done = run("record", "-c", "x.cassette", "--", sys.executable, "-c", "pass")
    assert done.returncode == 0
    assert "recorded 0 of 0 interactions" in done.stderr
    assert "no request came through the proxy" in done.stderr
    assert "--include-loopback" in done.stderr
