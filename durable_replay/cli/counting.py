"""A progress line for long work on cassettes, and their index afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from durable_replay.cli.terminal import say

if TYPE_CHECKING:
    from durable_replay.cassette.care.building import Progress

__all__ = ["counting", "indexed", "there"]

_SHOWN_FROM = 1000


@contextmanager
def counting(word: str) -> Iterator[Progress]:
    """A line `merging 3,000 of 12,000` on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    shown = False

    def progress(done: int, total: int) -> None:
        nonlocal shown
        shown = shown or max(done, total) >= _SHOWN_FROM
        if shown:
            of = f" of {total:,}" if total else ""
            print(f"\r{word} {done:,}{of}", end="", file=sys.stderr, flush=True)

    try:
        yield progress
    finally:
        if shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def indexed(*cassettes: Path) -> None:
    """Gives cassettes that were changed their index for replay again. Without it a replay is as right, and later ready,
    so that its failure fails nothing."""
    from durable_replay.errors import ReplayError
    from durable_replay.settings import Settings
    from durable_replay.tapes import write_index

    with counting("indexing") as progress:
        for path in cassettes:
            try:
                write_index(path, Settings.load(Path.cwd()), on_progress=progress)
            except ReplayError as error:
                say(f"durable-replay: {path} is whole, but has no index: {error}")


def there(file: Path) -> Path:
    """The same; UsageError where there is no such file, or a folder."""
    from durable_replay.errors import UsageError

    if not file.exists():
        raise UsageError(f"there is no cassette {file}; check the name")
    if file.is_dir():
        raise UsageError(f"{file} is a directory, a cassette is a file. Name the file in it.")
    return file
