"""How bad a difference is for those who call the API.

The table is data (`severities.json`). Some kinds depend on what differs, and then the place that finds the difference
says so: another status of the same class, another charset, an endpoint that was only not recorded are cosmetic; a
header is missed (breaking) if clients rely on it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from durable_replay.drift.finding import Kind, Severity

__all__ = ["default_severities", "severity_of"]


@lru_cache(maxsize=1)
def default_severities() -> Mapping[Kind, Severity]:
    """The severity of each kind where nothing else is said."""
    table: dict[str, str] = json.loads(Path(__file__).with_name("severities.json").read_text("utf-8"))
    return MappingProxyType({Kind(kind): Severity(severity) for kind, severity in table.items()})


def severity_of(kind: Kind, own: Severity | None, chosen: Mapping[Kind, Severity]) -> Severity:
    """The user's choice for the kind, else the difference's own severity, else the table's."""
    if kind in chosen:
        return chosen[kind]
    return own or default_severities()[kind]
