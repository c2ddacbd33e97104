"""`durable-replay services`: what can be emulated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.options import Format, Shape
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import out, plain

if TYPE_CHECKING:
    from durable_replay.service.api import Service

__all__ = ["add_to", "services"]


def add_to(app: typer.Typer) -> None:
    """Registers the command."""
    app.command("services", cls=QuickCommand, epilog="Examples: durable-replay services, durable-replay services s3")(
        services
    )


def services(
    name: Annotated[str | None, typer.Argument(metavar="[SERVICE]", help="List this one's operations.")] = None,
    shape: Format = Shape.text,
) -> int:
    """List the installed services, or the operations of one and whether they are emulated."""
    from durable_replay.service.registry import Registry

    if name is None:
        _show_all(Registry.installed().services(), shape)
    else:
        _show_one(Registry.installed([name]).get(name), shape)
    return 0


def _emulated(service: Service) -> int:
    return sum(operation.do is not None for operation in service.routes.values())


def _show_all(found: list[Service], shape: Shape) -> None:
    if shape is Shape.json:
        plain(
            [
                {"name": one.name, "hosts": one.hosts, "operations": len(one.routes), "emulated": _emulated(one)}
                for one in found
            ]
        )
        return
    from rich.table import Table

    table = Table("service", "hosts", "operations", "emulated", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.name, _few(one.hosts), str(len(one.routes)), str(_emulated(one)))
    out().print(table)


def _few(hosts: tuple[str, ...]) -> str:
    more = len(hosts) - 3
    return ", ".join(hosts[:3]) + (f" and {more} more" if more > 0 else "")


def _show_one(service: Service, shape: Shape) -> None:
    rows = [
        (" ".join(address.split()), operation.name, operation.do is not None)
        for address, operation in service.routes.items()
    ]
    if shape is Shape.json:
        plain([{"address": address, "operation": name, "emulated": emulated} for address, name, emulated in rows])
        return
    from rich.table import Table

    table = Table("address", "operation", "emulated", box=None, pad_edge=False)
    for address, name, emulated in rows:
        table.add_row(address, name, "yes" if emulated else "no: 501")
    out().print(table)
