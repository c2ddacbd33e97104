"""`durable-replay cassette`: what is on a tape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from durable_replay.cli.options import File, Format, Maps, Shape, hosts_of
from durable_replay.cli.quick import QuickCommand, QuickGroup
from durable_replay.cli.terminal import indexing, megabytes, out, plain

if TYPE_CHECKING:
    from durable_replay.cassette.store import Cassette
    from durable_replay.http import Interaction

__all__ = ["app"]

app = typer.Typer(
    cls=QuickGroup,
    help="Look into cassettes, bring them along, hand them on, and keep them in order.",
    epilog="Example: durable-replay cassette list s3.cassette",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(
    "list",
    cls=QuickCommand,
    epilog="Example: durable-replay cassette list s3.cassette --host '*.amazonaws.com' --limit 50",
)
def list_(
    file: File,
    host: Annotated[str, typer.Option("--host", help="Only hosts that this glob fits.")] = "*",
    first: Annotated[int, typer.Option("--first", min=1, help="Begin at this interaction.")] = 1,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="End after this many.")] = None,
    shape: Format = Shape.text,
) -> int:
    """List the interactions of a cassette in order, one a line; as JSON, one document a line."""
    from itertools import islice

    from durable_replay.cassette.store import Cassette

    with Cassette.open(_there(file)) as cassette:
        chosen = islice(_fitting(cassette, host, first), limit)
        for interaction in chosen:
            print(_json_line(interaction) if shape is Shape.json else _line(interaction, len(cassette)))
    return 0


@app.command(cls=QuickCommand, epilog="Example: durable-replay cassette show s3.cassette 41 --body")
def show(
    file: File,
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", min=1, help="Which interaction, from 1.", show_default=False)
    ] = None,
    interaction: Annotated[
        int | None, typer.Option("--interaction", metavar="NUMBER", min=1, help="The same, by name.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="All of long bodies, and every message of a WebSocket.")] = False,
    body: Annotated[bool, typer.Option("--body", help="Write the response's body alone, as its bytes are.")] = False,
    shape: Format = Shape.text,
) -> int:
    """Show one interaction: request, response and messages, with bodies decoded and laid out, or in hex.

    Long bodies are cut, and say so. --body and --format json have them as they were on the wire.
    """
    from durable_replay.cassette.store import Cassette
    from durable_replay.cli.interaction import document, message_lines, write_body

    with Cassette.open(_there(file)) as cassette:
        found = cassette.interaction(_the_one(number, interaction))
        if body:
            write_body(found.response.body)
        elif shape is Shape.json:
            plain(document(found))
        else:
            for line in message_lines(found, full=full):
                print(line)
    return 0


def _the_one(number: int | None, interaction: int | None) -> int:
    from durable_replay.errors import UsageError

    if (number is None) == (interaction is None):
        raise UsageError("name one interaction by its number, as in `cassette show FILE 41`; `cassette list` has them")
    return cast(int, number or interaction)


@app.command(cls=QuickCommand, epilog="Example: durable-replay cassette stats s3.cassette")
def stats(file: File, shape: Format = Shape.text) -> int:
    """Count interactions, hosts and bytes, and say from when the recordings are."""
    from durable_replay.cassette.store import Cassette

    with Cassette.open(_there(file)) as cassette:
        summary = cassette.summary()
        identity = cassette.identity
    if shape is Shape.json:
        plain({**asdict(summary), "hosts": dict(summary.hosts), "identity": identity})
        return 0
    from rich.table import Table

    rows = {
        "interactions": f"{summary.interactions:,}" + (f", {summary.frames:,} frames" if summary.frames else ""),
        "recorded": _span(summary.first, summary.last),
        "requests": megabytes(summary.request_bytes),
        "responses": megabytes(summary.response_bytes),
        "bodies": f"{summary.bodies:,} different, {megabytes(summary.body_bytes)}",
        "file": megabytes(summary.file_bytes),
        **{f"host {host}": f"{count:,}" for host, count in summary.hosts.items()},
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in rows.items():
        table.add_row(name, value)
    out().print(table)
    return 0


@app.command(cls=QuickCommand, epilog="Example: durable-replay cassette index s3.cassette")
def index(file: File, maps: Maps = None) -> int:
    """Write the derived index into a cassette again, for the services and settings of here and now.

    `record` does this at its end. A cassette whose index does not fit is indexed in memory at each replay's start.
    """
    from durable_replay.settings import Settings
    from durable_replay.tapes import write_index

    with indexing() as progress:
        count = write_index(_there(file), Settings.load(Path.cwd()), hosts_of(maps), progress)
    print(f"indexed {count:,} interactions of {file}")
    return 0


def _there(file: Path) -> Path:
    from durable_replay.errors import UsageError

    if not file.exists():
        raise UsageError(f"there is no cassette {file}; check the name")
    return file


def _fitting(cassette: Cassette, host: str, first: int) -> Iterator[Interaction]:
    from fnmatch import fnmatchcase

    return (one for one in cassette.interactions(first) if fnmatchcase(one.request.host, host.lower()))


def _line(interaction: Interaction, total: int) -> str:
    from durable_replay.cassette.text.escaping import visible

    request, response = interaction.request, interaction.response
    size = megabytes(response.body.size)
    note = "" if interaction.outcome == "complete" else "  (aborted)"
    number = f"#{interaction.number}".rjust(len(str(total)) + 1)
    return f"{number}  {request.method:<7} {response.status:>3} {size:>9}  {visible(request.url)}{note}"


def _json_line(interaction: Interaction) -> str:
    request, response = interaction.request, interaction.response
    return json.dumps(
        {
            "number": interaction.number,
            "method": request.method,
            "url": request.url,
            "status": response.status,
            "request_bytes": request.body.size,
            "response_bytes": response.body.size,
            "started": interaction.started,
            "duration": interaction.duration,
            "outcome": interaction.outcome,
        },
        ensure_ascii=False,
    )


def _span(first: float | None, last: float | None) -> str:
    from datetime import UTC, datetime

    if first is None or last is None:
        return "nothing yet"
    return " to ".join(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}Z" for at in (first, last))
