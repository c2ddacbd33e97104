"""HAR 1.2: what browsers, Polly.JS, proxies and test runners save. http://www.softwareishard.com/blog/har-12-spec/

Bodies are decoded text by the specification; `encoding: base64` marks binary ones. WebSocket messages are Chromium's
extension `_webSocketMessages`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

from durable_replay.cassette.formats.exchange import Draft, moment
from durable_replay.cassette.formats.json_stream import entries
from durable_replay.cassette.formats.plain import (
    Plain,
    Unfit,
    integer,
    listing,
    mapping,
    number,
    octets,
    pairs,
    text,
    unbase64,
)
from durable_replay.cassette.formats.source import Head, Imported, Source, each
from durable_replay.errors import LimitExceeded
from durable_replay.http import Frame, Interaction

__all__ = ["Har"]

_VERSIONS = ("1.1", "1.2", "1.3")


class Har:
    """`{"log": {"version": "1.2", "entries": […]}}`."""

    name = "har"

    def sniff(self, head: Head) -> bool:
        if head.kind != "json":
            return False
        return head.has("log", "entries") or head.has("log", "creator") or head.path.suffix.lower() == ".har"

    def read(self, source: Source) -> Iterator[Imported]:
        around: dict[str, Plain] = {}
        yield from each(source, entries(source, ("log", "entries"), around), _interaction)
        version = around.get("log.version")
        if version is not None and version not in _VERSIONS:
            raise source.wrong(f"it is HAR of version {version!r}; those known are {', '.join(_VERSIONS)}")


def _interaction(value: Plain) -> Interaction:
    entry = mapping(value, "entry")
    request, response = mapping(entry.get("request"), "request"), mapping(entry.get("response"), "response")
    if not request:
        raise Unfit("it has no 'request'")
    draft = Draft(
        text(request.get("method"), "request.method"),
        text(request.get("url"), "request.url"),
        list(pairs(request.get("headers"), "request.headers")),
        status=integer(response.get("status"), "response.status"),
        reason=text(response.get("statusText"), "response.statusText"),
        response_headers=list(pairs(response.get("headers"), "response.headers")),
        http_version=text(response.get("httpVersion") or request.get("httpVersion"), "httpVersion"),
        started=moment(text(entry.get("startedDateTime"), "startedDateTime")),
        duration=number(entry.get("time")) / 1000,
    )
    draft.request_body = _posted(request, draft)
    draft.response_body = _content(response, draft)
    draft.frames = _frames(entry.get("_webSocketMessages"), draft.started)
    if draft.status <= 0:
        draft.status, draft.outcome = 0, "aborted"
        draft.notes.append("no answer was received")
    elif draft.frames:
        draft.status = 101
    return draft.interaction()


def _posted(request: dict[str, Plain], draft: Draft) -> bytes:
    data = mapping(request.get("postData"), "request.postData")
    written = text(data.get("text"), "request.postData.text")
    if written:
        if text(data.get("encoding") or data.get("_encoding"), "request.postData.encoding") == "base64":
            return _base64(written, "request.postData.text")
        return octets(written)
    params = listing(data.get("params"), "request.postData.params")
    mime = text(data.get("mimeType"), "request.postData.mimeType")
    if not params:
        if integer(request.get("bodySize"), "request.bodySize", -1) > 0:
            draft.notes.append("the source holds no request body")
        return b""
    if "multipart" in mime:
        draft.notes.append("the source holds a multipart request's fields, not its body")
        return b""
    draft.notes.append("request body written from its form fields")
    return urlencode(list(pairs(params, "request.postData.params"))).encode()


def _content(response: dict[str, Plain], draft: Draft) -> bytes:
    content = mapping(response.get("content"), "response.content")
    written = text(content.get("text"), "response.content.text")
    if text(content.get("encoding"), "response.content.encoding") == "base64":
        return _base64(written, "response.content.text")
    if not written:
        if integer(content.get("size"), "response.content.size") > 0:
            draft.notes.append("the source holds no response body")
        return b""
    if content.get("_isBinary") is True and written.startswith("["):
        return _chunks(written)
    return _in_charset(written, text(content.get("mimeType"), "response.content.mimeType"))


def _base64(written: str, key: str) -> bytes:
    try:
        return unbase64(written)
    except ValueError as error:
        raise Unfit(f"'{key}' is no base64 ({error})") from error


def _chunks(written: str) -> bytes:
    """Polly's encoded bodies: a JSON list of hex strings. @pollyjs/adapter-node-http, `_isBinary`."""
    try:
        return b"".join(bytes.fromhex(chunk) for chunk in json.loads(written))
    except (ValueError, TypeError):
        return octets(written)


def _in_charset(written: str, mime: str) -> bytes:
    """The bytes that a client decodes to this text again: HAR keeps text, and the charset in the type."""
    _, found, charset = mime.lower().partition("charset=")
    if found:
        try:
            return written.encode(charset.split(";")[0].strip(" \"'"))
        except (LookupError, UnicodeEncodeError):
            pass
    return octets(written)


def _frames(value: Plain, started: float) -> tuple[Frame, ...]:
    return tuple(_frame(mapping(each, "_webSocketMessages"), started) for each in listing(value, "_webSocketMessages"))


def _frame(message: dict[str, Plain], started: float) -> Frame:
    opcode, data = integer(message.get("opcode"), "opcode", 1), text(message.get("data"), "data")
    if len(data) > 64 * 1024 * 1024:
        raise LimitExceeded(f"a WebSocket message of {len(data):,} characters")
    at = number(message.get("time"))
    binary = opcode == 2
    return Frame(
        from_client=message.get("type") in ("send", "request"),
        kind="binary" if binary else "text",
        data=_base64(data, "data") if binary else octets(data),
        at=max(0.0, at - started) if at and started else 0.0,
    )
