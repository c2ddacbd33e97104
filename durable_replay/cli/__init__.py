"""The command line: one module a command, each parses, calls one function, and renders what that gives.

Exit codes: 0 fine, 1 found what it looks for, 2 wrong use, otherwise the child's.
"""

from __future__ import annotations

from collections.abc import Sequence

import typer

from durable_replay.cli import (
    ca,
    cassette,
    cassette_care,
    cassette_export,
    cassette_import,
    cassette_scan,
    demo,
    diff,
    env,
    fidelity,
    record,
    replay,
    serve,
    services,
)
from durable_replay.cli.quick import QuickGroup
from durable_replay.cli.running import run

__all__ = ["app", "main"]

app = typer.Typer(
    cls=QuickGroup,
    name="durable-replay",
    help="Record real service traffic, replay it while it is true, and let a stateful emulator answer the rest.",
    epilog="Example: durable-replay record -c s3.cassette -- pytest",
    no_args_is_help=True,  # with help in plain text: rich alone would take longer than help may
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(shown: bool) -> None:
    if shown:
        from durable_replay import __version__

        typer.echo(f"durable-replay {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", help="Show the version.", callback=_version, is_eager=True),
) -> None:
    pass


for _module in (record, replay, diff, fidelity, serve, services, env, demo):
    _module.add_to(app)
for _module in (cassette_export, cassette_import, cassette_care, cassette_scan):
    _module.add_to(cassette.app)
app.add_typer(cassette.app, name="cassette")
app.add_typer(ca.app, name="ca")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line `durable-replay`; gives the exit code."""
    return run(app, "durable-replay", arguments)
