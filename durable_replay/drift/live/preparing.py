"""The request that leaves: with this user's credentials, and without anything that redaction left in it."""

# Rule: neither a placeholder nor a recorded credential is ever sent.

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from html import escape
from urllib.parse import quote, quote_plus, unquote

from durable_replay.drift.live.auth import Credential
from durable_replay.drift.live.selecting import Server
from durable_replay.drift.live.sigv4 import is_presigned, signed, unsigned_target
from durable_replay.http import IN_MEMORY, Body, BytesBody, Headers, Request
from durable_replay.redaction.documents import kind_of
from durable_replay.redaction.placeholders import PLACEHOLDER, is_placeholder
from durable_replay.redaction.rules import Rules

__all__ = ["Unsendable", "prepared"]

PRESIGNED = "a presigned URL, good for that time alone; with `aws` in --auth those of AWS are signed anew"
_SIGNATURES = ("x-amz-signature", "x-goog-signature", "signature", "sig")
_BESIDE = frozenset(
    {"x-amz-expires", "x-goog-expires", "expires", "policy", "awsaccesskeyid", "googleaccessid", "key-pair-id", "se"}
)
"""What stands beside a signature in the URLs of AWS, CloudFront, Google's and Azure's storage."""


class Unsendable(Exception):
    """The request cannot be made without what was redacted; the text says where that stood."""


def prepared(
    request: Request, recorded: Request, server: Server, credential: Credential | None, rules: Rules, now: float
) -> tuple[Request, int]:
    """The request with a credential, and how many parts were left out for want of one. Raises Unsendable.

    `recorded` is the request before values were carried into it; `now` is seconds since the epoch, for signatures.
    """
    own = credential or Credential()
    if _is_stale(request.target, recorded.target):
        if own.aws is None or not is_presigned(request.target):
            raise Unsendable(PRESIGNED)
        request = replace(request, target=unsigned_target(request.target))
    headers, fewer = _headers(request, recorded, own, rules)
    target, dropped = _target(request, own, rules)
    request = replace(request, headers=headers, target=target, body=_body(request, own))
    if own.aws is not None:
        return signed(request, own.aws, server.authority, now), 0
    return request, fewer + dropped


def _is_stale(target: str, recorded: str) -> bool:
    """Whether a target carries the signature that the tape has. One that a live answer named is good."""
    signature = _signature(target)
    return bool(signature) and (is_placeholder(unquote(signature)) or signature == _signature(recorded))


def _signature(target: str) -> str:
    pairs = [pair.partition("=") for pair in target.partition("?")[2].split("&")]
    values = {name.lower(): value for name, _, value in pairs}
    if not _BESIDE & values.keys():
        return ""
    return next((values[name] for name in _SIGNATURES if name in values), "")


def _headers(request: Request, recorded: Request, own: Credential, rules: Rules) -> tuple[Headers, int]:
    given = {name.lower() for name, _ in own.headers}
    kept, fewer = list[tuple[str, str]](), 0
    for name, value in request.headers:
        lower = name.lower()
        if lower in given:
            continue
        if lower == "cookie":
            value, dropped = _cookies(value, recorded.headers)
        else:
            dropped = int(lower in rules.headers or is_placeholder(value))
            value = "" if dropped else value
        fewer += dropped
        if value or not dropped:
            kept.append((name, value))
    return Headers((*kept, *own.headers)), fewer


def _cookies(value: str, recorded: Headers) -> tuple[str, int]:
    """The cookies that a live answer has set; those of the tape are not sent."""
    old = {pair.strip() for text in recorded.get_all("cookie") for pair in text.split(";")}
    pairs = [pair.strip() for pair in value.split(";") if pair.strip()]
    kept = [pair for pair in pairs if pair not in old and not is_placeholder(pair)]
    return "; ".join(kept), int(len(kept) < len(pairs))


def _target(request: Request, own: Credential, rules: Rules) -> tuple[str, int]:
    path, question, query = request.target.partition("?")
    path = _filled(path, own, lambda text: quote(text, safe=""), "its path")
    given = dict(own.query)
    pairs, fewer = list[str](), 0
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        plain = unquote(name)
        if plain in given:
            pairs.append(f"{name}={quote(given.pop(plain), safe='')}")
        elif not is_placeholder(unquote(value)):
            pairs.append(pair)
        elif plain.lower() in rules.queries and not own.secret:
            fewer += 1
        else:
            value = _filled(unquote(value), own, lambda text: text, "its query")
            pairs.append(f"{name}{equals}{quote(value, safe='')}")
    pairs.extend(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in given.items())
    return (f"{path}?{'&'.join(pairs)}" if pairs or (question and not query) else path), fewer


def _body(request: Request, own: Credential) -> Body:
    body = request.body
    if not body:
        return body
    if body.size > IN_MEMORY:
        raise Unsendable(f"its body is larger than {IN_MEMORY:,} bytes")
    text = body.read().decode("latin-1")
    if not is_placeholder(text):
        return body
    kind = kind_of(request.headers.get("content-type"), text[:1024].encode("latin-1"))
    return BytesBody(_filled(text, own, _spelling(kind), "its body").encode("latin-1"))


def _spelling(kind: str) -> Callable[[str], str]:
    """How a text is written in a body of a kind, in the bytes of UTF-8 as latin-1 shows them."""
    written: dict[str, Callable[[str], str]] = {
        "json": lambda text: json.dumps(text)[1:-1],
        "form": quote_plus,
        "xml": escape,
    }
    spelt = written.get(kind, str)
    return lambda text: spelt(text).encode().decode("latin-1")


def _filled(text: str, own: Credential, spelt: Callable[[str], str], place: str) -> str:
    if not is_placeholder(text):
        return text
    if not own.secret:
        raise Unsendable(f"what was redacted in {place} has no credential (`secret` of --auth)")
    return PLACEHOLDER.sub(lambda _: spelt(own.secret), text)
