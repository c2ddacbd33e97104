"""What an operation may touch: the session's state of one world, limited to the declared footprint.

The state of a thing is what the tape taught plus what the session wrote. A recorded answer that shows a thing holds
in a session while the session's history over that thing is the one it was recorded after; so the same sums that
decide truth (`ledger`) also decide which sightings are knowledge now. Sightings merge: the first wins, so that a
thing is as it was when the tape began, until an answer that was served says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Literal

from durable_replay.errors import Undeclared
from durable_replay.http import Body, Response
from durable_replay.service.faults import Missing, Unrecorded
from durable_replay.timeline.resource import Key, Kind, display
from durable_replay.timeline.state import Document, copied

if TYPE_CHECKING:
    from durable_replay.timeline.session import Session

__all__ = ["Listed", "Mint", "Scope", "Sighting", "World", "content_name", "is_name", "name_key"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something of a thing that a recorded answer shows.

    `document` None: the thing was not there. `whole` False: only some of its fields. `complete`: `key` is a prefix
    and all that lay below it was shown.
    """

    key: Key
    document: Document | None
    whole: bool = True
    complete: bool = False


def name_key(kind: Kind, name: str) -> Key:
    """Where the state keeps that `name` (one of `kind.names`) names a thing."""
    return (f"{kind.name}.name", name.casefold() if kind.fold else name)


def is_name(full: Key) -> bool:
    """Whether a world key is that of a name."""
    return len(full) > 2 and full[2].endswith(".name")


def content_name(body: Body) -> str:
    """The `sha256:…` name of a body; a body from a cassette knows it without being read."""
    known = getattr(body, "digest", None)
    if isinstance(known, str):
        return f"sha256:{known.removeprefix('sha256:')}"
    digest = sha256()
    for chunk in body.chunks():
        digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


Knowledge = Document | None | Literal["unknown"]


@dataclass(frozen=True, slots=True)
class World:
    """One service's world in one session: reading only."""

    session: Session
    service: str
    tenant: str
    kinds: Mapping[str, Kind]
    lessons: Callable[[int], Mapping[Key, Sighting]]
    """The sightings of an interaction by world key."""
    beginning: Callable[[World, Key], Document | None] = lambda world, full: None
    """What a thing (by world key) was when the tape began, where the tape shows it only after writing it."""

    def full(self, key: Key) -> Key:
        """The key among all worlds."""
        return (self.service, self.tenant, *key)

    def known(self, key: Key) -> Knowledge:
        """The document, None when it is known not to be there, or "unknown"."""
        full = self.full(key)
        written, document = self.session.store.entry(self.session.name, full)
        return self._with_tape(full, (document if written else "unknown"))

    def is_new(self, key: Key) -> bool:
        """Whether neither this session nor any recording, at whatever point of the tape, has this thing."""
        return self.known(key) == "unknown" and not self.session.tape.seen(self.full(key))

    def below(self, prefix: Key) -> dict[Key, Document]:
        """All that is known to exist at or below a prefix, by key in key order."""
        full = self.full(prefix)
        overlay = self.session.store.entries(self.session.name, full)
        keys = {*overlay, *self.session.tape.seen_below(full)}
        found: dict[Key, Document] = {}
        for key in sorted(keys):
            state = self._with_tape(key, overlay.get(key, "unknown"))
            if isinstance(state, dict):
                found[key[2:]] = state
        return found

    def is_complete(self, prefix: Key) -> bool:
        """Whether an unfiltered listing of this prefix, or one above it, was recorded to its end and holds now."""
        full = self.full(prefix)
        return any(
            self._sightings(full[:length], lambda sighting: sighting.complete) for length in range(3, len(full) + 1)
        )

    def _with_tape(self, full: Key, overlay: Knowledge) -> Knowledge:
        if overlay != "unknown" and is_name(full):  # a recorded rename may not have shown what it renamed
            return overlay
        held = self._sightings(full, lambda sighting: not sighting.complete)
        if not held:
            return self._at_first(full) if overlay == "unknown" else overlay
        if overlay is None:  # written away; only an answer that was served since can say otherwise
            held = [one for one in held if one[0] in self.session.served]
            return self._merge(held, None) if held else None
        return self._merge(held, None if overlay == "unknown" else overlay)

    def _at_first(self, full: Key) -> Knowledge:
        if self.session.history.digest((full,)) or not self.session.tape.seen(full):
            return "unknown"
        return self.beginning(self, full) or "unknown"

    def _sightings(self, full: Key, wanted: Callable[[Sighting], bool]) -> list[tuple[int, Sighting]]:
        seen = self.session.tape.seen(full)
        if not seen:
            return []
        digest = self.session.history.digest((full,))
        rows = [row for row in seen if row.digest == digest]
        found = ((row.number, self.lessons(row.number).get(full)) for row in rows)
        return [(number, sighting) for number, sighting in found if sighting is not None and wanted(sighting)]

    def _merge(self, held: list[tuple[int, Sighting]], base: Document | None) -> Knowledge:
        """Recorded over rehearsed; the first sighting over later ones; what was served over all, in its order."""
        document: Document | None = None
        if held[0][1].document is not None:
            for _, sighting in held:
                document = {**(sighting.document or {}), **(document or {})}
            document = {**(base or {}), **(document or {})}
        served = self.session.served
        for _, sighting in sorted((one for one in held if one[0] in served), key=lambda one: served[one[0]]):
            document = None if sighting.document is None else {**(document or {}), **sighting.document}
        return document


@dataclass(frozen=True, slots=True)
class Mint:
    """What a new id may be made of."""

    number: Callable[[str], int]
    """The next number behind a head (`"P-"`, `""`): above all on the tape and all made in this session. Behind a
    head it is a name's, without one an identity's."""
    random: Random
    now: datetime
    shared: Callable[[], int]
    """The next number among all of this kind in its world, whatever they lie below (Jira's comments)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """The last recorded answer of a listing, before this session's own writes."""

    keys: tuple[Key, ...]
    """What it showed, in its order, over all recorded pages."""
    touched: Container[Key]
    """What this session has written since, on its own."""
    number: int
    """The interaction that is its last page."""
    response: Response
    """That interaction's response."""


def _number(mint: Mint) -> str:
    return str(mint.number(""))


class Scope:
    """The state that one operation works on. Changes are kept here until the engine commits them, or drops them."""

    def __init__(
        self,
        world: World,
        reads: Sequence[Key],
        writes: Sequence[Key],
        *,
        now: float,
        pinned: Iterable[Key] = (),
        assumed: Mapping[Key, Document] | None = None,
        listed: Callable[[], Listed | None] = lambda: None,
    ) -> None:
        self.world = world
        self._reads = (*reads, *writes)
        self._writes = tuple(writes)
        self._now = now
        self._pinned = list(pinned)
        self._supposed = assumed or {}
        self._random: Random | None = None
        self._listed = listed
        self.changes: dict[Key, Document | None] = {}
        self.taken: dict[str, tuple[int, int]] = {}
        """The session's counters that moved, each as it was before and is after."""
        self.cleared: list[Key] = []
        """Prefixes below which everything was deleted, known or not."""
        self.assumed: list[Key] = []
        """What was taken for absent although nothing said so."""

    @property
    def now(self) -> datetime:
        """The session's clock, UTC; the same during one request."""
        return datetime.fromtimestamp(self._now, UTC)

    @property
    def random(self) -> Random:
        """Randomness that depends on the session's seed and its past alone."""
        if self._random is None:
            count = self.next("random", 0)
            self._random = Random(f"{self.world.session.seed}/{count}")  # noqa: S311 - reproducible on purpose
        return self._random

    def find(self, key: Key) -> Document | None:
        """The document (a copy), or None when it is not there, or is not known to be."""
        self._check(key, self._reads, "read")
        if key in self.changes:
            changed = self.changes[key]
            return None if changed is None else copied(changed)
        state = self.world.known(key)
        if key in self._supposed and state == "unknown":
            return copied(self._supposed[key])
        if state == "unknown" and not self.world.is_complete(key[:-1]):
            self.assumed.append(key)
        return copied(state) if isinstance(state, dict) else None

    def get(self, key: Key) -> Document:
        """The document (a copy); raises Missing."""
        document = self.find(key)
        if document is None:
            raise Missing(key)
        return document

    def exists(self, key: Key) -> bool:
        """Whether it is there."""
        return self.find(key) is not None

    def all(self, prefix: Key) -> Iterator[tuple[Key, Document]]:
        """All that exists at or below a prefix (copies), in key order."""
        self._check(prefix, self._reads, "read")
        found = self.world.below(prefix)
        for key, document in self.changes.items():
            if key[: len(prefix)] == prefix:
                found.pop(key, None)
                if document is not None:
                    found[key] = document
        return ((key, copied(document)) for key, document in sorted(found.items()))

    def put(self, key: Key, document: Document) -> None:
        """Makes this the document, and its names name it."""
        self._check(key, self._writes, "write")
        self._rename(key, document)
        self.changes[key] = document

    def merge(self, key: Key, changes: Mapping[str, object]) -> Document:
        """Sets these fields and keeps all others, known to us or not; raises Missing."""
        merged: Document = {**self.get(key), **changes}  # type: ignore[dict-item]
        self.put(key, merged)
        return merged

    def delete(self, key: Key) -> None:
        """It is gone, and its names name nothing."""
        self._check(key, self._writes, "write")
        self._rename(key, None)
        self.changes[key] = None

    def clear(self, prefix: Key) -> None:
        """All at and below a prefix is gone: what is known of it, and what recordings tell that nobody looked at."""
        for key, _ in self.all(prefix):
            self.delete(key)
        self._check(prefix, self._writes, "write")
        self.cleared.append(prefix)

    def identify(self, kind: Kind, text: str) -> str:
        """The identity behind a name; a text that is no name is taken for the identity itself."""
        key = name_key(kind, text)
        state = self.changes[key] if key in self.changes else self.world.known(key)
        return str(state["id"]) if isinstance(state, dict) else text

    def mint(self, kind: Kind, *outer: object, form: Callable[[Mint], str] = _number) -> str:
        """A new identity for a thing of this kind below `outer`: one that no recording and no write has used.

        While a recorded create is played, the recorded one.
        """
        for key in self._pinned:
            if key[0] == kind.name and kind.is_whole(key) and kind.values(key)[:-1] == tuple(map(str, outer)):
                self._pinned.remove(key)
                return kind.values(key)[-1]
        mint = Mint(
            lambda head: self._next(kind, outer, head),
            self.random,
            self.now,
            lambda: self._above((kind.name,), ""),
        )
        while True:
            identity = form(mint)
            key = kind.of(*outer, identity)
            if key not in self.changes and self.world.is_new(key):
                return identity

    def next(self, counter: str, start: int = 1) -> int:
        """The session's next number of this name, from `start`."""
        return self._take(counter, 0) + start

    @property
    def counters(self) -> dict[str, int]:
        """The session's counters as they stand after this request."""
        return {counter: after for counter, (_, after) in self.taken.items()}

    def drop(self) -> None:
        """Nothing of this is to be: the numbers that were taken go back."""
        self.world.session.give_back(self.taken)
        self.changes.clear()
        self.cleared.clear()
        self.taken.clear()

    def keep(self, chunks: Iterator[bytes]) -> str:
        """Stores a content of any size; gives the `sha256:…` name to put into a document."""
        return self.world.session.store.keep(chunks)

    def content(self, name: str) -> Body:
        """A content by its name; raises Unrecorded when no recording has it."""
        body = self.world.session.store.content(name) or self.world.session.tape.body(name)
        if body is None:
            raise Unrecorded(f"the content {name[:16]}… was not recorded")
        return body

    def listed(self) -> Listed | None:
        """What the tape showed for this very listing; None: it was never recorded, or not at this point."""
        return self._listed()

    def _next(self, kind: Kind, outer: Sequence[object], head: str) -> int:
        if not head:
            return self._above(kind.of(*outer), "")
        return self._above((f"{kind.name}.name",), head.casefold() if kind.fold else head)

    def _above(self, place: Key, head: str) -> int:
        space = self.world.full(place)
        return self._take("/".join((*space, head)), self.world.session.tape.highest(space, head)) + 1

    def _take(self, counter: str, least: int) -> int:
        before, value = self.world.session.take(counter, least)
        first, last = self.taken.get(counter, (before, before))
        self.taken[counter] = (first if last == before else before, value + 1)
        return value

    def _rename(self, key: Key, document: Document | None) -> None:
        kind = self.world.kinds.get(key[0])
        if kind is None or not kind.names:
            return
        before = self.changes[key] if key in self.changes else self.world.known(key)
        old, new = _names(kind, before if isinstance(before, dict) else None), _names(kind, document)
        for name in old:
            if name not in new:
                self.changes[name_key(kind, name)] = None
        for name in new:
            if name not in old:
                self.changes[name_key(kind, name)] = {"id": kind.values(key)[-1]}

    def _check(self, key: Key, allowed: Sequence[Key], verb: str) -> None:
        if not any(key[: len(declared)] == declared for declared in allowed):
            declared = ", ".join(display(one) + "/…" for one in allowed) or "nothing"
            raise Undeclared(f"{verb} of {display(key)}, but the operation declares {declared}")


def _names(kind: Kind, document: Document | None) -> list[str]:
    if document is None:
        return []
    return [str(document[field]) for field in kind.names if isinstance(document.get(field), str | int)]


def names_of(kind: Kind, sighting: Sighting) -> list[Sighting]:
    """What a sighting of a named thing says of its names."""
    identity = kind.values(sighting.key)[-1]
    return [
        replace(sighting, key=name_key(kind, name), document={"id": identity}, whole=True)
        for name in _names(kind, sighting.document)
    ]
