"""A recording from its start to its end: a mitmproxy with the add-on, and the command whose traffic is recorded."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from durable_replay.child import not_started, under_nohup
from durable_replay.errors import CassetteError, UsageError
from durable_replay.interruption import PATIENCE, at_terminal, ways_to_end
from durable_replay.recording.recorder import HostMap, Mode, Progress, Recorder
from durable_replay.redaction.rules import DEFAULT, Rules
from durable_replay.redaction.scan import Finding

if TYPE_CHECKING:
    from mitmproxy.tools.dump import DumpMaster

    from durable_addons.record import Record
    from durable_replay.front.tls import Authority

__all__ = ["Outcome", "Upstream", "record"]

PROGRESS_EVERY = 0.1
TIDY = 2.0  # seconds that exchanges under way have once the command has ended


@dataclass(frozen=True, slots=True)
class Upstream:
    """How servers are reached: through another proxy (`http://host:port`), and by which CA file beside the usual ones
    they are verified. `verify` off is for servers whose certificates nobody can verify."""

    proxy: str | None = None
    trusted_ca: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """A recording that has ended. `error` says what went wrong; `exit_code` is the command's, or 1 with an error."""

    interactions: int
    written: int
    bytes: int
    hosts: frozenset[str]
    findings: tuple[Finding, ...]
    exit_code: int
    error: str = ""
    interrupted: bool = False
    """A signal to us came while the command ran, so that it may not have done all that it does."""


def record(
    path: Path,
    *,
    mode: Mode = "once",
    host: str = "127.0.0.1",
    port: int = 0,
    upstream: Upstream | None = None,
    maps: Sequence[HostMap] = (),
    include_loopback: bool = False,
    loopback_hosts: frozenset[str] = frozenset(),
    command: Sequence[str] | None = None,
    on_ready: Callable[[str], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    rules: Rules = DEFAULT,
    key: bytes | None = None,
    authority: Authority | None = None,
) -> Outcome:
    """Record until the command ends, or, without one, until SIGINT or SIGTERM.

    `on_ready` is told the proxy's URL once it listens, `on_progress` ten times a second what was seen. Raises
    UsageError or CassetteError where the recording cannot begin; what goes wrong later is in the outcome. Of this
    machine's own names those that are mapped and `loopback_hosts` come through the proxy, or all of them.
    """
    from durable_replay.front.environment import LOOPBACK
    from durable_replay.front.tls import Authority as Authorities

    recorder = Recorder.start(path, mode, maps, rules, key)
    mapped = {each.host for each in maps}
    proxied = frozenset(LOOPBACK) if include_loopback else loopback_hosts | (mapped & set(LOOPBACK))
    run = _Run(recorder, authority or Authorities.load_or_create(), proxied, on_ready, on_progress)
    try:
        with tempfile.TemporaryDirectory(prefix="durable-replay-") as confdir:
            exit_code = asyncio.run(run.until_done(Path(confdir), host, port, upstream or Upstream(), command))
    except BaseException:
        with contextlib.suppress(CassetteError):  # the first error is the one to tell
            recorder.finish()
        raise
    return replace(_outcome(recorder, exit_code, run.error), interrupted=run.interrupted)


def _outcome(recorder: Recorder, exit_code: int, error: str) -> Outcome:
    seen, ended = recorder.progress, recorder.outcome
    return Outcome(
        interactions=seen.interactions,
        written=ended.written if ended else 0,
        bytes=seen.bytes,
        hosts=seen.hosts,
        findings=ended.findings if ended else (),
        exit_code=exit_code or (1 if error else 0),
        error=error,
    )


class _Run:
    def __init__(
        self,
        recorder: Recorder,
        authority: Authority,
        proxied: frozenset[str],
        on_ready: Callable[[str], None] | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._recorder = recorder
        self._authority = authority
        self._proxied = proxied
        self._on_ready = on_ready
        self._on_progress = on_progress
        self.error = ""
        self.interrupted = False

    async def until_done(
        self, confdir: Path, host: str, port: int, upstream: Upstream, command: Sequence[str] | None
    ) -> int:
        from durable_addons.record import Record

        self._write_authority(confdir)
        addon = Record(self._recorder)
        master = _master(confdir, host, port, upstream)
        ready = _Ready()
        master.addons.add(addon, ready)  # type: ignore[no-untyped-call]
        serving = asyncio.create_task(master.run())
        ticking = asyncio.create_task(self._tick())
        stop = _Stop()
        try:
            with _signals(stop):
                try:
                    url = await _listening(master, ready, serving, host, port)
                    if self._on_ready:
                        self._on_ready(url)
                    return await self._wait(url, command, serving, addon, stop)
                finally:
                    ticking.cancel()
                    await _shut_down(master, serving, stop)
        finally:
            self.error = self._finished()

    def _finished(self) -> str:
        try:
            self._recorder.finish()
        except CassetteError as wrong:
            return str(wrong)
        return ""

    def _write_authority(self, confdir: Path) -> None:
        """mitmproxy signs with the same authority as replay, so that a client trusts both."""
        from durable_replay.front.tls import PAIR

        descriptor = os.open(confdir / "mitmproxy-ca.pem", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write((self._authority.directory / PAIR).read_bytes())

    async def _tick(self) -> None:
        while self._on_progress is not None:
            self._on_progress(self._recorder.progress)
            await asyncio.sleep(PROGRESS_EVERY)

    async def _wait(
        self, url: str, command: Sequence[str] | None, serving: asyncio.Task[None], addon: Record, stop: _Stop
    ) -> int:
        if command is None:
            await _first(stop.wait(), asyncio.shield(serving))
            return 0
        exit_code = await self._run_command(url, command, stop)
        await _quiet(addon)
        self.interrupted = stop.is_set()
        return exit_code

    async def _run_command(self, url: str, command: Sequence[str], stop: _Stop) -> int:
        environment = self._environment(url)
        await _heard()
        if stop.is_set():  # while the proxy was starting: a command that is not there yet would never hear of it
            return 128 + stop.number
        try:
            child = await asyncio.create_subprocess_exec(*command, env=environment)
        except OSError as wrong:
            raise not_started(command[0], wrong) from None
        await _first(child.wait(), stop.wait())
        while child.returncode is None and stop.interrupted and at_terminal():
            stop.clear()
            await _first(child.wait(), stop.wait())
        if stop.number:
            stop.set()
            await _end(child, stop.number)
        code = child.returncode or 0
        return 128 - code if code < 0 else code

    def _environment(self, url: str) -> dict[str, str]:
        from durable_replay.front.environment import child_environment

        return child_environment(url, self._authority, loopback_hosts=self._proxied)


class _Ready:
    """Tells when mitmproxy listens: add-ons are told in their order, and the proxy server is before us."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def running(self) -> None:
        self.event.set()


def _master(confdir: Path, host: str, port: int, upstream: Upstream) -> DumpMaster:
    from mitmproxy import options
    from mitmproxy.tools.dump import DumpMaster

    settings = options.Options(
        confdir=str(confdir),
        listen_host=host,
        listen_port=port,
        mode=[f"upstream:{upstream.proxy}" if upstream.proxy else "regular"],
        ssl_insecure=not upstream.verify,
        ssl_verify_upstream_trusted_ca=str(upstream.trusted_ca) if upstream.trusted_ca else None,
    )
    master = DumpMaster(settings, with_termlog=False, with_dumper=False)
    # errorcheck ends the process by sys.exit
    master.addons.remove(master.addons.get("errorcheck"))  # type: ignore[no-untyped-call]
    return master


async def _listening(master: DumpMaster, ready: _Ready, serving: asyncio.Task[None], host: str, port: int) -> str:
    """The proxy's URL once it listens."""
    await _first(ready.event.wait(), asyncio.shield(serving))
    bound = master.addons.get("proxyserver").listen_addrs()  # type: ignore[no-untyped-call]
    if not bound:
        raise UsageError(f"port {port} of {host} cannot be listened on; is it in use? Name another with --port, or 0")
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{bound[0][1]}"


async def _shut_down(master: DumpMaster, serving: asyncio.Task[None], stop: _Stop) -> None:
    """A signal that comes meanwhile, or again, cuts this short; its handler would raise inside of mitmproxy's tasks."""
    stop.clear()
    master.shutdown()  # type: ignore[no-untyped-call]
    await _first(asyncio.shield(serving), stop.wait())
    if serving.done() and not serving.cancelled():
        serving.result()


async def _first(*awaitables: Awaitable[object]) -> None:
    """Wait for one; the others are cancelled. What came of it is told by whoever else awaits it."""
    tasks = [asyncio.ensure_future(each) for each in awaitables]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        if not task.cancelled():
            task.exception()


async def _heard() -> None:
    """Signals that came have had their callbacks: the loop hears of one, reads its number, and calls."""
    for _ in range(3):
        await asyncio.sleep(0)


async def _ended(child: asyncio.subprocess.Process) -> None:
    """It has, or its time is over."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(child.wait(), PATIENCE)


async def _end(child: asyncio.subprocess.Process, number: int) -> None:
    """After a signal to us."""
    for each in ways_to_end(number):
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                child.send_signal(each)
            await _ended(child)


async def _quiet(addon: Record) -> None:
    """Let the answers that the command has had reach the add-on's end of them."""
    loop = asyncio.get_running_loop()
    until = loop.time() + TIDY
    while addon.under_way and loop.time() < until:
        await asyncio.sleep(0.01)


class _Stop(asyncio.Event):
    """Set by a signal to us."""

    number = 0
    """Which."""

    @property
    def interrupted(self) -> bool:
        """By SIGINT, which a terminal sends to the command as well."""
        return self.number == signal.SIGINT

    def signalled(self, number: int) -> None:
        self.number = number
        self.set()


@contextlib.contextmanager
def _signals(stop: _Stop) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP set `stop`, but one that whoever started us wants ignored; elsewhere than in the main
    thread signals are the caller's. A handler that raises would do so in whichever of mitmproxy's tasks runs."""
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers if not under_nohup(number)}
    for number in before:
        loop.add_signal_handler(number, stop.signalled, number)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
