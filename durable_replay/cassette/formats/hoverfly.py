"""Hoverfly's simulations, schema v1 to v5 (and their minor versions). https://docs.hoverfly.io

Version 1 holds requests; the later ones hold matchers, as `{"exactMatch": …}` up to v4 and as lists of
`{"matcher": "exact", "value": …}` in v5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.json_stream import entries
from durable_replay.cassette.formats.pattern import loosely
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, mapping, number, octets, pairs, text
from durable_replay.cassette.formats.records import base64_of
from durable_replay.cassette.formats.source import Head, Imported, Source, each
from durable_replay.http import Interaction

__all__ = ["Hoverfly"]

_VERSION = re.compile(r"v[1-5](\.\d+)?")
_EXACT = frozenset({"exact", "exactMatch", "json", "jsonMatch", "xml", "xmlMatch", "form", "array"})


class Hoverfly:
    """`{"data": {"pairs": [{"request": …, "response": …}]}, "meta": {"schemaVersion": "v5"}}`."""

    name = "hoverfly"

    def sniff(self, head: Head) -> bool:
        return head.kind == "json" and head.has("data", "pairs")

    def read(self, source: Source) -> Iterator[Imported]:
        around: dict[str, Plain] = {}
        yield from each(source, entries(source, ("data", "pairs"), around), partial(_interaction, source))
        version = text(mapping(around.get("meta"), "meta").get("schemaVersion"), "meta.schemaVersion")
        if version and not _VERSION.fullmatch(version):
            raise source.wrong(f"it is a simulation of schema {version!r}; those known are v1 to v5")


def _interaction(source: Source, value: Plain) -> Interaction:
    pair = mapping(value, "pair")
    request, response = mapping(pair.get("request"), "request"), mapping(pair.get("response"), "response")
    if not request or not response:
        raise Unfit(f"it has no '{'response' if request else 'request'}'")
    notes: list[str] = []
    headers = list(pairs(response.get("headers"), "response.headers"))
    draft = Draft(
        _one(request.get("method"), "method", notes) or "GET",
        _url(source, request, notes),
        list(_fields(request, notes)),
        octets(_one(request.get("body"), "body", notes)),
        integer(response.get("status"), "response.status"),
        response_headers=headers,
        response_body=_body(source, response),
        duration=number(response.get("fixedDelay")) / 1000,
        notes=notes,
    )
    if response.get("templated") is True:
        notes.append("the source fills its answer's template anew for each request, the template stands here")
    return draft.interaction()


def _url(source: Source, request: dict[str, Plain], notes: list[str]) -> str:
    scheme = _one(request.get("scheme"), "scheme", notes) or "http"
    host = _one(request.get("destination"), "destination", notes)
    if not host:
        base = source.base
        if not base:
            raise Unfit("its request names no destination; give the service's address as base")
        scheme, _, host = base.rstrip("/").partition("://")
    path = _one(request.get("path"), "path", notes) or "/"
    query = "&".join(f"{name}={value}" for name, value in _query(request, notes))
    return f"{scheme}://{host}{path if path.startswith('/') else '/' + path}{'?' + query if query else ''}"


def _query(request: dict[str, Plain], notes: list[str]) -> Iterator[tuple[str, str]]:
    """v1 to v4 hold it as one text, v5 (and v4's `queriesWithMatchers`) by name."""
    value = request.get("query", request.get("queriesWithMatchers"))
    if isinstance(value, dict) and not _EXACT & value.keys() and "globMatch" not in value and "regexMatch" not in value:
        for name, matchers in value.items():
            for held in _each(matchers, f"query '{name}'", notes):
                yield name, held
        return
    whole = _one(value, "query", notes)
    for part in whole.split("&") if whole else ():
        name, _, held = part.partition("=")
        yield name, held


def _fields(request: dict[str, Plain], notes: list[str]) -> Iterator[tuple[str, str]]:
    value = mapping(request.get("headers") or request.get("headersWithMatchers"), "request.headers")
    for name, matchers in value.items():
        for held in _each(matchers, f"header '{name}'", notes):
            yield name, held


def _one(value: Plain, what: str, notes: list[str]) -> str:
    return ";".join(_each(value, what, notes))


def _each(value: Plain, what: str, notes: list[str]) -> Iterator[str]:
    """The texts of a value of v1, a matcher of v2 to v4, or matchers of v5."""
    if value is None or isinstance(value, str):
        yield from [value] if value else []
    elif isinstance(value, dict) and "matcher" not in value:
        for how, held in value.items():
            yield _text(how, held, what, notes)
    elif isinstance(value, dict):
        yield _text(text(value["matcher"], "matcher"), value.get("value"), what, notes)
    elif isinstance(value, list):
        for each_one in value:
            yield from _each(each_one, what, notes)
    else:
        yield text(value, what)


def _text(how: str, held: Plain, what: str, notes: list[str]) -> str:
    if how not in _EXACT:
        loosely(notes, what, how)
    if isinstance(held, list):
        return ";".join(text(each_one, what) for each_one in held)
    return text(held, what)


def _body(source: Source, response: dict[str, Plain]) -> bytes:
    if response.get("bodyFile"):
        return _file(source, text(response["bodyFile"], "response.bodyFile"))
    if response.get("encodedBody") is True:
        return base64_of(response.get("body"), "response.body")
    return octets(text(response.get("body"), "response.body"))


def _file(source: Source, name: str) -> bytes:
    folder = source.path.absolute().parent.resolve()
    found = (folder / name).resolve()
    if not found.is_relative_to(folder) or not found.is_file():
        raise Unfit(f"its body is '{name}', which is no file below {folder}")
    return Source(found).read()
