"""What both sides of one endpoint showed, kept in bounded memory until the last group has come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from durable_replay.drift.align import course
from durable_replay.drift.compared_headers import compare_headers
from durable_replay.drift.documents import Document, Form, Node, conversation, document
from durable_replay.drift.finding import Endpoint, Exchange
from durable_replay.drift.group import Group
from durable_replay.drift.headers import HeaderTally, content_type, fields_of
from durable_replay.drift.selection import selection_of
from durable_replay.drift.shape import Budget, Shape, merged, see, settle
from durable_replay.drift.statuses import Statuses
from durable_replay.drift.values import Note, Place, Sides, Walk, compare_values
from durable_replay.http import Body

__all__ = ["EndpointTally", "Part", "Parts", "SideTally"]

MOST_KEPT = 32
"""Answers of one request and status that wait for a partner; later ones are compared with the last."""
MOST_KEYS = 1024
"""Requests of one group that are known again; all further ones count as different."""
MOST_SELECTIONS = 64
"""Selections of fields that are kept apart; answers to others count for types alone."""
SMALL = 1024 * 1024
"""Bytes of a body that are compared as they are, before anything is read in them."""


@dataclass(frozen=True, slots=True)
class _Answer:
    number: int
    status: int
    fields: dict[str, str]
    data: bytes | None
    """The body as sent, unless it is large."""
    body: Document
    frames: Document | None
    selection: str = ""
    """Which fields the request asked for."""
    trailers: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    """Scheme and host that were asked."""


class Part:
    """The bodies (or conversations) of one side, status and form."""

    __slots__ = ("count", "number", "shape")

    def __init__(self) -> None:
        self.shape = Shape(Budget())
        self.count = 0
        self.number = 0

    def see(self, root: Node, number: int) -> None:
        """Adds one document."""
        self.number = min(number, self.number) if self.count else number
        self.count += 1
        see(self.shape, root, number)


class Parts:
    """The bodies of one side, status and form, apart by the fields that were asked for."""

    __slots__ = ("by_selection", "others")

    def __init__(self) -> None:
        self.by_selection: dict[str, Part] = {}
        self.others = Part()

    def see(self, root: Node, number: int, selection: str) -> None:
        """Adds one document."""
        part = self.by_selection.get(selection)
        if part is None:
            if len(self.by_selection) < MOST_SELECTIONS:
                part = self.by_selection[selection] = Part()
            else:
                part = self.others
        part.see(root, number)

    @property
    def all(self) -> list[Part]:
        """Each that saw something."""
        return [part for part in (*self.by_selection.values(), self.others) if part.count]

    @property
    def count(self) -> int:
        """How many bodies there are."""
        return sum(part.count for part in self.all)

    @property
    def number(self) -> int:
        """The first interaction."""
        return min(part.number for part in self.all)

    def joined(self) -> Part:
        """All as one, whatever was asked for."""
        whole = Part()
        whole.count, whole.number = self.count, self.number
        whole.shape = merged([settle(part.shape) for part in self.all])
        return whole


class SideTally:
    """The answers of one side that have one status."""

    __slots__ = ("answers", "bodies", "frames", "headers", "number", "separators", "trailers", "types")

    def __init__(self) -> None:
        self.answers = 0
        self.number = 0
        self.headers = HeaderTally()
        self.trailers = HeaderTally()
        self.types: Counter[str] = Counter()
        """Content types, with their parameters."""
        self.bodies: dict[Form, Parts] = {}
        self.separators: Counter[str] = Counter()
        """What the columns of bodies are separated by."""
        self.frames = Part()

    def see(self, answer: _Answer) -> None:
        """Adds one answer."""
        self.number = min(answer.number, self.number) if self.answers else answer.number
        self.answers += 1
        self.headers.see(answer.fields, answer.number)
        self.trailers.see(answer.trailers, answer.number)
        if len(self.types) < MOST_KEPT:
            self.types[content_type(answer.fields.get("content-type", ""))] += 1
        part = self.bodies.get(answer.body.form)
        if part is None:
            part = self.bodies[answer.body.form] = Parts()
        part.see(_comparable(answer.body), answer.number, answer.selection)
        if answer.body.separator:
            self.separators[answer.body.separator] += 1
        if answer.frames is not None:
            self.frames.see(answer.frames.root, answer.number)


class EndpointTally:
    """Everything that was noted of one endpoint. `add` its groups in any order."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.before: dict[int, SideTally] = {}
        self.after: dict[int, SideTally] = {}
        self.body = Place("body.$")
        self.frames = Place("frames.$")
        self.header = Place("header")
        self.trailer = Place("trailer")
        self.statuses = Statuses()
        self.paired: Counter[int] = Counter()
        """Answers compared in pairs, by status."""
        self.befores = self.afters = self.pairs = 0
        self.requests = 0
        """Different requests on the before side."""
        self.requests_after = 0
        self.other_courses = 0
        """Pairs of conversations in which other things happened."""
        self.alone_before = self.alone_after = 0
        """Recordings of requests that only one side has."""

    def add(self, group: Group) -> int:
        """Adds one group and tells how many pairs it had."""
        before, after = self.befores, self.afters
        pairs = self._same_request(group) if group.same_request else self._different_requests(group)
        if group.same_request:
            self.requests += min(1, self.befores - before)
            self.requests_after += min(1, self.afters - after)
        if not group.same_request or self.befores == before or self.afters == after:
            self.alone_before += self.befores - before
            self.alone_after += self.afters - after
        self.pairs += pairs
        return pairs

    def _different_requests(self, group: Group) -> int:
        self.requests += self._see_alone(Sides.before, group.befores)
        self.requests_after += self._see_alone(Sides.after, group.afters)
        return 0

    def _see_alone(self, side: Sides, exchanges: Iterable[Exchange]) -> int:
        """Counts the answers, and tells of how many different requests they are."""
        keys: set[bytes] = set()
        uncounted = 0
        for exchange in exchanges:
            if len(keys) < MOST_KEYS:
                keys.add(exchange.key)
            else:
                uncounted += exchange.key not in keys
            answer = self._read(exchange, None)
            self._see(side, answer)
            self.statuses.alone(side, answer.status, answer.number)
        return len(keys) + uncounted

    def _same_request(self, group: Group) -> int:
        waiting: dict[int, list[_Answer]] = {}
        order: list[tuple[int, int]] = []
        last: dict[int, _Answer] = {}
        for exchange in group.befores:
            answer = self._read(exchange, last.get(exchange.interaction.response.status))
            self._see(Sides.before, answer)
            order.append((answer.status, answer.number))
            self._learn(Sides.before, last, answer)
            kept = waiting.setdefault(answer.status, [])
            if len(kept) >= MOST_KEPT:
                kept.pop()
            kept.append(answer)
        return self._afters(group.afters, waiting, order)

    def _afters(
        self, exchanges: Iterable[Exchange], waiting: dict[int, list[_Answer]], order: list[tuple[int, int]]
    ) -> int:
        last: dict[int, _Answer] = {}
        came: Counter[int] = Counter()
        afters: list[tuple[int, int]] = []
        pairs = 0
        for exchange in exchanges:
            status = exchange.interaction.response.status
            partners = waiting.get(status, [])
            partner = partners[min(came[status], len(partners) - 1)] if partners else None
            answer = self._read(exchange, partner)
            afters.append((status, answer.number))
            came[status] += 1
            if partner is not None or not order:
                self._see(Sides.after, answer)
            else:
                self.afters += 1
            self._learn(Sides.after, last, answer)
            pairs += bool(order)
            if partner is not None:
                self.paired[status] += 1
                self._compare(Sides.before_after, partner, answer)
        self.statuses.same_request(order, afters)
        return pairs

    def _see(self, side: Sides, answer: _Answer) -> None:
        tallies = self.before if side is Sides.before else self.after
        tally = tallies.get(answer.status)
        if tally is None:
            tally = tallies[answer.status] = SideTally()
        tally.see(answer)
        if side is Sides.before:
            self.befores += 1
        else:
            self.afters += 1

    def _learn(self, side: Sides, last: dict[int, _Answer], answer: _Answer) -> None:
        """What differs from the recording before, of the same request and side, is noise."""
        earlier = last.get(answer.status)
        if earlier is not None:
            self._compare(side, earlier, answer)
        last[answer.status] = answer

    def _compare(self, sides: Sides, left: _Answer, right: _Answer) -> None:
        walk = Walk(sides, left.number, right.number)
        if left.fields != right.fields:
            compare_headers(walk, self.header, left.fields, right.fields, (left.origin, right.origin))
        if left.trailers != right.trailers:
            compare_headers(walk, self.trailer, left.trailers, right.trailers)
        if left.body.form != right.body.form:
            walk.note(self.body, Note.form, left.body.form, right.body.form, ())
        elif left.data is None or left.data != right.data:
            compare_values(walk, self.body, _comparable(left.body), _comparable(right.body))
        if left.frames is not None and right.frames is not None:
            self._compare_frames(walk, left.frames.root, right.frames.root)

    def _compare_frames(self, walk: Walk, left: Node, right: Node) -> None:
        """What is pushed is no answer: where other things happened, the frames that pair are about other things."""
        if course(left) != course(right):
            self.other_courses += walk.sides is Sides.before_after
            walk.others += 1
        compare_values(walk, self.frames, left, right)

    def _read(self, exchange: Exchange, like: _Answer | None) -> _Answer:
        """An answer; of one whose body is that of `like`, byte for byte, nothing is read again."""
        interaction = exchange.interaction
        request, response = interaction.request, interaction.response
        fields = fields_of(response.headers)
        data = _small(response.body)
        body = like.body if like is not None and _same(like, fields, data) else None
        if body is None:
            body = document(response.headers, response.body)
        frames = conversation(interaction.frames) if interaction.frames else None
        return _Answer(
            interaction.number,
            response.status,
            fields,
            data,
            body,
            frames,
            selection_of(request),
            fields_of(response.trailers),
            f"{request.scheme}://{request.authority}",
        )


def _small(body: Body) -> bytes | None:
    return body.read() if body.size <= SMALL else None


def _same(like: _Answer, fields: dict[str, str], data: bytes | None) -> bool:
    return (
        data is not None
        and data == like.data
        and all(fields.get(name) == like.fields.get(name) for name in ("content-type", "content-encoding"))
    )


def _comparable(body: Document) -> Node:
    """The root; of what is not read, one text, for its size and digest are one thing."""
    if body.form in ("binary", "large") and isinstance(body.root, dict):
        return f"{body.root.get('size')} bytes, sha256 {body.root.get('sha256')}"
    return body.root
