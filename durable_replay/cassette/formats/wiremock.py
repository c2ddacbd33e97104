"""WireMock's mappings with their `__files`. https://wiremock.org/docs/stubbing/

A mapping names no host; `base` does. One file is one mapping, or `{"mappings": […]}`. A body is text, JSON, base64 or a
file below the folder `__files` beside the folder `mappings`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.json_stream import entries, load
from durable_replay.cassette.formats.pattern import joined, loosely
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, listing, mapping, octets, pairs, text
from durable_replay.cassette.formats.records import base64_of
from durable_replay.cassette.formats.source import Head, Imported, Item, Source, each, require_base
from durable_replay.http import Interaction

__all__ = ["WireMock"]

_URLS = ("url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate")
_EXACT = ("equalTo", "equalToJson", "equalToXml", "binaryEqualTo")
_DEFAULT = "http://localhost:8080"  # where WireMock itself listens


class WireMock:
    """`{"request": {"method", "url" | "urlPath" | …}, "response": {"status", "body" | "bodyFileName" | …}}`."""

    name = "wiremock"

    def sniff(self, head: Head) -> bool:
        if head.kind != "json":
            return False
        many = head.has("mappings", "[]", "request") or head.has("mappings", "[]", "response")
        one = head.has("response") and any(head.has("request", key) for key in (*_URLS, "method"))
        return many or (one and not head.has("request", "uri"))

    def read(self, source: Source) -> Iterator[Imported]:
        many = source.head.has("mappings")
        items = entries(source, ("mappings",)) if many else iter([Item(load(source), 1)])
        yield from each(source, items, partial(_interaction, source, require_base(source, _DEFAULT), {}))


def _interaction(source: Source, base: str, seen: dict[str, None], value: Plain) -> Interaction:
    entry = mapping(value, "mapping")
    identity = text(entry.get("id") or entry.get("uuid"), "id")
    if identity and identity in seen:
        raise Unfit(f"the mapping {identity} stands here a second time")
    seen[identity] = None
    request, response = mapping(entry.get("request"), "request"), mapping(entry.get("response"), "response")
    if not response:
        raise Unfit("it has no 'response'")
    notes: list[str] = []
    method = text(request.get("method"), "request.method") or "ANY"
    if method == "ANY":
        notes.append("the source answers any method, GET stands here")
        method = "GET"
    draft = Draft(
        method,
        _url(request, base, notes),
        list(_matched(request.get("headers"), "header", notes)),
        _sent(request, notes),
        integer(response.get("status"), "response.status", 200),
        text(response.get("statusMessage"), "response.statusMessage"),
        list(pairs(response.get("headers"), "response.headers")),
        _body(source, response, notes),
        notes=notes,
    )
    if "response-template" in listing(response.get("transformers"), "response.transformers"):
        notes.append("the source fills its answer's template anew for each request, the template stands here")
    return draft.interaction()


def _url(request: dict[str, Plain], base: str, notes: list[str]) -> str:
    key = next((key for key in _URLS if key in request), "")
    path = text(request.get(key), f"request.{key}") or "/"
    if key in ("urlPattern", "urlPathPattern", "urlPathTemplate"):
        loosely(notes, "path", "template" if key == "urlPathTemplate" else "regular expression")
    query = list(_matched(request.get("queryParameters"), "query", notes))
    return joined(base, path, query)


def _matched(value: Plain, what: str, notes: list[str]) -> Iterator[tuple[str, str]]:
    for name, pattern in mapping(value, what).items():
        matcher = mapping(pattern, f"{what} '{name}'")
        if "equalTo" in matcher:
            yield name, text(matcher["equalTo"], name)
        elif matcher and "absent" not in matcher:
            how = next(iter(matcher))
            loosely(notes, f"{what} '{name}'", how)
            if isinstance(matcher[how], str | int | float):
                yield name, text(matcher[how], name)


def _sent(request: dict[str, Plain], notes: list[str]) -> bytes:
    patterns = [mapping(each, "bodyPatterns") for each in listing(request.get("bodyPatterns"), "bodyPatterns")]
    for pattern in patterns:
        how = next((key for key in _EXACT if key in pattern), "")
        if how == "binaryEqualTo":
            return base64_of(pattern[how], "bodyPatterns.binaryEqualTo")
        if how:
            held = pattern[how]
            return octets(held if isinstance(held, str) else json.dumps(held, ensure_ascii=False))
    if patterns:
        loosely(notes, "body", next(iter(patterns[0]), "nothing"))
        notes[-1] = notes[-1].replace("whose text stands here instead", "so none stands here")
    return b""


def _body(source: Source, response: dict[str, Plain], notes: list[str]) -> bytes:
    if "base64Body" in response:
        return base64_of(response["base64Body"], "response.base64Body")
    if "jsonBody" in response:
        return octets(json.dumps(response["jsonBody"], ensure_ascii=False, separators=(",", ":")))
    if "bodyFileName" in response:
        return _file(source, text(response["bodyFileName"], "response.bodyFileName"))
    if "proxyBaseUrl" in response:
        notes.append("the source passes this request on, it holds no answer")
    if "fault" in response:
        notes.append(f"the source breaks this answer off ({text(response['fault'], 'response.fault')[:40]})")
    return octets(text(response.get("body"), "response.body"))


def _file(source: Source, name: str) -> bytes:
    for above in list(source.path.absolute().parents)[:6]:
        folder = (above / "__files").resolve()
        if folder.is_dir():
            found = (folder / name).resolve()
            if not found.is_relative_to(folder):
                raise Unfit(f"its body is '{name}', which lies outside {folder}")
            if not found.is_file():
                raise Unfit(f"its body is '{name}', which is not in {folder}")
            return Source(Path(found)).read()
    raise Unfit(f"its body is '{name}', and no folder '__files' is beside or above it")
