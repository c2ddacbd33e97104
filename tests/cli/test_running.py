from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.cli import app, main
from durable_replay.cli.running import run
from durable_replay.testing import exchange

Tell = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["cassette", "import", "x.cassette", ""],
        ["fidelity", ""],
        ["cassette", "show", ""],
        ["replay", "-c", "", "--", "true"],
        [""],
    ],
)
def test_an_empty_argument_is_no_name_of_the_current_folder(told: Tell, tmp_path: Path, arguments: list[str]) -> None:
    code, output, errors = told(*arguments)
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
    assert "is empty" in errors
    assert not list(tmp_path.iterdir())


def test_an_empty_argument_behind_the_dashes_is_the_command_s(told: Tell, cassette: Path) -> None:
    count = [sys.executable, "-c", "import sys; sys.exit(40 + len(sys.argv))"]
    assert told("replay", "-c", str(cassette), "--", *count, "")[0] == 42


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["recrod"], "recrod"),
        (["replay", "--nonsense"], "--nonsense"),
        (["serve"], "SERVICE"),
        (["serve", "s3", "--port", "http"], "whole number"),
        (["serve", "s3", "--port", "70000"], "65535"),
        (["cassette", "shwo"], "shwo"),
    ],
)
def test_wrong_use_is_one_line_that_names_the_help(told: Tell, arguments: list[str], what: str) -> None:
    code, output, errors = told(*arguments)
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
    assert what in errors
    assert "--help" in errors
    assert "?." not in errors


def test_the_version_is_told(told: Tell) -> None:
    from durable_replay import __version__

    assert told("--version") == (0, f"durable-replay {__version__}\n", "")


@pytest.mark.parametrize("group", [[], ["cassette"], ["ca"]])
def test_a_group_alone_shows_its_help(told: Tell, group: list[str]) -> None:
    _, output, errors = told(*group)
    assert output.startswith(f"Usage: {' '.join(['durable-replay', *group])} ")
    assert errors == ""


def test_our_own_mistakes_keep_their_traceback() -> None:
    app = typer.Typer()

    @app.command()
    def broken() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(app, "broken", [])


def test_ctrl_c_is_exit_130() -> None:
    app = typer.Typer()

    @app.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert run(app, "interrupted", []) == 130


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_after_it_has_tidied_up(number: signal.Signals) -> None:
    tidied = []
    app = typer.Typer()

    @app.command()
    def long() -> None:
        try:
            signal.raise_signal(number)
        finally:
            tidied.append(True)

    before = signal.signal(number, signal.SIG_DFL)  # pytest's own may be another one, as under nohup
    try:
        assert run(app, "long", []) == 128 + number
        assert tidied == [True]
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("arguments", [["--help"], ["replay", "--help"], ["record", "--help"]])
def test_help_needs_neither_pydantic_nor_rich(arguments: list[str]) -> None:
    code = (
        f"import sys\nfrom durable_replay.cli import main\nmain({arguments!r})\n"
        "heavy = {'pydantic', 'rich', 'sqlmodel', 'mitmproxy', 'cryptography', 'httpx', 'asyncio', 'lxml'}\n"
        "print('loaded', *sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "loaded", done.stderr


def _cpu(*arguments: str) -> float:
    """Seconds of the processor that an interpreter takes."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_takes_little_more_than_what_parses_the_command_line() -> None:
    """The least of seven, for other tests run beside this one; both are compiled by the first. It is 1.8 times an
    import of typer, which takes 0.07 s: a quarter of a second would be 3.5 times."""
    took = [(_cpu("-m", "durable_replay", "--help"), _cpu("-c", "import typer")) for _ in range(7)]
    assert min(ours for ours, _ in took) < 3.5 * min(theirs for _, theirs in took)


HOSTILE = {"na\x1b[31mme\u202e": "\ud800", "\N{RIGHTWARDS ARROW}": 1}


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Path, Path]:
    """Two sides whose API speaks to terminals, with half a character."""
    paths = tmp_path / "before.cassette", tmp_path / "after.cassette"
    for path, document in zip(paths, ({"id": 1}, {"id": 1, **HOSTILE}), strict=True):
        with CassetteWriter.open(path) as writer:
            writer.append(exchange("GET", "https://api.test/a\x1b[2J", 200, document))
    return paths


@pytest.mark.parametrize("shape", ["table", "json", "markdown", "junit", "sarif", "html"])
def test_output_is_utf_8_whatever_the_locale_and_speaks_to_no_terminal(
    hostile: tuple[Path, Path], shape: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "durable_replay", "diff", *map(str, hostile), "--format", shape]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode("utf-8")
    assert "body.$.\N{RIGHTWARDS ARROW}" in text
    assert "\x1b" not in text
    if shape in ("json", "sarif"):
        json.loads(text)
    else:
        assert "\u202e" not in text
    assert main([*command[3:], "--output", str(tmp_path / "report")]) == 0
    assert "\\udcff" not in (tmp_path / "report").read_text("utf-8")


def test_a_list_of_what_was_recorded_speaks_to_no_terminal(told: Tell, hostile: tuple[Path, Path]) -> None:
    _, output, _ = told("cassette", "list", hostile[0])
    assert "https://api.test/a" in output
    assert "\x1b" not in output


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", [["--help"], ["services"], ["services", "--format", "json"]])
def test_a_full_disk_is_one_line_and_not_the_code_of_a_finding(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "durable_replay", *arguments]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "durable-replay: the output cannot be written: No space left on device; make room for it\n"


@pytest.mark.parametrize("closed", ["0>&-", "1>&-", "0>&- 1>&- 2>&-"])
def test_a_stream_that_is_closed_changes_no_exit_code(closed: str, hostile: tuple[Path, Path]) -> None:
    line = f'exec "$@" {closed}'
    arguments = ["diff", *map(str, hostile), "--fail-on", "additive"]
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "durable_replay", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    Cassette.open(hostile[0]).close()  # nothing was written into it


def test_the_docs_have_a_line_for_each_command() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `durable-replay ([a-z -]+)` \|", text, re.MULTILINE))
    assert {name for name in listed if "--" not in name} == set(_commands(typer.main.get_command(app), ""))


def _commands(command: Any, name: str) -> Iterator[str]:
    """The names of what does something, such as `cassette scan`."""
    if not hasattr(command, "commands"):
        yield name.strip()
    for inner, each in getattr(command, "commands", {}).items():
        yield from _commands(each, f"{name} {inner}")
