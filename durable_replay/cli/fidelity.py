"""`durable-replay fidelity`: how close the emulators come to what was recorded."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.counting import counting
from durable_replay.cli.options import Maps, hosts_of
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.running import WRONG_USE
from durable_replay.cli.terminal import out, say, written

if TYPE_CHECKING:
    from durable_replay.drift.measuring import Measured

__all__ = ["add_to"]


class Form(StrEnum):
    """For whom the output is."""

    table = "table"
    json = "json"
    markdown = "markdown"


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command(cls=QuickCommand, epilog="Example: durable-replay fidelity jira.cassette recordings/")(fidelity)


def fidelity(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Cassettes, recordings of other tools, folders of them.")
    ],
    form: Annotated[
        Form, typer.Option("--format", help="table for people, json for programs, markdown for docs.")
    ] = Form.table,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of to stdout.")] = None,
    maps: Maps = None,
) -> int:
    """Ask the emulators for every recorded request, and say by operation how far their answers agree.

    An emulator knows the tape up to the request that it is asked, and no more. Hosts that no service claims belong to
    the service that a file's folder is named after. Broken files are named, the others measured; the exit code is
    then 2.
    """
    from durable_replay.drift.measuring import measure
    from durable_replay.drift.report import agreements
    from durable_replay.settings import Settings

    settings = Settings.load(Path.cwd())
    with counting("measuring file") as progress:
        measured = measure(files, settings, {**settings.hosts, **hosts_of(maps)}, progress)
    if form is Form.json:
        text = agreements.as_json(measured)
    elif form is Form.markdown:
        text = agreements.as_markdown(measured)
    else:
        text = agreements.as_table(measured, out().width, color=output is None and sys.stdout.isatty())
    if output is None:
        print(text, end="")
    else:
        written(text, output)
    if measured.rows and not measured.services():
        say(
            "no service here knows these hosts; `durable-replay services` lists them, --map HOST=SERVICE names a host's"
        )
    return _told_broken(measured)


def _told_broken(measured: Measured) -> int:
    for path, error in measured.broken:
        text = " ".join(str(error).split())
        say(f"durable-replay: {text}" if str(path) in text else f"durable-replay: {path}: {text}")
    return WRONG_USE if measured.broken else 0
