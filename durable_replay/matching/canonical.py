"""The canonical form of a request: equal for two requests exactly when the same recording may answer both."""

# Rule: what does not count is not in a CanonicalRequest at all, so that no credential can leak from one.

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from operator import itemgetter
from types import MappingProxyType

from durable_replay.http import Headers, Request
from durable_replay.matching.bodies import NO_BODY, CanonicalBody, Mask, canonical_body, decode_pairs
from durable_replay.matching.pattern import Significance
from durable_replay.matching.rules import Rules, rules_of

__all__ = ["CanonicalRequest", "Pairs", "canonical"]

Pairs = tuple[tuple[str, str], ...]
_NONE: Mapping[str, str] = MappingProxyType({})
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@dataclass(frozen=True, slots=True)
class CanonicalRequest:
    """What counts of a request; a part that does not count is empty.

    `host` is `name:port`, so http and https differ only by their port; with an operation it is the tenant. Either
    `path` or `operation` with its `parameters` is set. A WebSocket handshake has the method `WEBSOCKET`, since its
    answer is no answer to a GET.
    """

    method: str
    host: str
    path: str = ""
    operation: str = ""
    parameters: Pairs = ()
    query: Pairs = ()
    headers: Pairs = ()
    body: CanonicalBody = NO_BODY

    @property
    def key(self) -> bytes:
        """16 bytes (blake2b) that are equal exactly for equal requests, on every machine and version of Python."""
        body = self.body
        parts = (
            (self.method, self.host, self.path, self.operation, self.parameters, self.query, self.headers),
            (body.kind, body.digest),
        )
        # ascii() of nested tuples of str and bytes quotes and escapes everything: no two values share a text.
        return blake2b(ascii(parts).encode("ascii"), digest_size=16).digest()


def canonical(
    request: Request,
    significance: Significance,
    *,
    operation: str = "",
    parameters: Mapping[str, str] = _NONE,
    tenant: str = "",
    mask: Mask | None = None,
) -> CanonicalRequest:
    """What counts of this request by this significance.

    With an `operation` the host is the `tenant`, and the operation with its parameters stands for the path.
    `mask` is applied to the texts of the path, parameters, query, headers and body; it makes a live secret equal to
    the placeholder that a recording has in its place.
    """
    rules = rules_of(significance)
    path = "" if operation or not rules.path else _path(request.path)
    named = sorted(parameters.items()) if operation and rules.path and parameters else ()
    if mask is not None:
        path = mask(path)
        named = [(name, mask(value)) for name, value in named]
    return CanonicalRequest(
        method=_method(request) if rules.method else "",
        host=_host(request, operation, tenant) if rules.host else "",
        path=path,
        operation=operation if rules.path else "",
        parameters=tuple(named),
        query=_query(request.query_string, rules, mask),
        headers=_headers(request.headers, rules, mask),
        body=canonical_body(request, rules.body, mask),
    )


def _method(request: Request) -> str:
    return "WEBSOCKET" if request.scheme in ("ws", "wss") else request.method.upper()


def _host(request: Request, operation: str, tenant: str) -> str:
    return tenant if operation else f"{request.host}:{request.port}"


def _path(path: str) -> str:
    """Escapes that RFC 3986 (6.2.2) calls equal are made equal; nothing else is normalised."""
    return _ESCAPE.sub(_escape, path) if "%" in path else path


def _escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _query(text: str, rules: Rules, mask: Mask | None) -> Pairs:
    if not text:
        return ()
    pairs = [(name, value, name.lower()) for name, value in decode_pairs(text)]
    # Signature Version 2 signs a URL by three parameters, two of which mean something else elsewhere.
    signed = any(lower == "awsaccesskeyid" for _, _, lower in pairs)
    kept = [
        (name, mask(value) if mask else value)
        for name, value, lower in pairs
        if rules.counts_query(lower) and not (signed and lower in ("signature", "expires"))
    ]
    kept.sort(key=itemgetter(0))
    return tuple(kept)


def _headers(headers: Headers, rules: Rules, mask: Mask | None) -> Pairs:
    kept = [
        (lower, value)
        for lower, value in [(name.lower(), value) for name, value in headers.fields]
        if rules.counts_header(lower)
    ]
    if not kept:
        return ()
    kept.sort(key=itemgetter(0))
    return tuple((name, mask(text) if mask else text) for name, value in kept for text in (_header(name, value),))


def _header(name: str, value: str) -> str:
    """Without space around it; a content type without its boundary, which is new in every request."""
    value = value.strip(" \t")
    if name != "content-type":
        return value
    parts = [part.strip() for part in value.split(";")]
    return ";".join([parts[0].lower(), *(part for part in parts[1:] if not part.lower().startswith("boundary="))])
