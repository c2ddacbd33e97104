"""The README's table of operations, made of the routes: `python -m durable_s3.coverage` prints it."""

from __future__ import annotations

from durable_replay.service.api import Service

__all__ = ["operations_table"]


def operations_table(service: Service) -> str:
    """Markdown: each emulated operation with its addresses, then the names of those that are refused."""
    rows: dict[str, list[str]] = {}
    for address, operation in service.routes.items():
        if operation.do is not None:
            rows.setdefault(operation.name, []).append(f"`{' '.join(address.split())}`")
    lines = [f"| {name} | {'<br>'.join(addresses)} |" for name, addresses in sorted(rows.items())]
    refused = sorted({operation.name for operation in service.routes.values() if operation.do is None})
    table = "\n".join(["| operation | addresses |", "| --- | --- |", *lines])
    return f"{table}\n\nKnown and refused with `NotImplemented` (501): {', '.join(refused)}.\n"


if __name__ == "__main__":
    from durable_s3 import service

    print(operations_table(service), end="")
