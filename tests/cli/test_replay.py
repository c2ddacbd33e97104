from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Any]
Tell = Callable[..., tuple[int, str, str]]
Recorded = tuple[Path, str]


@pytest.fixture
def here(told: Tell) -> Run:
    """As `run`, in this process: the child is another one all the same."""

    def run_here(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(arguments, *told(*arguments))

    return run_here


def _script(script: Path, url: str, *paths: str) -> list[str]:
    return ["--", "env", f"SERVER={url}", sys.executable, str(script), *paths]


def test_the_recorded_script_has_the_same_output_with_its_server_gone(run: Run, recorded: Recorded) -> None:
    cassette, url = recorded
    program = cassette.with_name("script.py")
    done = run("replay", "-c", cassette, "--strict", *_script(program, url, "/a", "/b", "/a"))
    assert (done.returncode, done.stderr) == (0, "replay: 3 recorded\n")
    assert done.stdout.splitlines() == ["/a 200 answer 1 of /a", "/b 200 answer 1 of /b", "/a 200 answer 2 of /a"]


def test_a_miss_is_told_with_its_reason_and_fails_a_strict_run(here: Run, recorded: Recorded) -> None:
    cassette, url = recorded
    catching = f"import urllib.request as u\ntry: u.urlopen({url + '/c'!r})\nexcept u.HTTPError as e: print(e.code)"
    done = here("replay", "-c", cassette, "--strict", "--", sys.executable, "-c", catching)
    assert (done.returncode, done.stdout) == (1, "501\n")
    lines = done.stderr.splitlines()
    assert lines[:2] == ["replay: 1 refused", "misses: 1"]
    assert f"GET {url}/c → 501 refused: " in lines[2]
    assert lines[3:] == ["never used: 3 of 3 recordings", *(f"  #{n} GET {url}/{p}" for n, p in enumerate("aba", 1))]


@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_a_childs_failure_goes_before_a_miss(told: Tell, recorded: Recorded, strict: list[str]) -> None:
    cassette, url = recorded
    catching = f"import urllib.request as u\ntry: u.urlopen({url + '/c'!r})\nexcept u.HTTPError: raise SystemExit(7)"
    assert told("replay", "-c", cassette, *strict, "--", sys.executable, "-c", catching)[0] == 7


def test_the_summary_for_programs_is_one_line_of_json(told: Tell, script: Path, recorded: Recorded) -> None:
    cassette, url = recorded
    _, _, errors = told("replay", "-c", cassette, "--format", "json", *_script(script, url, "/a"))
    summary = json.loads(errors)
    assert summary["answers"] == {"recorded": 1, "emulated": 0, "forwarded": 0, "refused": 0}
    assert (summary["missed"], summary["recordings"], summary["never_used"]) == (0, 3, 2)
    assert summary["unused"] == [[2, "GET", f"{url}/b"], [3, "GET", f"{url}/a"]]


def test_forwarding_asks_the_real_server_and_counts_as_a_miss(
    here: Run, script: Path, recorded: Recorded, server: str
) -> None:
    cassette, _ = recorded
    done = here("replay", "-c", cassette, "--on-miss", "forward", "--strict", *_script(script, server, "/new"))
    assert (done.returncode, done.stdout) == (1, "/new 200 answer 1 of /new\n")
    assert done.stderr.startswith("replay: 1 forwarded\nmisses: 1\n")


def test_loopback_goes_direct_unless_the_cassette_holds_it(
    here: Run, cassette: Path, script: Path, server: str
) -> None:
    done = here("replay", "-c", cassette, *_script(script, server, "/own"))
    assert done.stdout == "/own 200 answer 1 of /own\n"
    assert done.stderr.startswith("replay: no requests\n")


def test_loopback_is_answered_from_here_when_asked_for(here: Run, cassette: Path, script: Path, server: str) -> None:
    done = here("replay", "-c", cassette, "--include-loopback", *_script(script, server, "/own"))
    assert done.returncode != 0
    assert "replay: 1 refused" in done.stderr


def test_a_mapped_host_is_emulated_by_its_service(here: Run, server: str) -> None:
    place = urlsplit(server).netloc
    put = f"import urllib.request as u\nr = u.Request({server + '/photos'!r}, method='PUT')\nprint(u.urlopen(r).status)"
    done = here("replay", "--map", f"{place}=s3", "--", sys.executable, "-c", put)
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr
    assert done.stderr.startswith("replay: 1 emulated\n")


def test_without_a_command_it_says_where_it_listens_and_ends_cleanly(start: Start, recorded: Recorded) -> None:
    cassette, url = recorded
    for number in (signal.SIGTERM, signal.SIGINT):
        running = start("replay", "-c", cassette)
        proxy = running.until(r"listens on (http://127\.0\.0\.1:\d+),")[1]
        line = running.until("eval")
        assert f"durable-replay env --proxy {proxy} --include-loopback" in line.string
        with build_opener(ProxyHandler({"http": proxy})).open(f"{url}/a") as answer:
            assert answer.read() == b"answer 1 of /a"
            assert answer.headers["x-durable-source"] == "recorded"
        code, errors = running.end(number)
        assert (code, errors.splitlines()[0]) == (0, "replay: 1 recorded")


def test_provenance_can_be_left_out(start: Start, recorded: Recorded) -> None:
    cassette, url = recorded
    running = start("replay", "-c", cassette, "--no-provenance")
    proxy = running.until(r"listens on (http://127\.0\.0\.1:\d+),")[1]
    with build_opener(ProxyHandler({"http": proxy})).open(f"{url}/a") as answer:
        assert [name for name in answer.headers if name.lower().startswith("x-durable")] == []


def test_old_recordings_are_told_and_fail_a_strict_run(told: Tell, cassette: Path) -> None:
    code, _, errors = told("replay", "-c", cassette, "--max-age", "1d", "--", "true")
    assert (code, "recordings of 2026-01-01" in errors) == (0, True)
    assert told("replay", "-c", cassette, "--max-age", "1d", "--strict", "--", "true")[0] == 1


def test_a_time_that_an_import_made_up_is_not_told_as_old(told: Tell, tmp_path: Path) -> None:
    stub = {"request": {"method": "GET", "url": "/a"}, "response": {"status": 200, "body": "x"}}
    (tmp_path / "stub.json").write_text(json.dumps(stub))
    told("cassette", "import", "i.cassette", "stub.json", "--base", "https://api.test")
    code, _, errors = told("replay", "-c", "i.cassette", "--max-age", "1d", "--strict", "--", "true")
    assert (code, "recordings of" in errors) == (0, False), errors


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["-c", "none.cassette", "--", "true"], "there is no cassette none.cassette"),
        ([], "nothing to replay"),
        (["--clock", "noon", "-c", "{cassette}", "--", "true"], "--clock 'noon'"),
        (["--map", "nowhere", "--", "true"], "is not HOST[:PORT]=SERVICE"),
        (["--map", "x.test=nosuch", "--", "true"], "nosuch"),
        (["--on-miss", "guess", "--", "true"], "is not one of emulate, refuse, forward"),
        (["--max-age", "soon", "-c", "{cassette}", "--", "true"], "'soon' is no age"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(told: Tell, cassette: Path, arguments: list[str], what: str) -> None:
    code, output, errors = told("replay", *(each.format(cassette=cassette) for each in arguments))
    assert (code, output) == (2, "")
    assert len(errors.splitlines()) == 1
    assert what in errors


def test_a_port_in_use_is_one_line_and_exit_2(told: Tell, cassette: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, errors = told("replay", "-c", cassette, "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert len(errors.splitlines()) == 1
    assert "choose another port" in errors


def test_a_command_that_is_not_there_is_exit_127(told: Tell, cassette: Path) -> None:
    code, _, errors = told("replay", "-c", cassette, "--", "no-such-program")
    assert code == 127
    assert "no-such-program cannot be started: there is no such command" in errors
    assert len(errors.splitlines()) == 1


def test_a_child_that_a_signal_ended_gives_128_and_the_signal(told: Tell, cassette: Path) -> None:
    killing = ("--", "sh", "-c", "kill -9 $$")
    assert told("replay", "-c", cassette, *killing)[0] == 128 + signal.SIGKILL


def test_the_childs_own_options_are_its_own(told: Tell, cassette: Path) -> None:
    _, output, errors = told("replay", "-c", cassette, "sh", "-c", 'echo "$@"', "sh", "--port", "x", "--")
    assert output == "--port x --\n", errors


def test_a_running_replay_has_neither_mitmproxy_nor_sqlmodel(recorded: Recorded, script: Path) -> None:
    cassette, url = recorded
    code = (
        "import sys\nfrom durable_replay.cli import main\n"
        f"code = main(['replay', '-c', {str(cassette)!r}, '--', 'env', 'SERVER={url}', "
        f"sys.executable, {str(script)!r}, '/a'])\n"
        "heavy = {'mitmproxy', 'sqlmodel', 'sqlalchemy', 'pydantic', 'httpx'}\n"
        "print(code, *sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "0", done.stderr
