"""A replay, put together: tape, services, settings, store, engine and front, open for as long as a block runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, cast

from durable_replay.administration import Administration, log_entry
from durable_replay.answer import Answer, Conversation, LogEntry, Recall, Source
from durable_replay.engine import Engine, OnMiss, Policy
from durable_replay.errors import UsageError
from durable_replay.front.environment import LOOPBACK
from durable_replay.http import Frame, Request
from durable_replay.settings import Settings
from durable_replay.tapes import understanding
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.recordings import Progress, Recordings, open_tape
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import SQLiteStore
from durable_replay.timeline.tape import Tape

if TYPE_CHECKING:
    from durable_replay.front.server import ServerInThread
    from durable_replay.front.tls import Authority

__all__ = ["Plan", "Replay", "Summary", "opened"]

SOURCES: tuple[Source, ...] = ("recorded", "emulated", "forwarded", "refused")
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay and how. None: the project's settings decide, then the default.

    `hosts` maps `host` or `host:port` to a service's name. `service`: this one alone, at a plain endpoint.
    """

    cassettes: tuple[Path, ...] = ()
    service: str | None = None
    on_miss: OnMiss | None = None
    data_dir: Path | None = None
    seed: int | None = None
    clock: str | None = None
    provenance: bool | None = None
    hosts: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run has seen. `misses` and `unused` show the first 20 of `missed` and `never_used`."""

    answers: Mapping[Source, int]
    missed: int
    misses: tuple[LogEntry, ...]
    recordings: int
    never_used: int
    unused: tuple[tuple[int, str, str], ...]
    """Number, method and URL."""
    unused_numbers: tuple[int, ...] = ()
    """All of `never_used`: `cassette prune --unused-in` reads them."""


class Answering(Administration):
    """What the front stands before: the engine's answers, and its administration."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.engine = engine

    def recall(self, session: str, request: Request) -> Recall | None:
        """See `Answerer`."""
        return self.engine.recall(session, request)

    def answer(self, session: str, request: Request) -> Answer:
        """See `Answerer`."""
        return self.engine.answer(session, request)

    def converse(self, session: str, request: Request, send: Callable[[Frame], None]) -> Conversation | Answer:
        """See `Answerer`."""
        return self.engine.converse(session, request, send)


class Replay:
    """A replay under way."""

    def __init__(self, engine: Engine, server: ServerInThread, authority: Authority, hosts: Mapping[str, str]) -> None:
        self.engine, self.server, self.authority = engine, server, authority
        self._hosts = hosts

    @property
    def url(self) -> str:
        """Where it listens: the proxy's URL, and the plain endpoint's."""
        return self.server.url

    def loopback_hosts(self) -> frozenset[str]:
        """Loopback names whose traffic belongs here, since they are mapped or on the tape."""
        mapped = {_name(host) for host in self._hosts}
        names = {host for host in LOOPBACK if host in mapped or _holds(self.engine.tape, host)}
        return frozenset(names)

    def environment(self, *, include_loopback: bool = False, session: str = "") -> dict[str, str]:
        """What a child needs to be answered from here."""
        from durable_replay.front.environment import child_environment

        loopback = frozenset(LOOPBACK) if include_loopback else self.loopback_hosts()
        return child_environment(self.server.proxy_url(session), self.authority, loopback_hosts=loopback)

    def summary(self) -> Summary:
        """What this run has seen until now."""
        usage = self.engine.usage
        answers = {source: usage.total(source) for source in SOURCES}
        total = len(self.engine.tape)
        unused = [number for number in range(1, total + 1) if number not in usage.interactions]
        return Summary(
            answers,
            sum(answers.values()) - answers["recorded"],
            tuple(log_entry(line) for line in usage.misses[:SHOWN]),
            total,
            len(unused),
            tuple(_named(self.engine.tape, number) for number in unused[:SHOWN]),
            tuple(unused),
        )


def _named(tape: Tape, number: int) -> tuple[int, str, str]:
    request = tape.interaction(number).request
    return number, request.method, request.url


def _name(authority: str) -> str:
    """`localhost` of `localhost:9000`, `::1` of `[::1]:9000`."""
    return authority.partition("]")[0][1:] if authority.startswith("[") else authority.partition(":")[0]


def _holds(tape: Tape, host: str) -> bool:
    name = f"[{host}]" if ":" in host else host
    return any(tape.interaction(number).request.host == name for number in tape.nearest(name, 1))


@contextmanager
def opened(plan: Plan, settings: Settings, on_progress: Progress = lambda done, total: None) -> Iterator[Replay]:
    """The replay that a plan describes, listening. Raises UsageError and CassetteError before it listens.

    `on_progress` hears of the index that is made for a cassette which has none that fits.
    """
    from durable_replay.front.server import start_in_thread
    from durable_replay.front.settings import Settings as FrontSettings
    from durable_replay.front.tls import Authority

    _check(plan)
    indexing = understanding(plan.cassettes, settings, plan.hosts, [plan.service] if plan.service else None)
    tape = open_tape(plan.cassettes, indexing, on_progress)
    with TemporaryDirectory(prefix="durable-replay-") as spool, _store(plan, Path(spool)) as store:
        try:
            with _policy(plan, settings) as policy:
                engine = Engine(tape, indexing, _sessions(plan, settings, tape, store), policy)
                authority = Authority.load_or_create()
                front = FrontSettings(
                    host=plan.host,
                    port=plan.port,
                    provenance=_first(plan.provenance, settings.replay.provenance, True),
                    fixed_host=_fixed_host(plan, indexing, tape),
                    spool_directory=Path(spool),
                )
                with start_in_thread(Answering(engine), front, authority) as server:
                    yield Replay(engine, server, authority, {**settings.hosts, **plan.hosts})
        finally:
            if isinstance(tape, Recordings):
                tape.close()


def _check(plan: Plan) -> None:
    for path in plan.cassettes:
        if not path.exists():
            raise UsageError(
                f"there is no cassette {path}; check the name, or record it: durable-replay record -c {path} -- CMD"
            )


def _first(given: bool | None, configured: bool | None, default: bool) -> bool:
    return given if given is not None else configured if configured is not None else default


@contextmanager
def _store(plan: Plan, spool: Path) -> Iterator[SQLiteStore]:
    store = SQLiteStore(plan.data_dir, spool)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _policy(plan: Plan, settings: Settings) -> Iterator[Policy]:
    on_miss = plan.on_miss or settings.replay.on_miss or "emulate"
    if on_miss == "record":
        raise UsageError(
            f"{settings.source}: on_miss = 'record' is not in this version; say emulate, refuse or forward, "
            "and add recordings by `durable-replay record --mode new`"
        )
    if on_miss != "forward":
        yield Policy(cast(OnMiss, on_miss))
        return
    from durable_replay.forwarding import forwarder

    with forwarder() as forward:
        yield Policy("forward", forward)


def _sessions(plan: Plan, settings: Settings, tape: Tape, store: SQLiteStore) -> Sessions:
    clock = plan.clock or settings.replay.clock or ("recorded" if len(tape) else "now")
    seed = plan.seed if plan.seed is not None else settings.replay.seed
    return Sessions(tape, store, clock=clock, seed=seed or 0)


def _fixed_host(plan: Plan, indexing: Indexing, tape: Tape) -> str | None:
    """Whose requests those to a plain endpoint are: the host on the tape that is this service's, else its own first."""
    if plan.service is None:
        return None
    for host in sorted(tape.hosts()) if isinstance(tape, Recordings) else ():
        if indexing.registry.find(Request("GET", "https", host, 443, "/")) is not None:
            return host
    hosts = indexing.registry.get(plan.service).hosts
    return next((host for host in hosts if not host.startswith("*")), hosts[0].replace("*", "durable", 1))
