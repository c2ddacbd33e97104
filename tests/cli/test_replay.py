from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Recorded = tuple[Path, str]


def _script(script: Path, url: str, *paths: str) -> list[str]:
    return ["--", "env", f"SERVER={url}", sys.executable, str(script), *paths]


def test_the_recorded_script_has_the_same_output_with_its_server_gone(
    run: Run, script: Path, recorded: Recorded
) -> None:
    cassette, url = recorded
    done = run("replay", "-c", cassette, "--strict", *_script(script, url, "/a", "/b", "/a"))
    assert (done.returncode, done.stderr) == (0, "replay: 3 recorded\n")
    assert done.stdout.splitlines() == ["/a 200 answer 1 of /a", "/b 200 answer 1 of /b", "/a 200 answer 2 of /a"]


def test_a_miss_is_told_with_its_reason_and_fails_a_strict_run(run: Run, script: Path, recorded: Recorded) -> None:
    cassette, url = recorded
    catching = f"import urllib.request as u\ntry: u.urlopen({url + '/c'!r})\nexcept u.HTTPError as e: print(e.code)"
    done = run("replay", "-c", cassette, "--strict", "--", sys.executable, "-c", catching)
    assert (done.returncode, done.stdout) == (1, "501\n")
    lines = done.stderr.splitlines()
    assert lines[:2] == ["replay: 1 refused", "misses: 1"]
    assert f"GET {url}/c → 501 refused: " in lines[2]
    assert lines[3:] == ["never used: 3 of 3 recordings", *(f"  #{n} GET {url}/{p}" for n, p in enumerate("aba", 1))]


def test_a_miss_without_strict_leaves_the_childs_exit_code(run: Run, recorded: Recorded) -> None:
    cassette, url = recorded
    catching = f"import urllib.request as u\ntry: u.urlopen({url + '/c'!r})\nexcept u.HTTPError: raise SystemExit(7)"
    plain = run("replay", "-c", cassette, "--", sys.executable, "-c", catching)
    strict = run("replay", "-c", cassette, "--strict", "--", sys.executable, "-c", catching)
    assert (plain.returncode, strict.returncode) == (7, 7)


def test_the_summary_for_programs_is_one_line_of_json(run: Run, script: Path, recorded: Recorded) -> None:
    cassette, url = recorded
    done = run("replay", "-c", cassette, "--format", "json", *_script(script, url, "/a"))
    summary = json.loads(done.stderr)
    assert summary["answers"] == {"recorded": 1, "emulated": 0, "forwarded": 0, "refused": 0}
    assert (summary["missed"], summary["recordings"], summary["never_used"]) == (0, 3, 2)
    assert summary["unused"] == [[2, "GET", f"{url}/b"], [3, "GET", f"{url}/a"]]


def test_forwarding_asks_the_real_server_and_counts_as_a_miss(
    run: Run, script: Path, recorded: Recorded, server: str
) -> None:
    cassette, _ = recorded
    done = run("replay", "-c", cassette, "--on-miss", "forward", "--strict", *_script(script, server, "/new"))
    assert (done.returncode, done.stdout) == (1, "/new 200 answer 1 of /new\n")
    assert done.stderr.startswith("replay: 1 forwarded\nmisses: 1\n")


def test_loopback_goes_direct_unless_the_cassette_holds_it(run: Run, cassette: Path, script: Path, server: str) -> None:
    done = run("replay", "-c", cassette, *_script(script, server, "/own"))
    assert done.stdout == "/own 200 answer 1 of /own\n"
    assert done.stderr.startswith("replay: no requests\n")


def test_loopback_is_answered_from_here_when_asked_for(run: Run, cassette: Path, script: Path, server: str) -> None:
    done = run("replay", "-c", cassette, "--include-loopback", *_script(script, server, "/own"))
    assert done.returncode != 0
    assert "replay: 1 refused" in done.stderr


def test_a_mapped_host_is_emulated_by_its_service(run: Run, server: str) -> None:
    place = urlsplit(server).netloc
    put = f"import urllib.request as u\nr = u.Request({server + '/photos'!r}, method='PUT')\nprint(u.urlopen(r).status)"
    done = run("replay", "--map", f"{place}=s3", "--", sys.executable, "-c", put)
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr
    assert done.stderr.startswith("replay: 1 emulated\n")


def test_without_a_command_it_says_where_it_listens_and_ends_cleanly(
    start: Callable[..., object], recorded: Recorded
) -> None:
    cassette, url = recorded
    for number in (signal.SIGTERM, signal.SIGINT):
        running = start("replay", "-c", cassette)
        proxy = running.until(r"listens on (http://127\.0\.0\.1:\d+),")[1]  # type: ignore[attr-defined]
        line = running.until("eval")  # type: ignore[attr-defined]
        assert f"durable-replay env --proxy {proxy} --include-loopback" in line.string
        with build_opener(ProxyHandler({"http": proxy})).open(f"{url}/a") as answer:
            assert answer.read() == b"answer 1 of /a"
            assert answer.headers["x-durable-source"] == "recorded"
        code, errors = running.end(number)  # type: ignore[attr-defined]
        assert (code, errors.splitlines()[0]) == (0, "replay: 1 recorded")


def test_provenance_can_be_left_out(start: Callable[..., object], recorded: Recorded) -> None:
    cassette, url = recorded
    running = start("replay", "-c", cassette, "--no-provenance")
    proxy = running.until(r"listens on (http://127\.0\.0\.1:\d+),")[1]  # type: ignore[attr-defined]
    with build_opener(ProxyHandler({"http": proxy})).open(f"{url}/a") as answer:
        assert [name for name in answer.headers if name.lower().startswith("x-durable")] == []


def test_old_recordings_are_told_and_fail_a_strict_run(run: Run, cassette: Path) -> None:
    told = run("replay", "-c", cassette, "--max-age", "1d", "--", "true")
    strict = run("replay", "-c", cassette, "--max-age", "1d", "--strict", "--", "true")
    assert "recordings of 2026-01-01" in told.stderr
    assert (told.returncode, strict.returncode) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-c", "none.cassette", "--", "true"], "there is no cassette none.cassette"),
        (["--", "true"][:0], "nothing to replay"),
        (["--clock", "noon", "-c", "{cassette}", "--", "true"], "--clock 'noon'"),
        (["--map", "nowhere", "--", "true"], "is not HOST[:PORT]=SERVICE"),
        (["--map", "x.test=nosuch", "--", "true"], "nosuch"),
        (["--on-miss", "guess", "--", "true"], "is not one of emulate, refuse, forward"),
        (["--max-age", "soon", "-c", "{cassette}", "--", "true"], "'soon' is no age"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(run: Run, cassette: Path, arguments: list[str], told: str) -> None:
    done = run("replay", *(each.format(cassette=cassette) for each in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr


def test_a_port_in_use_is_one_line_and_exit_2(run: Run, cassette: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("replay", "-c", cassette, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "choose another port" in done.stderr


def test_a_command_that_is_not_there_is_exit_127(run: Run, cassette: Path) -> None:
    done = run("replay", "-c", cassette, "--", "no-such-program")
    assert done.returncode == 127
    assert "no-such-program cannot be started: there is no such command" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_child_that_a_signal_ended_gives_128_and_the_signal(run: Run, cassette: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run("replay", "-c", cassette, "--", sys.executable, "-c", code).returncode == 128 + signal.SIGKILL


def test_the_childs_own_options_are_its_own(run: Run, cassette: Path) -> None:
    done = run("replay", "-c", cassette, sys.executable, "-c", "import sys; print(sys.argv[1:])", "--port", "x", "--")
    assert done.stdout == "['--port', 'x', '--']\n", done.stderr


def test_a_running_replay_has_neither_mitmproxy_nor_sqlmodel(run: Run, recorded: Recorded, script: Path) -> None:
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
