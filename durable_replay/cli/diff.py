"""`durable-replay diff`: what changed in an API between two recordings of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.counting import counting, there
from durable_replay.cli.diff_live import (
    Auth,
    CaFile,
    Concurrency,
    IncludeWrites,
    Live,
    LiveChoice,
    MaxWait,
    Rate,
    Repeat,
    Sandboxes,
    Save,
    Timeout,
    To,
    asked_live,
)
from durable_replay.cli.options import Maps, hosts_of
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import say

if TYPE_CHECKING:
    from durable_replay.drift.finding import Comparison, Endpoint, Kind, Severity
    from durable_replay.drift.noise import DiffRules, IgnoreRule
    from durable_replay.drift.outcome import Outcome
    from durable_replay.drift.pairing import Pairing
    from durable_replay.drift.report import Context
    from durable_replay.drift.sources import Side
    from durable_replay.settings import DiffSettings, Settings
    from durable_replay.timeline.indexing import Indexing

__all__ = ["add_to"]


class Report(StrEnum):
    """What to render."""

    table = "table"
    json = "json"
    markdown = "markdown"
    junit = "junit"
    sarif = "sarif"
    html = "html"


class FailOn(StrEnum):
    """From which severity on the exit code is 1."""

    breaking = "breaking"
    additive = "additive"
    any = "any"
    never = "never"


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command(
        cls=QuickCommand, epilog="Example: durable-replay diff monday.cassette today.cassette --format markdown"
    )(diff)


def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="The cassette that tells what the API was.")],
    after: Annotated[
        Path | None, typer.Argument(metavar="[AFTER]", help="The cassette that tells what it is now; none with --live.")
    ] = None,
    more_before: Annotated[
        list[Path] | None, typer.Option("--before", metavar="FILE", help="One more cassette before. Repeatable.")
    ] = None,
    more_after: Annotated[
        list[Path] | None, typer.Option("--after", metavar="FILE", help="One more cassette after. Repeatable.")
    ] = None,
    shape: Annotated[
        Report, typer.Option("--format", help="table for people; json, markdown, junit, sarif or html for others.")
    ] = Report.table,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file; to stdout without it.")
    ] = None,
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="Exit with 1 from this severity on: breaking (default), additive, any, never."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore", metavar="RULE", help="Set differences aside: 'kind=value path=body.$.**'. Repeatable."
        ),
    ] = None,
    show_ignored: Annotated[
        bool, typer.Option("--show-ignored", help="Show what was set aside as well, each with the reason.")
    ] = False,
    severity: Annotated[
        list[str] | None,
        typer.Option("--severity", metavar="KIND=SEVERITY", help="How grave a kind of difference is. Repeatable."),
    ] = None,
    operation: Annotated[
        str, typer.Option("--operation", metavar="GLOB", help="Only this: jira.get_issue, or 'GET /users/*'.")
    ] = "",
    maps: Maps = None,
    same: Annotated[
        list[str] | None,
        typer.Option("--same", metavar="HOST=HOST", help="Two hosts, one on each side, that are one. Repeatable."),
    ] = None,
    live: Live = False,
    save: Save = None,
    auth: Auth = None,
    to: To = None,
    include_writes: IncludeWrites = False,
    sandbox: Sandboxes = None,
    rate: Rate = 0.0,
    concurrency: Concurrency = 4,
    max_wait: MaxWait = 300.0,
    repeat: Repeat = 0,
    timeout: Timeout = 30.0,
    ca_file: CaFile = None,
) -> int:
    """Compare two recordings of an API: what is gone, new, of another type; ids, times and order are set aside.

    With --live the second is made by asking the service again what was recorded and is safe to ask.

    Exit code 1 where something changed as gravely as --fail-on says; docs/drift.md has the others.
    """
    from durable_replay import __version__
    from durable_replay.drift.outcome import notes
    from durable_replay.drift.report import Context
    from durable_replay.settings import Settings

    begun = perf_counter()
    choice = LiveChoice(
        save, auth, to or (), include_writes, sandbox or (), rate, concurrency, max_wait, repeat, timeout, ca_file
    )
    choice.require_live(live)
    given = [file for file in (after, *(more_after or ())) if file is not None]
    _require_after(after, given, live=live)
    befores = [there(file) for file in (before, *(more_before or ()))]
    afters = [there(file) for file in given]
    _distinct(output, [*befores, *afters])
    settings = Settings.load(Path.cwd())
    limit = fail_on or FailOn(settings.diff.fail_on or FailOn.breaking)
    rules = _rules(settings.diff, ignore or (), severity or ())
    hosts = {**settings.diff.same, **_pairs_of(same or ())}
    context = Context(
        _named(befores),
        _named(afters),
        tuple(map(str, befores)),
        limit.value,
        show_ignored,
        version=__version__,
    )
    selected, comparison, ended = _selected(operation), None, None
    with ExitStack() as opened:
        indexing = _understanding([*befores, *afters], settings, hosts_of(maps), hosts)
        asked = asked_live(opened, befores, indexing, settings, choice, selected) if live else None
        if asked is None or asked.is_comparable:
            sides = (asked.before, asked.after) if asked else _tapes(opened, befores, afters)
            pairing = _paired(opened, *sides, indexing, hosts, selected)
            comparison, ended = _compared(pairing, rules, limit)
            context = replace(context, notes=notes(pairing))
        if asked is not None:
            context = replace(context, after=asked.named, notes=(*asked.notes(), *context.notes))
            outcome = asked.ending(ended)
        else:
            assert ended is not None
            outcome = ended
        context = replace(context, took=perf_counter() - begun)
    if comparison is not None:
        _write(comparison, shape, context, output)
    if outcome.text:
        say(f"durable-replay: {outcome.text}")
    return int(outcome.ending)


def _require_after(after: Path | None, given: Sequence[Path], *, live: bool) -> None:
    from durable_replay.errors import UsageError

    if live and given:
        raise UsageError(
            "--live makes the after side itself; leave AFTER out, and name a file to keep it in with --save"
        )
    if not live and after is None:
        raise UsageError("name the cassette that tells what the API is now, or ask the service with --live")


def _named(paths: Sequence[Path]) -> str:
    return " + ".join(str(path) for path in paths)


def _distinct(output: Path | None, cassettes: Iterable[Path]) -> None:
    from durable_replay.errors import UsageError

    if output is not None and output.exists() and any(output.samefile(cassette) for cassette in cassettes):
        raise UsageError(f"--output {output} is a cassette that is compared; name another file")


# -- the sides --------------------------------------------------------------------------------------------------------


def _tapes(opened: ExitStack, befores: Sequence[Path], afters: Sequence[Path]) -> tuple[Side, Side]:
    from durable_replay.drift.sources import Tapes

    return opened.enter_context(Tapes(befores)), opened.enter_context(Tapes(afters))


def _paired(
    opened: ExitStack,
    before: Side,
    after: Side,
    indexing: Indexing,
    same: Mapping[str, str],
    selected: Callable[[Endpoint], bool],
) -> Pairing:
    """Both sides, read once and sorted; open as long as `opened` is."""
    from contextlib import closing

    from durable_replay.drift.pairing import pairing

    with counting("reading") as progress:
        return opened.enter_context(
            closing(pairing(before, after, indexing, same=same, selected=selected, on_progress=progress))
        )


def _understanding(
    cassettes: Sequence[Path], settings: Settings, maps: Mapping[str, str], same: Mapping[str, str]
) -> Indexing:
    """Requests as the services understand them; of two hosts that are one, both speak the service that one does."""
    from durable_replay.tapes import understanding

    indexing = understanding(cassettes, settings, maps)
    further: dict[str, str] = {}
    for one, other in same.items():
        for known, unknown in ((one, other), (other, one)):
            name = _service_at(indexing, known)
            if name and not _service_at(indexing, unknown):
                further[unknown] = name
    return understanding(cassettes, settings, {**further, **maps}) if further else indexing


def _service_at(indexing: Indexing, authority: str) -> str:
    from durable_replay.http import Request

    host, colon, port = authority.rpartition(":")
    number = int(port) if colon and port.isdecimal() and len(port) < 6 else 443
    found = indexing.registry.find(
        Request("GET", "https", host if colon and port.isdecimal() else authority, number, "/")
    )
    return found.name if found else ""


def _selected(operation: str) -> Callable[[Endpoint], bool]:
    from durable_replay.drift.finding import Kind
    from durable_replay.drift.noise import IgnoreRule

    rule = IgnoreRule(operation=operation, text=operation)
    return lambda endpoint: rule.covers(endpoint, "", Kind.value)


def _compared(pairing: Pairing, rules: DiffRules, limit: FailOn) -> tuple[Comparison | None, Outcome]:
    """The comparison and how it ended; None where there is nothing to report."""
    from durable_replay.drift.compare import compare
    from durable_replay.drift.outcome import Ending, before_comparing, counted, judged, refused

    early = before_comparing(pairing)
    if early is not None:
        return (refused(pairing) if early.ending is Ending.credentials_refused else None), early
    with counting("comparing") as progress:
        comparison = counted(compare(pairing.groups(progress), rules), pairing)
    return comparison, judged(comparison, limit.value)


# -- rules ------------------------------------------------------------------------------------------------------------


def _rules(settings: DiffSettings, ignore: Iterable[str], severity: Iterable[str]) -> DiffRules:
    """The settings' rules, then the command line's; a later severity of a kind wins."""
    from durable_replay.drift.noise import DiffRules

    rules = [_rule(text, f"{settings.place}.ignore[{number}]") for number, text in enumerate(settings.ignore)]
    rules += [_rule(text, "--ignore") for text in ignore]
    severities = {
        _kind(kind, f"{settings.place}.severity"): _severity(text, f"{settings.place}.severity.{kind}")
        for kind, text in settings.severity.items()
    }
    for text in severity:
        kind, _, grave = text.partition("=")
        severities[_kind(kind, "--severity")] = _severity(grave, f"--severity {text!r}")
    return DiffRules(tuple(rules), severities)


def _rule(text: str, place: str) -> IgnoreRule:
    from durable_replay.drift.noise import IgnoreRule
    from durable_replay.errors import UsageError

    try:
        return IgnoreRule.parse(text)
    except UsageError as wrong:
        raise UsageError(f"{place}: {wrong}") from None


def _kind(text: str, place: str) -> Kind:
    from durable_replay.drift.finding import Kind
    from durable_replay.errors import UsageError

    if text not in list(Kind):
        raise UsageError(f"{place} names no kind of difference: {text!r}; there are {', '.join(Kind)}")
    return Kind(text)


def _severity(text: str, place: str) -> Severity:
    from durable_replay.drift.finding import Severity
    from durable_replay.errors import UsageError

    if text not in list(Severity):
        raise UsageError(f"{place} is no severity: {text!r}; there are {', '.join(Severity)}")
    return Severity(text)


def _pairs_of(same: Iterable[str]) -> dict[str, str]:
    from durable_replay.errors import UsageError

    pairs: dict[str, str] = {}
    for text in same:
        one, _, other = text.lower().partition("=")
        if not one or not other or "=" in other:
            raise UsageError(f"--same {text!r} is not HOST=HOST, as in --same localhost:9002=localhost:9001")
        pairs[one] = other
    return pairs


# -- the report -------------------------------------------------------------------------------------------------------


def _write(comparison: Comparison, shape: Report, context: Context, output: Path | None) -> None:
    from durable_replay.drift.report import render
    from durable_replay.errors import UsageError

    if output is None:
        sys.stdout.write(render(comparison, shape.value, _on_terminal(context)))
        return
    try:
        output.write_text(render(comparison, shape.value, context), "utf-8")
    except OSError as wrong:
        raise UsageError(f"--output {output} cannot be written: {wrong.strerror}") from wrong


def _on_terminal(context: Context) -> Context:
    import os
    from shutil import get_terminal_size

    if not sys.stdout.isatty():
        return context
    return replace(context, width=get_terminal_size().columns, color="NO_COLOR" not in os.environ)
