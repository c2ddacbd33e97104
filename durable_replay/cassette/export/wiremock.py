"""WireMock's mappings: one file for its folder `mappings`, or for `POST /__admin/mappings/import`.

https://wiremock.org/docs/stubbing/ . A mapping knows no host, since clients are pointed at WireMock itself; its
metadata tells where the recording is from. A request with several answers becomes a scenario, as WireMock's own
recorder makes it (https://wiremock.org/docs/stateful-behaviour/); the last answer repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import NAMESPACE_URL, uuid5

from durable_replay.cassette.export.exported import Losses, Tape
from durable_replay.cassette.export.messages import (
    Repeats,
    Turn,
    as_base64,
    as_text,
    by_name,
    held,
    items,
    without_hop,
)
from durable_replay.cassette.text.layout import kind_of
from durable_replay.http import Body, Interaction, Request, Response

__all__ = ["wiremock"]

Object = dict[str, object]


def wiremock(tape: Tape, losses: Losses) -> Iterator[str]:
    """See Exporter."""
    repeats = Repeats(tape)
    yield '{"mappings": ['
    yield from items(_mapping(each, repeats.turn(each), losses) for each in held(tape(), losses))
    yield "\n]}\n"


def _mapping(interaction: Interaction, turn: Turn, losses: Losses) -> Object:
    losses.add("request headers", len(interaction.request.headers))
    losses.add("times", int(interaction.started > 0))
    losses.add("notes", int(bool(interaction.note)))
    mapping: Object = {
        "id": str(uuid5(NAMESPACE_URL, f"durable-replay:{turn.identity}:{turn.number}")),
        "request": _request(interaction.request),
        "response": _response(interaction.response, losses),
        "metadata": {"durable-replay": {"number": interaction.number, "url": interaction.request.url}},
    }
    if turn.of > 1:
        mapping["scenarioName"] = f"recorded {turn.identity}"
        mapping["requiredScenarioState"] = "Started" if turn.number == 1 else str(turn.number)
        if turn.number < turn.of:
            mapping["newScenarioState"] = str(turn.number + 1)
    return mapping


def _request(request: Request) -> Object:
    found: Object = {"method": request.method, "url": request.target}
    if request.body:
        found["bodyPatterns"] = [_pattern(request.body, request.headers.get("content-type"))]
    return found


def _pattern(body: Body, media: str) -> Object:
    text = as_text(body)
    if text is None:
        return {"binaryEqualTo": as_base64(body)}
    kind = kind_of(media, text)
    return {{"json": "equalToJson", "xml": "equalToXml"}.get(kind, "equalTo"): text}


def _response(response: Response, losses: Losses) -> Object:
    found: Object = {"status": response.status}
    if response.reason:
        found["statusMessage"] = response.reason
    headers = by_name(without_hop(response.headers), losses)
    found["headers"] = {name: values[0] if len(values) == 1 else values for name, values in headers.items()}
    if response.body:
        text = None if response.headers.get("content-encoding") else as_text(response.body)
        found.update({"base64Body": as_base64(response.body)} if text is None else {"body": text})
    return found
