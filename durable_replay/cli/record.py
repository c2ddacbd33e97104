"""`durable-replay record`: real traffic becomes a cassette, or a cassette's recordings are taken anew."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from durable_replay.cli.comparing import FailLimit, Ignore, Output, ShowIgnored
from durable_replay.cli.options import COMMAND, Command, Host, IncludeLoopback, Maps, Port
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.recording import Mode, Taking, show_recording
from durable_replay.cli.refreshing import Wanted, refreshed
from durable_replay.errors import UsageError

__all__ = ["add_to", "record"]


class Shown(StrEnum):
    """For whom the output is; all but the first two are reports of what changed."""

    text = "text"
    json = "json"
    markdown = "markdown"
    junit = "junit"
    sarif = "sarif"
    html = "html"


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command(
        "record",
        cls=QuickCommand,
        context_settings=COMMAND,
        epilog="Example: durable-replay record -c s3.cassette -- python script.py",
    )(record)


def record(
    cassette: Annotated[Path | None, typer.Option("--cassette", "-c", help="The cassette to record into.")] = None,
    command: Command = None,
    mode: Annotated[
        Mode | None,
        typer.Option(
            "--mode",
            help="once (default): into a new cassette; new: add what is not on the tape; all: replace the tape; "
            "none: only pass.",
        ),
    ] = None,
    refresh: Annotated[
        Path | None,
        typer.Option(
            "--refresh", metavar="FILE", help="Record this cassette anew beside it, and tell what changed in the API."
        ),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="With --refresh: the new recording takes the cassette's place.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="With --accept: the former cassette is kept as FILE.before.")
    ] = False,
    maps: Maps = None,
    include_loopback: IncludeLoopback = False,
    host: Host = "127.0.0.1",
    port: Port = 0,
    upstream_proxy: Annotated[
        str | None, typer.Option("--upstream-proxy", metavar="URL", help="Reach the services through this proxy.")
    ] = None,
    upstream_ca: Annotated[
        Path | None, typer.Option("--upstream-ca", help="A PEM file by which the services' certificates are verified.")
    ] = None,
    shape: Annotated[
        Shown,
        typer.Option(
            "--format", help="text for people, json for programs; of a --refresh also markdown, junit, sarif or html."
        ),
    ] = Shown.text,
    output: Output = None,
    fail_on: FailLimit = None,
    ignore: Ignore = None,
    show_ignored: ShowIgnored = False,
) -> int:
    """Record the traffic of a command, or of everything that uses the proxy until Ctrl-C.

    Credentials are replaced before anything is written. A command's exit code is ours; 1 where the recording failed
    or secrets were found in it. --output and what stands below it are of the report that --refresh makes.
    """
    from durable_replay.settings import Settings

    wanted = Wanted(shape.value, output, fail_on, tuple(ignore or ()), show_ignored)
    settings = Settings.load(Path.cwd())
    taking = Taking(
        settings, command, maps or (), include_loopback, host, port, upstream_proxy, upstream_ca, mode or Mode.once
    )
    if refresh is not None:
        _require_no_other(cassette, mode)
        return refreshed(refresh, taking, wanted, accept=accept, keep=keep)
    _require_no_report(wanted, accept=accept, keep=keep)
    if cassette is None:
        raise UsageError("Missing option '--cassette' / '-c', or '--refresh'; name the file to record into")
    taking.require_possible()
    outcome = taking.into(cassette)
    if outcome.written and not outcome.error:
        taking.index(cassette)
    show_recording(outcome, cassette, as_json=shape is Shown.json)
    return outcome.exit_code


def _require_no_other(cassette: Path | None, mode: Mode | None) -> None:
    for name, value in (("-c", cassette), ("--mode", mode)):
        if value is not None:
            raise UsageError(f"--refresh and {name} exclude each other; --refresh FILE records beside FILE")


def _require_no_report(wanted: Wanted, *, accept: bool, keep: bool) -> None:
    """Raises UsageError for an option that means nothing without --refresh."""
    given = {
        "--accept": accept,
        "--keep": keep,
        "--output": wanted.output,
        "--fail-on": wanted.fail_on,
        "--ignore": wanted.ignore,
        "--show-ignored": wanted.show_ignored,
        f"--format {wanted.shape}": wanted.shape not in (Shown.text, Shown.json),
    }
    for name, value in given.items():
        if value:
            raise UsageError(f"{name} is for --refresh FILE, which records a cassette anew and tells what changed")
