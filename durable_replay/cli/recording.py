"""One recording as the command line asks for it: into a cassette, with its index, and what is said of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from durable_replay.cli.terminal import errors, indexing, megabytes, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from durable_replay.recording.recorder import Progress
    from durable_replay.recording.run import Outcome
    from durable_replay.settings import Settings

__all__ = ["Mode", "Taking", "recording_text", "show_recording"]

NOTHING_CAME = (
    "no request came through the proxy and was answered. Does the program go by HTTPS_PROXY, and are servers of this"
    " machine named by --map or --include-loopback?"
)


class Mode(StrEnum):
    """What is recorded."""

    once = "once"
    new = "new"
    all = "all"
    none = "none"


@dataclass(frozen=True, slots=True)
class Taking:
    """What the command line says of a recording."""

    settings: Settings
    command: Sequence[str] | None
    maps: Sequence[str]
    include_loopback: bool
    host: str
    port: int
    upstream_proxy: str | None
    upstream_ca: Path | None
    mode: Mode

    def require_possible(self) -> None:
        """Raises UsageError before a proxy is started and a file made for nothing."""
        from durable_replay.child import not_started
        from durable_replay.recording.recorder import parse_map

        _require_mitmproxy()
        if self.command and which(self.command[0]) is None:
            raise not_started(self.command[0], FileNotFoundError())
        for text in self.maps:
            parse_map(text)
        _require_upstream(self.upstream_proxy, self.upstream_ca)

    def into(self, cassette: Path, shown: Path | None = None, loopback_hosts: frozenset[str] = frozenset()) -> Outcome:
        """Record into this cassette, which people know as `shown`. Raises UsageError and CassetteError."""
        from durable_replay.recording.recorder import parse_map
        from durable_replay.recording.run import Upstream
        from durable_replay.recording.run import record as recorded
        from durable_replay.tapes import redaction_rules

        configured = [f"{name}={service}" for name, service in self.settings.hosts.items()]
        with _live_line(alone=not self.command) as progress:
            return recorded(
                cassette,
                mode=self.mode.value,
                host=self.host,
                port=self.port,
                upstream=Upstream(self.upstream_proxy, self.upstream_ca),
                maps=tuple(parse_map(text) for text in (*configured, *self.maps)),
                include_loopback=self.include_loopback,
                loopback_hosts=loopback_hosts,
                command=self.command,
                on_ready=None if self.command else lambda url: self._tell_ready(url, shown or cassette, loopback_hosts),
                on_progress=progress,
                rules=redaction_rules(self.settings.redact),
            )

    def _tell_ready(self, url: str, cassette: Path, loopback_hosts: frozenset[str]) -> None:
        loopback = " --include-loopback" if self.include_loopback or loopback_hosts else ""
        print(f"durable-replay records into {cassette} at {url}, a proxy for HTTP and HTTPS; Ctrl-C ends it.")
        print("For a shell:")
        print(f'  eval "$(durable-replay env --proxy {url}{loopback})"')
        print("  pytest    # or whatever is to be recorded", flush=True)

    def index(self, cassette: Path, name: str | None = None) -> None:
        """A replay without it is as right and only slower to be ready, so that its failure does not fail the recording.

        `name` is what the file will be called."""
        from durable_replay.errors import ReplayError
        from durable_replay.tapes import write_index

        try:
            with indexing() as progress:
                write_index(cassette, self.settings, on_progress=progress, name=name)
        except ReplayError as error:
            say(f"durable-replay: the recording is whole, but has no index: {error}")


def _require_mitmproxy() -> None:
    from durable_replay.errors import UsageError

    try:
        there = find_spec("mitmproxy") is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        raise UsageError("recording needs mitmproxy: pip install 'durable-replay[record]'")


def _require_upstream(proxy: str | None, ca: Path | None) -> None:
    """What the proxy would take without a word, and then reach nothing."""
    from ssl import create_default_context
    from urllib.parse import urlsplit

    from durable_replay.errors import UsageError

    if proxy is not None:
        try:
            parts = urlsplit(proxy)
            whole = parts.scheme in ("http", "https") and parts.hostname and parts.port is not None
        except ValueError:
            whole = False
        if not whole:
            raise UsageError("--upstream-proxy is not http://HOST:PORT, as in --upstream-proxy http://localhost:3128")
    if ca is not None:
        try:
            create_default_context(cafile=ca)
        except OSError:  # SSLError too
            raise UsageError(f"--upstream-ca {ca} is no PEM file of certificates that can be read") from None


@contextmanager
def _live_line(*, alone: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A line that is kept up to date; none where a command has the terminal, or there is no terminal."""
    if not alone or not sys.stderr.isatty():
        yield None
        return
    with errors().status("recording") as status:
        yield lambda progress: status.update(
            f"recording: {progress.interactions:,} interactions, {megabytes(progress.bytes)}, "
            f"{', '.join(sorted(progress.hosts)[:4]) or 'no host yet'}"
        )


def show_recording(outcome: Outcome, cassette: Path, *, as_json: bool) -> None:
    """The summary, on stderr."""
    if as_json:
        say(recording_text(outcome, cassette))
        return
    hosts = ", ".join(sorted(outcome.hosts)) or "no host"
    say(
        f"recorded {outcome.written:,} of {outcome.interactions:,} interactions, {megabytes(outcome.bytes)}, "
        f"with {hosts} into {cassette}"
    )
    if outcome.error:
        say(f"durable-replay: {outcome.error}")
    elif not outcome.interactions:
        say(f"durable-replay: {NOTHING_CAME}")


def recording_text(outcome: Outcome | None, cassette: Path, **more: object) -> str:
    """The summary for programs: one line of JSON. None: nothing was recorded by this run."""
    recorded = {**asdict(outcome), "hosts": sorted(outcome.hosts)} if outcome is not None else {}
    told = {**recorded, "cassette": str(cassette), **more}
    return json.dumps(told, ensure_ascii=False, default=str)
