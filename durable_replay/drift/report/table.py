"""The report for a terminal: findings by endpoint, with an example of both sides."""

from __future__ import annotations

from io import StringIO
from itertools import groupby
from operator import itemgetter

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from durable_replay.cassette.text.escaping import visible
from durable_replay.drift.finding import Comparison, Endpoint, Example, Finding, Severity, Suppression
from durable_replay.drift.report.context import Context, advice, by_endpoint, headline, share

__all__ = ["as_table"]

_STYLES = {Severity.breaking: "bold red", Severity.additive: "green", Severity.cosmetic: "dim"}


def as_table(comparison: Comparison, context: Context) -> str:
    """Lines for people; colours only where the context has them."""
    parts: list[RenderableType] = [_of_endpoint(endpoint, found) for endpoint, found in by_endpoint(comparison)]
    if context.show_ignored and comparison.suppressed:
        parts.append(_set_aside(comparison.suppressed, context.width))
    if comparison.unpaired:
        parts.append(_unpaired(comparison))
    parts += [_text(note, "dim") for note in context.notes]
    parts.append(_text(f"{context.before} → {context.after}: {headline(comparison)}", "bold"))
    if text := advice(comparison, context):
        parts.append(_text(text))
    return _rendered(Group(*parts), context)


def _text(text: str, style: str = "") -> Text:
    """On one line, and nothing in it speaks to the terminal."""
    return Text(visible(text).replace("\n", "\\n"), style)


def _rendered(shown: RenderableType, context: Context) -> str:
    out = StringIO()
    console = Console(
        file=out,
        width=context.width,
        force_terminal=context.color,
        no_color=not context.color,
        highlight=False,
        emoji=False,
    )
    console.print(shown)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _of_endpoint(endpoint: Endpoint, found: list[Finding]) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for finding in found:
        table.add_row(
            Text(finding.severity, _STYLES[finding.severity]),
            _text(finding.path),
            _text(finding.text + (f" ({of})" if (of := share(finding)) else "")),
        )
        for example in finding.examples[:1]:
            table.add_row("", "", _both(example))
    name = f"  {endpoint.operation}" if endpoint.operation else ""
    return Group(_text(str(endpoint), "bold").append(_text(name, "dim")), Padding(table, (0, 0, 1, 2)))


def _both(example: Example) -> Text:
    text = Text()
    for sign, style, value, number in (
        ("- ", "red", example.before, example.before_number),
        ("+ ", "green", example.after, example.after_number),
    ):
        if value:
            text.append(_text(f"{sign}{value}", style))
            text.append(f"  #{number}\n" if number else "\n", "dim")
    text.rstrip()
    return text


def _set_aside(suppressed: tuple[Suppression, ...], width: int) -> RenderableType:
    """In columns where these are wide enough for every path; else each reason below what it is about."""
    rows = [
        (str(one.finding.endpoint), one.finding.path, one.finding.kind.value, f"{one.origin}: {one.reason}")
        for one in suppressed
    ]
    shortest = sum(max(len(row[place]) for row in rows) + 2 for place in range(3)) + _SHORTEST_REASON
    return Padding(_in_columns(rows) if shortest <= width else _below_each_other(rows), (0, 0, 1, 0))


_SHORTEST_REASON = 40


def _in_columns(rows: list[tuple[str, str, str, str]]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("set aside", "path", "kind", "because"):
        table.add_column(name, header_style="bold", no_wrap=name != "because")
    for row in rows:
        table.add_row(*map(_text, row))
    return table


def _below_each_other(rows: list[tuple[str, str, str, str]]) -> RenderableType:
    parts: list[RenderableType] = [_text("set aside", "bold")]
    for endpoint, inside in groupby(rows, key=itemgetter(0)):
        parts.append(_text(endpoint))
        for _, path, kind, reason in inside:
            parts.append(Padding(_text(f"{path}  {kind}"), (0, 0, 0, 2)))
            parts.append(Padding(_text(reason, "dim"), (0, 0, 0, 4)))
    return Group(*parts)


def _unpaired(comparison: Comparison) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("asked on one side only", header_style="bold", overflow="fold")
    for name in ("before", "after"):
        table.add_column(name, header_style="bold", justify="right")
    for one in comparison.unpaired:
        table.add_row(_text(str(one.endpoint)), f"{one.before:,}", f"{one.after:,}")
    return Padding(table, (0, 0, 1, 0))
