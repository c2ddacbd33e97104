"""How a comparison ended, as an exit code and a sentence.

==== ===================================================================================================
code how it ended
==== ===================================================================================================
0    no difference of the severity of --fail-on, or above it
1    there is one
2    wrong use: an option, a setting, no such cassette, a cassette that is damaged, newer or empty, or in which nothing
     is whole
3    the two sides are recordings of different services
4    half of the requests or more have no counterpart on the other side
5    the host could not be reached (`--live`)
6    its certificate or TLS was refused (`--live`)
7    every answer of the after side refuses the credentials (401 or 403), where most of the before side's did not
8    requests were redirected to a login page (`--live`)
9    the service limited the rate until nothing more could be asked (`--live`)
==== ===================================================================================================

# Rule: what would be said of each endpoint and has one cause is said once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from durable_replay.drift.finding import Comparison, Endpoint, Example, Finding, Kind, Severity
from durable_replay.drift.pairing import Pairing, Seen
from durable_replay.drift.report.context import FailOn, fails
from durable_replay.errors import UsageError

__all__ = ["Ending", "Outcome", "before_comparing", "counted", "judged", "notes", "refused"]


class Ending(IntEnum):
    """The exit code by name."""

    same = 0
    drift = 1
    wrong_use = 2
    different_services = 3
    unpairable = 4
    unreachable = 5
    tls = 6
    credentials_refused = 7
    login_page = 8
    rate_limited = 9


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended; `text` is one sentence with the next step, empty where the report says it all."""

    ending: Ending
    text: str = ""


def before_comparing(pairing: Pairing) -> Outcome | None:
    """An outcome that makes comparing pointless; None: compare. A side without anything raises UsageError."""
    for name, seen in (("before", pairing.before), ("after", pairing.after)):
        _require_some(name, seen)
    if not pairing.worlds.in_common:
        before, after = (", ".join(pairing.worlds.of_side(side)) for side in (1, 2))
        return Outcome(
            Ending.different_services,
            f"the two sides are recordings of different services: {before} before, {after} after. Where a"
            " host took the place of another, say --same HOST=HOST; where it speaks a known service's API, say --map"
            " HOST=SERVICE",
        )
    if _all_refused(pairing.after) and 2 * pairing.before.refused < pairing.before.compared:
        return Outcome(
            Ending.credentials_refused,
            f"all {pairing.after.compared:,} answers of the after side refuse the credentials; nothing else was"
            " compared. Record it again with credentials that are accepted",
        )
    return None


def _require_some(name: str, seen: Seen) -> None:
    if seen.compared:
        return
    if seen.aborted:
        raise UsageError(
            f"on the {name} side nothing is whole: the connection ended in each of {seen.aborted:,} interactions"
            " before the answer did; record it again"
        )
    if seen.preflights:
        raise UsageError(
            f"the {name} side holds nothing but {seen.preflights:,} CORS preflights, which are not compared"
        )
    raise UsageError(
        f"the {name} side is empty, or --operation leaves nothing of it; see `durable-replay cassette list`"
    )


def _all_refused(seen: Seen) -> bool:
    """By more than one endpoint: of one alone it is a change of that endpoint."""
    return seen.refused == seen.compared and len(seen.endpoints) > 1


def refused(pairing: Pairing) -> Comparison:
    """The comparison with an after side that refuses everything: one finding."""
    count = pairing.after.compared
    worlds = ", ".join(pairing.worlds.of_side(1))
    finding = Finding(
        Endpoint(worlds, "*", "*"),
        "status",
        Kind.auth,
        Severity.breaking,
        "every answer refuses the credentials; nothing else was compared",
        count,
        count,
        (Example("", "401 or 403"),),
    )
    return Comparison((finding,), before=pairing.before.compared, after=count)


def counted(comparison: Comparison, pairing: Pairing) -> Comparison:
    """A comparison with what the pairing counted."""
    return replace(
        comparison,
        unpaired=pairing.unpaired,
        pairs=pairing.pairs,
        before=pairing.before.compared,
        after=pairing.after.compared,
    )


def judged(comparison: Comparison, fail_on: FailOn) -> Outcome:
    """How a comparison ended. That most requests have no counterpart goes before drift among the others."""
    alone = sum(one.before + one.after for one in comparison.unpaired)
    total = comparison.before + comparison.after
    if total and 2 * alone >= total:
        before, after = sum(one.before for one in comparison.unpaired), sum(one.after for one in comparison.unpaired)
        return Outcome(
            Ending.unpairable,
            f"{before:,} of {comparison.before:,} requests before and {after:,} of {comparison.after:,} after have no"
            " counterpart on the other side; record both with the same client, or compare a part with --operation",
        )
    failing = any(fails(finding, fail_on) for finding in comparison.findings)
    return Outcome(Ending.drift if failing else Ending.same)


def notes(pairing: Pairing) -> tuple[str, ...]:
    """What a reader has to know of how the sides were read."""
    return (*_joined(pairing), *_left_aside("before", pairing.before), *_left_aside("after", pairing.after))


def _joined(pairing: Pairing) -> Iterable[str]:
    for one, other in pairing.worlds.joined:
        yield f"{one.text} is taken for {other.text}"


def _left_aside(name: str, seen: Seen) -> Iterable[str]:
    if seen.aborted:
        yield f"{seen.aborted:,} aborted interactions on the {name} side are not compared"
    if seen.preflights:
        yield f"{seen.preflights:,} CORS preflights on the {name} side are not compared"
