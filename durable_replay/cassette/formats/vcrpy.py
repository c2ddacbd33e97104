"""vcrpy's cassettes, YAML and JSON. https://vcrpy.readthedocs.io

Bodies are stored as they came, or decoded under their `Content-Encoding` (`decode_compressed_response=True`). Read too
is what CumulusCI made of the format: `include_file` and `include_template` stand for parts that lie beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from durable_replay.cassette.formats import yaml_stream
from durable_replay.cassette.formats.exchange import Draft, moment
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, mapping, octets, pairs, text
from durable_replay.cassette.formats.records import base64_of, document, entries, written
from durable_replay.cassette.formats.source import Head, Imported, Source, each
from durable_replay.http import Interaction

__all__ = ["Vcrpy"]

_VERSIONS = ("1",)
_PLACEHOLDER = re.compile(r"\{(\w+)(?::([^}]*))?\}")
_INCLUDED = 16 * 1024 * 1024
_SMALL = 1024 * 1024
_KEPT = 32 * 1024 * 1024
"""Bytes of included files that are not read again where the same cassette names them again."""


class Vcrpy:
    """`{interactions: [{request: {method, uri, body, headers}, response: {…}}], version: 1}`, or one of these alone."""

    name = "vcrpy"

    def sniff(self, head: Head) -> bool:
        whole = head.has("interactions", "[]", "request", "uri") or head.has("interactions", "[]", "include_file")
        return whole or (head.has("request", "uri") and head.has("response")) or _is_empty(head)

    def read(self, source: Source) -> Iterator[Imported]:
        made = _Cassette(source).made
        if source.head.has("request", "uri"):
            yield from each(source, [document(source)], made)
            return
        around: dict[str, Plain] = {}
        yield from each(source, entries(source, ("interactions",), around), made)
        version = around.get("version", 1)
        if str(version) not in _VERSIONS:
            raise source.wrong(f"it is a vcrpy cassette of version {version!r}; those known are 1")


def _is_empty(head: Head) -> bool:
    return head.text("interactions") == "" and head.has("interactions") and head.text("version") in ("1", "")


class _Cassette:
    """One cassette while it is read. Those of CumulusCI include the same few files again and again."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._included: dict[str, Interaction] = {}
        self._room = _KEPT

    def made(self, value: Plain) -> Interaction:
        entry = mapping(value, "entry")
        if "include_file" not in entry:
            return _interaction(self._source, entry)
        name = text(entry["include_file"], "include_file")
        if name not in self._included:
            return self._include(name)
        return self._included[name]

    def _include(self, name: str) -> Interaction:
        path = _included(self._source, name).path
        told = path.stat()
        read = _parsed if told.st_size <= _SMALL else _parsed.__wrapped__
        made = _interaction(self._source, mapping(read(path, (told.st_ino, told.st_size, told.st_mtime_ns)), "file"))
        if told.st_size <= self._room:
            self._room -= told.st_size
            self._included[name] = made
        return made


@lru_cache(16)
def _parsed(path: Path, _state: tuple[int, int, int]) -> Plain:
    """An included file, which other cassettes include as well."""
    return yaml_stream.load(Source(path)).value


def _interaction(source: Source, entry: dict[str, Plain]) -> Interaction:
    request, response = mapping(entry.get("request"), "request"), mapping(entry.get("response"), "response")
    if not request or not response:
        raise Unfit(f"it has no '{'response' if request else 'request'}'")
    status = response.get("status")
    code = mapping(status, "response.status") if isinstance(status, dict) else {"code": status}
    draft = Draft(
        text(request.get("method"), "request.method"),
        text(request.get("uri"), "request.uri"),
        list(pairs(request.get("headers"), "request.headers")),
        _body(source, request.get("body"), "request.body"),
        integer(code.get("code", response.get("status_code")), "response.status.code"),
        text(code.get("message", response.get("reason")), "response.status.message"),
        list(pairs(response.get("headers"), "response.headers")),
        _body(source, response.get("body", response.get("content")), "response.body"),
        text(response.get("http_version"), "response.http_version"),
        moment(text(entry.get("recorded_at"), "recorded_at")),
    )
    _forget_elided(draft)
    return draft.interaction()


def _body(source: Source, value: Plain, key: str) -> bytes:
    if not isinstance(value, dict):
        return written(value, key)
    if "include_template" in value:
        return _filled(source, value)
    if "base64_string" in value:
        return base64_of(value["base64_string"], f"{key}.base64_string")
    string = value.get("string")
    return _body(source, string, f"{key}.string")


def _forget_elided(draft: Draft) -> None:
    """CumulusCI's filter writes that it left headers out as if that were one."""
    for fields in (draft.request_headers, draft.response_headers):
        if any(value == "Elided" for _, value in fields):
            fields[:] = [pair for pair in fields if pair[1] != "Elided"]
            draft.notes.append("the source leaves headers out")


def _included(source: Source, name: str, folder: str = "") -> Source:
    """A file that a cassette names: in `shared_cassettes` beside it or above it, never anywhere else."""
    if Path(name).name != name or name in ("", ".", ".."):
        raise Unfit(f"it includes '{name}', which is no plain file name")
    for above in list(source.path.absolute().parents)[:5]:
        candidate = above / "shared_cassettes" / folder / name
        if candidate.is_file():
            if candidate.stat().st_size > _INCLUDED:
                raise Unfit(f"it includes '{name}', which has more than {_INCLUDED:,} bytes")
            return Source(candidate)
    raise Unfit(f"it includes '{name}', and no folder 'shared_cassettes' beside or above it holds that")


def _filled(source: Source, value: dict[str, Plain]) -> bytes:
    name = text(value["include_template"], "include_template")
    template = _included(source, name, "vcr_string_templates").path.read_text("utf-8")
    given = {key: text(each, f"vars.{key}") for key, each in mapping(value.get("vars"), "vars").items()}

    def fill(match: re.Match[str]) -> str:
        found = given.get(match[1], match[2])
        if found is None:
            raise Unfit(f"the template '{name}' needs '{match[1]}', which 'vars' does not give")
        return found

    return octets(_PLACEHOLDER.sub(fill, template))
