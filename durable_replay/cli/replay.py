"""`durable-replay replay`: recorded answers while they are true, emulated ones after."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.options import (
    COMMAND,
    Cassettes,
    Command,
    DataDir,
    Format,
    Host,
    IncludeLoopback,
    Maps,
    Port,
    Shape,
    hosts_of,
)
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import indexing, say

if TYPE_CHECKING:
    from durable_replay.replaying import Plan, Replay

__all__ = ["add_to", "replay"]


class OnMiss(StrEnum):
    """What is done with a request that no true recording answers."""

    emulate = "emulate"
    refuse = "refuse"
    forward = "forward"


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command(
        "replay",
        cls=QuickCommand,
        context_settings=COMMAND,
        epilog="Example: durable-replay replay -c s3.cassette --strict -- pytest tests",
    )(replay)


def replay(
    cassettes: Cassettes = None,
    command: Command = None,
    on_miss: Annotated[
        OnMiss | None,
        typer.Option(
            "--on-miss",
            help="For what no true recording answers: emulate (default), refuse, or forward to the real service.",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Exit 1 when any answer was not a recorded one: emulated, forwarded and refused answers are misses.",
        ),
    ] = False,
    maps: Maps = None,
    include_loopback: IncludeLoopback = False,
    data_dir: DataDir = None,
    host: Host = "127.0.0.1",
    port: Port = 0,
    seed: Annotated[int | None, typer.Option("--seed", help="What new ids are made from; 0 unless set.")] = None,
    clock: Annotated[
        str | None,
        typer.Option(
            "--clock",
            metavar="recorded|now|TIME",
            help="The sessions' time: recorded goes on from the tape's, now is the machine's, an ISO time ticks "
            "by one second a request. Default: recorded with a cassette.",
        ),
    ] = None,
    no_provenance: Annotated[
        bool, typer.Option("--no-provenance", help="Leave x-durable-source and its kin out of answers.")
    ] = False,
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="AGE", help="Warn of recordings older than this (30d, 12h); fail if strict."),
    ] = None,
    shape: Format = Shape.text,
) -> int:
    """Answer from cassettes, offline: byte for byte while a recording is true, then from the service's emulator.

    With a command, it runs with its traffic through the proxy; its exit code is ours, and a summary on stderr says
    where answers came from. Without one, the proxy runs until Ctrl-C.
    """
    from durable_replay.errors import UsageError
    from durable_replay.replaying import Plan

    if not cassettes and not command and on_miss is None and not maps:
        raise UsageError("nothing to replay: name a cassette by -c FILE, or use `durable-replay serve SERVICE`")
    plan = Plan(
        cassettes=tuple(cassettes or ()),
        on_miss=None if on_miss is None else on_miss.value,
        data_dir=data_dir,
        seed=seed,
        clock=clock,
        provenance=False if no_provenance else None,
        hosts=hosts_of(maps),
        host=host,
        port=port,
    )
    late = _too_old(plan.cassettes, max_age, strict=strict)
    code = _replayed(plan, command, shape, strict=strict, include_loopback=include_loopback)
    return code or late


def _too_old(cassettes: tuple[Path, ...], max_age: str | None, *, strict: bool) -> int:
    if max_age is None:
        return 0
    from datetime import UTC, datetime

    from durable_replay.cassette.care.age import check_age, parse_age

    age, now = parse_age(max_age), datetime.now(UTC)
    warnings = [text for path in cassettes if path.exists() and (text := check_age(path, age, now))]
    for text in warnings:
        say(f"durable-replay: {text}")
    return 1 if warnings and strict else 0


def _replayed(plan: Plan, command: list[str] | None, shape: Shape, *, strict: bool, include_loopback: bool) -> int:
    from durable_replay.child import run, until_stopped
    from durable_replay.cli.summary import show_summary
    from durable_replay.replaying import opened
    from durable_replay.settings import Settings

    with indexing() as progress, opened(plan, Settings.load(Path.cwd()), progress) as replay:
        code = 0
        if command:
            code = run(command, replay.environment(include_loopback=include_loopback))
        else:
            until_stopped(lambda: _tell_ready(replay, include_loopback=include_loopback))
        summary = replay.summary()
    show_summary(summary, shape)
    return code or (1 if strict and summary.missed else 0)


def _tell_ready(replay: Replay, *, include_loopback: bool) -> None:
    loopback = " --include-loopback" if include_loopback or replay.loopback_hosts() else ""
    print(f"durable-replay listens on {replay.url}, a proxy for HTTP and HTTPS; Ctrl-C ends it.")
    print("For a shell:")
    print(f'  eval "$(durable-replay env --proxy {replay.url}{loopback})"')
    print("  pytest    # or whatever is to be answered from here", flush=True)
