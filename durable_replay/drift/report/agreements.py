"""The fidelity of emulators as a table for a terminal, as JSON, and as a page of the docs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from io import StringIO

from rich.console import Console
from rich.table import Table

from durable_replay.drift.fidelity import Row
from durable_replay.drift.measuring import Measured

__all__ = ["as_json", "as_markdown", "as_table"]

_HEAD = ("operation", "recorded", "asked", "first sight", "refused", "status", "keys", "values")
_NOTE = """\
How close the emulators come to the real services, by operation: each recorded request was put to the emulator alone,
which knew the tape up to that request and no more.

- *recorded*: interactions of this operation. *asked*: those that the emulator could know the answer to, which the last
  three columns are about. *first sight*: those that show something for the first time on their tape, which nobody could
  know. *refused*: the emulator says that it does not model this. An operation without *asked* has no measured fidelity.
- *status*: answers with the recorded status. *keys*: of the paths in both bodies together, those that both have.
  *values*: of the places that both have, those with the same value; ids, times and tokens of the emulator's own making
  count as the recorded ones.
"""


def as_table(measured: Measured, width: int, *, color: bool) -> str:
    """For a terminal."""
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=color, no_color=not color, highlight=False, emoji=False)
    for service in measured.services():
        table = Table(box=None, pad_edge=False, title=service, title_justify="left", title_style="bold")
        for place, name in enumerate(_HEAD):
            table.add_column(name, justify="right" if place else "left")
        for row in _of(measured, service):
            table.add_row(*_cells(row))
        console.print(table)
        console.print()
    console.print(_sum(measured))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def as_markdown(measured: Measured) -> str:
    """A whole page."""
    lines = ["# Fidelity of the emulators", "", _NOTE, _sum(measured), ""]
    for service in measured.services():
        lines += [f"## {service}", "", f"| {' | '.join(_HEAD)} |", "| --- " + "| ---: " * (len(_HEAD) - 1) + "|"]
        lines += [f"| {' | '.join(_cells(row))} |" for row in _of(measured, service)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def as_json(measured: Measured) -> str:
    """For programs: one object a row; shares are pairs of counts, (same, of so many)."""
    document = {
        "format": "durable-replay.fidelity",
        "version": 1,
        "files": measured.files,
        "interactions": measured.interactions,
        "operations": [
            {
                "service": row.service,
                "operation": row.operation,
                "recorded": row.recorded,
                **{name.replace(" ", "_"): count for name, count in sorted(row.standing.items())},
                "status": [row.status, row.standing["asked"]],
                "keys": list(row.keys),
                "values": list(row.values),
            }
            for row in measured.rows
        ],
        "skipped": [str(path) for path in measured.skipped],
        "broken": [{"file": str(path), "error": str(error)} for path, error in measured.broken],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _of(measured: Measured, service: str) -> Sequence[Row]:
    """The operations of a service, and their sum as the last row."""
    mine = [row for row in measured.rows if row.service == service]
    total = Row(service, "all")
    for row in mine:
        total.join(row)
    return [*mine, total]


def _cells(row: Row) -> list[str]:
    asked, refused = row.standing["asked"], row.standing["refused"] + row.standing["not emulated"]
    counts = (row.recorded, asked, row.standing["first"], refused)
    shares = ((row.status, asked), row.keys, row.values)
    return [row.operation.replace("_", " "), *(f"{count:,}" if count else "" for count in counts), *map(_share, shares)]


def _share(counts: tuple[int, int]) -> str:
    """Rounded down, so that 100 % is all of them."""
    same, of = counts
    return f"{1000 * same // of / 10:.1f} %".replace(".0 %", " %") if of else ""


def _sum(measured: Measured) -> str:
    unknown = sum(row.recorded for row in measured.rows if not row.service)
    told = f", {unknown:,} of them of no operation that an emulator knows" if unknown else ""
    recordings = f"{measured.files:,} recording{'' if measured.files == 1 else 's'}"
    return f"{measured.interactions:,} interactions of {recordings}{told}."
