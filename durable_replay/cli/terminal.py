"""Where output goes: rich on a terminal, the same words in plain lines elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from durable_replay.timeline.recordings import Progress

__all__ = ["errors", "indexing", "megabytes", "out", "plain", "say", "written"]

_WIDE = 200
"""Columns of a table that no terminal shows: a line is not to be cut where a program reads it."""


def out() -> Console:
    """For what the command was asked for."""
    return _console(stderr=False)


def errors() -> Console:
    """For what is said beside it: readiness, progress, summaries."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console

    shown = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=None if shown else _WIDE)


def plain(value: object) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def say(text: str) -> None:
    """Beside the output, at once: somebody may be waiting for it. Nothing in it speaks to a terminal."""
    from durable_replay.cassette.text.escaping import visible

    print(visible(text), file=sys.stderr, flush=True)


def written(text: str, output: Path) -> None:
    """What --output asks for, in UTF-8. Raises UsageError where it cannot be written."""
    from durable_replay.errors import UsageError

    try:
        output.write_text(text, "utf-8", "backslashreplace")
    except OSError as wrong:
        raise UsageError(f"--output {output} cannot be written: {wrong.strerror}") from wrong


def megabytes(count: int) -> str:
    """Bytes for people: `312 B`, `4.1 kB`, `12.0 MB`."""
    size, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


@contextmanager
def indexing() -> Iterator[Progress]:
    """A progress line on a terminal while a cassette without a fitting index gets one."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    shown = False

    def progress(done: int, total: int) -> None:
        nonlocal shown
        shown = total > 1000
        if shown:
            print(f"\rindexing {done:,} of {total:,}", end="", file=sys.stderr, flush=True)

    try:
        yield progress
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
