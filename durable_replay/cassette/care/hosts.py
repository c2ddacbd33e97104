"""The services that `--map` gave to hosts when a cassette was recorded: a JSON object in its `meta`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from durable_replay.cassette.store import Cassette, CassetteWriter

__all__ = ["add_mapped_hosts", "mapped_hosts"]

_KEY = "hosts"


def mapped_hosts(cassette: Cassette) -> dict[str, str]:
    """Service by `host` or `host:port`. Raises CassetteError."""
    text = cassette.meta(_KEY)
    found = _parsed(text)
    if found is None:
        raise cassette.damaged("its mapped hosts are no JSON object")
    return found


def _parsed(text: str | None) -> dict[str, str] | None:
    try:
        found = json.loads(text or "{}")
    except (ValueError, TypeError, RecursionError):
        return None
    return {str(host): str(service) for host, service in found.items()} if isinstance(found, dict) else None


def add_mapped_hosts(writer: CassetteWriter, hosts: Mapping[str, str]) -> None:
    """Beside those that are mapped already; committed with what the writer commits next."""
    if hosts:
        known = _parsed(writer.meta(_KEY)) or {}
        writer.set_meta(_KEY, json.dumps({**known, **hosts}, sort_keys=True))
