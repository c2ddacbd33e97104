"""`durable-replay cassette export` and `git-setup`: cassettes for people's eyes and for other tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.counting import counting, there
from durable_replay.cli.options import File, Format, Shape
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import megabytes, plain, say

if TYPE_CHECKING:
    from durable_replay.cassette.export.exported import Exported

__all__ = ["add_to"]

_SLASHES = tuple(filter(None, (os.sep, os.altsep)))


class Target(StrEnum):
    """What to write."""

    text = "text"
    har = "har"
    vcrpy = "vcrpy"
    wiremock = "wiremock"
    hoverfly = "hoverfly"


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    app.command(
        cls=QuickCommand, epilog="Example: durable-replay cassette export jira.cassette --format har -o jira.har"
    )(export)
    app.command("git-setup", cls=QuickCommand, epilog="Example: durable-replay cassette git-setup")(git_setup)


def export(
    file: File,
    to: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|FOLDER/",
            help="Write to this file, or text into this folder, a file for each interaction; to stdout without it.",
        ),
    ] = None,
    target: Annotated[
        Target, typer.Option("--format", help="text, or another tool's: har, vcrpy, wiremock, hoverfly.")
    ] = Target.text,
    review: Annotated[
        bool, typer.Option("--review", help="Text without what changes in each recording: for diffs, not for import.")
    ] = False,
    for_git: Annotated[
        bool, typer.Option("--for-git", hidden=True, help="As --review; a cassette that cannot be read is no failure.")
    ] = False,
    host: Annotated[
        str, typer.Option("--host", help="Only hosts that this glob fits; for other tools' formats.")
    ] = "*",
    summary: Annotated[
        Shape, typer.Option("--summary", help="What is told on stderr: text for people, json for programs.")
    ] = Shape.text,
) -> int:
    """Write a cassette as text, from which `cassette import` makes the same one again, or in another tool's format.

    What the other format cannot hold is counted on stderr.
    """
    from durable_replay.cassette.store import Cassette
    from durable_replay.errors import UsageError

    if for_git:
        return _shown_to_git(file)
    if review and target is not Target.text:
        raise UsageError("--review is for --format text")
    if host != "*" and target is Target.text:
        raise UsageError("--host is for other tools' formats; `durable-replay cassette split --by host` parts a tape")
    output = None if to is None else Path(to)
    folder = output if output is not None and (output.is_dir() or str(to)[-1:] in _SLASHES) else None
    if folder is not None and target is not Target.text:
        raise UsageError(f"{folder} is a folder; --format {target} is written to one file")
    if output is not None and output.exists() and output.samefile(there(file)):
        raise UsageError(f"{output} is the cassette itself; name another file")
    with Cassette.open(there(file)) as cassette, counting("exporting") as progress:
        if target is Target.text:
            if folder is not None:
                from durable_replay.cassette.text.folders import write_folder

                size = write_folder(folder, cassette, review=review, on_progress=progress)
            else:
                from durable_replay.cassette.text.cassettes import cassette_text

                size = _written(cassette_text(cassette, review=review, on_progress=progress), output)
            if output is not None:
                say(f"wrote {len(cassette):,} interactions, {megabytes(size)}, to {output}")
            return 0
        from durable_replay.cassette.export.export import EXPORTERS, Export

        running = Export(cassette, EXPORTERS[target.value], host, progress)
        _written(running, output)
    _tell(running.summary(), output, summary)
    return 0


def _shown_to_git(file: Path) -> int:
    """The text for review. One cassette that is damaged, newer, or the pointer of a large-file store is told as such:
    a failure would end the whole of a `git diff` or a `git log -p`, other files' part too."""
    from durable_replay.cassette.store import Cassette
    from durable_replay.cassette.text.cassettes import cassette_text
    from durable_replay.errors import CassetteError

    try:
        with Cassette.open(there(file)) as cassette:
            return _written(cassette_text(cassette, review=True), None)
    except CassetteError as error:  # git's name for the file is another each time
        return _written([f"(not shown: {str(error).replace(str(file), file.name)})\n"], None)


def _written(pieces: Iterable[str], output: Path | None) -> int:
    from durable_replay.cassette.text.cassettes import write_whole

    if output is not None:
        return write_whole(output, pieces)
    for piece in pieces:
        sys.stdout.buffer.write(piece.encode("utf-8"))
    sys.stdout.buffer.flush()
    return 0


def _tell(exported: Exported, output: Path | None, shape: Shape) -> None:
    if shape is Shape.json:
        import json
        from dataclasses import asdict

        print(json.dumps(asdict(exported), ensure_ascii=False), file=sys.stderr)
        return
    say(f"wrote {exported.interactions:,} interactions, {megabytes(exported.bytes)}, to {output or 'stdout'}")
    for what, count in exported.left_out.items():
        say(f"  not held by this format: {count:,} {what}")


def git_setup(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="A folder of the repository; this one without it.")
    ] = None,
    shape: Format = Shape.text,
) -> int:
    """Let `git diff`, `git log -p` and `git show` tell what changed in a cassette, as text.

    Writes a line into .gitattributes, which you commit, and settings of this clone, which each clone needs.
    """
    from durable_replay.cassette.text.git import git_setup as set_up

    done = set_up(folder or Path.cwd())
    if shape is Shape.json:
        plain({"attributes": None if done.attributes is None else str(done.attributes), "settings": done.settings})
        return 0
    print("wrote .gitattributes; commit it" if done.attributes else ".gitattributes has the line already")
    for name, value in done.settings.items():
        print(f"set {name} = {value}")
    return 0
