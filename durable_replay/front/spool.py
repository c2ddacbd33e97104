"""A request's body on its way in: in memory while it is small, in a temporary file when it is not."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from durable_replay.front.refusal import Refusal
from durable_replay.front.settings import Limits
from durable_replay.http import EMPTY, Body, BytesBody, FileBody

__all__ = ["Spool"]


class Spool:
    """Collects one body. `write` only remembers; `flush` may block, and is called in a worker while `full`."""

    def __init__(self, limits: Limits, directory: Path | None) -> None:
        self._limits = limits
        self._directory = directory
        self._pending: list[bytes] = []
        self._waiting = 0
        self._size = 0
        self._path: Path | None = None
        self.busy = False
        """A worker is flushing: until it has, nothing is written, and the body is not whole."""

    def admit(self, size: int) -> None:
        """Raises Refusal where a body of this size is over the limit."""
        if size > self._limits.body_bytes:
            limit = self._limits.body_bytes
            raise Refusal(413, f"the request's body is over the limit of {limit:,} bytes (body_bytes)")

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._size += len(data)
        self.admit(self._size)
        self._pending.append(data)
        self._waiting += len(data)

    @property
    def full(self) -> bool:
        """More waits in memory than may; `flush` comes next."""
        return self._waiting > self._limits.memory_bytes

    @property
    def ready(self) -> bool:
        """More can be written. While a worker flushes, what came would overtake what it is about to put into the
        file, and a body that ends then would be without it."""
        return not self.full and not self.busy

    @property
    def on_disk(self) -> bool:
        """The body is larger than memory takes."""
        return self._path is not None or self.full

    def flush(self) -> None:
        """Move what waits to the file; blocks."""
        pending, self._pending, self._waiting = self._pending, [], 0
        if self._path is None:
            handle, name = tempfile.mkstemp(prefix="durable-body-", dir=self._directory)
            self._path = Path(name)
            os.close(handle)
        with self._path.open("ab") as file:
            file.writelines(pending)

    def body(self) -> Body:
        """The whole body; blocks where it is `on_disk`."""
        if self.on_disk:
            self.flush()
            assert self._path is not None
            return FileBody(self._path)
        return BytesBody(b"".join(self._pending)) if self._size else EMPTY

    def remove(self) -> None:
        """The file goes; safe to call more than once."""
        self._pending = []
        if self._path is not None:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
