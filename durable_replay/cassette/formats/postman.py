"""Postman's collections, v2.0 and v2.1: each saved example is an interaction. https://schema.postman.com

`{{name}}` is filled in from the collection's own variables; a host that none of them gives becomes `name.invalid`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.json_stream import load
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, listing, mapping, number, octets, pairs, text
from durable_replay.cassette.formats.source import Head, Imported, Source
from durable_replay.http import Interaction

__all__ = ["Postman"]

_SCHEMA = re.compile(r"collection/v(\d+\.\d+)")
_KNOWN = ("2.0", "2.1")
_VARIABLE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_SEGMENT = re.compile(r"/:([^/?#:]+)")
_DEPTH = 50


class Postman:
    """`{"info": {"schema": "…/collection/v2.1.0/collection.json"}, "item": […]}`."""

    name = "postman"

    def sniff(self, head: Head) -> bool:
        if head.kind != "json":
            return False
        return "postman.com" in head.text("info", "schema") or head.has("info", "_postman_id")

    def read(self, source: Source) -> Iterator[Imported]:
        document = mapping(load(source), "collection")
        schema = text(mapping(document.get("info"), "info").get("schema"), "info.schema")
        version = _SCHEMA.search(schema)
        if version is None or version[1] not in _KNOWN:
            said = f"of schema {schema!r}" if schema else "without a schema"
            raise source.wrong(f"it is a collection {said}; those known are v2.0 and v2.1")
        variables = _variables(document.get("variable"))
        if source.base:
            variables.setdefault("baseUrl", source.base)
        number_ = 0
        try:
            for name, item, example in _examples(document.get("item"), "", 0):
                number_ += 1
                yield Imported(_interaction(item, example, variables, source.base), f"example {number_}, {name}")
        except Unfit as error:
            raise source.wrong(str(error), entry=number_) from error


def _variables(value: Plain) -> dict[str, str]:
    found = (mapping(each, "variable") for each in listing(value, "variable"))
    return {text(each.get("key", each.get("id")), "key"): text(each.get("value"), "value") for each in found}


def _examples(value: Plain, above: str, depth: int) -> Iterator[tuple[str, dict[str, Plain], dict[str, Plain]]]:
    """Name, item and saved response, folders within folders."""
    if depth > _DEPTH:
        raise Unfit(f"its folders are nested more than {_DEPTH} deep")
    for each in listing(value, "item"):
        item = mapping(each, "item")
        name = f"{above}/{text(item.get('name'), 'name')}"
        yield from _examples(item.get("item"), name, depth + 1)
        for example in listing(item.get("response"), "response"):
            yield name, item, mapping(example, "response")


def _interaction(
    item: dict[str, Plain], example: dict[str, Plain], variables: dict[str, str], base: str
) -> Interaction:
    asked = example.get("originalRequest") or item.get("request")
    request: dict[str, Plain] = {"url": asked, "method": "GET"} if isinstance(asked, str) else mapping(asked, "request")
    notes: list[str] = []
    draft = Draft(
        text(request.get("method"), "request.method") or "GET",
        _url(request.get("url"), variables, base, notes),
        [(name, _filled(value, variables)) for name, value in _fields(request.get("header"))],
        octets(_filled(_sent(request.get("body"), notes), variables)),
        integer(example.get("code"), "response.code", 200),
        text(example.get("status"), "response.status"),
        list(_fields(example.get("header"))),
        octets(text(example.get("body"), "response.body")),
        duration=number(example.get("responseTime")) / 1000,
        notes=notes,
    )
    return draft.interaction()


def _fields(value: Plain) -> Iterator[tuple[str, str]]:
    """Headers: a list of `{key, value}`, or as v2.0 allows the text of the header block."""
    if isinstance(value, str):
        for line in value.splitlines():
            name, _, held = line.partition(":")
            if name.strip():
                yield name.strip(), held.strip()
    else:
        yield from pairs(value, "header")


def _url(value: Plain, variables: dict[str, str], base: str, notes: list[str]) -> str:
    raw = value if isinstance(value, str) else _raw(mapping(value, "url"))
    own = {} if isinstance(value, str) else _variables(mapping(value, "url").get("variable"))
    filled = _filled(_SEGMENT.sub(lambda match: "/" + own.get(match[1], match[0][1:]), raw), variables)
    unknown = _VARIABLE.match(filled)
    if unknown and base:
        filled = base.rstrip("/") + filled[unknown.end() :]
    elif unknown:
        host = re.sub(r"[^a-z0-9]+", "-", unknown[1].lower()).strip("-") or "unknown"
        filled = f"https://{host}.invalid{filled[unknown.end() :]}"
        notes.append(f"the collection gives no value to the variable '{unknown[1][:60]}' that names its host")
    return filled if "://" in filled else f"http://{filled}"  # as Postman itself sends it


def _raw(url: dict[str, Plain]) -> str:
    raw = text(url.get("raw"), "url.raw")
    if raw:
        return raw.partition("#")[0]
    host, path = url.get("host"), url.get("path")
    dotted = host if isinstance(host, str) else ".".join(text(part, "host") for part in listing(host, "url.host"))
    slashed = path if isinstance(path, str) else "/".join(text(part, "path") for part in listing(path, "url.path"))
    query = urlencode(list(pairs(url.get("query"), "url.query")))
    scheme = text(url.get("protocol"), "url.protocol")
    return f"{scheme + '://' if scheme else ''}{dotted}/{slashed.lstrip('/')}{'?' + query if query else ''}"


def _filled(written: str, variables: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), written)


def _sent(value: Plain, notes: list[str]) -> str:
    body = mapping(value, "request.body")
    mode = text(body.get("mode"), "request.body.mode")
    if mode == "raw":
        return text(body.get("raw"), "request.body.raw")
    if mode == "urlencoded":
        return urlencode(list(pairs(body.get("urlencoded"), "request.body.urlencoded")))
    if mode == "graphql":
        asked = mapping(body.get("graphql"), "request.body.graphql")
        return json.dumps({"query": asked.get("query"), "variables": _parsed(asked.get("variables"))})
    if mode:
        notes.append(f"the source holds a request body as {mode}, which is not kept")
    return ""


def _parsed(value: Plain) -> Plain:
    if not isinstance(value, str):
        return value
    try:
        parsed: Plain = json.loads(value) if value.strip() else {}
    except ValueError:
        return value
    return parsed
