"""`durable-replay demo`: the main job, on this machine alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.summary import COLOURS
from durable_replay.cli.terminal import out

if TYPE_CHECKING:
    from durable_replay.demo.run import Step

__all__ = ["add_to", "demo"]


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("demo", cls=QuickCommand, epilog="Example: durable-replay demo")(demo)


def demo() -> int:
    """Record boto3 against a real S3 implementation on loopback, stop it, replay, then deviate.

    Nothing is faked, each answer is checked, and a wrong one ends it with exit code 1.
    """
    from durable_replay.demo.run import steps

    for number, step in enumerate(steps(), 1):
        _show(number, step)
    out().print(
        "All of it was checked: the replayed script printed what the recorded one did, to the byte; each answer"
    )
    out().print("came from where it must; and what the deviating script was told is what S3 would have said.")
    return 0


def _show(number: int, step: Step) -> None:
    from rich.table import Table
    from rich.text import Text

    console = out()
    console.print(Text(f"{number}. {step.title}", style="bold"))
    console.print(f"$ {step.command}", soft_wrap=True)
    table = Table("request", "on", "status", "answer", "why", box=None, pad_edge=False, header_style="dim")
    for line in step.lines:
        source = Text(line.source, style=COLOURS.get(line.source, ""))
        table.add_row(line.operation, line.on, str(line.status), source, line.why)
    console.print(table)
    for text in step.said:
        console.print(Text(text, style="dim"), soft_wrap=True)
    console.print()
