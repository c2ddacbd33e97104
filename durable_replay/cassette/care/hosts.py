"""The services that `--map` gave to hosts when a cassette was recorded: a JSON object in its `meta`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from durable_replay.cassette.store import Cassette, CassetteWriter

__all__ = ["mapped_hosts", "set_mapped_hosts"]

_KEY = "hosts"


def mapped_hosts(cassette: Cassette) -> dict[str, str]:
    """Service by `host` or `host:port`. Raises CassetteError."""
    return _read(cassette.connection(), cassette)


def _read(connection: sqlite3.Connection, cassette: Cassette) -> dict[str, str]:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_KEY,)).fetchone()
    try:
        found = json.loads(row[0]) if row else {}
    except (ValueError, TypeError) as error:
        raise cassette.damaged("its mapped hosts are no JSON") from error
    return {str(host): str(service) for host, service in found.items()} if isinstance(found, dict) else {}


def set_mapped_hosts(writer: CassetteWriter, hosts: Mapping[str, str]) -> None:
    """Make the mapped hosts these; they are on disk when this returns. Raises CassetteError."""
    text = json.dumps(dict(hosts), sort_keys=True)
    db = writer.index_connection()
    if hosts:
        db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_KEY, text))
    else:
        db.execute("DELETE FROM meta WHERE key = ?", (_KEY,))
    db.execute("COMMIT")
