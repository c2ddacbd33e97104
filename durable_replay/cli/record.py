"""`durable-replay record`: real traffic becomes a cassette."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.options import COMMAND, Command, Format, Host, IncludeLoopback, Maps, Port, Shape
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import errors, indexing, megabytes, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from durable_replay.recording.recorder import Progress
    from durable_replay.recording.run import Outcome
    from durable_replay.settings import Settings

__all__ = ["add_to", "record"]


class Mode(StrEnum):
    """What is recorded."""

    once = "once"
    new = "new"
    all = "all"
    none = "none"


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command(
        "record",
        cls=QuickCommand,
        context_settings=COMMAND,
        epilog="Example: durable-replay record -c s3.cassette -- python script.py",
    )(record)


def record(
    cassette: Annotated[Path, typer.Option("--cassette", "-c", help="The cassette to record into.")],
    command: Command = None,
    mode: Annotated[
        Mode,
        typer.Option(
            "--mode",
            help="once: into a new cassette; new: add what is not on the tape; all: replace the tape; none: only pass.",
        ),
    ] = Mode.once,
    maps: Maps = None,
    include_loopback: IncludeLoopback = False,
    host: Host = "127.0.0.1",
    port: Port = 0,
    upstream_proxy: Annotated[
        str | None, typer.Option("--upstream-proxy", metavar="URL", help="Reach the services through this proxy.")
    ] = None,
    upstream_ca: Annotated[
        Path | None, typer.Option("--upstream-ca", help="A PEM file by which the services' certificates are verified.")
    ] = None,
    shape: Format = Shape.text,
) -> int:
    """Record the traffic of a command, or of everything that uses the proxy until Ctrl-C.

    Credentials are replaced before anything is written. A command's exit code is ours; 1 where the recording failed
    or secrets were found in it.
    """
    from durable_replay.child import not_started
    from durable_replay.recording.recorder import parse_map
    from durable_replay.recording.run import Upstream
    from durable_replay.recording.run import record as recorded
    from durable_replay.settings import Settings
    from durable_replay.tapes import redaction_rules

    _require_mitmproxy()
    if command and which(command[0]) is None:  # before a proxy is started and a file made for nothing
        raise not_started(command[0], FileNotFoundError())
    settings = Settings.load(Path.cwd())
    given = [parse_map(text) for text in maps or ()]
    configured = [parse_map(f"{name}={service}") for name, service in settings.hosts.items()]
    with _live_line(alone=command is None) as progress:
        outcome = recorded(
            cassette,
            mode=mode.value,
            host=host,
            port=port,
            upstream=Upstream(upstream_proxy, upstream_ca),
            maps=(*configured, *given),
            include_loopback=include_loopback,
            command=command,
            on_ready=None if command else lambda url: _tell_ready(url, cassette, include_loopback=include_loopback),
            on_progress=progress,
            rules=redaction_rules(settings.redact),
        )
    if outcome.written and not outcome.error:
        _index(cassette, settings)
    _show(outcome, cassette, shape)
    return outcome.exit_code


def _require_mitmproxy() -> None:
    from durable_replay.errors import UsageError

    try:
        there = find_spec("mitmproxy") is not None
    except ModuleNotFoundError:
        there = False
    if not there:
        raise UsageError("recording needs mitmproxy: pip install 'durable-replay[record]'")


def _tell_ready(url: str, cassette: Path, *, include_loopback: bool) -> None:
    loopback = " --include-loopback" if include_loopback else ""
    print(f"durable-replay records into {cassette} at {url}, a proxy for HTTP and HTTPS; Ctrl-C ends it.")
    print("For a shell:")
    print(f'  eval "$(durable-replay env --proxy {url}{loopback})"')
    print("  pytest    # or whatever is to be recorded", flush=True)


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


def _index(cassette: Path, settings: Settings) -> None:
    """A replay without it is as right and only slower to be ready, so that its failure does not fail the recording."""
    from durable_replay.errors import ReplayError
    from durable_replay.tapes import write_index

    try:
        with indexing() as progress:
            write_index(cassette, settings, on_progress=progress)
    except ReplayError as error:
        say(f"durable-replay: the recording is whole, but has no index: {error}")


def _show(outcome: Outcome, cassette: Path, shape: Shape) -> None:
    if shape is Shape.json:
        told = {**asdict(outcome), "cassette": str(cassette), "hosts": sorted(outcome.hosts)}
        print(json.dumps(told, ensure_ascii=False, default=str), file=sys.stderr)
        return
    hosts = ", ".join(sorted(outcome.hosts)) or "no host"
    say(
        f"recorded {outcome.written:,} of {outcome.interactions:,} interactions, {megabytes(outcome.bytes)}, "
        f"with {hosts} into {cassette}"
    )
    if outcome.error:
        say(f"durable-replay: {outcome.error}")
