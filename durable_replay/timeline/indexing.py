"""Computes a tape's index: for each interaction its request key, footprint, history, and what it shows.

Two passes over the tape. The first meets every name that a thing goes by (Jira's `P-7` for `10001`), since a
request may use a name that only a later answer explains; the second walks in order, and keeps the history.

# Rule: a footprint comes from the operation's declaration and the request, for a recorded request as for a live one.
# Only what a recorded create made is known from its answer.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from durable_replay.cassette.index import IndexRows
from durable_replay.http import Interaction, Request
from durable_replay.matching.canonical import CanonicalRequest, canonical
from durable_replay.matching.defaults import DEFAULT
from durable_replay.matching.pattern import Significance, body, query
from durable_replay.service.api import Call, Kind, Sighting
from durable_replay.service.registry import Registry
from durable_replay.timeline.ledger import Fact, History, tape_mark
from durable_replay.timeline.resource import Key
from durable_replay.timeline.scope import is_name, name_key, names_of

__all__ = ["Footprint", "Indexing", "Understood", "footprint", "lessons", "placed", "resolve", "succeeded", "written"]

VERSION = "6"
_LOG = logging.getLogger(__name__)
_NUMBERED = re.compile(r"([^\d]*|.*-)(\d{1,18})")  # a head with digits of its own ends in a hyphen: `P2P-17`
Overrides = Callable[[Request, str, Significance], Significance]
"""The user's settings: for a request, its operation's name ("": none) and what counts so far, what counts."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a call reads and may write, as world keys."""

    reads: tuple[Key, ...]
    writes: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """A request with the call it makes (None: of no known service, or no row), and what counts of it."""

    call: Call | None
    canonical: CanonicalRequest
    listing_key: bytes | None
    key: bytes


def resolve(call: Call, identity: Callable[[Kind, str], str]) -> tuple[Call, tuple[Key, ...]]:
    """The call with names replaced by identities, and the keys of the names that it used."""
    named = {kind.parts[-1]: kind for kind in call.service.kinds if kind.names}
    used = [(part, named[part], str(value)) for part, value in call.params.items() if part in named]
    if not used:
        return replace(call, identity=identity), ()
    params = {**call.params, **{part: identity(kind, text) for part, kind, text in used}}
    return replace(call, params=params, identity=identity), tuple(name_key(kind, text) for _, kind, text in used)


def placed(key: Key, call: Call, resolved: Call) -> Key:
    """The key of something shown, with the names in its outer parts replaced: a task of the project `home` is one of
    the project 1. Its last part comes from the document itself."""
    kind = call.service.by_name.get(key[2])
    if kind is None or call.params is resolved.params:
        return key
    parts = list(key)
    for at, part in enumerate(kind.parts[:-1], 3):
        if at < len(parts) and part in call.params and parts[at] == str(call.params[part]):
            parts[at] = str(resolved.params[part])
    return tuple(parts)


def footprint(call: Call, names: tuple[Key, ...]) -> Footprint:
    """What a resolved call reads and may write."""
    world = (call.service.name, call.tenant)
    reads, writes = call.operation.read_keys(call), call.operation.written_keys(call)
    inside = (name_key(kind, text) for kind, text in call.named)
    full = dict.fromkeys((*world, *key) for key in (*reads, *names, *inside))
    return Footprint(tuple(full), tuple((*world, *key) for key in writes))


def lessons(call: Call, interaction: Interaction) -> dict[Key, Sighting]:
    """What an interaction shows, by world key; names included. An answer of another shape than the plug-in knows
    teaches nothing; it is served all the same."""
    try:
        return _lessons(call, interaction)
    except Exception as error:  # whatever a plug-in makes of odd bytes, the recording is fine
        _LOG.info("recording %d (%s) teaches nothing: %r", interaction.number, call.operation.name, error)
        return {}


def succeeded(call: Call, interaction: Interaction) -> bool:
    """Whether a recorded call was done; by its status alone where the plug-in cannot read the answer."""
    if interaction.outcome != "complete":
        return False
    try:
        return call.service.codec.succeeded(call, interaction.response)
    except Exception as error:  # see `lessons`
        _LOG.info("recording %d (%s) is judged by its status: %r", interaction.number, call.operation.name, error)
        return interaction.response.status < 400


def _lessons(call: Call, interaction: Interaction) -> dict[Key, Sighting]:
    if call.operation.learns is None or interaction.outcome != "complete":
        return {}
    world = (call.service.name, call.tenant)
    found: dict[Key, Sighting] = {}
    for sighting in call.operation.learns(call, interaction.response):
        kind = call.service.by_name.get(sighting.key[0])
        named = names_of(kind, sighting) if kind and kind.names and kind.is_whole(sighting.key) else []
        for one in (sighting, *named):
            found.setdefault((*world, *one.key), one)
    return found


class Indexing:
    """Understands requests by a registry and a significance, and makes index rows of a tape."""

    def __init__(
        self,
        registry: Registry,
        overrides: Overrides | None = None,
        mask: Callable[[str], str] | None = None,
        rules: str = "",
    ) -> None:
        """`rules` names what the overrides, the mask and the registry's hosts came from, for the fingerprint."""
        self.registry = registry
        self._rules = rules
        self._overrides = overrides or (lambda request, operation, base: base)
        self._mask = mask

    def fingerprint(self, extra: str = "") -> str:
        """Changes when an index made by other services, rules or code would differ."""
        parts = [VERSION, extra, self._rules]
        for service in self.registry.services():
            rows = [
                f"{text} {row.name} {row.reads} {row.writes} {row.significant}" for text, row in service.routes.items()
            ]
            parts.append(
                f"{service.name} {service.hosts} {service.significant} "
                f"{[re.sub(' at 0x[0-9a-f]+', '', row) for row in rows]}"
            )
        return sha256("\n".join(parts).encode()).hexdigest()

    def understand(self, request: Request) -> Understood:
        """The call and the canonical form of a request."""
        service = self.registry.find(request)
        call = service.find(request) if service else None
        if call is None:
            form = canonical(request, self._overrides(request, "", DEFAULT), mask=self._mask)
            return Understood(None, form, None, form.key)
        significance = self._overrides(request, call.operation.name, _significance(call))
        form = self._form(call, significance)
        listing = None
        if call.operation.paging:
            for name in call.operation.paging:
                significance = significance & ~(body(name) if name.startswith("$") else query(name))
            listing = self._form(call, significance).key
        return Understood(call, form, listing, form.key)

    def _form(self, call: Call, significance: Significance) -> CanonicalRequest:
        return canonical(
            call.service.codec.plain(call.request),
            significance,
            operation=f"{call.service.name}.{call.operation.name}",
            parameters=_parameters(call),
            tenant=f"{call.service.name}:{call.tenant}",
            mask=self._mask,
        )

    def rows(self, tape: Iterable[Interaction], highest: dict[tuple[Key, str], int]) -> Iterator[IndexRows]:
        """The rows of a tape, in order; `highest` is filled on the way."""
        met = [self._meet(interaction) for interaction in tape]
        names: dict[Key, str] = {}
        for one in reversed(met):
            names.update(one.names)
        history = History()
        for one in met:
            names.update(one.names)
            row = _row(one, names, history)
            _raise_highest((key for key, _ in row.seen), highest)
            yield row

    def _meet(self, interaction: Interaction) -> _Met:
        """The first pass: what needs the interaction itself."""
        understood = self.understand(interaction.request)
        call = understood.call
        key, listing = (understood.key, understood.listing_key) if _answers(interaction) else (b"", None)
        met = _Met(interaction.number, interaction.request.host, key, listing)
        if call is None:
            return met
        seen = lessons(call, interaction)
        names = {key: str(one.document["id"]) for key, one in seen.items() if is_name(key) and one.document}
        return replace(met, call=call, done=succeeded(call, interaction), keys=tuple(seen), names=names)


def _answers(interaction: Interaction) -> bool:
    """Whether a recording can answer a request. One that ended before its response was whole is kept for people: a
    client would take the part for all of it. Of a stream of events, each that came is whole."""
    response = interaction.response
    if interaction.outcome == "complete" or interaction.frames or not response.status:
        return bool(response.status or interaction.frames)
    if interaction.request.method == "HEAD" or response.status in (101, 204, 304):
        return True
    length, form = response.headers.get("content-length").strip(), response.headers.get("content-type").lower()
    return length == str(response.body.size) or form.startswith("text/event-stream")


@dataclass(frozen=True, slots=True)
class _Met:
    """An interaction after the first pass, without its answer."""

    number: int
    host: str
    key: bytes
    listing_key: bytes | None
    call: Call | None = None
    done: bool = False
    keys: tuple[Key, ...] = ()
    """The keys of what it shows."""
    names: Mapping[Key, str] = field(default_factory=dict)


def _row(met: _Met, names: Mapping[Key, str], history: History) -> IndexRows:
    """The second pass: the footprint with names resolved, and the history before it."""
    if met.call is None:
        return IndexRows(Fact(met.number, (), (), 0), met.key, None, met.host, ())
    world = (met.call.service.name, met.call.tenant)
    call, used = resolve(met.call, lambda kind, text: names.get((*world, *name_key(kind, text)), text))
    try:
        print_ = footprint(call, used)
    except Exception as error:  # see `lessons`
        _LOG.info("recording %d (%s) has no footprint: %r", met.number, met.call.operation.name, error)
        print_ = Footprint((), ())
    keys = tuple(dict.fromkeys(placed(key, met.call, call) for key in met.keys))
    writes = written(call, print_.writes, keys) if met.done else ()
    reads = print_.reads if met.done else (*print_.reads, *print_.writes)
    before = history.digest((*reads, *writes))
    if writes:
        history.add(tape_mark(met.number), writes)
    fact = Fact(met.number, reads, writes, before, call.service.name, call.operation.name)
    digests = tuple((key, history.digest((key,))) for key in keys)
    return IndexRows(fact, met.key, met.listing_key, met.host, digests)


def _significance(call: Call) -> Significance:
    """What counts of this call: the default, changed by the service, then by the operation."""
    base = DEFAULT & ~body if call.procedure else DEFAULT
    for more in (call.service.significant, call.operation.significant):
        base = base if more is None else base.counting(more) & more
    return base


def _parameters(call: Call) -> Mapping[str, str]:
    hidden = call.service.credentials
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
        for name, value in call.params.items()
        if name not in hidden
    }


def written(call: Call, declared: tuple[Key, ...], seen: Sequence[Key]) -> tuple[Key, ...]:
    """The keys that a recorded write wrote: those declared whole; of a declared prefix, what its answer shows there."""
    if not declared:
        return ()
    written: list[Key] = []
    for key in declared:
        kind = call.service.by_name.get(key[2])
        if kind is not None and kind.is_whole(key[2:]):
            written.append(key)
            continue
        shown = [one for one in seen if one[: len(key)] == key and len(one) > len(key)]
        written.extend(shown or [key])
    named = [key for key in seen if is_name(key)]
    return tuple(dict.fromkeys((*written, *named)))


def _raise_highest(seen: Iterable[Key], highest: dict[tuple[Key, str], int]) -> None:
    """Below the thing's own place, and (key[:3]) among all of its kind in its world."""
    for key in seen:
        if len(key) > 3 and (found := _NUMBERED.fullmatch(key[-1])):
            for place in {(key[:-1], found[1]), (key[:3], found[1])}:
                highest[place] = max(highest.get(place, 0), int(found[2]))
