"""One request over the wire, and its answer as bytes: HTTP/1.1 or HTTP/2, TLS verified, nothing decoded or followed."""

# Rule: only the server that is given is dialled (or the proxy of the environment); a redirect is an answer. What is
# sent holds credentials, so that the libraries beneath log nothing of it, whatever logging is set to.

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from durable_replay.drift.live.failing import Failure, HostFailed
from durable_replay.drift.live.preparing import Unsendable
from durable_replay.drift.live.selecting import Server
from durable_replay.errors import UsageError
from durable_replay.http import CHUNK, HOP_BY_HOP, Body, BytesBody, Headers, Request, Response

__all__ = ["Answered", "Asker", "KeptBody", "NoAnswer", "Wire"]

_IN_MEMORY = 1024 * 1024
_CA = "name one that you trust with --ca-file"
_TALKATIVE = ("httpx", "httpcore", "h2", "hpack")
_OURS = (*HOP_BY_HOP, "content-length", "expect", "host", "http2-settings")
"""Fields of a request that belong to its own connection, or are made anew."""


@dataclass(frozen=True, slots=True)
class Wire:
    """`timeout` is seconds to connect and between two pieces, `whole` for an answer; `largest` is bytes of a body."""

    timeout: float = 30.0
    whole: float = 300.0
    largest: int = 1024 * 1024 * 1024
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer; `cut` says why its body is not whole, or is ""."""

    response: Response
    http_version: str
    cut: str = ""


class NoAnswer(Exception):
    """This request got no answer; the text says why. Another may. `begun`: a part of it came."""

    def __init__(self, text: str, *, begun: bool = False) -> None:
        super().__init__(text)
        self.begun = begun


@dataclass(slots=True)
class KeptBody(Body):
    """A body in a file without a name, so that nothing of it stays when the process is killed. Close it."""

    file: IO[bytes] = field(repr=False)
    size: int

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        end = self.size if stop is None else min(stop, self.size)
        for at in range(start, end, CHUNK):
            self.file.seek(at)
            yield self.file.read(min(CHUNK, end - at))

    def close(self) -> None:
        """The content is gone."""
        self.file.close()

    __hash__ = Body.__hash__


class Asker:
    """Asks servers. `ask` raises HostFailed where none can be reached at all, NoAnswer or Unsendable for the one
    request."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._levels: dict[str, int] = {}
        self._client = httpx.AsyncClient(
            http2=True,
            verify=_trust(wire.ca_file),
            timeout=wire.timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
        )

    async def __aenter__(self) -> Self:
        for name in _TALKATIVE:
            logger = logging.getLogger(name)
            self._levels[name] = logger.level
            logger.setLevel(logging.CRITICAL + 1)
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            await self._client.__aexit__(kind, error, at)
        finally:
            for name, level in self._levels.items():
                logging.getLogger(name).setLevel(level)

    async def ask(self, request: Request, server: Server) -> Answered:
        """The answer to a request at a server; `request.host` is not looked at."""
        try:
            sent = _prepared(request, server, self._client.timeout)
            async with asyncio.timeout(self._wire.whole):
                answer = await self._client.send(sent, stream=True)
        except TimeoutError:
            raise NoAnswer(f"no answer within {self._wire.whole:.0f} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as wrong:
            raise _named(wrong, server) from None
        try:
            body, cut = await self._body(answer)
        finally:
            with suppress(httpx.HTTPError):
                await answer.aclose()
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw)
        reason = answer.extensions.get("reason_phrase", b"").decode("latin-1")
        response = Response(answer.status_code, headers.without(*HOP_BY_HOP), body, reason)
        return Answered(response, answer.http_version, cut)

    async def _body(self, answer: httpx.Response) -> tuple[Body, str]:
        """What came, and why it is not all, or ""."""
        kept = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the body outlives this call
        size, cut = 0, ""
        try:
            async with asyncio.timeout(self._wire.whole):
                async for piece in _pieces(answer):
                    size += len(piece)
                    kept.write(piece)
                    if size > self._wire.largest:
                        cut = f"the answer is larger than {self._wire.largest:,} bytes"
                        break
        except TimeoutError:
            cut = f"the answer was not whole within {self._wire.whole:.0f} s"
        except httpx.HTTPError as wrong:
            kept.close()
            raise NoAnswer(f"the answer broke off: {_broken(wrong)}", begun=True) from None
        except BaseException:  # the run ends here: a signal, or a disk that is full
            kept.close()
            raise
        if size > _IN_MEMORY:
            return KeptBody(kept, size), cut
        kept.seek(0)
        data = kept.read()
        kept.close()
        return BytesBody(data), cut


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    async for piece in answer.aiter_raw():
        yield piece


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    trust = httpx.create_ssl_context()
    if ca_file is not None:
        try:
            trust.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError):
            raise UsageError(f"--ca-file {ca_file} is no PEM file of certificates that can be read") from None
    return trust


def _prepared(request: Request, server: Server, timeout: httpx.Timeout) -> httpx.Request:
    """Not by the client, which would add headers of its own."""
    url = httpx.URL(server.url + request.target)
    target = request.target.encode("latin-1")
    extensions: dict[str, object] = {"timeout": timeout.as_dict()}
    if url.raw_path != target:  # httpx would write it otherwise; as it was recorded is as it is meant
        extensions["target"] = target
    listed = request.headers.get("connection").lower().split(",")
    headers = request.headers.without(*_OURS, *(name.strip() for name in listed if name.strip()))
    fields = [("Host", server.authority), *headers]
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    content = request.body.read() if request.body else None
    return httpx.Request(request.method, url, headers=raw, content=content, extensions=extensions)


def _named(wrong: Exception, server: Server) -> Exception:
    """What went wrong, without the text of an exception that may hold a URL."""
    causes = list(_causes(wrong))
    refusal = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if refusal is not None:
        return HostFailed(Failure.tls, _tls(refusal, server))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return HostFailed(Failure.unreachable, f"{server.authority} has no address: its name is not known")
    if isinstance(wrong, httpx.ConnectError | httpx.ProxyError):
        via = " through the proxy of the environment" if isinstance(wrong, httpx.ProxyError) else ""
        refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
        why = "the connection is refused" if refused else "no connection comes about"
        return HostFailed(Failure.unreachable, f"{server.authority} cannot be reached{via}: {why}")
    if isinstance(wrong, httpx.ConnectTimeout):
        return HostFailed(Failure.unreachable, f"{server.authority} cannot be reached: no connection in time")
    if isinstance(wrong, httpx.TimeoutException):
        return NoAnswer(_broken(wrong))
    if isinstance(wrong, httpx.InvalidURL | httpx.LocalProtocolError | httpx.UnsupportedProtocol | ValueError):
        return Unsendable("it cannot be sent as it was recorded")
    return NoAnswer(_broken(wrong))


def _broken(wrong: Exception) -> str:
    """Why an answer did not come, or did not come whole."""
    if isinstance(wrong, httpx.TimeoutException):
        return "nothing came in time"
    if not isinstance(wrong, httpx.ProtocolError):
        return "the connection was reset"
    said = str(wrong)
    if "ConnectionTerminated" in said:
        return "the server ended the HTTP/2 connection"
    if "StreamReset" in said:
        return "the server reset the HTTP/2 stream"
    closed = "disconnected" in said or "closed connection" in said
    return "the server closed the connection early" if closed else "what came is no HTTP"


_CERTIFICATES = {
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: f"its certificate is signed by itself; {_CA}",
    19: f"its certificate is signed by an authority that is not trusted here; {_CA}",
    20: f"its certificate is signed by an authority that is not trusted here; {_CA}",
    21: f"its certificate is signed by an authority that is not trusted here; {_CA}",
    62: "its certificate is for another name",
    64: "its certificate is for another address",
}
"""By OpenSSL's X509_V_ERR codes."""


def _tls(refusal: ssl.SSLError, server: Server) -> str:
    why = (refusal.reason or type(refusal).__name__).replace("_", " ").lower()
    if isinstance(refusal, ssl.SSLCertVerificationError):
        why = _CERTIFICATES.get(refusal.verify_code, refusal.verify_message)
    elif refusal.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        why = "what answers there speaks no TLS"
    return f"TLS with {server.authority} fails: {why}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        if isinstance(at, BaseExceptionGroup):
            yield from at.exceptions
        at = at.__cause__ or at.__context__
