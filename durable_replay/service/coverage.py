"""A service's operations as the table of its README: `python -m durable_replay.service.coverage NAME` prints it."""

from __future__ import annotations

import sys

from durable_replay.service.api import Service

__all__ = ["operations_table"]


def operations_table(service: Service) -> str:
    """Markdown: each emulated operation with its addresses, then the names of those that are only known."""
    rows: dict[str, list[str]] = {}
    for address, operation in service.routes.items():
        if operation.do is not None:
            rows.setdefault(operation.name, []).append(f"`{' '.join(address.split())}`")
    lines = [f"| {name.replace('_', ' ')} | {'<br>'.join(addresses)} |" for name, addresses in sorted(rows.items())]
    table = "\n".join(["| operation | addresses |", "| --- | --- |", *lines])
    known = sorted({operation.name.replace("_", " ") for operation in service.routes.values() if operation.do is None})
    told = f"\nServed from recordings alone, refused (501) where none is true: {', '.join(known)}.\n" if known else ""
    return f"{table}\n{told}"


if __name__ == "__main__":
    from durable_replay.service.registry import Registry

    print(operations_table(Registry.installed(sys.argv[1:2]).get(sys.argv[1])), end="")
