"""What a replay saw, for people and for programs; on stderr, since stdout is the command's."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from durable_replay.cli.options import Shape
from durable_replay.cli.terminal import errors

if TYPE_CHECKING:
    from rich.console import Console

    from durable_replay.replaying import Summary

__all__ = ["COLOURS", "show_summary"]

COLOURS = {"recorded": "green", "emulated": "cyan", "forwarded": "yellow", "refused": "red"}


def show_summary(summary: Summary, shape: Shape) -> None:
    """JSON is one line."""
    if shape is Shape.json:
        print(json.dumps(asdict(summary), ensure_ascii=False), file=sys.stderr)
        return
    console = errors()
    _answers(console, summary)
    _misses(console, summary)
    _unused(console, summary)


def _answers(console: Console, summary: Summary) -> None:
    from rich.text import Text

    parts = [
        Text(f"{count:,} {source}", style=COLOURS[source]) for source, count in summary.answers.items() if count
    ] or [Text("no requests")]
    console.print(Text("replay: ").append_text(Text(", ").join(parts)))


def _misses(console: Console, summary: Summary) -> None:
    from rich.text import Text

    if not summary.missed:
        return
    console.print(f"misses: {summary.missed:,}")
    for miss in summary.misses:
        line = Text(f"  {miss.method} {miss.url} → {miss.status} ")
        line.append(miss.source, style=COLOURS[miss.source])
        console.print(line.append(f": {miss.why}"), soft_wrap=True)
    if summary.missed > len(summary.misses):
        console.print(f"  … and {summary.missed - len(summary.misses):,} more")


def _unused(console: Console, summary: Summary) -> None:
    if not summary.never_used:
        return
    console.print(f"never used: {summary.never_used:,} of {summary.recordings:,} recordings")
    for number, method, url in summary.unused:
        console.print(f"  #{number} {method} {url}", soft_wrap=True)
    if summary.never_used > len(summary.unused):
        console.print(f"  … and {summary.never_used - len(summary.unused):,} more")
