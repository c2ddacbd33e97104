"""What commands that compare recordings have in common: the options of a report, the comparison, and its rendering."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from durable_replay.cli.counting import counting
from durable_replay.cli.terminal import written

if TYPE_CHECKING:
    from durable_replay.drift.finding import Comparison, Endpoint, Kind, Severity
    from durable_replay.drift.noise import DiffRules, IgnoreRule
    from durable_replay.drift.outcome import Outcome
    from durable_replay.drift.pairing import Pairing
    from durable_replay.drift.report import Context
    from durable_replay.drift.sources import Side
    from durable_replay.http import Interaction
    from durable_replay.settings import DiffSettings, Settings
    from durable_replay.timeline.indexing import Indexing

__all__ = [
    "FailLimit",
    "FailOn",
    "Ignore",
    "Output",
    "RecordedSides",
    "Report",
    "ShowIgnored",
    "Sides",
    "Watched",
    "compared",
    "named",
    "paired",
    "require_distinct",
    "require_recorded",
    "rules_of",
    "tapes",
    "understood",
    "write_report",
]


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


Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file; to stdout without it.")
]
FailLimit = Annotated[
    FailOn | None,
    typer.Option("--fail-on", help="Exit with 1 from this severity on: breaking (default), additive, any, never."),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="RULE", help="Set differences aside: 'kind=value path=body.$.**'. Repeatable."),
]
ShowIgnored = Annotated[
    bool, typer.Option("--show-ignored", help="Show what was set aside as well, each with the reason.")
]


def require_distinct(output: Path | None, cassettes: Iterable[Path]) -> None:
    from durable_replay.errors import UsageError

    if output is not None and output.exists() and any(output.samefile(cassette) for cassette in cassettes):
        raise UsageError(f"--output {output} is a cassette that is compared; name another file")


# -- the sides --------------------------------------------------------------------------------------------------------


class Sides(Protocol):
    """What is compared with what, however the after side was made."""

    @property
    def before(self) -> Side: ...

    @property
    def after(self) -> Side: ...

    @property
    def named(self) -> str:
        """The after side, for people."""

    @property
    def next_step(self) -> str | None:
        """What to do about findings; None: record anew."""

    @property
    def is_comparable(self) -> bool:
        """Whether there is anything to compare."""

    def notes(self) -> tuple[str, ...]:
        """What a reader of the report has to know of how the after side was made."""

    def ending(self, compared: Outcome | None) -> Outcome:
        """How the command ends; `compared` is None where nothing was comparable."""


@dataclass(frozen=True, slots=True)
class RecordedSides:
    """Two sides that are there."""

    before: Side
    after: Side
    named: str
    is_comparable: bool = True
    next_step: str | None = None

    def notes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def ending(self, compared: Outcome | None) -> Outcome:
        """As the comparison did."""
        assert compared is not None
        return compared


class Watched:
    """A side that tells, once it was read, what its recordings are."""

    def __init__(self, whole: Side, name: str) -> None:
        self._whole, self._name = whole, name
        self._edited: set[int] = set()
        self.hosts: set[str] = set()
        """`name`, or `name:port` where the port is not the scheme's own."""

    def __len__(self) -> int:
        return len(self._whole)

    def __iter__(self) -> Iterator[Interaction]:
        from durable_replay.cassette.care.editing import is_edited

        for interaction in self._whole:
            if interaction.note and is_edited(interaction):
                self._edited.add(interaction.number)
            self.hosts.add(interaction.request.authority)
            yield interaction

    def interaction(self, number: int) -> Interaction:
        """See `Side`."""
        return self._whole.interaction(number)

    def notes(self) -> tuple[str, ...]:
        """That answers are not as they were recorded."""
        if not self._edited:
            return ()
        first = sorted(self._edited)[:_MOST_NAMED]
        more = f" and {len(self._edited) - len(first):,} more" if len(self._edited) > len(first) else ""
        what = "recording" if len(self._edited) == 1 else "recordings"
        verb = "was" if len(self._edited) == 1 else "were"
        numbers = ", ".join(f"#{number}" for number in first)
        return (f"{len(self._edited):,} {what} on the {self._name} side {verb} edited by hand: {numbers}{more}",)


_MOST_NAMED = 10


def require_recorded(same: Iterable[str], *sides: Watched) -> None:
    """A misspelt --same would join nothing, in silence; raises UsageError. The sides have been read."""
    from durable_replay.errors import UsageError

    hosts = set().union(*(side.hosts for side in sides))
    unknown = next((host for host in same if host not in hosts), "")
    if unknown and hosts:
        known = ", ".join(sorted(hosts)[:_MOST_NAMED])
        raise UsageError(f"--same {unknown}: nothing was asked of it on either side; there is {known}")


def named(paths: Sequence[Path]) -> str:
    """A side, for people."""
    return " + ".join(str(path) for path in paths)


def tapes(opened: ExitStack, befores: Sequence[Path], afters: Sequence[Path]) -> tuple[Side, Side]:
    from durable_replay.drift.sources import Tapes

    return opened.enter_context(Tapes(befores)), opened.enter_context(Tapes(afters))


def paired(
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


def understood(
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


def compared(pairing: Pairing, rules: DiffRules, limit: FailOn) -> tuple[Comparison | None, Outcome]:
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


def rules_of(settings: DiffSettings, ignore: Iterable[str], severity: Iterable[str]) -> DiffRules:
    """The settings' rules, then the command line's; a later severity of a kind wins."""
    from durable_replay.drift.knowledge import rules_of_world
    from durable_replay.drift.noise import DiffRules
    from durable_replay.errors import UsageError

    rules = [
        _rule(text, f"{settings.place}.ignore[{number}]", partial(settings.in_line, f"ignore[{number}]"))
        for number, text in enumerate(settings.ignore)
    ]
    rules += [_rule(text, "--ignore") for text in ignore]
    severities: dict[Kind, Severity] = {}
    for kind, text in settings.severity.items():
        known = _kind(kind, f"{settings.place}.severity", partial(settings.in_line, f"severity.{kind}"))
        severities[known] = _severity(text, f"{settings.place}.severity.{kind}")
    for text in severity:
        kind, equals, grave = text.partition("=")
        if not equals:
            raise UsageError(f"--severity {text!r} is not KIND=SEVERITY, as in --severity enum-added=breaking")
        severities[_kind(kind, "--severity")] = _severity(grave, f"--severity {text!r}")
    return DiffRules(tuple(rules), severities, rules_of_world)


def _nowhere() -> str:
    return ""


def _rule(text: str, place: str, line: Callable[[], str] = _nowhere) -> IgnoreRule:
    from durable_replay.drift.noise import IgnoreRule
    from durable_replay.errors import UsageError

    try:
        return IgnoreRule.parse(text)
    except UsageError as wrong:
        raise UsageError(f"{place}: {wrong}{line()}") from None


def _kind(text: str, place: str, line: Callable[[], str] = _nowhere) -> Kind:
    from durable_replay.drift.finding import Kind
    from durable_replay.errors import UsageError

    if text not in list(Kind):
        raise UsageError(f"{place} names no kind of difference: {text!r}; there are {', '.join(Kind)}{line()}")
    return Kind(text)


def _severity(text: str, place: str) -> Severity:
    from durable_replay.drift.finding import Severity
    from durable_replay.errors import UsageError

    if text not in list(Severity):
        raise UsageError(f"{place} is no severity: {text!r}; there are {', '.join(Severity)}")
    return Severity(text)


# -- the report -------------------------------------------------------------------------------------------------------


def write_report(comparison: Comparison, shape: Report, context: Context, output: Path | None) -> None:
    from durable_replay.drift.report import render

    if output is None:
        sys.stdout.write(render(comparison, shape.value, _on_terminal(context)))
    else:
        written(render(comparison, shape.value, context), output)


def _on_terminal(context: Context) -> Context:
    import os
    from shutil import get_terminal_size

    if not sys.stdout.isatty():
        return context
    return replace(context, width=get_terminal_size().columns, color="NO_COLOR" not in os.environ)
