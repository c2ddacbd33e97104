"""What is on the new cassette: answers with a note of what they stand for, and how far the run came.

# Rule: a run goes on by what the cassette itself says; there is no file beside it.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from durable_replay.cassette.store import CassetteWriter
from durable_replay.drift.live.asking import Answered
from durable_replay.drift.live.selecting import Plan, Step
from durable_replay.errors import UsageError
from durable_replay.http import Interaction, Request

__all__ = ["as_recorded", "asked_in", "begin", "end", "plan_mark"]

_META = "live"
_NOTE = re.compile(r"asked live in place of #(\d{1,12})\b(, once more)?")


def asked_in(note: str) -> tuple[int, bool]:
    """The recording in whose place an interaction with this note was asked (0: none), and whether for a second look."""
    named = _NOTE.search(note)
    return (int(named[1]), named[2] is not None) if named else (0, False)


def plan_mark(plan: Plan) -> str:
    """Tells this plan from others."""
    told = sha256()
    for step in plan.steps:
        told.update(f"{step.number} {step.server.url} {step.endpoint} {step.status} {step.covers}\n".encode())
    return told.hexdigest()


def begin(writer: CassetteWriter, mark: str, target: Path) -> None:
    """Marks a new cassette as a run of this plan; of one that is there, raises UsageError unless that run goes on."""
    text = writer.meta(_META)
    if text is None:
        if len(writer):
            raise UsageError(f"{target} is a cassette of something else; name a new file to keep the live answers in")
        writer.set_meta(_META, json.dumps({"plan": mark, "complete": False}))
        return
    known = json.loads(text)
    if known.get("complete"):
        raise UsageError(f"{target} holds a live run that is finished; name a new file, or delete it to ask again")
    if known.get("plan") != mark:
        raise UsageError(
            f"{target} was begun for another cassette or with other options; repeat that command to go on with it, or"
            " name a new file"
        )


def end(writer: CassetteWriter, mark: str, *, complete: bool) -> None:
    """Says how far the run came."""
    writer.set_meta(_META, json.dumps({"plan": mark, "complete": complete}))


def as_recorded(
    step: Step, sent: Request, recorded: Request, answered: Answered, begun: float, duration: float
) -> Interaction:
    """As a recording has it: under the recorded host, wherever it was asked."""
    note = f"asked live in place of #{step.recorded}{', once more' if step.again else ''}"
    if step.server.authority != recorded.authority or step.server.scheme != recorded.scheme:
        note += f", at {step.server.url}"
    return Interaction(
        replace(sent, scheme=recorded.scheme, host=recorded.host, port=recorded.port),
        answered.response,
        started=begun,
        duration=duration,
        http_version="HTTP/2.0" if answered.http_version == "HTTP/2" else answered.http_version,  # as recorders say it
        outcome="aborted" if answered.cut else "complete",
        note=f"{note}; {answered.cut}" if answered.cut else note,
    )
