"""Nango's integration tests: `api.<method>.<path>` with request and answer, taken through its proxy.

The paths are relative to the provider's address, which the file does not name: `base` does, or the path itself gives it
away, or else `provider.invalid` stands there. https://github.com/NangoHQ/integration-templates
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.json_stream import load
from durable_replay.cassette.formats.pattern import joined
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, mapping, octets, pairs, text
from durable_replay.cassette.formats.source import Head, Imported, Source, require_base
from durable_replay.http import Interaction, parse_query

__all__ = ["Nango"]

_METHODS = ("get", "post", "put", "patch", "delete")
_BASES = {"/ex/jira/": "https://api.atlassian.com", "/api/1.0/": "https://app.asana.com"}
_NOWHERE = "https://provider.invalid"


class Nango:
    """`{"input": …, "output": …, "api": {"get": {"/path": {"response", "status", "headers", "request"}}}}`."""

    name = "nango"

    def sniff(self, head: Head) -> bool:
        return head.kind == "json" and head.has("nango") and any(head.has("api", method) for method in _METHODS)

    def read(self, source: Source) -> Iterator[Imported]:
        api = mapping(mapping(load(source), "document").get("api"), "api")
        for method, path, answer in _answers(api):
            place = f"api.{method}.{path}"
            known = next((base for start, base in _BASES.items() if path.startswith(start)), _NOWHERE)
            base = require_base(source, known)
            try:
                yield Imported(_interaction(method, joined(base, path), answer), place)
            except Unfit as error:
                raise source.wrong(f"{place}: {error}") from error


def _answers(api: dict[str, Plain]) -> Iterator[tuple[str, str, dict[str, Plain]]]:
    for method, paths in api.items():
        for path, answers in mapping(paths, method).items():
            for answer in answers if isinstance(answers, list) else [answers]:
                yield method, path, mapping(answer, path)


def _interaction(method: str, url: str, answer: dict[str, Plain]) -> Interaction:
    request = mapping(answer.get("request"), "request")
    query = urlencode(list(_queried(request.get("params"))))
    if query:
        url += ("&" if "?" in url else "?") + query
    return Draft(
        method.upper(),
        url,
        list(pairs(request.get("headers"), "request.headers")),
        _written(request.get("data")),
        integer(answer.get("status"), "status", 200),
        response_headers=list(pairs(answer.get("headers"), "headers")),
        response_body=_written(answer.get("response")),
        notes=["taken through Nango's proxy, bodies written anew"],
    ).interaction()


def _queried(value: Plain) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from parse_query(value.lstrip("?"))
    else:
        for name, held in mapping(value, "request.params").items():
            values: list[Plain] = held if isinstance(held, list) else [held]
            for one in values:
                yield name, text(one, name)


def _written(value: Plain) -> bytes:
    if value is None or isinstance(value, str):
        return octets(value or "")
    return octets(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
