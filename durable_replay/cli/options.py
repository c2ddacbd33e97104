"""Options that several commands take, and what their texts mean."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from durable_replay.errors import UsageError

__all__ = [
    "COMMAND",
    "Cassettes",
    "Command",
    "DataDir",
    "File",
    "Format",
    "Host",
    "IncludeLoopback",
    "Maps",
    "Port",
    "Shape",
    "hosts_of",
]

COMMAND = {"allow_interspersed_args": False}
"""The command's own options are not ours, with `--` before it or without."""


class Shape(StrEnum):
    """For whom the output is."""

    text = "text"
    json = "json"


Format = Annotated[Shape, typer.Option("--format", help="text for people, json for programs.")]
Host = Annotated[str, typer.Option("--host", help="The address to listen on; loopback unless you say otherwise.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.")]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Keep state here, on disk before an answer leaves. Without it: in memory."),
]
Cassettes = Annotated[
    list[Path] | None, typer.Option("--cassette", "-c", help="A cassette; repeat it for several, one after the other.")
]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="HOST[:PORT]=SERVICE", help="This host speaks this service's API. Repeatable."),
]
IncludeLoopback = Annotated[
    bool, typer.Option("--include-loopback", help="Traffic to this machine's own servers goes through the proxy too.")
]
Command = Annotated[
    list[str] | None, typer.Argument(metavar="-- CMD", help="Run this command with its traffic through the proxy.")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The cassette.")]


def hosts_of(maps: Iterable[str] | None) -> dict[str, str]:
    """`HOST[:PORT]=SERVICE` texts by host. Raises UsageError."""
    hosts: dict[str, str] = {}
    for text in maps or ():
        host, equals, service = text.rpartition("=")
        port = host.rpartition(":")[2] if ":" in host and not host.endswith("]") else "1"
        if not (equals and host and service and port.isdigit() and 0 < int(port) < 65536):
            raise UsageError(f"--map {text!r} is not HOST[:PORT]=SERVICE, as in --map minio.local:9000=s3")
        hosts[host.lower()] = service
    return hosts
