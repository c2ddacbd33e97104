"""A request with another value in one of its parts.

# Rule: a value stays in its part: it cannot reach another segment, header or host.
"""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from durable_replay.drift.documents import document
from durable_replay.drift.documents.form import Node
from durable_replay.drift.live.places import Part, Path, cookies
from durable_replay.http import BytesBody, Headers, Request

__all__ = ["with_value"]


def with_value(request: Request, part: Part, value: str) -> Request:
    """The request in which this part has this value, spelt as its place needs it."""
    match part:
        case ("target",):
            return replace(request, target=_target(value) or request.target)
        case ("query", int(at)):
            return replace(request, target=f"{request.path}?{_query_with(request.query_string, at, value)}")
        case ("path", int(at)):
            return replace(request, target=_path_with(request, at, value))
        case ("header", str(name)):
            return replace(request, headers=_header_with(request.headers, name, value))
        case ("cookie", str(name)):
            pairs = [(one, value if one == name else old) for one, old in cookies(request.headers)]
            text = "; ".join(f"{one}={old}" for one, old in pairs)
            return replace(request, headers=_header_with(request.headers, "cookie", text))
        case ("body", *path):
            return _body_with(request, tuple(path), value)
        case _:
            return request


def _header_with(headers: Headers, name: str, value: str) -> Headers:
    if any(sign in value for sign in "\r\n\0"):
        return headers
    return headers.with_((name, value.encode("latin-1", "replace").decode("latin-1")))


def _target(url: str) -> str:
    """Path and query of a link; where it points to is not asked, for only hosts of the tape are."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(target, safe="/?%!$&'()*+,;=:@~-._[]|")


def _query_with(query: str, at: int, value: str) -> str:
    pairs = [pair for pair in query.split("&") if pair]
    name = pairs[at].partition("=")[0]
    pairs[at] = f"{name}={quote(value, safe='-_.~')}"
    return "&".join(pairs)


def _path_with(request: Request, at: int, value: str) -> str:
    if value in (".", ".."):
        return request.target
    segments = request.path.split("/")
    segments[at] = quote(value, safe="-_.~!$&'()*+,;=:@")
    path = "/".join(segments)
    return f"{path}?{request.query_string}" if "?" in request.target else path


def _body_with(request: Request, path: Path, value: str) -> Request:
    shown = document(request.headers, request.body)
    if shown.form == "json":
        root = json.loads(request.body.read())
        data = json.dumps(_put(root, path, value), ensure_ascii=False, separators=(",", ":")).encode()
    elif len(path) == 1:
        pairs = parse_qsl(request.body.read().decode("utf-8", "replace"), keep_blank_values=True)
        data = urlencode([(name, value if name == path[0] else old) for name, old in pairs]).encode()
    else:
        return request
    return replace(request, body=BytesBody(data))


def _put(root: Node, path: Path, value: str) -> Node:
    """The document with another value at a path; a number stays one."""
    if not path:
        is_number = isinstance(root, int | float) and value.lstrip("-").isdecimal()
        return int(value) if is_number else value
    step, *rest = path
    if isinstance(root, dict) and isinstance(step, str) and step in root:
        return {**root, step: _put(root[step], tuple(rest), value)}
    if isinstance(root, list) and isinstance(step, int) and step < len(root):
        return [*root[:step], _put(root[step], tuple(rest), value), *root[step + 1 :]]
    return root
