"""What is looked at when a service is loaded, so that a plug-in that contradicts itself never answers a request.

# Rule: every error names the service, the row or kind, what is wrong, and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations
from typing import Protocol

from durable_replay.errors import BadService
from durable_replay.service.address import Address, Procedure, may_meet
from durable_replay.timeline.resource import Kind

__all__ = ["check", "parameters"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_HOST = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_BODIES = frozenset({"POST", "PUT", "PATCH"})


class _Operation(Protocol):
    """What is looked at of an `api.Operation`."""

    @property
    def name(self) -> str: ...
    @property
    def do(self) -> object: ...
    @property
    def reads(self) -> tuple[object, ...]: ...
    @property
    def writes(self) -> tuple[object, ...]: ...
    @property
    def example(self) -> str: ...


class _Service(Protocol):
    """What is looked at of an `api.Service`."""

    @property
    def name(self) -> str: ...
    @property
    def hosts(self) -> tuple[str, ...]: ...
    @property
    def kinds(self) -> tuple[Kind, ...]: ...
    @property
    def by_name(self) -> Mapping[str, Kind]: ...
    @property
    def routes(self) -> Mapping[str, _Operation]: ...
    @property
    def credentials(self) -> tuple[str, ...]: ...
    @property
    def socket(self) -> object: ...
    @property
    def socket_paths(self) -> tuple[str, ...]: ...
    @property
    def examples(self) -> bool: ...
    def addresses(self) -> Sequence[tuple[Address | Procedure, _Operation]]: ...


def check(service: _Service) -> None:
    """Raises BadService with everything that is wrong, a line each."""
    wrong = [*_names(service), *_kinds(service), *_rows(service), *_meeting(service), *_sockets(service)]
    if wrong:
        raise BadService("\n".join(f"service {service.name!r}: {text}" for text in wrong))


def parameters(address: Address | Procedure) -> tuple[str, ...]:
    """The names that a row's address gives to the parts of a request."""
    return address.positions if isinstance(address, Procedure) else address.parameters


def _names(service: _Service) -> Iterator[str]:
    if not _NAME.fullmatch(service.name):
        yield "its name must be lower-case letters, digits, - and _, since it is an entry point's and a command's"
    for host in service.hosts:
        if not _HOST.fullmatch(host):
            yield f"the host {host!r} is no name: write it in lower case, no scheme, no port (`*.name` for all below)"
    known = {name for address, _ in service.addresses() for name in parameters(address)}
    for credential in service.credentials:
        if credential not in known:
            yield f"the credential {credential!r} is a parameter of no row{_meant(credential, known)}"


def _kinds(service: _Service) -> Iterator[str]:
    seen: dict[str, Kind] = {}
    named: dict[str, Kind] = {}
    for kind in service.kinds:
        if seen.setdefault(kind.name, kind) is not kind:
            yield f"two kinds are called {kind.name!r}"
        if not kind.parts:
            yield f"the kind {kind.name!r} has no parts: name the parameters that make up its key"
        elif kind.names and named.setdefault(kind.parts[-1], kind) is not kind:
            other = named[kind.parts[-1]].name
            yield f"the kinds {other!r} and {kind.name!r} both give names to the parameter {kind.parts[-1]!r}"


def _rows(service: _Service) -> Iterator[str]:
    names: dict[str, tuple[str, _Operation]] = {}
    for (address, operation), text in zip(service.addresses(), service.routes, strict=True):
        row = f"row {' '.join(text.split())!r}"
        other, first = names.setdefault(operation.name, (row, operation))
        if first is not operation:
            yield f"{row} and {other} are two operations of one name, {operation.name!r}: give one of them `name=`"
        yield from (f"{row}: {wrong}" for wrong in _address(address))
        yield from (f"{row}: {wrong}" for wrong in _footprint(service, address, operation))
        if service.examples and _needs_example(address, operation):
            yield f"{row}: {operation.name!r} has no example: add `.such_as(…)` or `example=`"


def _meeting(service: _Service) -> Iterator[str]:
    """Rows that some request fits equally well since their words overlap; the table finds those of equal words."""
    alike: dict[tuple[str, int, int], list[Address]] = {}
    for address, _ in service.addresses():
        if isinstance(address, Address) and any(_words(segment) for segment in address.segments):
            alike.setdefault((address.method, len(address.segments), address.weight), []).append(address)
    for rows in alike.values():
        for one, other in combinations(rows, 2):
            # Compared from the end, where the rows of one service differ.
            if may_meet(one, other) and all(map(_alike, reversed(one.segments), reversed(other.segments))):
                yield f"{other.text!r} and {one.text!r} match the same request"


def _words(segment: str) -> set[str]:
    form = segment[1:-1].partition(":")[2] if segment.startswith("{") else ""
    return set() if form == "path" else set(form.split("|")) - {""}


def _alike(one: str, other: str) -> bool:
    """Whether a text fits both of these segments, and neither is the more literal."""
    if one[:1] != "{" or other[:1] != "{":
        return one == other
    words, others = _words(one), _words(other)
    return bool(words & others) if words or others else True


def _address(address: Address | Procedure) -> Iterator[str]:
    names = parameters(address)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{{{name}}} stands there twice"
    if isinstance(address, Address) and any(segment.endswith(":path}") for segment in address.segments[:-1]):
        yield "a {name:path} takes the rest of the path, so it must be the last segment"


def _footprint(service: _Service, address: Address | Procedure, operation: _Operation) -> Iterator[str]:
    declared = {part for kind in service.kinds for part in kind.parts}
    strange = [name for name in parameters(address) if name not in declared]
    for kind in dict.fromkeys((*operation.reads, *operation.writes)):
        if not isinstance(kind, Kind):
            continue
        known = service.by_name.get(kind.name)
        if known is None:
            yield f"the kind {kind.name!r} is not one of the service's kinds{_meant(kind.name, service.by_name)}"
        elif known != kind:
            yield f"the kind {kind.name!r} is not the one of that name among the service's kinds"
        for part in kind.parts:
            if part not in parameters(address) and (close := get_close_matches(part, strange, 1, 0.75)):
                yield f"{{{close[0]}}} is no part of a kind; did you mean {{{part}}}, of {kind.name!r}?"


def _needs_example(address: Address | Procedure, operation: _Operation) -> bool:
    """Whether the address alone does not say what a request looks like."""
    open_ = bool(address.positions) if isinstance(address, Procedure) else address.method in _BODIES
    return open_ and operation.do is not None and not operation.example


def _sockets(service: _Service) -> Iterator[str]:
    if (service.socket is None) != (not service.socket_paths):
        yield "`socket` and `socket_paths` need each other"


def _meant(word: str, words: Iterable[str]) -> str:
    close = get_close_matches(word, list(words), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
