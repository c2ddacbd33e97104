"""The words that a service is written in.

A `Service` is a table of `Operation`s by address, and a `Codec` that knows the wire. An operation declares what it
reads and writes; what it does is a function of a `Scope` (the session's state, limited to that footprint) and a
`Call` (the request as the service understands it) to a `Reply`. What a recorded answer teaches is a list of
`Sighting`s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from durable_replay.errors import BadService
from durable_replay.http import EMPTY, Body, BytesBody, Frame, Headers, Request, Response, parse_query
from durable_replay.service.address import Address, Procedure, Table
from durable_replay.service.checks import check
from durable_replay.service.faults import Fault, Invalid
from durable_replay.timeline.resource import Key, Kind, kind
from durable_replay.timeline.scope import Listed, Mint, Scope, Sighting
from durable_replay.timeline.state import Document, Json

if TYPE_CHECKING:
    from durable_replay.matching.pattern import Significance

__all__ = [
    "Call",
    "Codec",
    "Document",
    "Footing",
    "Headers",
    "Json",
    "Key",
    "Kind",
    "Listed",
    "Located",
    "Mint",
    "Operation",
    "Reply",
    "Scope",
    "Service",
    "Sighting",
    "Socket",
    "kind",
    "operation",
]


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operation answers, before the codec gives it the service's form.

    `content` is what the codec understands: a document, a list, an XML element, text, bytes or a `Body`.
    """

    status: int = 200
    content: object = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Call:
    """A request as its service understands it. `params` are the address's, decoded; procedure arguments keep types.

    `tenant` tells worlds of one service apart (a Jira site, a Salesforce org); keys of two tenants never meet.
    """

    service: Service
    operation: Operation
    request: Request
    params: Mapping[str, object]
    tenant: str = ""
    procedure: bool = False
    """Whether it came as a procedure with arguments; these then stand for the body."""
    identity: Callable[[Kind, str], str] = field(default=lambda kind, text: text, compare=False, repr=False)
    """The identity behind a name, as far as it is known where the call is made."""
    named: list[tuple[Kind, str]] = field(default_factory=list, compare=False, repr=False)
    """The names that `identify` was asked for."""

    def __getitem__(self, name: str) -> str:
        return str(self.params[name])

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters; the first of each name counts."""
        return dict(reversed(self.request.query))

    @cached_property
    def form(self) -> dict[str, str]:
        """A form body's fields; the first of each name counts."""
        return dict(reversed(parse_query(self.request.body.read().decode("utf-8", "replace"))))

    @cached_property
    def json(self) -> Document:
        """A JSON object body; an empty body is `{}`; anything else raises Invalid."""
        try:
            value = json.loads(self.request.body.read() or b"{}")
        except (ValueError, RecursionError) as error:
            raise Invalid(f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Invalid("the body is not a JSON object")
        return value

    def identify(self, kind: Kind, text: str) -> str:
        """For footprints: the identity behind a name in a body or query; the name then belongs to what is read.

        Names in the address are replaced before: `params` hold identities.
        """
        self.named.append((kind, text))
        return self.identity(kind, text)

    def header(self, name: str, default: str = "") -> str:
        """A request header."""
        return self.request.headers.get(name, default)


Footing: TypeAlias = "Kind | Callable[[Call], Iterable[Key]]"
"""What a declaration holds: a kind (its key as far as the call's params reach), or a function to keys and prefixes."""

Do: TypeAlias = "Callable[[Scope, Call], Reply]"
Learns: TypeAlias = "Callable[[Call, Response], Iterable[Sighting]]"


@dataclass(frozen=True)
class Operation:
    """One thing that a service can do.

    `do` None: the service has it, we do not emulate it, and say so. `learns` gives what a successful recorded answer
    shows. `paging` names the query parameters (`page`) and body paths (`$.startAt`) that choose a page of one listing.
    `significant` changes which parts
    of a request count for matching. `example` is what a client sends beside method and path: `?query`, a body, or
    the one and on the next line the other; a procedure's is a JSON array of its arguments.
    """

    name: str
    do: Do | None
    reads: tuple[Footing, ...] = ()
    writes: tuple[Footing, ...] = ()
    learns: Learns | None = None
    paging: tuple[str, ...] = ()
    significant: Significance | None = None
    example: str = ""

    def read_keys(self, call: Call) -> tuple[Key, ...]:
        """The keys and prefixes that this call reads."""
        return _keys(self.reads, call)

    def written_keys(self, call: Call) -> tuple[Key, ...]:
        """The keys and prefixes that this call may write."""
        return _keys(self.writes, call)

    def such_as(self, example: str) -> Operation:
        """This operation with an example, for documentation and contract tests."""
        return replace(self, example=example)


def _keys(footings: Sequence[Footing], call: Call) -> tuple[Key, ...]:
    found: list[Key] = []
    for footing in footings:
        found.extend((footing.key(call.params),) if isinstance(footing, Kind) else footing(call))
    return tuple(dict.fromkeys(found))


def operation(
    *,
    reads: Sequence[Footing] = (),
    writes: Sequence[Footing] = (),
    learns: Learns | None = None,
    paging: Sequence[str] = (),
    significant: Significance | None = None,
    name: str = "",
    example: str = "",
) -> Callable[[Do], Operation]:
    """Makes an `Operation` of a function; its name is the function's unless given."""

    def make(do: Do) -> Operation:
        return Operation(
            name or getattr(do, "__name__", "operation"),
            do,
            tuple(reads),
            tuple(writes),
            learns,
            tuple(paging),
            significant,
            example,
        )

    return make


@dataclass(frozen=True, slots=True)
class Located:
    """Where a codec says a request goes: a method and target, or a procedure and its arguments."""

    method: str = ""
    target: str = ""
    procedure: str = ""
    arguments: tuple[object, ...] = ()


class Codec:
    """A service's wire. The base speaks plain HTTP; `codecs` has JSON and XML-RPC; a service overrides what differs."""

    def locate(self, request: Request) -> Located | None:
        """The address of a request; None: not a request of this service at all (its own error follows)."""
        return Located(request.method, request.target)

    def plain(self, request: Request) -> Request:
        """The request without the transport forms of one client or another (S3's signed chunks), for matching."""
        return request

    def tenant(self, request: Request) -> str:
        """Which world of the service the request speaks to."""
        return ""

    def succeeded(self, call: Call, response: Response) -> bool:
        """Whether a recorded answer says that the operation was done."""
        return response.status < 400

    def encode(self, call: Call, reply: Reply) -> Response:
        """A reply on the wire."""
        body = reply.content if isinstance(reply.content, Body) else EMPTY
        return Response(reply.status, Headers(reply.headers), body)

    def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
        """A fault on the wire, in the service's own error form."""
        raise NotImplementedError

    def unknown(self, request: Request) -> Response:
        """What the service says to a request that no row of its table knows."""
        raise NotImplementedError

    def not_emulated(self, request: Request, text: str) -> Response:
        """What is not emulated, or was not recorded, in a form that the service's clients show; `text` says why."""
        data = f"{text}\n".encode()
        fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(data)))]
        return Response(501, Headers(fields), BytesBody(data), "Not Implemented")


class Socket:
    """A service's WebSocket: frames are calls to rows of its table, written keys become frames.

    One instance serves one connection and may keep what that connection needs (a sequence number, a compressor).
    """

    def opened(self, scope: Scope, request: Request) -> Iterable[Frame]:
        """What the server says first."""
        return ()

    def located(self, frame: Frame) -> Located | None:
        """The procedure that a client's frame calls; None: it asks for nothing."""
        raise NotImplementedError

    def encode(self, call: Call, reply: Reply) -> Iterable[Frame]:
        """A reply as frames."""
        raise NotImplementedError

    def fault(self, fault: Fault) -> Iterable[Frame]:
        """A fault as frames (often a close)."""
        return (Frame(False, "close", str(fault).encode()[:120], 1011),)

    def pushed(self, scope: Scope, keys: Sequence[Key]) -> Iterable[Frame]:
        """What the server says on its own after these keys were written in this session, by whatever route."""
        return ()


@dataclass(frozen=True)
class Service:
    """A plug-in: one API. `hosts` are names or `*.name` patterns; `kinds` are all kinds whose keys it uses.

    `seed` fills a world that no recording taught anything (a root folder, default users): it is called once a
    session, before the first emulated answer, and writes only what is not known.
    """

    name: str
    hosts: tuple[str, ...]
    codec: Codec
    routes: Mapping[str, Operation]
    kinds: tuple[Kind, ...] = ()
    socket: Callable[[], Socket] | None = None
    socket_paths: tuple[str, ...] = ()
    seed: Callable[[Scope], None] | None = None
    significant: Significance | None = None
    """What counts of this service's requests beyond, or less than, the default."""
    credentials: tuple[str, ...] = ()
    """Parameters of its procedures that are credentials and never count for matching."""
    varies: tuple[str, ...] = ()
    """What differs between two answers of an unchanged API, as rules of `diff --ignore`: `path=header.x-amz-id-2`."""
    documentation: str = ""
    examples: bool = False
    """Whether each emulated operation whose address does not say it all must have an example."""
    table: Table[Operation] = field(init=False, repr=False, compare=False)
    by_name: Mapping[str, Kind] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "table", Table(self.routes.items()))
        except BadService as error:
            raise BadService(f"service {self.name!r}: {error}") from error
        object.__setattr__(self, "by_name", {kind_.name: kind_ for kind_ in self.kinds})
        check(self)

    def find(self, request: Request) -> Call | None:
        """The call that a request makes; None: no row knows it."""
        located = self.codec.locate(request)
        return None if located is None else self.call(request, located)

    def call(self, request: Request, located: Located) -> Call | None:
        """The call at an address."""
        tenant = self.codec.tenant(request)
        if located.procedure:
            row = self.table.procedure(located.procedure)
            return row and Call(self, row[1], request, row[0].bind(located.arguments), tenant, procedure=True)
        found = self.table.find(located.method, located.target, request.headers)
        if found is not None:
            return Call(self, found[1], request, found[2], tenant)
        if located.method != "HEAD":
            return None
        # RFC 9110, 9.3.2: a HEAD is a GET without the content; a recorded one therefore teaches nothing.
        get = self.table.find("GET", located.target, request.headers)
        return get and Call(self, replace(get[1], learns=None), request, get[2], tenant)

    def speaks(self, request: Request) -> bool:
        """Whether this service has a WebSocket where the request knocks."""
        return self.socket is not None and request.path in self.socket_paths

    def addresses(self) -> list[tuple[Address | Procedure, Operation]]:
        """The table's rows, for documentation and contract tests."""
        return self.table.addresses
