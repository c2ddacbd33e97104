"""What nothing can beat here: uvloop and httptools answering a constant, in one process.

python -m benchmarks.bare CA_DIRECTORY      prints its port, runs until it is ended
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

import httptools

from durable_replay.front.server import new_event_loop
from durable_replay.front.tls import Authority
from durable_replay.front.tunnel import secure

HOST = "api.test"
BODY = b'{"a": "' + b"x" * 1014 + b'"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)


class Bare(asyncio.Protocol):
    """Parses each request with httptools, answers a constant; CONNECT is followed by TLS."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self.transport: asyncio.Transport | None = None
        self.parser = httptools.HttpRequestParser(self)
        self.hello: list[bytes] | None = None
        self.securing: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's are no subclass

    def data_received(self, data: bytes) -> None:
        if self.hello is not None:
            self.hello.append(data)
            self.securing = asyncio.ensure_future(self.secure())
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.hello = []
            assert self.transport is not None
            self.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async def secure(self) -> None:
        """Goes on in TLS."""
        assert self.transport is not None and self.hello is not None
        hello, self.hello = b"".join(self.hello), None
        self.parser = httptools.HttpRequestParser(self)
        self.transport = await secure(self.transport, self, self.context, 10, lambda: hello)

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            assert self.transport is not None
            self.transport.write(HEAD + BODY)


async def main(directory: Path) -> None:
    context = Authority.load_or_create(directory).context(HOST)
    server = await asyncio.get_running_loop().create_server(lambda: Bare(context), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    new_event_loop().run_until_complete(main(Path(sys.argv[1])))
