"""Any request, in any session, gets its answer here; no socket, no TLS, no SQL.

answer → from the tape, while it is true → from the service's emulator → by policy, for what nobody knows.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from durable_replay.answer import Answer, Conversation, Recall, Source
from durable_replay.conversations import Conversations, Recorded
from durable_replay.emulator import NOT_EMULATED, Emulator
from durable_replay.http import BytesBody, Frame, Headers, Request, Response
from durable_replay.matching.miss import NEXT_STEP, Candidate, explain
from durable_replay.service.api import Call
from durable_replay.service.faults import Fault
from durable_replay.timeline.indexing import Indexing, Understood, footprint
from durable_replay.timeline.ledger import Fact
from durable_replay.timeline.resource import Key
from durable_replay.timeline.session import Session
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.tape import Tape
from durable_replay.timeline.why import staleness

__all__ = ["Engine", "OnMiss", "Policy", "Usage"]

OnMiss = Literal["emulate", "refuse", "forward"]
Noted = tuple[float, str, str, str, str, int, str, int, Source, str, int | None]
"""A line of the request log before anybody reads it: time, session, method, scheme, host, port, target, status, source,
why, interaction. It holds no body."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "WEBSOCKET"})
_NEAREST = 200
_MISSES = 100
_QUICK = 16 * 1024
"""Bodies up to this many bytes are made canonical on the event loop."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done with a request that no true recording answers. `forward` sends one to the real service."""

    on_miss: OnMiss = "emulate"
    forward: Callable[[Request], Response] | None = None


@dataclass(slots=True)
class Usage:
    """What a run has seen, for its summary and for `--strict`."""

    answers: dict[str, dict[Source, int]] = field(default_factory=dict)
    interactions: set[int] = field(default_factory=set)
    log: deque[Noted] = field(default_factory=lambda: deque(maxlen=10_000))
    misses: list[Noted] = field(default_factory=list)
    """The first answers that were not recorded ones, however long the run."""

    def total(self, source: Source) -> int:
        """Answers of this provenance, over all sessions."""
        return sum(counts.get(source, 0) for counts in self.answers.values())


class Engine:
    """The front's `Answerer` and `Administered`, over one tape and one store of sessions."""

    def __init__(self, tape: Tape, indexing: Indexing, sessions: Sessions, policy: Policy | None = None) -> None:
        self.tape, self.indexing, self.sessions = tape, indexing, sessions
        self.policy = policy or Policy()
        self.usage = Usage()
        self.conversations = Conversations()
        self.emulator = Emulator(tape, indexing, self.conversations.pushed)

    # ---- answers

    def recall(self, session: str, request: Request) -> Recall | None:
        """See `Answerer`. None for what no recorded read may answer."""
        if request.body.size > _QUICK:
            return None
        understood = self.indexing.understand(request)
        candidates = self.tape.candidates(understood.key)
        if (
            not candidates
            or any(fact.writes for fact in candidates)
            or (understood.call is None and _unsafe(understood))
        ):
            return None
        known = understood.call is not None
        return self._recall(self.sessions.get(session), request, understood.key, candidates, known)

    def _recall(
        self, session: Session, request: Request, key: bytes, candidates: Sequence[Fact], known: bool
    ) -> Recall:
        answers: dict[int, Answer] = {}
        last = candidates[-1].number
        settled: tuple[int, Answer] | None = None  # the last recording repeats for as long as nothing is written

        def again() -> Answer | None:
            nonlocal settled
            version = session.version
            if settled is not None and settled[0] == version:
                return self._noted(session.name, request, settled[1])
            fact = session.choose(key, candidates)
            if fact is None:
                return None
            if fact.number not in answers:
                answers[fact.number] = self._recorded(fact.number, known)
            session.serve(key, fact.number)
            settled = (version, answers[fact.number]) if fact.number == last else None
            return self._noted(session.name, request, answers[fact.number])

        return again

    def _recorded(self, number: int, known: bool = True) -> Answer:
        why = (
            f"recording {number} is true here" if known else f"recording {number}; no service knows what it may change"
        )
        return Answer(self.tape.interaction(number).response, "recorded", why, number)

    def answer(self, session: str, request: Request) -> Answer:
        """See `Answerer`."""
        opened = self.sessions.get(session)
        understood = self.indexing.understand(request)
        if understood.call is None:
            with opened.footprint((), (("", understood.key.hex()),)):  # a recorded write is served once
                answer = self._from_tape(opened, understood)
            return self._noted(session, request, answer or self._unknown(opened, request, understood))
        answer = None
        while answer is None:
            call, names = self.emulator.resolved(opened, understood.call)
            answer = self._known(opened, request, understood, call, names)
        return self._noted(session, request, answer)

    def _known(
        self, session: Session, request: Request, understood: Understood, call: Call, names: tuple[Key, ...]
    ) -> Answer | None:
        """The answer to a call; None when, while it waited for others, its names came to name something else."""
        try:
            print_ = footprint(call, names)
        except Fault as fault:  # a body that the service itself would refuse before doing anything
            response = call.service.codec.fault(request, fault, call)
            return self._from_tape(session, understood) or Answer(response, "emulated", f"it failed: {fault.text}")
        with session.footprint(print_.reads, print_.writes):
            if names and understood.call and self.emulator.resolved(session, understood.call)[0].params != call.params:
                return None
            return self._from_tape(session, understood) or self._beyond(session, request, understood, call, names)

    def _from_tape(self, session: Session, understood: Understood) -> Answer | None:
        candidates = self.tape.candidates(understood.key)
        fact = session.choose(understood.key, candidates) if candidates else None
        if fact is None or (
            # Nothing is known of this host's world: a write is answered as often as it was recorded, no more.
            understood.call is None and _unsafe(understood) and fact.number <= session.cursors.get(understood.key, 0)
        ):
            return None
        if fact.writes:
            self.emulator.play(session, fact)
        session.serve(understood.key, fact.number)
        return self._recorded(fact.number, understood.call is not None)

    def _beyond(
        self, session: Session, request: Request, understood: Understood, call: Call, names: tuple[Key, ...]
    ) -> Answer:
        why = self._why(session, understood)
        if self.policy.on_miss == "forward" and self.policy.forward is not None:
            response = self.policy.forward(request)
            self.emulator.forwarded(session, call, response)
            return Answer(response, "forwarded", why)
        if self.policy.on_miss == "refuse":
            return self._refuse(request, understood, why)
        return self.emulator.answer(session, understood, call, names, why)

    def _unknown(self, session: Session, request: Request, understood: Understood) -> Answer:
        """No service, or none of its operations, knows this request."""
        if self.policy.on_miss == "forward" and self.policy.forward is not None:
            return Answer(self.policy.forward(request), "forwarded", f"no service here knows {request.host}")
        service = self.indexing.registry.find(request)
        if service is None or self.policy.on_miss == "refuse":
            return self._refuse(request, understood, f"no service here knows {request.host}" if service is None else "")
        response = service.codec.unknown(request)
        return Answer(response, "refused", f"{service.name} is not known to have {request.method} {request.path}")

    def _why(self, session: Session, understood: Understood) -> str:
        candidates = self.tape.candidates(understood.key)
        if candidates:
            return staleness(session, candidates)
        return "it is not on the tape" if len(self.tape) else "there is no tape"

    def _refuse(self, request: Request, understood: Understood, why: str) -> Answer:
        explanation = explain(understood.canonical, self._candidates(understood), self._advice(request))
        document = {**explanation.document, **({"why": why} if why else {})}
        data = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
        fields = [("Content-Type", "application/json"), ("Content-Length", str(len(data)))]
        text = f"{explanation.text} ({why})" if why else explanation.text
        return Answer(Response(NOT_EMULATED, Headers(fields), BytesBody(data), "Not Implemented"), "refused", text)

    def _advice(self, request: Request) -> str:
        """What helps: an emulator that is asked already, or that there is not, does not."""
        if self.indexing.registry.find(request) is None:
            return "Record it, or name the service that its host speaks: --map HOST=SERVICE."
        return "Record it." if self.policy.on_miss == "emulate" else NEXT_STEP

    def _candidates(self, understood: Understood) -> Iterable[Candidate]:
        call = understood.call
        host = call.request.host if call else understood.canonical.host.rpartition(":")[0]
        for number in self.tape.nearest(host, _NEAREST):
            yield Candidate(number, self.indexing.understand(self.tape.interaction(number).request).canonical)

    # ---- WebSocket

    def converse(self, session: str, request: Request, send: Callable[[Frame], None]) -> Conversation | Answer:
        """See `Answerer`."""
        opened = self.sessions.get(session)
        understood = self.indexing.understand(request)
        candidates = self.tape.candidates(understood.key)
        fact = opened.choose(understood.key, candidates) if candidates else None
        why = self._why(opened, understood)
        if fact is not None:
            opened.serve(understood.key, fact.number)
            recorded = Recorded(self.tape.interaction(fact.number))
            self._noted(
                session, request, Answer(recorded.handshake, "recorded", "its turns are on the tape", fact.number)
            )
            return recorded
        service = self.indexing.registry.find(request)
        if self.policy.on_miss != "emulate" or service is None or not service.speaks(request):
            return self._noted(session, request, self._refuse(request, understood, why))
        emulated = self.conversations.begin(self.emulator, opened, service, request, send)
        self._noted(session, request, Answer(emulated.handshake, "emulated", why))
        return emulated

    # ---- what happened

    def _noted(self, session: str, request: Request, answer: Answer) -> Answer:
        usage = self.usage
        counts = usage.answers.get(session)
        if counts is None:
            counts = usage.answers.setdefault(session, {})
        counts[answer.source] = counts.get(answer.source, 0) + 1
        if answer.interaction is not None:
            usage.interactions.add(answer.interaction)
        place = (request.method, request.scheme, request.host, request.port, request.target)
        outcome = (answer.response.status, answer.source, answer.why, answer.interaction)
        line = (time.time(), session, *place, *outcome)
        usage.log.append(line)
        if answer.source != "recorded" and len(usage.misses) < _MISSES:
            usage.misses.append(line)
        return answer


def _unsafe(understood: Understood) -> bool:
    return understood.canonical.method not in _SAFE
