"""A corpus answered in memory: what two recordings of a case hold, and what their comparison says.

The cases are written as in corpus/cases.py. An answer is `status`, `type` (a short name or a media type), `headers`,
`trailers`, and a `body`; `raw` is a text that is sent as it stands, `hex` are bytes. `encoding` is the text's, and
`wire` one of gzip and br, `gzip?` half the time.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from random import Random
from typing import TypeAlias

import brotli  # type: ignore[import-untyped]

from durable_replay.drift.compare import compare
from durable_replay.drift.finding import Comparison
from durable_replay.drift.noise import DiffRules
from durable_replay.drift.pairing import pairing
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.service.registry import Registry
from durable_replay.timeline.indexing import Indexing
from tests.drift.corpus.cases import Case
from tests.drift.corpus.rendering import Chance, Place, Tree, render
from tests.drift.corpus.scoring import Found
from tests.drift.corpus.server import TYPES

__all__ = ["Recorded", "compared", "found", "recorded"]

Template: TypeAlias = "Mapping[str, Tree]"

HOST = "api.test"
BEGIN = 1772442847.25
DAY = 86400.0


class Recorded:
    """One side: interactions in memory."""

    def __init__(self, interactions: Sequence[Interaction]) -> None:
        self._interactions = interactions

    def __len__(self) -> int:
        return len(self._interactions)

    def __iter__(self) -> Iterator[Interaction]:
        return iter(self._interactions)

    def interaction(self, number: int) -> Interaction:
        """The one of this number, from 1."""
        if not 0 < number <= len(self):
            raise LookupError(number)
        return self._interactions[number - 1]


def recorded(case: Case, *recordings: tuple[str, int]) -> Recorded:
    """Recordings of a case, each a version and a seed, one after the other."""
    told: list[Interaction] = []
    for version, seed in recordings:
        chance = Chance(Random(seed), BEGIN + seed * DAY)
        for step in case.steps(version, chance):
            chance.tick()
            target = str(step["target"])
            place = Place(chance, target, _name(target))
            response = _response(case.versions[version], place)
            told.append(Interaction(_request(step), response, len(told) + 1, started=chance.clock))
    return Recorded(told)


def compared(before: Recorded, after: Recorded, rules: DiffRules | None = None) -> Comparison:
    """As the command compares two cassettes."""
    with closing(pairing(before, after, Indexing(Registry()))) as paired:
        return compare(paired.groups(), rules or DiffRules())


def found(comparison: Comparison) -> tuple[Found, ...]:
    """The findings in the corpora's words."""
    return tuple(
        Found(
            each.endpoint.method,
            each.endpoint.path,
            each.path,
            each.kind.value,
            each.severity.value,
            each.text,
            f"{each.examples[0].before} -> {each.examples[0].after}" if each.examples else "",
        )
        for each in comparison.findings
    )


def _name(target: str) -> str:
    return target.partition("?")[0].rpartition("/")[2]


def _request(step: Template) -> Request:
    fields = [("Host", HOST)]
    own = step.get("headers", {})
    assert isinstance(own, dict)
    fields += [(name, str(value)) for name, value in own.items()]
    body = b""
    if "json" in step:
        fields.append(("Content-Type", "application/json"))
        body = json.dumps(step["json"]).encode()
    elif "text" in step:
        fields.append(("Content-Type", str(step["type"])))
        body = str(step["text"]).encode()
    return Request(str(step["method"]), "https", HOST, 443, str(step["target"]), Headers(fields), BytesBody(body))


def _response(template: Template, place: Place) -> Response:
    status = int(str(render(template.get("status", 200), place)))
    data = _data(template, place)
    short = str(template.get("type", "json"))
    media = str(render(TYPES.get(short, short), place))
    fields: list[tuple[str, str]] = [("Date", str(render("{{now http}}", place)))]
    if data or "type" in template:
        fields.append(("Content-Type", media))
    fields += _fields(template, "headers", place)
    for coding in _wire(template, place.chance.random):
        data = gzip.compress(data) if coding == "gzip" else brotli.compress(data)
        fields.append(("Content-Encoding", coding))
    return Response(status, Headers(fields), BytesBody(data), trailers=Headers(_fields(template, "trailers", place)))


def _data(template: Template, place: Place) -> bytes:
    encoding = str(template.get("encoding", "utf-8"))
    if "hex" in template:
        return bytes.fromhex(str(render(template["hex"], place)))
    if "raw" in template:
        raw = render(template["raw"], place)
        return "".join(map(str, raw)).encode(encoding) if isinstance(raw, list) else str(raw).encode(encoding)
    if "body" not in template:
        return b""
    return json.dumps(render(template["body"], place), ensure_ascii=False).encode(encoding)


def _fields(template: Template, name: str, place: Place) -> list[tuple[str, str]]:
    rendered = render(template.get(name, {}), place)
    assert isinstance(rendered, dict)
    return [
        (name, str(value))
        for name, values in rendered.items()
        for value in (values if isinstance(values, list) else [values])
    ]


def _wire(template: Template, dice: Random) -> list[str]:
    given = template.get("wire", [])
    assert isinstance(given, list)
    return [str(each).removesuffix("?") for each in given if not str(each).endswith("?") or dice.random() < 0.5]
