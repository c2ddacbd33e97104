"""What can be set on a front: limits, each with the status that says it was passed, and where to listen."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Limits", "Settings"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what clients may ask of one front. Sizes are bytes, times seconds."""

    head_bytes: int = 64 * 1024
    """Target and header fields of one request together (431)."""
    header_count: int = 200
    """Header fields of one request (431)."""
    target_bytes: int = 16 * 1024
    """The request target (414)."""
    body_bytes: int = 8 * 1024 * MIB
    """A request's body, without chunked framing (413)."""
    memory_bytes: int = MIB
    """A request's body up to this size stays in memory; a larger one goes to the spool directory."""
    connections: int = 512
    """Open connections; one more is answered 503 and closed."""
    idle_seconds: float = 120.0
    """Silence between requests (closed), within a body (408), or of a client that does not read (aborted)."""
    head_seconds: float = 30.0
    """From the first byte of a request's head to its last (408); also a TLS handshake (closed)."""
    pipelined: int = 64
    """Requests that wait behind one on a connection; reading pauses until there is room."""
    message_bytes: int = 16 * MIB
    """One WebSocket message, its fragments joined (closed with 1009), and what may wait for a slow reader."""
    workers: int = 16
    """Threads in which the engine answers and large bodies are read."""
    stop_seconds: float = 5.0
    """How long running answers may take to end when the front stops."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a front listens and how it behaves.

    `fixed_host` (`host` or `host:port`) is the service's name for every origin-form request that came through no
    tunnel, as `serve` needs it; without it the `Host` field decides. `spool_directory` takes large request bodies
    while they are answered (None: the system's temporary directory).
    """

    host: str = "127.0.0.1"
    port: int = 0
    limits: Limits = field(default_factory=Limits)
    provenance: bool = True
    fixed_host: str | None = None
    spool_directory: Path | None = None
