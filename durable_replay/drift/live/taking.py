"""The run: the steps are asked in the order of the tape, and their answers make a new cassette.

What is on the new cassette was asked; its note names the interaction in whose place. So a run that was interrupted goes
on where it stopped, with no file beside the cassette.
"""

# Rule: the new tape has the old one's order, whatever came first, and nothing is on it that the redactor has not seen.

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from durable_replay.cassette.care.hosts import add_mapped_hosts
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.drift.finding import Endpoint
from durable_replay.drift.live.asking import Answered, Asker, KeptBody, NoAnswer
from durable_replay.drift.live.auth import teach
from durable_replay.drift.live.carrying import Carry, Found, Gone, carried, carries, found_at
from durable_replay.drift.live.failing import Failure, HostFailed
from durable_replay.drift.live.hosts import Hosts
from durable_replay.drift.live.interrupting import run_until_signalled
from durable_replay.drift.live.keeping import as_recorded, asked_in, begin, end, plan_mark
from durable_replay.drift.live.options import LiveOptions, LiveOutcome, Progress
from durable_replay.drift.live.pacing import Clock, Pacer, WallClock
from durable_replay.drift.live.places import Place
from durable_replay.drift.live.preparing import Unsendable, prepared
from durable_replay.drift.live.second import SecondLook
from durable_replay.drift.live.selecting import UNSENT, Plan, Skipped, Step, require_sandboxes, selected
from durable_replay.drift.live.unsent import says_nothing
from durable_replay.drift.sources import Side
from durable_replay.http import Body, Interaction, Request
from durable_replay.redaction.placeholders import is_placeholder
from durable_replay.redaction.redact import Redactor
from durable_replay.timeline.indexing import Indexing

__all__ = ["LiveOptions", "LiveOutcome", "Progress", "take"]

WINDOW = 64
"""Steps that are under way or wait for one before them."""
BEGUN = 2
"""Tries of a request whose answer breaks off: it may be large."""
GONE = "no such page now"
NO_CURSOR = "the answer before it, which names the page, was not had"
FAILED = "its host failed"


def take(
    before: Side,
    target: Path,
    options: LiveOptions,
    indexing: Indexing,
    redactor: Redactor,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    clock: Clock | None = None,
) -> LiveOutcome:
    """Asks the recorded requests again and puts the answers onto `target`, which is made or continued.

    `redactor` has the rules of `auth.guarded`. Raises CassetteError, and UsageError where `target` is something else,
    or is finished. An interruption leaves a target that can be continued.
    """
    plan = selected(
        before,
        indexing,
        options.targets,
        repeat=options.repeat,
        wanted=options.wanted,
        on_progress=lambda done, total: on_progress(Progress(done, total, reading=True)),
    )
    require_sandboxes(plan, options.targets)
    if not plan.steps:
        return LiveOutcome(0, 0, 0, frozenset(), frozenset(), plan.skipped, (), 0, complete=True)
    mark = plan_mark(plan)
    with CassetteWriter.open(target) as writer:
        begin(writer, mark, target)
        add_mapped_hosts(writer, options.hosts)
        writer.flush()
        teach(redactor, options.credentials)
        run = _Run(before, plan, writer, redactor, options, clock or WallClock(), on_progress)
        run.resume(target)
        run_until_signalled(run.all())
        outcome = run.outcome()
        end(writer, mark, complete=outcome.complete)
    return outcome


@dataclass(frozen=True, slots=True)
class _Taken:
    """One answer, not redacted yet; `kept`: it is on the new tape already."""

    step: Step
    interaction: Interaction
    kept: bool


class _NothingSaid(Exception):
    """An answer that says nothing of the API."""


class _Run:
    """The state of one run, in one event loop."""

    def __init__(
        self,
        side: Side,
        plan: Plan,
        writer: CassetteWriter,
        redactor: Redactor,
        options: LiveOptions,
        clock: Clock,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._side, self._plan, self._writer = side, plan, writer
        self._redactor, self._options, self._clock, self._on_progress = redactor, options, clock, on_progress
        self._hosts = Hosts(plan.steps, options.pace, clock, options.seed)
        self._carries = carries(side, plan.steps)
        self._wanted: dict[int, list[Carry]] = {}
        for carry in (carry for several in self._carries.values() for carry in several):
            self._wanted.setdefault(carry.source, []).append(carry)
        self._second = SecondLook(side, plan.steps)
        self._steps = {step.number: step for step in plan.steps}
        """First and second steps."""
        self._over: dict[int, asyncio.Event] = {}
        self._found: dict[tuple[int, Place], Found] = {}
        self._placed: dict[int, int] = {}
        """Steps' numbers to those on the new tape."""
        self._broken = Counter[int]()
        """How often the answer to a step broke off."""
        self._again: set[int] = set()
        self._left_out: Counter[tuple[Endpoint, str, bool]] = Counter()
        self._resumed = self._bare = self._done = self._unsure = 0
        self._total = len(plan.steps)
        self._unfinished = False

    # -- an earlier run ---------------------------------------------------------------------------------------------

    def resume(self, target: Path) -> None:
        """Takes in what is on the target already."""
        with Cassette.open(target) as kept:
            for interaction in kept.interactions():
                number, again = asked_in(interaction.note)
                step = self._steps.get(number)
                if step is None:
                    continue
                if again:
                    step = self._added(self._second.of(step))
                else:
                    self._resumed += 1
                    self._second.compare(step, interaction)
                self._placed[step.number] = interaction.number
                self._take_in(step, interaction)
        for step in reversed(self._plan.steps):
            if step.number not in self._placed or step.number in self._again:
                self._again.update(carry.source for carry in self._needed(step) if self._is_redacted(carry))

    def _needed(self, step: Step) -> tuple[Carry, ...]:
        first = self._carries.get(step.recorded, ())
        if not step.again:
            return first
        return tuple(replace(carry, source=self._second.number(carry.source)) for carry in first)

    def _added(self, second: Step) -> Step:
        self._steps[second.number] = second
        return second

    def _is_redacted(self, carry: Carry) -> bool:
        """Whether a value is hidden in the answer that is kept, so that its request has to be asked once more."""
        found = self._found.get((carry.source, carry.place))
        return carry.source in self._placed and found is not None and is_placeholder(found.value or "")

    # -- asking -----------------------------------------------------------------------------------------------------

    async def all(self) -> None:
        """Asks what is left."""
        todo = [step for step in self._plan.steps if step.number not in self._placed or step.number in self._again]
        self._done = len(self._plan.steps) - len(todo)
        async with Asker(self._options.wire) as asker:
            await self._round(todo, asker)
            if self._options.second_look:
                looks = self._second.steps(self._hosts.hopeless())
                seconds = [self._added(step) for step in looks if self._is_left(step)]
                self._total += len(seconds)
                await self._round(seconds, asker)

    def _is_left(self, second: Step) -> bool:
        """Whether a second look is still to be had; what carries a value that is hidden on the new tape is not."""
        found = (self._found.get((carry.source, carry.place)) for carry in self._needed(second))
        hidden = any(one is not None and is_placeholder(one.value or "") for one in found)
        return second.number not in self._placed and not hidden

    async def _round(self, todo: Iterable[Step], asker: Asker) -> None:
        todo = tuple(todo)
        self._over = {step.number: asyncio.Event() for step in todo}
        pending: deque[asyncio.Task[_Taken | None]] = deque()
        try:
            for step in todo:
                while len(pending) >= WINDOW:
                    self._put(await pending[0])
                    pending.popleft()
                pending.append(asyncio.create_task(self._step(step, asker)))
            while pending:
                self._put(await pending[0])
                pending.popleft()
        finally:
            await self._wind_up(pending)

    async def _wind_up(self, pending: deque[asyncio.Task[_Taken | None]]) -> None:
        """What is whole already is kept when the run is interrupted."""
        while pending and pending[0].done() and not pending[0].cancelled() and pending[0].exception() is None:
            self._put(pending.popleft().result())
        for task in pending:
            task.cancel()
        for task in pending:
            with suppress(asyncio.CancelledError, Exception):
                if (taken := await task) is not None:
                    _close(taken.interaction.response.body)

    async def _step(self, step: Step, asker: Asker) -> _Taken | None:
        try:
            for number in (step.follows, *(carry.source for carry in self._needed(step))):
                if number in self._over:
                    await self._over[number].wait()
            return await self._asked(step, asker)
        except Gone:
            self._leave_out(step, GONE if self._has_sources(step) else NO_CURSOR)
        except Unsendable as wrong:
            self._leave_out(step, str(wrong))
        except _NothingSaid:
            self._leave_out(step, UNSENT)
        except NoAnswer as wrong:
            self._leave_out(step, str(wrong), again=True, asked=True)
        except HostFailed as wrong:
            self._hosts.fail(step, wrong)
            self._leave_out(step, FAILED, again=True)
        finally:
            self._over[step.number].set()
            self._done += 1
            self._on_progress(Progress(self._done, self._total))
        return None

    def _has_sources(self, step: Step) -> bool:
        return all((carry.source, carry.place) in self._found for carry in self._needed(step))

    def _leave_out(self, step: Step, reason: str, *, again: bool = False, asked: bool = False) -> None:
        if step.again:
            self._unsure += 1
            return
        self._left_out[step.endpoint, reason, asked] += 1
        self._unfinished = self._unfinished or again

    async def _asked(self, step: Step, asker: Asker) -> _Taken:
        before = self._side.interaction(step.recorded)
        recorded = before.request
        request = carried(recorded, self._needed(step), self._found)
        credential = self._options.credentials.of(step.server.scheme, step.server.host, step.server.port)
        rules = self._redactor.rules
        pacer = self._hosts.pacer(step.server)
        attempt = 0
        while True:
            attempt += 1
            async with pacer.turn(step.number):
                self._hosts.require(step)
                begun = self._clock.now()
                sent, fewer = prepared(request, recorded, step.server, credential, rules, begun)
                answered = await self._answer(step, sent, asker, attempt)
            if answered is None:
                await pacer.rest(attempt)
            elif not self._is_limited(pacer, step, answered, attempt):
                break
        if says_nothing(before.response.status, answered.response.status, step.left):
            _close(answered.response.body)
            raise _NothingSaid
        self._bare += bool(fewer) and not step.again
        interaction = as_recorded(step, sent, recorded, answered, begun, self._clock.now() - begun)
        self._take_in(step, interaction)
        return _Taken(step, interaction, step.number in self._placed)

    async def _answer(self, step: Step, sent: Request, asker: Asker, attempt: int) -> Answered | None:
        """None: to be tried again."""
        try:
            answered = await asker.ask(sent, step.server)
        except HostFailed as wrong:
            if wrong.failure is not Failure.unreachable or attempt >= self._options.pace.tries:
                raise
        except NoAnswer as wrong:
            self._broken[step.number] += wrong.begun
            if step.writes or attempt >= self._options.pace.tries or self._broken[step.number] >= BEGUN:
                self._hosts.require_answers(step, wrong)
                raise
        else:
            self._hosts.answered(step.host)
            return answered
        return None

    def _is_limited(self, pacer: Pacer, step: Step, answered: Answered, attempt: int) -> bool:
        """Whether the host wants to be asked later."""
        limited = True
        try:
            limited = pacer.heed(answered.response, attempt, accepted=answered.response.status == step.status)
        finally:
            if limited:
                _close(answered.response.body)
        return limited

    # -- answers ----------------------------------------------------------------------------------------------------

    def _take_in(self, step: Step, interaction: Interaction) -> None:
        wanted = self._wanted.get(step.recorded)
        if wanted and interaction.response.status < 400:
            found = found_at(interaction.request, interaction.response, wanted)
            numbers = (step.number,) if step.again else (step.number, self._second.number(step.number))
            self._found.update({(number, place): one for number in numbers for place, one in found.items()})
        if step.number not in self._again and not step.again:
            self._hosts.count(step, interaction.response)

    def _put(self, taken: _Taken | None) -> None:
        if taken is None:
            return
        try:
            if not taken.kept:
                shown = self._redactor.interaction(taken.interaction, self._writer.new_body)
                self._placed[taken.step.number] = self._writer.append(shown)
                self._writer.flush()
                if not taken.step.again:
                    self._second.compare(taken.step, shown)
        finally:
            _close(taken.interaction.response.body)

    # -- the end ----------------------------------------------------------------------------------------------------

    def outcome(self) -> LiveOutcome:
        """How it ended; what a host refused as a whole leaves the new tape again."""
        for refused in self._hosts.refused():
            self._withdraw(refused)
        failures = self._hosts.failures()
        placed = [self._steps[number] for number in self._placed]
        again = sum(step.again for step in placed)
        return LiveOutcome(
            len(self._plan.steps),
            len(placed) - again,
            self._resumed,
            frozenset(number for step in placed for number in step.covers),
            frozenset(self._placed.values()),
            tuple(self._skipped()),
            failures,
            self._bare,
            not failures and not self._unfinished,
            again,
            self._unsure,
        )

    def _withdraw(self, steps: Iterable[int]) -> None:
        gone = {self._placed.pop(number) for number in steps if number in self._placed}
        self._writer.delete(gone)
        order = sorted(self._placed, key=lambda number: self._placed[number])
        self._placed = {number: place for place, number in enumerate(order, 1)}

    def _skipped(self) -> Iterator[Skipped]:
        yield from self._plan.skipped
        yield from sorted(Skipped(of, why, count, asked) for (of, why, asked), count in self._left_out.items())


def _close(body: Body) -> None:
    if isinstance(body, KeptBody):
        body.close()
