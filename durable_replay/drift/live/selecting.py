"""Which recorded requests are asked again, and why the others are not."""

# Rule: what may change something is never asked, unless writes were asked for and its server was named as a sandbox.
# A request is taken for safe by its method, or by a service that emulates it and declares that it only reads.

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal
from urllib.parse import urlsplit

from durable_replay.cassette.bodies import DIGEST_BYTES, StoredBody
from durable_replay.drift.endpoints import Asked, Asking
from durable_replay.drift.finding import Endpoint
from durable_replay.drift.live.unsent import Left, Touched
from durable_replay.drift.sources import Side
from durable_replay.drift.templates import blanked_path
from durable_replay.errors import UsageError
from durable_replay.http import Body, Interaction, Request, Response
from durable_replay.redaction.placeholders import PLACEHOLDER
from durable_replay.timeline.indexing import Indexing

__all__ = ["Plan", "Server", "Skipped", "Step", "Targets", "is_safe", "require_sandboxes", "selected"]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
NEVER_READS = frozenset({"PUT", "PATCH", "DELETE"})
OVERRIDES = ("x-http-method-override", "x-http-method", "x-method-override")
MOST_REPEATS = 10
"""How often a request is asked that was answered otherwise each time, unless the user says how often."""
_SEARCHED = 64 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """What is dialled."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class Targets:
    """Where requests go: to the server of the tape, unless `elsewhere` (by `host` or `host:port`) names another."""

    elsewhere: Mapping[str, Server] = field(default_factory=dict)
    sandboxes: frozenset[str] = frozenset()
    include_writes: bool = False

    @classmethod
    def of(cls, elsewhere: Mapping[str, str], sandboxes: frozenset[str], *, include_writes: bool) -> Targets:
        """From what a user writes: URLs by host, hosts. Raises UsageError."""
        if include_writes and not sandboxes:
            raise UsageError(
                "--include-writes changes what is there, so it needs to be told where: name each server that is a"
                " sandbox with --sandbox HOST[:PORT]"
            )
        if sandboxes and not include_writes:
            raise UsageError("--sandbox says where writes may go; it needs --include-writes")
        servers = {name.lower(): _server(name, url) for name, url in elsewhere.items()}
        return cls(servers, frozenset(one.lower() for one in sandboxes), include_writes)

    def of_request(self, request: Request) -> Server:
        """Who is dialled for a recorded request."""
        there = self.elsewhere.get(f"{request.host}:{request.port}") or self.elsewhere.get(request.host)
        return there or Server("https" if request.scheme in ("https", "wss") else "http", request.host, request.port)

    def may_write(self, server: Server) -> bool:
        """Whether a server was named as a sandbox."""
        names = (server.host, f"{server.host}:{server.port}")
        return self.include_writes and any(name in self.sandboxes for name in names)


def _server(name: str, url: str) -> Server:
    wrong = UsageError(f"--to {name}={url} is not HOST[:PORT]=URL, as in --to api.example.com=http://localhost:8000")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    beside = parts.query or parts.fragment or parts.username or parts.password or parts.path not in ("", "/")
    if parts.scheme not in ("http", "https") or not parts.hostname or beside:
        raise wrong
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Server(
        "https" if parts.scheme == "https" else "http", host, port or (443 if parts.scheme == "https" else 80)
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One request that is asked: the one with this number on the tape, unless it is a second look.

    `covers` are the numbers of all recordings that its answer is compared with; `follows` is the number of the step
    that must be over before (0: none), of the same request, or because one of them writes. `single`: the request is
    asked once, of a server that is only read, so that a second look (`again`) may tell what varies.
    """

    number: int
    server: Server
    host: str
    endpoint: Endpoint
    status: int
    """Recorded."""
    page: bool
    """Whether a page for people was recorded, or a redirect: then one to a login is nothing new."""
    covers: tuple[int, ...]
    follows: int = 0
    writes: bool = False
    single: bool = False
    again: bool = False
    left: Left = ""
    """How recorded writes that are not sent left what is asked for."""

    @property
    def recorded(self) -> int:
        """The number of the request on the tape."""
        return self.covers[0]


UNSENT = "a recorded write that was not sent made it or took it away"


@dataclass(frozen=True, slots=True, order=True)
class Skipped:
    """Recorded requests of one endpoint that were not asked, or that got no answer (`asked`), and why."""

    endpoint: Endpoint
    reason: str
    count: int = 1
    asked: bool = False

    @property
    def how(self) -> str:
        """What became of them, for people."""
        return "no answer" if self.asked else "not compared" if self.reason == UNSENT else "not asked"


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in the order of the tape, and what is left out."""

    steps: tuple[Step, ...]
    skipped: tuple[Skipped, ...]


@dataclass(slots=True)
class _Same:
    """The recordings of one request."""

    server: Server
    host: str
    endpoint: Endpoint
    status: int
    page: bool
    writes: bool
    path: str
    numbers: list[int] = field(default_factory=list)
    prints: set[bytes] = field(default_factory=set)


def selected(
    side: Side,
    indexing: Indexing,
    targets: Targets,
    *,
    repeat: int = 0,
    wanted: Callable[[Endpoint], bool] = lambda endpoint: True,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Plan:
    """Reads the tape once and says what is asked. Raises CassetteError, and UsageError for a target of no use.

    A request is asked once, or as often as it was recorded where its answers differed, at most `repeat` times (0: once
    or ten times).
    """
    asking, groups, left_out = Asking(indexing), dict[tuple[object, ...], _Same](), Counter[tuple[Endpoint, str]]()
    touched, hosts = Touched(), set[str]()
    for done, interaction in enumerate(side):
        if done % 500 == 0:
            on_progress(done, len(side))
        request = interaction.request
        asked = asking.asked(request)
        endpoint = _endpoint(asked)
        hosts |= {request.host.lower(), f"{request.host.lower()}:{request.port}"}
        writes = not is_safe(request, indexing)
        reason = _reason(interaction, targets, writes=writes)
        if writes and (reason or not wanted(endpoint)):
            touched.add(interaction)
        if reason or not wanted(endpoint):
            left_out[endpoint, reason] += wanted(endpoint)
            continue
        identity = (request.authority, asked.key, _redacted(request), interaction.number if writes else 0)
        same = groups.get(identity)
        if same is None:
            same = groups[identity] = _same(interaction, targets.of_request(request), endpoint, writes=writes)
        same.numbers.append(interaction.number)
        same.prints.add(_print(interaction.response))
    _require_recorded(targets, hosts)
    steps = sorted((step for same in groups.values() for step in _steps(same, repeat, touched)), key=_number)
    return Plan(
        tuple(_in_order(steps)), tuple(sorted(Skipped(*key, count) for key, count in left_out.items() if count))
    )


def _require_recorded(targets: Targets, hosts: set[str]) -> None:
    """A misspelt --to would send everything to the recorded server after all."""
    unknown = sorted(targets.elsewhere.keys() - hosts)
    if unknown and hosts:
        known = ", ".join(sorted(host for host in hosts if ":" in host)[:5])
        raise UsageError(f"--to {unknown[0]}: nothing on the tape was asked of it; there is {known}")


def require_sandboxes(plan: Plan, targets: Targets) -> None:
    """Raises UsageError for a sandbox that none of the steps asks."""
    dialled = {name for step in plan.steps for name in (step.server.host, f"{step.server.host}:{step.server.port}")}
    unknown = sorted(targets.sandboxes - dialled)
    if unknown and plan.steps:
        raise UsageError(f"--sandbox {unknown[0]}: nothing on the tape is asked of it; check the name")


def _number(step: Step) -> int:
    return step.number


def _endpoint(asked: Asked) -> Endpoint:
    path = asked.path if asked.known or asked.method == "CALL" else blanked_path(asked.path)
    return Endpoint(asked.world, asked.method, path, asked.operation)


def is_safe(request: Request, indexing: Indexing) -> bool:
    """Whether asking changes nothing."""
    if any(name in request.headers for name in OVERRIDES):
        return False
    call = indexing.understand(request).call
    if call is None:
        return request.method in SAFE
    if call.operation.writes or request.method in NEVER_READS:
        return False
    # a row that is not emulated may declare nothing because nobody looked
    return request.method in SAFE or (call.operation.do is not None and bool(call.operation.reads))


def _reason(interaction: Interaction, targets: Targets, *, writes: bool) -> str:
    request = interaction.request
    if interaction.frames or request.scheme in ("ws", "wss") or interaction.response.status == 101:
        return "a WebSocket conversation"
    if interaction.outcome != "complete" or not interaction.response.status:
        return "its answer ended early when it was recorded"
    if request.method == "OPTIONS" and "access-control-request-method" in request.headers:
        return "a CORS preflight"
    if request.method in ("CONNECT", "TRACE"):
        return f"no {request.method} is sent"
    if interaction.response.status == 429:
        return "the service limited the rate when it was recorded"
    if writes and not targets.include_writes:
        return "a write, or not known to be none"
    if writes and not targets.may_write(targets.of_request(request)):
        return "a write, to a server that --sandbox does not name"
    return ""


def _redacted(request: Request) -> tuple[str, ...]:
    """The placeholders that tell two requests apart which matching takes for one: pages by their tokens."""
    found = PLACEHOLDER.findall(request.target)
    if 0 < request.body.size <= _SEARCHED:
        found += PLACEHOLDER.findall(request.body.read().decode("latin-1"))
    return tuple(found)


def _same(interaction: Interaction, server: Server, endpoint: Endpoint, *, writes: bool) -> _Same:
    response = interaction.response
    page = 300 <= response.status < 400 or "html" in response.headers.get("content-type").lower()
    return _Same(
        server, interaction.request.authority, endpoint, response.status, page, writes, interaction.request.path
    )


def _print(response: Response) -> bytes:
    return f"{response.status} {_content(response.body)}".encode()


def _content(body: Body) -> str:
    if isinstance(body, StoredBody):
        return body.digest
    told = sha256()
    for chunk in body.chunks():
        told.update(chunk)
    return told.digest()[:DIGEST_BYTES].hex()  # as a cassette knows it


def _steps(same: _Same, repeat: int, touched: Touched) -> list[Step]:
    numbers = same.numbers
    times = min(len(numbers), repeat or (MOST_REPEATS if len(same.prints) > 1 else 1))
    return [
        Step(
            number,
            same.server,
            same.host,
            same.endpoint,
            same.status,
            same.page,
            tuple(numbers[at:]) if at == times - 1 else (number,),
            numbers[at - 1] if at else 0,
            same.writes,
            single=times == 1,
            left=touched.left(same.host, same.path),
        )
        for at, number in enumerate(numbers[:times])
    ]


def _in_order(steps: list[Step]) -> list[Step]:
    """Where a server is written to, its steps follow one another as on the tape."""
    written = {step.server for step in steps if step.writes}
    last: dict[Server, int] = {}
    ordered: list[Step] = []
    for step in steps:
        if step.server in written:
            step = replace(step, follows=max(step.follows, last.get(step.server, 0)), single=False)
            last[step.server] = step.number
        ordered.append(step)
    return ordered
