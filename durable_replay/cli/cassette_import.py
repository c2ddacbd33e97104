"""`durable-replay cassette import`: what other tools recorded, or a cassette's own text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.counting import counting, indexed
from durable_replay.cli.options import Shape
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import plain

if TYPE_CHECKING:
    from durable_replay.cassette.formats.importing import ImportSummary, Progress

__all__ = ["add_to"]

_NOTES = 10


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("import", cls=QuickCommand, epilog="Example: durable-replay cassette import jira.cassette jira.har")(
        import_
    )


def import_(
    target: Annotated[Path, typer.Argument(metavar="CASSETTE", help="Where to; made if it is not there.")],
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Files, or folders of them.")],
    format_: Annotated[
        str | None, typer.Option("--format", help="The format of all sources; told by their content without it.")
    ] = None,
    base: Annotated[
        str, typer.Option("--base", metavar="URL", help="The service's address, for formats that hold no hosts.")
    ] = "",
    shape: Annotated[
        Shape, typer.Option("--summary", help="What is told at the end: text for people, json for programs.")
    ] = Shape.text,
) -> int:
    """Append recordings of other tools to a cassette, all or nothing: HAR, vcrpy, VCR, WireMock and more.

    Secrets are replaced on the way. What a source had lost is mended, and noted on the interaction. The exact text
    that `cassette export` writes gives the same cassette back.
    """
    if format_ == "text" or (format_ is None and _is_text(sources)):
        count = _texts(target, sources)
        indexed(target)
        if shape is Shape.json:
            plain({"interactions": count, "cassette": str(target)})
        else:
            print(f"imported {count:,} interactions into {target}")
        return 0
    summary = _others(target, sources, format_, base)
    indexed(target)
    _tell(summary, target, shape)
    return 0


def _is_text(sources: Sequence[Path]) -> bool:
    from durable_replay.cassette.text.cassettes import is_text
    from durable_replay.errors import UsageError

    texts = [is_text(path) for path in sources]
    if any(texts) and not all(texts):
        raise UsageError("a cassette's text is imported apart from other formats; name one kind at a time")
    return all(texts)


def _texts(target: Path, sources: Sequence[Path]) -> int:
    from durable_replay.cassette.text.cassettes import import_texts

    with counting("importing") as progress:
        return import_texts(sources, target, progress)


def _others(target: Path, sources: Sequence[Path], format_: str | None, base: str) -> ImportSummary:
    from durable_replay.cassette.formats.importing import import_into
    from durable_replay.redaction.keyfile import load_key
    from durable_replay.redaction.redact import Redactor
    from durable_replay.settings import Settings
    from durable_replay.tapes import redaction_rules

    rules = redaction_rules(Settings.load(Path.cwd()).redact)
    with counting("importing") as progress:

        def told(now: Progress) -> None:
            progress(now.interactions, 0)

        return import_into(target, sources, format_, told, Redactor(load_key(), rules), base)


def _tell(summary: ImportSummary, target: Path, shape: Shape) -> None:
    if shape is Shape.json:
        plain({**asdict(summary), "notes": dict(summary.notes), "cassette": str(target)})
        return
    brought = f"{_counted(summary.interactions, 'interaction')} of {_counted(len(summary.sources), 'file')}"
    print(f"imported {brought} into {target}")
    for note, count in list(summary.notes.items())[:_NOTES]:
        print(f"  {_counted(count, 'time')}: {note}")
    if len(summary.notes) > _NOTES:
        print(f"  … and {len(summary.notes) - _NOTES:,} notes more; `durable-replay cassette show` has each")
    if summary.skipped:
        held = f"{_counted(len(summary.skipped), 'file')} with nothing to import"
        print(f"  {held}, {summary.skipped[0].path.name} first")


def _counted(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"
