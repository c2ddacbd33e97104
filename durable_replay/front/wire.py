"""The bytes of HTTP/1.x requests, cut into heads and bodies by httptools; the only module that touches it.

Trailers of chunked requests are counted against the head's limit and dropped: no service that we know reads them
apart from S3's checksums, which travel inside the body (aws-chunked) and stay there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, cast

import httptools

from durable_replay.front.refusal import Refusal
from durable_replay.front.settings import Limits
from durable_replay.front.spool import Spool

__all__ = ["Inbound", "Requests", "Upgraded"]

_FRAMED: Final = (b"content-length", b"transfer-encoding")


class Upgraded(Exception):
    """The request just completed asks for another protocol; `rest` are the bytes behind it."""

    def __init__(self, rest: bytes) -> None:
        super().__init__()
        self.rest = rest


class _Parser(Protocol):
    def feed_data(self, data: bytes | memoryview) -> None: ...
    def get_method(self) -> bytes: ...
    def get_http_version(self) -> str: ...
    def should_keep_alive(self) -> bool: ...
    def should_upgrade(self) -> bool: ...


class Inbound:
    """One request as it was parsed: still bytes, not yet addressed to anyone."""

    __slots__ = ("body", "fields", "keep_alive", "method", "raw", "recalled", "target", "upgrade", "version")

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.version = "1.1"
        self.keep_alive = True
        self.upgrade = False
        self.body: Spool | None = None
        self.recalled = False
        self.raw: bytes | None = None
        """The whole request as it came, where it was one read of its own: it may be recognised without parsing."""

    def values(self, name: bytes) -> list[bytes]:
        """Every value of a field; `name` in lower case."""
        return [value for field, value in self.fields if field.lower() == name]


class Requests:
    """A parser of one connection's requests. `complete` gets each one; `expects` is told of a client that waits
    for `100 Continue` before its body."""

    def __init__(
        self,
        limits: Limits,
        complete: Callable[[Inbound], None],
        expects: Callable[[], None],
        spool: Callable[[], Spool],
    ) -> None:
        self._limits = limits
        self._complete = complete
        self._expects = expects
        self._new_spool = spool
        self._parser = self._fresh()
        self._now: Inbound | None = None
        self._skipped: Inbound | None = None
        self._head = 0
        self._unseen = 0
        self._told = False
        self.in_head = False

    def _fresh(self) -> _Parser:
        return cast(_Parser, httptools.HttpRequestParser(self))

    @property
    def between(self) -> bool:
        """No request has begun that is not complete."""
        return self._now is None

    @property
    def spool(self) -> Spool | None:
        """The body that is being received."""
        return self._now.body if self._now is not None else None

    def feed(self, data: bytes | memoryview) -> None:
        """Take bytes; raises Refusal (the connection is of no use then) and Upgraded."""
        size = len(data)
        self._told = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as turn:
            self._turn(bytes(data[turn.args[0] :]))
            return
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, Refusal):
                raise error.__context__ from None
            raise Refusal(400, f"malformed request: {error}") from error
        except httptools.HttpParserError as error:
            raise self._malformed(error) from None
        self._unseen = 0 if self._told or self._now is None else self._unseen + size
        if self._unseen > self._limits.head_bytes:
            # httptools keeps an unfinished field or chunk extension to itself, however long it grows; what came
            # in one piece with something that we were told of is not counted, a slice at most.
            raise self._too_large()

    def _turn(self, rest: bytes) -> None:
        self._parser = self._fresh()
        if self._skipped is None:
            raise Upgraded(rest)
        plain, self._skipped = self._skipped, None
        kept = [(name, value) for name, value in plain.fields if name.lower() not in (b"upgrade", b"connection")]
        line = b"%b %b HTTP/1.1\r\n" % (plain.method, plain.target)
        self.feed(line + b"".join(b"%b: %b\r\n" % pair for pair in kept) + b"\r\n" + rest)

    def _malformed(self, error: Exception) -> Refusal:
        text = str(error) or type(error).__name__
        status = 505 if "version" in text.lower() or "PRI" in text else 400
        return Refusal(status, f"malformed request: {text}; this port speaks HTTP/1.1 and HTTP/1.0")

    def _too_large(self) -> Refusal:
        return Refusal(431, f"the request's head is over the limit of {self._limits.head_bytes:,} bytes (head_bytes)")

    # httptools calls these

    def on_message_begin(self) -> None:
        self._now = Inbound()
        self._head = 0
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        now = self._now
        assert now is not None
        now.target += url
        if len(now.target) > self._limits.target_bytes:
            limit = self._limits.target_bytes
            raise Refusal(414, f"the request target is over the limit of {limit:,} bytes (target_bytes)")
        self._head += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        now = self._now
        assert now is not None
        self._told = True
        self._head += len(name) + len(value or b"") + 4
        if self._head > self._limits.head_bytes:
            raise self._too_large()
        if not self.in_head:
            return
        now.fields.append((name, value or b""))
        if len(now.fields) > self._limits.header_count:
            limit = self._limits.header_count
            raise Refusal(431, f"more than {limit} header fields (header_count)")

    def on_headers_complete(self) -> None:
        now, parser = self._now, self._parser
        assert now is not None
        self.in_head = False
        now.method = parser.get_method()
        now.version = parser.get_http_version()
        now.keep_alive = parser.should_keep_alive()
        now.upgrade = parser.should_upgrade()
        if now.version not in ("1.1", "1.0"):
            raise Refusal(505, f"HTTP/{now.version} is not spoken here; this port speaks HTTP/1.1 and HTTP/1.0")
        for name, _ in now.fields:
            if name.lower() in _FRAMED:
                self._expect_body(now)
                break

    def _expect_body(self, now: Inbound) -> None:
        lengths, codings = (now.values(name) for name in _FRAMED)
        if lengths and codings:
            raise Refusal(400, "malformed request: both Content-Length and Transfer-Encoding")
        if len(set(lengths)) > 1:
            raise Refusal(400, "malformed request: Content-Length is given more than once, with different values")
        if codings and [coding.strip().lower() for coding in codings] != [b"chunked"]:
            raise Refusal(400, "malformed request: a body's transfer coding can only be chunked")
        size = int(lengths[0]) if lengths else None
        if size == 0:
            return
        now.body = self._new_spool()
        if size is not None:
            now.body.admit(size)
        if now.version == "1.1" and b"100-continue" in (value.lower() for value in now.values(b"expect")):
            self._expects()

    def on_body(self, data: bytes) -> None:
        now = self._now
        assert now is not None and now.body is not None
        self._told = True
        now.body.write(data)

    def on_message_complete(self) -> None:
        now = self._now
        assert now is not None
        self._now = None
        self._unseen = 0
        if now.upgrade and now.body is not None and now.method != b"CONNECT":
            # httptools skips the body of whatever asks for an upgrade (h2c, say): it is parsed again without asking.
            self._skipped = now
        else:
            self._complete(now)
