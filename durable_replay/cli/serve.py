"""`durable-replay serve`: one emulator at a plain endpoint, with a recording or without."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from durable_replay.cli.options import Cassettes, DataDir, Host, Port
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import indexing

__all__ = ["add_to", "serve", "serve_until_stopped"]


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("serve", cls=QuickCommand, epilog="Example: durable-replay serve s3 --port 8000 --data-dir /tmp/s3")(
        serve
    )


def serve(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Its name; `durable-replay services` lists them.")],
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: DataDir = None,
    cassettes: Cassettes = None,
) -> int:
    """Run one service's emulator at http://HOST:PORT until Ctrl-C, for any standard client."""
    return serve_until_stopped(service, host, port, data_dir, tuple(cassettes or ()))


def serve_until_stopped(
    service: str, host: str, port: int, data_dir: Path | None, cassettes: tuple[Path, ...] = ()
) -> int:
    """Says where it listens, where its data is, and that it is ready; then serves until it is stopped."""
    from durable_replay.child import until_stopped
    from durable_replay.replaying import Plan, opened
    from durable_replay.settings import Settings

    plan = Plan(cassettes=cassettes, service=service, data_dir=data_dir, host=host, port=port)
    with indexing() as progress, opened(plan, Settings.load(Path.cwd()), progress) as replay:
        kept = f"data in {data_dir.resolve()}" if data_dir else "data in memory (--data-dir DIR keeps it)"
        ready = f"{service} is ready at {replay.url}, {kept}; Ctrl-C ends it."
        until_stopped(lambda: print(ready, flush=True))
    return 0
