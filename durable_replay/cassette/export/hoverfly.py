"""Hoverfly's simulations, schema v5.2. https://docs.hoverfly.io/en/latest/pages/reference/simulationschema.html

A request with several answers becomes a sequence: a state whose name begins with `sequence:` starts at 1 in Hoverfly.
Paths and queries are compared decoded there, so they are written decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import unquote

from durable_replay import __version__
from durable_replay.cassette.export.exported import Losses, Tape
from durable_replay.cassette.export.messages import (
    Repeats,
    Turn,
    as_base64,
    as_text,
    by_name,
    document,
    held,
    items,
    without_hop,
)
from durable_replay.cassette.text.layout import kind_of
from durable_replay.http import Interaction, Request, Response

__all__ = ["hoverfly"]

Object = dict[str, object]
_DECODED_AWAY = re.compile("%2f|%25", re.IGNORECASE)


def hoverfly(tape: Tape, losses: Losses) -> Iterator[str]:
    """See Exporter."""
    repeats, last = Repeats(tape), 0.0

    def pairs() -> Iterator[Object]:
        nonlocal last
        for interaction in held(tape(), losses):
            last = max(last, interaction.started)
            yield _pair(interaction, repeats.turn(interaction), losses)

    yield '{"data": {\n"pairs": ['
    yield from items(pairs())
    meta = {
        "schemaVersion": "v5.2",
        "hoverflyVersion": f"durable-replay {__version__}",
        "timeExported": f"{datetime.fromtimestamp(min(last, 253402300799), UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    yield f'\n],\n"globalActions": {{"delays": [], "delaysLogNormal": []}}\n}},\n"meta": {document(meta)}\n}}\n'


def _pair(interaction: Interaction, turn: Turn, losses: Losses) -> Object:
    losses.add("request headers", len(interaction.request.headers))
    losses.add("times", int(interaction.started > 0))
    losses.add("notes", int(bool(interaction.note)))
    request, response = _request(interaction.request, losses), _response(interaction.response, losses)
    if turn.of > 1:
        state = f"sequence:{turn.identity}"
        request["requiresState"] = {state: str(turn.number)}
        if turn.number < turn.of:
            response["transitionsState"] = {state: str(turn.number + 1)}
    return {"request": request, "response": response}


def _exact(value: str) -> list[Object]:
    return [{"matcher": "exact", "value": value}]


def _request(request: Request, losses: Losses) -> Object:
    path = unquote(request.path)
    losses.add("paths with an escaped slash or percent sign", int(bool(_DECODED_AWAY.search(request.path))))
    found: Object = {
        "method": _exact(request.method),
        "scheme": _exact(request.scheme),
        "destination": _exact(request.authority),
        "path": _exact(path),
    }
    query: dict[str, list[str]] = {}
    for name, value in request.query:
        query.setdefault(name, []).append(value)
    if query:
        found["query"] = {name: _exact(";".join(values)) for name, values in query.items()}
        losses.add("repeated query names", sum(len(values) > 1 for values in query.values()))
    text = as_text(request.body)
    if text is None:
        losses.add("binary request bodies")
    else:
        kind = kind_of(request.headers.get("content-type"), text) if text else ""
        found["body"] = [{"matcher": kind if kind in ("json", "xml") else "exact", "value": text}]
    return found


def _response(response: Response, losses: Losses) -> Object:
    text = None if response.headers.get("content-encoding") else as_text(response.body)
    losses.add("reason phrases", int(bool(response.reason)))
    return {
        "status": response.status,
        "body": as_base64(response.body) if text is None else text,
        "encodedBody": text is None,
        "headers": by_name(without_hop(response.headers), losses),
        "templated": False,
    }
