"""What the tape and the emulators cannot answer, asked of the real service: by `--on-miss forward` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from durable_replay.errors import LimitExceeded
from durable_replay.http import HOP_BY_HOP, IN_MEMORY, BytesBody, Headers, Request, Response

if TYPE_CHECKING:
    import httpx

__all__ = ["forwarder"]


@contextmanager
def forwarder() -> Iterator[Callable[[Request], Response]]:
    """A function that sends a request to its host as it is, and gives the answer as it came, up to 64 MiB.

    A server that cannot be reached is a 502. Proxies of the environment are not used: they may be ourselves.
    """
    import httpx

    with httpx.Client(trust_env=False, timeout=60, follow_redirects=False) as client:

        def forward(request: Request) -> Response:
            try:
                return _sent(client, request)
            except httpx.HTTPError as error:
                return _unreachable(request, error)

        yield forward


def _sent(client: httpx.Client, request: Request) -> Response:
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.without(*HOP_BY_HOP)]
    content = request.body.chunks() if request.body else None
    with client.stream(request.method, request.url, headers=fields, content=content) as answer:
        body = _bounded(answer.iter_raw())
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw)
        reason = answer.reason_phrase
        return Response(answer.status_code, headers.without(*HOP_BY_HOP), BytesBody(body), reason)


def _bounded(pieces: Iterator[bytes]) -> bytes:
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > IN_MEMORY:
            raise LimitExceeded(f"a forwarded answer is larger than {IN_MEMORY:,} bytes; record it instead")
    return bytes(data)


def _unreachable(request: Request, error: Exception) -> Response:
    text = f"{request.authority} cannot be reached: {error}\n".encode()
    fields = (("Content-Type", "text/plain"), ("Content-Length", str(len(text))))
    return Response(502, Headers(fields), BytesBody(text), "Bad Gateway")
