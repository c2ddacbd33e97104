"""The statuses of one endpoint: what a request was answered before, and what now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from durable_replay.drift.difference import Difference
from durable_replay.drift.finding import Example, Kind, Origin, Severity
from durable_replay.drift.values import Record, Sides

__all__ = ["Judged", "Statuses"]

GONE = frozenset({404, 405, 410, 501})
REFUSED = frozenset({401, 403, 407})
WRONG = frozenset({400, 422})
PASSING = {
    304: "the answer is the one that the client already has",
    429: "the service was asked too often, which says nothing of its answers",
}
ENOUGH_MISSES = 3
"""Different requests that are answered 404, where none is the same as before."""

Judged = tuple[Difference, Origin | None, str]
"""A difference with the reason why it is set aside, or None and ""."""


class Statuses:
    """How the statuses of the same requests changed, and which were seen where requests have no partner."""

    def __init__(self) -> None:
        self.changes: dict[tuple[int, int], Record] = {}
        self.known: dict[tuple[int, int], Record] = {}
        """Changes to a status that the same request had on the before side at another time."""
        self.passing: set[int] = set()
        """Statuses that answers to one request took turns in, on the before side."""
        self.wavering: set[int] = set()
        """Failures of the after side that the same request also passed without."""
        self.answered = self.gone = 0
        """Requests that were answered (2xx) before: all, and those of them that now are not there."""
        self.requests = self.come = 0
        """Requests of both sides: all, and those that were not there, and now are answered."""
        self.lone: dict[Sides, Counter[int]] = {Sides.before: Counter(), Sides.after: Counter()}
        self.numbers: dict[tuple[Sides, int], int] = {}

    def alone(self, side: Sides, status: int, number: int) -> None:
        """A status of a request that has no partner."""
        self.lone[side][status] += 1
        self.numbers[side, status] = min(number, self.numbers.get((side, status), number))

    def same_request(self, before: list[tuple[int, int]], after: list[tuple[int, int]]) -> None:
        """The statuses, with interaction numbers, of one request in both sides' order."""
        if not before or not after:
            for side, pairs in ((Sides.before, before), (Sides.after, after)):
                for status, number in pairs:
                    self.alone(side, status, number)
            return
        seen = {status for status, _ in before}
        if len(seen) > 1:
            self.passing |= {status for status in seen if status < 300 or status >= 500 or status == 429}
        now = {status for status, _ in after}
        self.wavering |= {status for status in now if status >= 500 and len(now) > 1}
        for index, (status, number) in enumerate(after):
            was, earlier = before[min(index, len(before) - 1)]
            if status != was:
                changes = self.known if status in seen else self.changes
                record = changes.setdefault((was, status), Record())
                record.count += 1
                record.keep((earlier, number, "status", str(was), str(status)))
        self._count(before, now, len(after))

    def _count(self, before: list[tuple[int, int]], now: set[int], size: int) -> None:
        self.requests += 1
        self.come += {status for status, _ in before} <= GONE and all(200 <= status < 300 for status in now)
        first = next((index for index, (status, _) in enumerate(before) if 200 <= status < 300), None)
        if first is not None and first < size:
            self.answered += 1
            self.gone += now <= GONE

    # -- the end ------------------------------------------------------------------------------------------------------

    def differences(self, seen: int) -> Iterator[Judged]:
        """The changes; one `endpoint-gone` where nothing is there any more. `seen`: answers on the after side."""
        gone = self._endpoint_gone(seen)
        come = self._endpoint_new(seen) if gone is None else None
        for whole in (gone, come):
            if whole is not None:
                yield whole, None, ""
        for (was, now), record in sorted(self.changes.items()):
            if (gone is not None and now in GONE) or (come is not None and was in GONE):
                continue
            kind, text = _kind(was, now)
            own = Severity.cosmetic if kind is Kind.status and was // 100 == now // 100 else None
            difference = Difference("status", kind, text, record.count, seen, record.shown(), own)
            yield difference, *self._set_aside(was, now)
        for (was, now), record in sorted(self.known.items()):
            text = f"is {now}, was {was}"
            own = Severity.cosmetic
            difference = Difference("status", Kind.status, text, record.count, seen, record.shown(), own)
            yield difference, "learnt", f"the same request was answered {now} on the before side too"
        if gone is None:
            yield from self._lone_changes(seen)

    def _set_aside(self, was: int, now: int) -> tuple[Origin | None, str]:
        if now in PASSING:
            return "default", PASSING[now]
        if {was, now} <= self.passing:
            return "learnt", f"requests of this endpoint are answered {was} and {now} by turns on the before side"
        if now in self.wavering:
            return "learnt", f"the same request is also answered without {now} on the after side"
        return None, ""

    def _endpoint_gone(self, seen: int) -> Difference | None:
        was = {status for status in self.lone[Sides.before] if 200 <= status < 300}
        now = self.lone[Sides.after]
        lone_gone = set(now) <= GONE
        if self.answered:
            if self.gone < self.answered or not lone_gone:
                return None
            records = [(was_now, record) for was_now, record in sorted(self.changes.items()) if was_now[1] in GONE]
        else:
            misses = now[404]
            if not now or not was or not lone_gone or (set(now) == {404} and misses < ENOUGH_MISSES):
                return None
            records = []
        examples = tuple(example for _, record in records for example in record.shown())[:3]
        status = records[0][0][1] if records else min(now, default=404)
        text = f"is no longer there: each request that was answered is now {status}"
        count = sum(record.count for _, record in records) or sum(now.values())
        return Difference("endpoint", Kind.endpoint_gone, text, max(1, count), seen, examples)

    def _endpoint_new(self, seen: int) -> Difference | None:
        if not self.come or self.come < self.requests or any(status < 300 for status in self.lone[Sides.before]):
            return None
        records = [(change, record) for change, record in sorted(self.changes.items()) if change[0] in GONE]
        examples = tuple(example for _, record in records for example in record.shown())[:3]
        text = f"is answered now: each request was {records[0][0][0]}"
        return Difference("endpoint", Kind.endpoint_new, text, sum(r.count for _, r in records), seen, examples)

    def _lone_changes(self, seen: int) -> Iterator[Judged]:
        """Where no request has a partner: all answers now have a status that none had."""
        before, after = self.lone[Sides.before], self.lone[Sides.after]
        known = set(before) | {was for was, _ in (*self.changes, *self.known)}
        if not before or not after or known & set(after) or self.changes:
            return
        if self.answered:  # other requests of this endpoint are answered as before
            return
        was = before.most_common(1)[0][0]
        for now, count in sorted(after.items()):
            kind, text = _kind(was, now)
            own = Severity.cosmetic if kind is Kind.status and was // 100 == now // 100 else None
            numbers = self.numbers[Sides.before, was], self.numbers[Sides.after, now]
            examples = (Example(str(was), str(now), *numbers, "status"),)
            aside = self._set_aside(was, now)
            if now in (404, 410):
                aside = "default", "another thing was asked for, which need not have been there before either"
            yield Difference("status", kind, text, count, seen, examples, own), *aside


def _kind(was: int, now: int) -> tuple[Kind, str]:
    text = f"is now {now}, was {was}"
    if was < 400 and now in REFUSED:
        return Kind.auth, f"{text}: credentials are asked for, or do not suffice"
    if was in REFUSED and now < 400:
        return Kind.auth, f"{text}: credentials are no longer asked for"
    if was < 300 and now in WRONG:
        return Kind.newly_required, f"{text}: the request is refused as incomplete or wrong"
    return Kind.status, text
