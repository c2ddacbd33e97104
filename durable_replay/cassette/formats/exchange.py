"""One exchange as another tool kept it, mended into an interaction that a real client accepts.

# Rule: bodies win. Where a header says of a body what is not so, the header goes or is corrected, and the note says it.

What the tools are known to do: vcrpy, Polly and browsers store bodies decoded under the `Content-Encoding` that they
came with; filters leave out headers; HTTP/2 recordings hold pseudo-headers; browsers join `Set-Cookie` with newlines.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Literal, cast
from urllib.parse import quote, urlsplit

from durable_replay.cassette.formats.plain import Unfit, octets
from durable_replay.http import EMPTY, Body, BytesBody, Frame, Headers, Interaction, Request, Response

__all__ = ["Draft", "address", "moment", "phrase"]

Fields = list[tuple[str, str]]
_WRITTEN = "!#$%&'()*+,/:;=?@[]~-._|^`{}<>\\\""
"""What stays as it is in a target: all of ASCII but space and control characters."""
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LINE_BREAK = re.compile(r"\r\n|[\r\n]")
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) ([1-9]\d{3}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(slots=True)
class Draft:
    """What a source tells of one exchange; `started` is seconds since the epoch (0: unknown), `duration` seconds."""

    method: str
    url: str
    request_headers: Fields = field(default_factory=list)
    request_body: bytes = b""
    status: int = 200
    reason: str = ""
    response_headers: Fields = field(default_factory=list)
    response_body: bytes = b""
    http_version: str = ""
    started: float = 0.0
    duration: float = 0.0
    frames: tuple[Frame, ...] = ()
    outcome: Literal["complete", "aborted"] = "complete"
    notes: list[str] = field(default_factory=list)

    def interaction(self) -> Interaction:
        """The exchange, mended; raises Unfit for what cannot be sent at all."""
        scheme, host, port, target = self._address()
        method = self._method()
        request = _Message(self.request_headers, self.request_body, "request", self.notes)
        response = _Message(self.response_headers, self.response_body, "response", self.notes)
        if not 100 <= self.status <= 999 and not (self.status == 0 and self.outcome == "aborted"):
            raise Unfit(f"{self.status} is no HTTP status")
        bodiless = self._bodiless(method)
        request.mend(bodiless="", untyped=False)
        response.mend(bodiless=bodiless, untyped=not self.response_headers)
        return Interaction(
            Request(method, scheme, host, port, target, request.headers(), request.stored()),
            Response(self.status, response.headers(), response.stored(), self._reason()),
            frames=self.frames,
            started=self.started or _dated(response.get("date"), self.notes),
            duration=self.duration,
            http_version=_version(self.http_version),
            outcome=self.outcome,
            note=octets("; ".join(dict.fromkeys(self.notes))).decode(),
        )

    def _address(self) -> tuple[Literal["http", "https", "ws", "wss"], str, int, str]:
        scheme, host, port, target, secret = address(self.url)
        if secret:
            self.notes.append("credentials in the URL were left out")
        if self.frames:
            scheme = "wss" if scheme in ("https", "wss") else "ws"
        return scheme, host, port, target

    def _method(self) -> str:
        if not _is_token(self.method):
            raise Unfit(f"{self.method!r} is no HTTP method")
        return self.method

    def _bodiless(self, method: str) -> str:
        """Why the response can have no body; empty if it can."""
        if method == "HEAD":
            return "HEAD"
        if self.status in (204, 304) or 100 <= self.status < 200:
            return str(self.status)
        return ""

    def _reason(self) -> str:
        if self.reason:
            return _LINE_BREAK.sub(" ", _latin(self.reason)).strip()
        if self.http_version.upper().startswith(("HTTP/2", "HTTP/3", "H2", "H3")):
            return ""
        known = phrase(self.status)
        if known:
            self.notes.append("standard reason phrase filled in")
        return known


class _Message:
    """Headers and body of one side."""

    def __init__(self, fields: Fields, body: bytes, side: str, notes: list[str]) -> None:
        self._body = body
        self._side = side
        self._notes = notes
        self._names: frozenset[str] = frozenset()
        """Of the fields, in lower case."""
        self._fields = self._clean(fields)

    def headers(self) -> Headers:
        return Headers(self._fields)

    def stored(self) -> Body:
        return BytesBody(self._body) if self._body else EMPTY

    def _note(self, what: str) -> None:
        self._notes.append(f"{self._side}: {what}")

    def _clean(self, fields: Fields) -> Fields:
        """Fields as they can stand on the wire."""
        values = "".join([value for _, value in fields])
        names = _lowered(tuple([name for name, _ in fields]))
        if names is not None and values.isascii() and values.isprintable():
            self._names = names
            return list(fields)
        kept = self._mended(fields)
        self._names = frozenset([name.lower() for name, _ in kept])
        return kept

    def _mended(self, fields: Fields) -> Fields:
        kept: Fields = []
        for pair in fields:
            name, value = pair
            if value.isascii() and value.isprintable() and _is_token(name):
                kept.append(pair)
            elif not _is_token(name):
                if not name.startswith(":"):  # HTTP/2's pseudo-headers say what method and URL say
                    self._note("header with an impossible name left out")
            elif "\n" in value or "\r" in value:
                kept += self._lines(name, value)
            else:
                kept.append((name, _latin(value)))
        return kept

    def _lines(self, name: str, value: str) -> Fields:
        parts = [_latin(part.strip()) for part in _LINE_BREAK.split(value) if part.strip()]
        if name.lower() == "set-cookie":
            return [(name, part) for part in parts]
        self._note("header of several lines joined")
        return [(name, " ".join(parts))]

    def get(self, name: str) -> str:
        """The first value of a field, whose name is given in lower case; empty where there is none."""
        if name not in self._names:
            return ""
        return next((value for key, value in self._fields if key.lower() == name), "")

    def _drop(self, *names: str) -> None:
        self._names = self._names.difference(names)
        self._fields = [pair for pair in self._fields if pair[0].lower() not in names]

    def mend(self, bodiless: str, untyped: bool) -> None:
        """Make headers and body agree. `bodiless` says why there can be no body, `untyped` that no header was kept."""
        self._encoding()
        if bodiless:
            self._without_body(bodiless)
            return
        self._length()
        if untyped and self._body:
            self._fields.append(("Content-Type", _guessed(self._body)))
            self._note("content-type filled in from the body")

    def _encoding(self) -> None:
        told = self.get("content-encoding") if self._body else ""
        codings = [part.strip().lower() for part in told.split(",") if part.strip()]
        if not codings or _is_coded(codings[-1], self._body):
            return
        self._drop("content-encoding")
        self._note(f"body was stored decoded, content-encoding {', '.join(codings)} removed")

    def _without_body(self, why: str) -> None:
        if self._body:
            self._body = b""
            self._note(f"body removed, {why} has none")
        if why not in ("HEAD", "304"):
            self._drop("content-length", "transfer-encoding")

    def _length(self) -> None:
        if "content-length" not in self._names:
            return
        told = [value for name, value in self._fields if name.lower() == "content-length"]
        if self.get("transfer-encoding"):
            self._drop("content-length")
            self._note("content-length beside transfer-encoding removed")
        elif told != [str(len(self._body))]:
            place = next(at for at, pair in enumerate(self._fields) if pair[0].lower() == "content-length")
            name = self._fields[place][0]
            self._drop("content-length")
            self._fields.insert(place, (name, str(len(self._body))))
            self._note("content-length corrected")


def _is_coded(coding: str, body: bytes) -> bool:
    """Whether a body is in this content coding."""
    if coding in ("gzip", "x-gzip"):
        return body.startswith(b"\x1f\x8b")
    if coding == "zstd":
        return body.startswith(b"\x28\xb5\x2f\xfd")
    if coding == "deflate":
        return _inflates(body)
    if coding == "identity":
        return True
    return not _is_text(body)  # br, compress, and whatever comes: what reads as text was decoded


def _inflates(body: bytes) -> bool:
    for bits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):  # with its frame as the RFC has it, and bare as many send it
        try:
            zlib.decompressobj(bits).decompress(body[:4096], 65536)
        except zlib.error:
            continue
        return True
    return False


def _is_text(body: bytes) -> bool:
    try:
        start = body[:4096].decode("utf-8", "strict" if len(body) <= 4096 else "ignore")
    except UnicodeDecodeError:
        return False
    return not _CONTROL.search(start)


def _guessed(body: bytes) -> str:
    start = body[:64].lstrip()
    if start[:1] in (b"{", b"["):
        return "application/json"
    if start.startswith(b"<?xml"):
        return "application/xml"
    if start[:9].lower().startswith((b"<!doctype", b"<html")):
        return "text/html"
    return "text/plain; charset=utf-8" if _is_text(body) else "application/octet-stream"


def _latin(value: str) -> str:
    """Text of which every character is one byte on the wire; anything beyond latin-1 goes as UTF-8."""
    if value.isascii():
        return value
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("latin-1")
    return value


@lru_cache(4096)
def _is_token(name: str) -> bool:
    return _TOKEN.fullmatch(name) is not None


@lru_cache(1024)
def _lowered(names: tuple[str, ...]) -> frozenset[str] | None:
    """The names of fields in lower case; None where one of them can be no name."""
    return frozenset([name.lower() for name in names]) if all(map(_is_token, names)) else None


@lru_cache(64)
def phrase(status: int) -> str:
    """The standard reason phrase; empty where the registry has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _version(text: str) -> str:
    upper = text.strip().upper()
    named = {"H2": "HTTP/2", "HTTP/2.0": "HTTP/2", "H3": "HTTP/3", "HTTP/3.0": "HTTP/3", "1.1": "HTTP/1.1"}
    known = named.get(upper, upper)
    return known if known.startswith("HTTP/") else "HTTP/1.1"


@lru_cache(4096)
def address(url: str) -> tuple[Literal["http", "https", "ws", "wss"], str, int, str, bool]:
    """Scheme, host, port, target (origin form) and whether credentials stood in it. Raises Unfit."""
    try:
        parts = urlsplit(url.strip())
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
        host.encode()  # half a surrogate pair is no part of any name
    except ValueError as error:
        raise Unfit(f"{url[:200]!r} is no URL ({error})") from error
    if scheme not in ("http", "https", "ws", "wss") or not host:
        raise Unfit(f"{url[:200]!r} is no absolute URL of http, https, ws or wss")
    target = quote(parts.path or "/", safe=_WRITTEN, errors="replace")
    if not target.startswith("/"):
        target = f"/{target}"
    if parts.query:
        target += "?" + quote(parts.query, safe=_WRITTEN, errors="replace")
    usual = 443 if scheme in ("https", "wss") else 80
    return cast(Literal["http", "https", "ws", "wss"], scheme), host, port or usual, target, parts.username is not None


@lru_cache(1024)
def moment(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 or HTTP date; 0 for anything else."""
    text = text.strip()
    if not text:
        return 0.0
    written = _HTTP_DATE.fullmatch(text)
    try:
        if written is not None and written[2] in _MONTHS:  # RFC 9110's own form, which is what nearly all are
            day, _, year, hour, minute, second = written.groups()
            found = datetime(
                int(year), _MONTHS.index(written[2]) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        else:
            found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return 0.0
    try:
        return max(0.0, (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (OverflowError, ValueError):
        return 0.0


def _dated(told: str, notes: list[str]) -> float:
    found = moment(told)
    if found:
        notes.append("time taken from the date header")
    return found
