"""The lines of the text form.

::

    durable-replay cassette text 1 exact        the first line; `review` is for reading only
    host minio.local:9000 s3                    a host that was mapped to a service
    interactions 41                             in the head of a folder alone: they are in files beside (folders.py)
                                                an empty line before each interaction
    #1 POST https://api.test/items?a=%20b       number, method, URL
    at 2026-03-01T10:00:00.25Z                  when it began
    took 0.031                                  seconds
    protocol HTTP/2                             unless it was HTTP/1.1
    note edited: status
    > Accept: */*                               request headers in wire order
    body json                                   the request's body: its form (layout.py, bodies.py)
    | {                                         a line of it
    < 200 OK                                    the response
    < Content-Type: text/plain                  its headers
    body text
    | hello
    + X-Checksum: 7                             its trailers
    aborted                                     the connection ended before the response was whole
    -> text 0.5                                 a WebSocket message of the client after 0.5 s; <- is the server's
    | {"op": 1}
    <- close 0.75 1000

Text within a line has its backslashes and control characters escaped, as in `\\\\`, `\\n`, `\\x00`, `\\u2028`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

from durable_replay.cassette.text.escaping import escaped, unescaped
from durable_replay.http import Request

__all__ = ["TITLE", "Scheme", "field_line", "moment", "moment_text", "request_line", "request_parts", "split_field"]

TITLE = "durable-replay cassette text 1"
"""The first line begins with it; then `exact` or `review`."""

Scheme = Literal["http", "https", "ws", "wss"]
_EMPTY = "\\x"
"""Stands for a word that is empty; no escape is as short."""
_URL = re.compile(r"(https?|wss?)://(\[[^\]/ ]*\]|[^:/ ]*)(?::(\d{1,10}))?(?:(/.*)| (.*))", re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN_SECONDS = re.compile(r"(\d{1,11})\.(\d+)")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d+)Z")


def _word(text: str, also: str = " ") -> str:
    return escaped(text, also) if text else _EMPTY


def _meant(word: str) -> str:
    return "" if word == _EMPTY else unescaped(word)


def request_line(request: Request) -> str:
    """`GET https://api.test/items`; a target that is no path stands behind a space."""
    usual = 443 if request.scheme in ("https", "wss") else 80
    port = "" if request.port == usual else f":{request.port}"
    target = escaped(request.target)
    joint = "" if target.startswith("/") else " "
    return f"{_word(request.method)} {request.scheme}://{_host(request.host)}{port}{joint}{target}"


def _host(host: str) -> str:
    bracketed = host.startswith("[") and host.endswith("]") and not set(host[1:-1]) & set("[]/ ")
    return escaped(host, "" if bracketed else ":/ []")


def request_parts(line: str) -> tuple[str, Scheme, str, int, str]:
    """Method, scheme, host, port and target. Raises ValueError."""
    method, _, url = line.partition(" ")
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("a request is written METHOD SCHEME://HOST[:PORT]/TARGET")
    scheme, host, port, path, other = match.groups()
    usual = 443 if scheme in ("https", "wss") else 80
    target = unescaped(path if path is not None else other)
    return _meant(method), cast(Scheme, scheme), unescaped(host), int(port or usual), target


def field_line(mark: str, name: str, value: str) -> str:
    """`> Name: value`."""
    return f"{mark} {_word(name, ':')}:{' ' if value else ''}{escaped(value)}"


def split_field(line: str) -> tuple[str, str]:
    """Name and value of what stands behind the mark. Raises ValueError."""
    name, colon, value = line.partition(": ")
    if not colon:
        name, colon, value = line.partition(":")
        if not colon or value:
            raise ValueError("a header is written `Name: value`")
    return _meant(name), unescaped(value)


def moment_text(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 with every digit that they have; as a number where no date can say it."""
    match = _PLAIN_SECONDS.fullmatch(repr(seconds))
    if match is None:
        return repr(seconds)
    return f"{_EPOCH + timedelta(seconds=int(match[1])):%Y-%m-%dT%H:%M:%S}.{match[2]}Z"


def moment(text: str) -> float:
    """The other way. Raises ValueError."""
    match = _MOMENT.fullmatch(text)
    if match is None:
        return float(text)
    whole = datetime.fromisoformat(f"{match[1]}+00:00") - _EPOCH
    return float(f"{whole // timedelta(seconds=1)}.{match[2]}")
