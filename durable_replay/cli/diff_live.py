"""`durable-replay diff FILE --live`: the after side is made by asking the service again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.terminal import errors, say

if TYPE_CHECKING:
    from durable_replay.drift.finding import Endpoint
    from durable_replay.drift.live.auth import Credentials
    from durable_replay.drift.live.taking import LiveOptions, LiveOutcome, Progress
    from durable_replay.drift.outcome import Ending, Outcome
    from durable_replay.drift.sources import Side
    from durable_replay.redaction.redact import Redactor
    from durable_replay.settings import Settings
    from durable_replay.timeline.indexing import Indexing

__all__ = [
    "Auth",
    "CaFile",
    "Concurrency",
    "IncludeWrites",
    "Live",
    "LiveChoice",
    "LiveSides",
    "MaxWait",
    "Rate",
    "Repeat",
    "Sandboxes",
    "Save",
    "Timeout",
    "To",
    "asked_live",
]

_MOST_NOTES = 100

Live = Annotated[
    bool, typer.Option("--live", help="Ask the service again; only what is safe: no write is sent. Needs no AFTER.")
]
Save = Annotated[
    Path | None,
    typer.Option("--save", metavar="FILE", help="Keep the live answers as a cassette; an interrupted run goes on."),
]
Auth = Annotated[
    Path | None,
    typer.Option("--auth", metavar="FILE", help="Credentials by host, TOML or netrc, readable by you alone."),
]
To = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="HOST[:PORT]=URL", help="Ask another server in this host's place. Repeatable."),
]
IncludeWrites = Annotated[
    bool, typer.Option("--include-writes", help="Send recorded writes as well, to servers named by --sandbox alone.")
]
Sandboxes = Annotated[
    list[str] | None,
    typer.Option("--sandbox", metavar="HOST[:PORT]", help="A server that may be written to. Repeatable."),
]
Rate = Annotated[float, typer.Option("--rate", min=0, help="Requests a second to each server at most; 0: no limit.")]
Concurrency = Annotated[
    int, typer.Option("--concurrency", min=1, max=64, help="Requests to each server at the same time.")
]
MaxWait = Annotated[
    float, typer.Option("--max-wait", min=0, help="Seconds in all to wait where a server limits the rate.")
]
Repeat = Annotated[
    int,
    typer.Option(
        "--repeat",
        min=0,
        help="Ask one request at most so often; 0: once, and again where answers vary; 1: never twice.",
    ),
]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to connect, and between two pieces.")]
CaFile = Annotated[
    Path | None,
    typer.Option("--ca-file", metavar="FILE", help="A PEM file of authorities to trust beside the usual ones."),
]


@dataclass(frozen=True, slots=True)
class LiveChoice:
    """What the command line says of a live run."""

    save: Path | None
    auth: Path | None
    to: Sequence[str]
    include_writes: bool
    sandboxes: Sequence[str]
    rate: float
    concurrency: int
    max_wait: float
    repeat: int
    timeout: float
    ca_file: Path | None

    def require_live(self, live: bool) -> None:
        """Raises UsageError for an option that means nothing without --live."""
        from durable_replay.errors import UsageError

        if live:
            return
        given = {
            "--save": self.save,
            "--auth": self.auth,
            "--to": self.to,
            "--include-writes": self.include_writes,
            "--sandbox": self.sandboxes,
            "--rate": self.rate,
            "--repeat": self.repeat,
            "--ca-file": self.ca_file,
        }
        for name, value in given.items():
            if value:
                raise UsageError(f"{name} is for --live, which asks the service again")


@dataclass(frozen=True, slots=True)
class LiveSides:
    """What is to be compared, and how the asking ended."""

    before: Side
    after: Side
    named: str
    outcome: LiveOutcome
    kept: bool
    next_step: str | None = None

    @property
    def is_comparable(self) -> bool:
        """Whether anything was answered."""
        return self.outcome.answered > 0

    def ending(self, compared: Outcome | None) -> Outcome:
        """How the command ends: by a host that failed, by how much is missing, else by the comparison."""
        from durable_replay.drift.outcome import Ending, Outcome

        failures = self.outcome.failures
        if not failures:
            return self._incomplete() or compared or Outcome(Ending.same)
        code = min(_code(one.failure.value) for one in failures)
        texts = [one.text for one in failures]
        texts.append(self._how_far())
        if compared is not None and compared.text:
            texts.append(compared.text)
        return Outcome(code, "; ".join(texts))

    def _incomplete(self) -> Outcome | None:
        from durable_replay.drift.outcome import Ending, Outcome

        missing = sum(one.count for one in self.outcome.skipped if one.asked)
        if not missing or 2 * missing < self.outcome.planned:
            return None
        reasons = ", ".join(sorted({one.reason for one in self.outcome.skipped if one.asked}))
        return Outcome(
            Ending.unpairable,
            f"{missing:,} of {self.outcome.planned:,} requests got no answer ({reasons}); {self._how_far()}",
        )

    def _how_far(self) -> str:
        answered, planned = self.outcome.answered, self.outcome.planned
        if not answered:
            return "nothing was answered"
        told = f"{answered:,} of {planned:,} requests were answered"
        if self.kept:
            return f"{told}. The same command goes on where this one stopped"
        return f"{told}. With --save FILE the next run would go on from here"

    def notes(self) -> tuple[str, ...]:
        """What a reader of the report has to know."""
        return tuple(_notes(self.outcome, kept=self.kept))


def _code(failure: str) -> Ending:
    from durable_replay.drift.outcome import Ending

    return Ending[failure.replace("-", "_")]


def _notes(outcome: LiveOutcome, *, kept: bool) -> Iterator[str]:
    asked = f"{outcome.answered:,} of {_counted(outcome.planned, 'request was', 'requests were')} answered live"
    yield f"{asked}, {outcome.resumed:,} of them in an earlier run" if outcome.resumed else asked
    if outcome.bare:
        sent = _counted(outcome.bare, "request was", "requests were")
        yield f"{sent} sent without a credential that the recording had; see --auth"
    if outcome.again:
        differed = _counted(outcome.again, "answer was", "answers were")
        yield f"{differed} not as recorded, and asked for once more to tell what varies by itself"
    if outcome.unsure:
        differed = _counted(outcome.unsure, "answer was", "answers were")
        yield f"{differed} not as recorded, and could not be had once more"
    for one in outcome.skipped[:_MOST_NOTES]:
        yield f"{one.how}: {one.endpoint}, {one.count:,} recorded: {one.reason}"
    if len(outcome.skipped) > _MOST_NOTES:
        yield f"not asked: {len(outcome.skipped) - _MOST_NOTES:,} endpoints more"
    if kept and not outcome.complete and not outcome.failures:
        yield "the same command asks again for what got no answer"


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def asked_live(
    opened: ExitStack,
    befores: Sequence[Path],
    indexing: Indexing,
    settings: Settings,
    choice: LiveChoice,
    wanted: Callable[[Endpoint], bool],
) -> LiveSides:
    """Asks the service; both sides are open as long as `opened` is. Raises UsageError, CassetteError."""
    from tempfile import TemporaryDirectory

    from durable_replay.drift.live.auth import guarded, load_credentials
    from durable_replay.drift.live.taking import take
    from durable_replay.drift.sources import Part, Tapes
    from durable_replay.redaction.keyfile import load_key
    from durable_replay.redaction.redact import Redactor
    from durable_replay.tapes import mapped_hosts, redaction_rules

    credentials = load_credentials(choice.auth, os.environ)
    redactor = Redactor(load_key(), guarded(redaction_rules(settings.redact), credentials))
    options = _options(choice, credentials, wanted, mapped_hosts(befores))
    before = opened.enter_context(Tapes(befores))
    _require_other(choice.save, befores)
    folder = Path(opened.enter_context(TemporaryDirectory(prefix="durable-replay-")))
    target = choice.save or folder / "live.cassette"
    try:
        with _bar() as progress:
            outcome = take(before, target, options, indexing, redactor, progress)
    except (KeyboardInterrupt, SystemExit):  # Ctrl-C, or a signal that ends us
        if choice.save is not None and choice.save.exists():
            say(
                f"durable-replay: interrupted; {choice.save} has what was answered, the same command goes on from there"
            )
        raise
    _require_asked(outcome)
    _require_clean(target, redactor)
    after = opened.enter_context(Tapes([target]))
    return LiveSides(
        Part(before, outcome.before),
        Part(after, outcome.after),
        str(choice.save or "live"),
        outcome,
        choice.save is not None,
    )


def _options(
    choice: LiveChoice, credentials: Credentials, wanted: Callable[[Endpoint], bool], hosts: Mapping[str, str]
) -> LiveOptions:
    from durable_replay.drift.live.asking import Wire
    from durable_replay.drift.live.pacing import Pace
    from durable_replay.drift.live.selecting import Targets
    from durable_replay.drift.live.taking import LiveOptions

    targets = Targets.of(_servers(choice.to), frozenset(choice.sandboxes), include_writes=choice.include_writes)
    return LiveOptions(
        targets,
        credentials,
        Pace(choice.concurrency, choice.rate, choice.max_wait),
        Wire(timeout=choice.timeout, ca_file=choice.ca_file),
        choice.repeat,
        choice.repeat != 1,
        wanted,
        hosts=hosts,
    )


def _servers(to: Iterable[str]) -> dict[str, str]:
    servers: dict[str, str] = {}
    for text in to:
        host, _, url = text.partition("=")
        servers[host] = url
    return servers


def _require_other(save: Path | None, befores: Iterable[Path]) -> None:
    from durable_replay.errors import UsageError

    if save is not None and save.exists() and any(save.samefile(before) for before in befores):
        raise UsageError(f"--save {save} is the cassette that is compared with; name another file")


def _require_asked(outcome: LiveOutcome) -> None:
    from durable_replay.errors import UsageError

    if outcome.planned:
        return
    reasons = sorted({one.reason for one in outcome.skipped})
    why = "; ".join(reasons) or "the cassette is empty, or --operation leaves nothing of it"
    raise UsageError(f"nothing on the tape can be asked again: {why}")


def _require_clean(target: Path, redactor: Redactor) -> None:
    """The proof that a recording gets too."""
    from durable_replay.errors import CassetteError
    from durable_replay.redaction.scan import scan_file

    found = scan_file(target, redactor.rules, redactor.known())
    if found:
        raise CassetteError(
            f"{target} holds what looks like a secret (rule {found[0].rule}, {found[0].place}). Delete the file, and"
            " see docs/secrets.md."
        )


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    """Done, rate and remaining time on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=errors(), transient=True) as shown:
        reading = shown.add_task("reading", total=None, rate="")
        asking = shown.add_task("asking", total=None, rate="", visible=False)

        def tell(now: Progress) -> None:
            if now.reading:
                shown.update(reading, completed=now.done, total=now.total)
                return
            speed = shown.tasks[asking].speed
            shown.update(reading, visible=False)
            rate = f"{speed:,.1f}/s" if speed else ""
            shown.update(asking, completed=now.done, total=now.total, rate=rate, visible=True)

        yield tell
