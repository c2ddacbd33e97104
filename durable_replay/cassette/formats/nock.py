"""nock's recorded fixtures, as `nock.recorder.play()` and nock.back save them. https://github.com/nock/nock

Bodies that were JSON are kept parsed, so they are written anew; encoded ones are a list of hex chunks, binary ones hex.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.json_stream import entries
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, listing, mapping, octets, pairs, text
from durable_replay.cassette.formats.source import Head, Imported, Source, each
from durable_replay.http import Interaction

__all__ = ["Nock"]


class Nock:
    """`[{"scope": "https://api.example.com:443", "method", "path", "body", "status", "response", "rawHeaders"}]`."""

    name = "nock"

    def sniff(self, head: Head) -> bool:
        return head.kind == "json" and head.has("[]", "scope") and head.has("[]", "path")

    def read(self, source: Source) -> Iterator[Imported]:
        yield from each(source, entries(source, ()), _interaction)


def _interaction(value: Plain) -> Interaction:
    entry = mapping(value, "entry")
    for key in ("scope", "path", "status"):
        if key not in entry:
            raise Unfit(f"it has no '{key}'")
    headers = list(_raw(entry.get("rawHeaders", entry.get("headers"))))
    notes: list[str] = []
    return Draft(
        text(entry.get("method"), "method") or "GET",
        text(entry["scope"], "scope").rstrip("/") + text(entry["path"], "path"),
        list(pairs(entry.get("reqheaders"), "reqheaders")),
        _sent(entry.get("body"), notes),
        integer(entry["status"], "status"),
        response_headers=headers,
        response_body=_answered(entry, headers, notes),
        notes=notes,
    ).interaction()


def _raw(value: Plain) -> Iterator[tuple[str, str]]:
    """`[name, value, name, value]`, or a mapping as older versions wrote."""
    if isinstance(value, list) and all(isinstance(each_one, str) for each_one in value):
        flat = [text(each_one, "rawHeaders") for each_one in value]
        yield from zip(flat[::2], flat[1::2], strict=False)
    else:
        yield from pairs(value, "rawHeaders")


def _sent(value: Plain, notes: list[str]) -> bytes:
    if value is None or isinstance(value, str):
        return octets(value or "")
    notes.append("request: JSON body was kept parsed and is written anew")
    return _dumped(value)


def _answered(entry: dict[str, Plain], headers: list[tuple[str, str]], notes: list[str]) -> bytes:
    value = entry.get("response")
    if entry.get("responseIsBinary") is True and isinstance(value, str):
        return _hex(value)
    coded = any(name.lower() == "content-encoding" for name, _ in headers)
    if coded and isinstance(value, list) and all(isinstance(chunk, str) for chunk in value):
        return b"".join(_hex(text(chunk, "response")) for chunk in listing(value, "response"))
    if value is None or isinstance(value, str):
        return octets(value or "")
    notes.append("response: JSON body was kept parsed and is written anew")
    return _dumped(value)


def _hex(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise Unfit(f"'response' is no hexadecimal ({error})") from error


def _dumped(value: Plain) -> bytes:
    return octets(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
