"""TLS on a connection that has already been read from: what was read goes to TLS first."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

__all__ = ["secure"]


def _feed(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    tls = cast(asyncio.BufferedProtocol, protocol)  # uvloop's is no subclass
    while data:
        buffer = memoryview(tls.get_buffer(len(data)))
        size = min(len(data), len(buffer))
        buffer[:size] = data[:size]
        data = data[size:]
        tls.buffer_updated(size)


async def secure(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    context: ssl.SSLContext,
    patience: float,
    read_so_far: Callable[[], bytes],
) -> asyncio.Transport:
    """The transport of a finished handshake. Raises OSError or EOFError where the client gives up, refuses our
    certificate, or takes longer than `patience` seconds."""
    loop = asyncio.get_running_loop()
    upgrade = loop.start_tls(transport, protocol, context, server_side=True, ssl_handshake_timeout=patience)
    handshake = asyncio.ensure_future(upgrade)
    while transport.get_protocol() is protocol and not handshake.done():
        await asyncio.sleep(0)
    # start_tls sets TLS up and resumes reading in callbacks that it has queued by now; ours runs behind them and
    # before the next read, so the bytes arrive in order.
    await asyncio.sleep(0)
    below = cast(asyncio.BaseProtocol | None, transport.get_protocol())
    if below is None:
        handshake.cancel()
        raise EOFError("the client closed the connection before its handshake")
    if not handshake.done():
        _feed(below, read_so_far())
    secured = await asyncio.wait_for(handshake, patience)
    if secured is None:  # the client went while the handshake ended
        raise EOFError("the client closed the connection")
    return secured
