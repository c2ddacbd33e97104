"""What is known of each host while a run asks it: its pace, and whether it still is to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from durable_replay.drift.live.failing import Failure, HostFailed, HostFailure
from durable_replay.drift.live.pacing import Clock, Pace, Pacer
from durable_replay.drift.live.selecting import Server, Step
from durable_replay.drift.live.verdicts import Refusals, Silence
from durable_replay.http import Response

__all__ = ["Hosts"]


class Hosts:
    """The hosts of one run. What fails while it is asked once more is no failure of the run."""

    def __init__(self, steps: Iterable[Step], pace: Pace, clock: Clock, seed: int | None) -> None:
        self._pace, self._clock = pace, clock
        self._chance = Random(seed)  # noqa: S311 - jitter
        self._pacers: dict[Server, Pacer] = {}
        self._refusals = {step.host: Refusals(step.host, _both_names(step)) for step in steps}
        self._silence = Silence()
        self._failed: dict[str, HostFailure] = {}
        self._tired: set[str] = set()

    def pacer(self, server: Server) -> Pacer:
        """One for each server."""
        if server not in self._pacers:
            self._pacers[server] = Pacer(server.authority, self._pace, self._clock, self._chance)
        return self._pacers[server]

    def require(self, step: Step) -> None:
        """Raises HostFailed where the step's host is to be asked no more."""
        failed = self._failed.get(step.host) or self._refusals[step.host].hopeless_failure()
        if failed is not None:
            raise HostFailed(failed.failure, failed.text)
        if step.again and step.host in self._tired:
            raise HostFailed(Failure.unreachable, f"{step.host} did not answer when it was asked once more")

    def answered(self, host: str) -> None:
        """Some answer came, whatever it says."""
        self._silence.ended(host)

    def count(self, step: Step, response: Response) -> None:
        """Takes in what an answer says of its host."""
        self._refusals[step.host].count(step, response)

    def require_answers(self, step: Step, why: Exception) -> None:
        """Takes in a request that got no answer after all its tries. Raises HostFailed where none is expected."""
        if self._silence.is_hopeless(step.host):
            raise HostFailed(Failure.unreachable, f"{step.server.authority} does not answer: {why}") from None

    def fail(self, step: Step, why: HostFailed) -> None:
        """The host is not to be asked again, or not once more."""
        if step.again:
            self._tired.add(step.host)
        else:
            text = _with_both_names(step, why.text)
            self._failed.setdefault(step.host, HostFailure(step.host, why.failure, text))

    def hopeless(self) -> set[str]:
        """Those that failed, or refused everything."""
        return self._failed.keys() | {host for host, one in self._refusals.items() if one.failure() is not None}

    def refused(self) -> Iterator[tuple[int, ...]]:
        """The steps that a host refused as a whole, host by host; that becomes its failure, unless another was said."""
        for refusals in self._refusals.values():
            told = refusals.failure()
            if told is not None and (refusals.is_hopeless or refusals.host not in self._failed):
                self._failed[refusals.host] = told
                yield (*refusals.steps, *refusals.beside)

    def failures(self) -> tuple[HostFailure, ...]:
        """By host's name."""
        return tuple(sorted(self._failed.values(), key=lambda failure: failure.host))


def _both_names(step: Step) -> str:
    """What is dialled, by which credentials are looked up; and the host on the tape, where that is another."""
    dialled = step.server.authority
    return dialled if step.host == dialled else f"{dialled} (in place of {step.host})"


def _with_both_names(step: Step, text: str) -> str:
    return text if step.host in text else text.replace(step.server.authority, _both_names(step), 1)
