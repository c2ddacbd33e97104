"""`durable-replay diff`: what changed in an API between two recordings of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.comparing import (
    FailLimit,
    FailOn,
    Ignore,
    Output,
    RecordedSides,
    Report,
    ShowIgnored,
    Sides,
    Watched,
    compared,
    named,
    paired,
    require_distinct,
    require_recorded,
    rules_of,
    tapes,
    understood,
    write_report,
)
from durable_replay.cli.counting import there
from durable_replay.cli.diff_emulator import Emulator, asked_emulators
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
    from durable_replay.drift.finding import Comparison, Endpoint
    from durable_replay.drift.noise import DiffRules
    from durable_replay.drift.outcome import Outcome
    from durable_replay.drift.pairing import Pairing
    from durable_replay.drift.report import Context

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command(
        cls=QuickCommand, epilog="Example: durable-replay diff monday.cassette today.cassette --format markdown"
    )(diff)


def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="The cassette that tells what the API was.")],
    after: Annotated[
        Path | None, typer.Argument(metavar="[AFTER]", help="The cassette that tells what it is now.")
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
    output: Output = None,
    fail_on: FailLimit = None,
    ignore: Ignore = None,
    show_ignored: ShowIgnored = False,
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
    emulator: Emulator = False,
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

    With --live the second is made by asking the service again what was recorded and is safe to ask; with --emulator by
    asking our emulators.

    Exit code 1 where something changed as gravely as --fail-on says; docs/commands.md has the others.
    """
    from durable_replay import __version__
    from durable_replay.drift.report import Context
    from durable_replay.settings import Settings

    begun = perf_counter()
    choice = LiveChoice(
        save, auth, to or (), include_writes, sandbox or (), rate, concurrency, max_wait, repeat, timeout, ca_file
    )
    choice.require_live(live)
    given = [file for file in (after, *(more_after or ())) if file is not None]
    _require_one_after(after, given, {"--live": live, "--emulator": emulator})
    befores = [there(file) for file in (before, *(more_before or ()))]
    afters = [there(file) for file in given]
    require_distinct(output, [*befores, *afters])
    settings = Settings.load(Path.cwd())
    limit = fail_on or FailOn(settings.diff.fail_on or FailOn.breaking)
    rules = rules_of(settings.diff, ignore or (), severity or ())
    pairs = _pairs_of(same or ())
    hosts = {**settings.diff.same, **pairs}
    context = Context(
        named(befores),
        named(afters),
        tuple(map(str, befores)),
        limit.value,
        show_ignored,
        version=__version__,
    )
    rules = replace(rules, one_client=live or emulator)  # they ask what was recorded, and nothing else
    selected = _selected(operation)
    with ExitStack() as opened:
        indexing = understood([*befores, *afters], settings, hosts_of(maps), hosts)
        sides: Sides
        if live:
            sides = asked_live(opened, befores, indexing, settings, choice, selected)
        elif emulator:
            sides = asked_emulators(opened, befores, indexing)
        else:
            sides = RecordedSides(*tapes(opened, befores, afters), named(afters))
        read = Watched(sides.before, "before"), Watched(sides.after, "after")
        pairing = paired(opened, *read, indexing, hosts, selected) if sides.is_comparable else None
        require_recorded((*pairs, *pairs.values()), *read)
        context = replace(context, notes=tuple(note for side in read for note in side.notes()))
        comparison, outcome, context = _concluded(sides, pairing, rules, limit, context)
    context = replace(context, took=perf_counter() - begun)
    if comparison is not None:
        write_report(comparison, shape, context, output)
    if outcome.text:
        say(f"durable-replay: {outcome.text}")
    return int(outcome.ending)


def _concluded(
    sides: Sides, pairing: Pairing | None, rules: DiffRules, limit: FailOn, context: Context
) -> tuple[Comparison | None, Outcome, Context]:
    """The comparison (None: there is nothing to report), how it ended, and what a reader of it has to know."""
    from durable_replay.drift.outcome import notes

    comparison, ended = (None, None) if pairing is None else compared(pairing, rules, limit)
    told = (*sides.notes(), *(notes(pairing) if pairing else ()), *context.notes)
    context = replace(context, after=sides.named, notes=told, next_step=sides.next_step)
    return comparison, sides.ending(ended), context


def _require_one_after(after: Path | None, given: Sequence[Path], makers: Mapping[str, bool]) -> None:
    """The after side is named, or made by one of the options."""
    from durable_replay.errors import UsageError

    asked = [option for option, chosen in makers.items() if chosen]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} each make the after side; take one of them")
    if asked and given:
        keep = ", and name a file to keep it in with --save" if asked == ["--live"] else ""
        raise UsageError(f"{asked[0]} makes the after side itself; leave AFTER out{keep}")
    if not asked and after is None:
        raise UsageError(
            "name the cassette that tells what the API is now, or ask the service with --live, or our emulators with"
            " --emulator"
        )


def _selected(operation: str) -> Callable[[Endpoint], bool]:
    from durable_replay.drift.finding import Kind
    from durable_replay.drift.noise import IgnoreRule

    rule = IgnoreRule(operation=operation, text=operation)
    return lambda endpoint: rule.covers(endpoint, "", Kind.value)


def _pairs_of(same: Iterable[str]) -> dict[str, str]:
    from durable_replay.errors import UsageError

    pairs: dict[str, str] = {}
    for text in same:
        one, _, other = text.lower().partition("=")
        if not one or not other or "=" in other:
            raise UsageError(f"--same {text!r} is not HOST=HOST, as in --same localhost:9002=localhost:9001")
        pairs[one] = other
    return pairs
