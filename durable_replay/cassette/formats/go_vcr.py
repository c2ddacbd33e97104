"""go-vcr's cassettes, versions 1 to 4. https://github.com/dnaeon/go-vcr

Version 1 (the library's v1 to v3.0) keeps `status: 200 OK` beside `code: 200`; version 2 (its v3.1 and v4) adds
protocol, trailers and the parts of Go's http.Request. `duration` is Go's: `12.5ms`, or nanoseconds as a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

from durable_replay.cassette.formats.exchange import Draft
from durable_replay.cassette.formats.plain import Plain, Unfit, integer, mapping, number, pairs, text
from durable_replay.cassette.formats.records import entries, written
from durable_replay.cassette.formats.source import Head, Imported, Source, each
from durable_replay.http import Headers, Interaction

__all__ = ["GoVcr"]

_VERSIONS = ("1", "2")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class GoVcr:
    """`{version: 2, interactions: [{id, request: {url, method, body, …}, response: {…}}]}`."""

    name = "go-vcr"

    def sniff(self, head: Head) -> bool:
        return head.has("interactions", "[]", "request", "url") and not head.has("interactions", "[]", "request", "uri")

    def read(self, source: Source) -> Iterator[Imported]:
        around: dict[str, Plain] = {}
        seen = _Ids()
        yield from each(source, entries(source, ("interactions",), around), seen.made)
        version = around.get("version", 1)
        if str(version) not in _VERSIONS:
            raise source.wrong(f"it is a go-vcr cassette of version {version!r}; those known are 1 and 2")


class _Ids:
    """Interactions of version 2 are numbered; the same number twice is a cassette that was merged by hand."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def made(self, value: Plain) -> Interaction:
        entry = mapping(value, "entry")
        if "id" in entry:
            key = text(entry["id"], "id")
            if key in self._seen:
                raise Unfit(f"the id {key} stands here a second time")
            self._seen.add(key)
        return _interaction(entry)


def _interaction(entry: dict[str, Plain]) -> Interaction:
    request, response = mapping(entry.get("request"), "request"), mapping(entry.get("response"), "response")
    if not request or not response:
        raise Unfit(f"it has no '{'response' if request else 'request'}'")
    code, reason = _status(response)
    draft = Draft(
        text(request.get("method"), "request.method") or "GET",  # Go's client sends GET for the empty method
        text(request.get("url"), "request.url"),
        list(pairs(request.get("headers"), "request.headers")),
        written(request.get("body"), "request.body"),
        code,
        reason,
        list(pairs(response.get("headers"), "response.headers")),
        written(response.get("body"), "response.body"),
        text(response.get("proto") or request.get("proto"), "response.proto"),
        duration=_seconds(response.get("duration")),
    )
    form = mapping(request.get("form"), "request.form")
    if not draft.request_body and form and draft.method in ("POST", "PUT", "PATCH"):
        draft.request_body = urlencode(list(pairs(form, "request.form"))).encode()
        draft.notes.append("request body written from its form fields")
    made = draft.interaction()
    trailers = list(pairs(response.get("trailer"), "response.trailer"))
    return replace(made, response=replace(made.response, trailers=Headers(trailers))) if trailers else made


def _status(response: dict[str, Plain]) -> tuple[int, str]:
    """Code and reason; `status` is `200 OK`, or the reason alone where a recorder's hook wrote it."""
    status = text(response.get("status"), "response.status")
    first, _, rest = status.partition(" ")
    code = integer(response.get("code"), "response.code") or (int(first) if first.isdecimal() else 0)
    return code, rest if first.isdecimal() else status


def _seconds(value: Plain) -> float:
    if isinstance(value, int | float):
        return number(value) * 1e-9
    written_out = text(value, "response.duration")
    return sum(float(count) * _SECONDS[unit] for count, unit in _DURATION.findall(written_out))
