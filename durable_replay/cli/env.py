"""`durable-replay env`: what points a shell at a running proxy."""

from __future__ import annotations

import os
from typing import Annotated
from urllib.parse import urlsplit

import typer

from durable_replay.cli.options import Format, IncludeLoopback, Shape
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import plain

__all__ = ["add_to", "env"]


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("env", cls=QuickCommand, epilog='Example: eval "$(durable-replay env --port 8080)"')(env)


def env(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="The port of a proxy on this machine.")] = 8080,
    proxy: Annotated[
        str | None, typer.Option("--proxy", metavar="URL", help="The proxy's whole URL instead of a port.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", help="The session that this shell's requests belong to.")
    ] = None,
    include_loopback: IncludeLoopback = False,
    shape: Format = Shape.text,
) -> int:
    """Print the variables that send a shell's traffic to a running proxy and make its programs trust it."""
    from durable_replay.front.environment import LOOPBACK, child_environment, shell_lines
    from durable_replay.front.tls import Authority

    url = _checked(proxy or f"http://127.0.0.1:{port}", session)
    loopback = frozenset(LOOPBACK) if include_loopback else frozenset[str]()
    environment = child_environment(url, Authority.load_or_create(), loopback_hosts=loopback)
    if shape is Shape.json:
        plain({name: value for name, value in sorted(environment.items()) if os.environ.get(name) != value})
        return 0
    for line in shell_lines(environment):
        print(line)
    return 0


def _checked(url: str, session: str | None) -> str:
    from durable_replay.errors import UsageError
    from durable_replay.front.address import session_name

    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise UsageError(f"--proxy {url!r} is no proxy's URL; say http://HOST:PORT")
    if session is None:
        return url
    return url.replace("//", f"//{session_name(session)}@", 1)
