"""The README's table of operations, made of the routes: `python -m durable_jira.coverage` prints it."""

from __future__ import annotations

from durable_replay.service.api import Service

__all__ = ["operations_table"]


def operations_table(service: Service) -> str:
    """Markdown: each emulated operation with its addresses, then the addresses served from recordings alone."""
    rows: dict[str, list[str]] = {}
    recorded: list[str] = []
    for address, operation in service.routes.items():
        shown = f"`{' '.join(address.split())}`"
        if operation.do is None:
            recorded.append(shown)
        else:
            rows.setdefault(operation.name, []).append(shown)
    lines = [f"| {name.replace('_', ' ')} | {'<br>'.join(addresses)} |" for name, addresses in rows.items()]
    table = "\n".join(["| operation | addresses |", "| --- | --- |", *lines])
    kept = "\n".join(f"- {one}" for one in recorded)
    return f"{table}\n\nServed from recordings alone (501 where none is true):\n\n{kept}\n"


if __name__ == "__main__":
    from durable_jira import service

    print(operations_table(service), end="")
