from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer

from durable_replay.cli.running import run

Tell = Callable[..., tuple[int, str, str]]


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


@pytest.mark.parametrize("arguments", [["--help"], ["replay", "--help"], ["record", "--help"]])
def test_help_needs_neither_pydantic_nor_rich(arguments: list[str]) -> None:
    code = (
        f"import sys\nfrom durable_replay.cli import main\nmain({arguments!r})\n"
        "heavy = {'pydantic', 'rich', 'sqlmodel', 'mitmproxy', 'cryptography', 'httpx', 'asyncio', 'lxml'}\n"
        "print('loaded', *sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "loaded", done.stderr


def test_help_takes_a_quarter_of_a_second_of_the_processor() -> None:
    """Processor time, the least of five, since other tests run beside this one; compiled by the first."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    took = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "durable_replay", "--help"]
        subprocess.run(command, env=environment, capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.25
