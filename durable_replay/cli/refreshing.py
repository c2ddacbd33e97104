"""`durable-replay record --refresh FILE`: a cassette is recorded anew beside it, compared, and replaced if accepted.

# Rule: the cassette is replaced only by a recording whose command succeeded, and which is of the same services.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from durable_replay.cli.comparing import (
    FailOn,
    Report,
    Watched,
    compared,
    paired,
    require_distinct,
    rules_of,
    tapes,
    understood,
    write_report,
)
from durable_replay.cli.counting import there
from durable_replay.cli.recording import Taking, recording_text, show_recording
from durable_replay.cli.running import WRONG_USE
from durable_replay.cli.terminal import say

if TYPE_CHECKING:
    from durable_replay.cassette.care.anew import Refreshing
    from durable_replay.drift.finding import Comparison
    from durable_replay.drift.noise import DiffRules
    from durable_replay.drift.outcome import Outcome as Compared
    from durable_replay.recording.refreshing import Refreshed
    from durable_replay.recording.run import Outcome
    from durable_replay.settings import Settings

__all__ = ["Wanted", "refreshed"]

_NAMED = 5
"""Endpoints that are named of those that were not recorded again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says of the report."""

    shape: str
    output: Path | None
    fail_on: FailOn | None
    ignore: tuple[str, ...]
    show_ignored: bool

    @property
    def report(self) -> Report:
        return Report.table if self.shape == "text" else Report(self.shape)


def refreshed(file: Path, taking: Taking, wanted: Wanted, *, accept: bool, keep: bool) -> int:
    """Record, compare, and replace where that is accepted; gives the exit code. Without a command, `accept` takes what
    an earlier run has kept. Raises UsageError and CassetteError, with the cassette as it was."""
    from durable_replay.cassette.care.anew import refreshing
    from durable_replay.errors import UsageError

    if keep and not accept:
        raise UsageError("--keep is for --accept, which puts the new recording in the cassette's place")
    records = bool(taking.command) or not accept
    if records:
        taking.require_possible()
    rules = rules_of(taking.settings.diff, wanted.ignore, ())  # a mistake in them is told before anything is recorded
    with refreshing(there(file)) as work:
        _require_no_cassette(wanted.output, work)
        if not records:
            _say_of_kept(work)
            return _Judging(work, taking.settings, wanted, rules, accept, keep, None).exit_code()
        taken = _taken(work, taking, wanted)
        if taken.removed:
            return taken.outcome.exit_code
        return _Judging(work, taking.settings, wanted, rules, accept, keep, taken.outcome).exit_code()


def _require_no_cassette(output: Path | None, work: Refreshing) -> None:
    from durable_replay.errors import UsageError

    if output is None:
        return
    require_distinct(output, [work.file])
    if output.resolve() in (path.resolve() for path in (work.new, work.former)):
        raise UsageError(f"--output {output} is where a cassette is kept; name another file")


def _say_of_kept(work: Refreshing) -> None:
    """What is to be known before an earlier recording is taken. Raises UsageError where there is none."""
    mark = work.kept()
    if mark.exit_code:
        say(f"durable-replay: the command that {work.new} was recorded from ended with {mark.exit_code}")


def _taken(work: Refreshing, taking: Taking, wanted: Wanted) -> Refreshed:
    from durable_replay.recording.refreshing import loopback_hosts, refresh

    loopback = loopback_hosts(work.file)
    taken = refresh(
        work,
        lambda staged: taking.into(staged, work.new, loopback),
        lambda staged: taking.index(staged, work.file.name),
    )
    if not taken.removed:
        show_recording(taken.outcome, work.new, as_json=False)
        return taken
    say(f"durable-replay: {taken.removed} {work.file} is as it was; nothing of the new recording is kept.")
    if wanted.shape == "json":
        say(recording_text(taken.outcome, work.file, accepted=False, new=None))
    return taken


@dataclass(frozen=True, slots=True)
class _Judging:
    """What is done with a recording that is kept beside its cassette. `outcome` None: it is of an earlier run."""

    work: Refreshing
    settings: Settings
    wanted: Wanted
    rules: DiffRules
    accept: bool
    keep: bool
    outcome: Outcome | None

    def exit_code(self) -> int:
        """Report, replace or keep, say which, and end with the command's exit code, or the comparison's."""
        from durable_replay.errors import ReplayError

        try:
            comparison, ending = self._reported()
            accepted = self._accepted(ending)
        except ReplayError as wrong:
            say(f"durable-replay: {wrong}")
            self._say_kept()
            return self._child_exit_code or WRONG_USE
        missing = self._say_missing(comparison, accepted=accepted) if comparison is not None else None
        if ending.text and not accepted:
            say(f"durable-replay: {ending.text}")
        if accepted:
            self._say_accepted()
        else:
            self._say_kept(ending)
        if self.wanted.shape == "json":
            new = None if accepted else str(self.work.new)
            say(recording_text(self.outcome, self.work.file, accepted=accepted, new=new, not_recorded_again=missing))
        return self._child_exit_code or (0 if accepted else int(ending.ending))

    @property
    def _child_exit_code(self) -> int:
        return 0 if self.outcome is None else self.outcome.exit_code

    def _reported(self) -> tuple[Comparison | None, Compared]:
        from durable_replay import __version__
        from durable_replay.drift.outcome import notes
        from durable_replay.drift.report import Context

        begun = perf_counter()
        old, new = self.work.file, self.work.new
        limit = self.wanted.fail_on or FailOn(self.settings.diff.fail_on or FailOn.breaking)
        same = self.settings.diff.same
        with ExitStack() as opened:
            indexing = understood([old, new], self.settings, {}, same)
            before, after = tapes(opened, [old], [new])
            read = Watched(before, "before"), Watched(after, "after")
            pairing = paired(opened, *read, indexing, same, lambda endpoint: True)
            comparison, ending = compared(pairing, self.rules, limit)
            context = Context(
                str(old),
                str(new),
                (str(old),),
                limit.value,
                self.wanted.show_ignored,
                (*notes(pairing), *(note for side in read for note in side.notes())),
                version=__version__,
                took=perf_counter() - begun,
                next_step=self._next_step,
            )
        if comparison is not None:
            sys.stdout.flush()
            write_report(comparison, self.wanted.report, context, self.wanted.output)
        return comparison, ending

    @property
    def _next_step(self) -> str:
        """For readers of the report elsewhere; on a terminal it is said after it."""
        here = self.accept or (self.wanted.report is Report.table and self.wanted.output is None)
        return "" if here else f"Take the new recording: {_command(self.work.file)}"

    def _accepted(self, ending: Compared) -> bool:
        if not self.accept or self._child_exit_code or _is_doubtful(ending):
            return False
        self.work.accept(keep_former=self.keep)
        return True

    def _say_missing(self, comparison: Comparison, *, accepted: bool) -> int:
        """What the former tape has and the new one does not; gives how many interactions."""
        missing = [(one.before, str(one.endpoint)) for one in comparison.unpaired if one.before]
        count = sum(number for number, _ in missing)
        if missing:
            named = ", ".join(f"{name} ({number:,})" for number, name in sorted(missing, reverse=True)[:_NAMED])
            more = f" and {len(missing) - _NAMED:,} endpoints more" if len(missing) > _NAMED else ""
            gone = "are on the tape no more" if accepted else "will be on the tape no more when it is accepted"
            say(f"not recorded again: {count:,} of {comparison.before:,} interactions, which {gone}: {named}{more}")
        return count

    def _say_accepted(self) -> None:
        from durable_replay.cassette.store import Cassette

        with Cassette.open(self.work.file) as cassette:
            lengths = f"{len(cassette):,} interactions instead of {self.work.length:,}"
        former = f"; the former is {self.work.former}" if self.keep else ""
        say(f"{self.work.file} is the new recording now, of {lengths}{former}")

    def _say_kept(self, ending: Compared | None = None) -> None:
        file, new, code = self.work.file, self.work.new, self._child_exit_code
        if ending is not None and _is_doubtful(ending):
            say(f"{file} is as it was, and can only be replaced by a recording of the same. The new one is {new}")
            return
        why = f", since the command ended with {code}" if self.accept and code else ""
        say(f"{file} is as it was{why}. The new recording is {new}; take it: {_command(file)}")


def _is_doubtful(ending: Compared) -> bool:
    """Whether the new recording is none of the same services, or of refusals alone."""
    from durable_replay.drift.outcome import Ending

    return ending.ending in (Ending.different_services, Ending.credentials_refused)


def _command(file: Path) -> str:
    from durable_replay.cassette.care.anew import refresh_command

    return refresh_command(file, "--accept")
