"""One writer at a time.

# Rule: whoever holds the lock file beside a cassette is its only writer; readers never look at it.

The lock is the operating system's, on a file of its own: it ends with the process, however that ends. It is not on
the cassette itself, because closing a second descriptor of that file would drop SQLite's own locks.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from durable_replay.errors import CassetteError

__all__ = ["WriterLock"]

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class WriterLock:
    """The right to write one cassette, held until `release` or the end of the process."""

    __slots__ = ("_descriptor", "_file", "_taken")

    def __init__(self, cassette: Path, taken: str = "") -> None:
        """Raises CassetteError at once when another writer holds it (`taken` says so), or its folder cannot be
        written."""
        self._taken = taken or f"{cassette} is being written by another recording"
        self._file = cassette.with_name(cassette.name + "-lock")
        descriptor = self._attempt(cassette)
        while descriptor is None:
            descriptor = self._attempt(cassette)
        self._descriptor = descriptor

    def _attempt(self, cassette: Path) -> int | None:
        """The locked descriptor; None when the former holder removed the file while we were opening it."""
        try:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise CassetteError(
                f"{cassette} cannot be written: {error.strerror} for {self._file}. "
                "Name a file in a folder that exists and that you may write."
            ) from error
        try:
            _take(descriptor)
        except OSError as error:
            os.close(descriptor)
            raise CassetteError(f"{self._taken}. Wait until it ends, or name another one.") from error
        if self._is_current(descriptor):
            return descriptor
        os.close(descriptor)
        return None

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._file.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give it up. The file goes first, while it is ours, so that nobody locks one that is about to go."""
        if sys.platform == "win32":
            os.close(self._descriptor)
            self._file.unlink(missing_ok=True)
        else:
            self._file.unlink(missing_ok=True)
            os.close(self._descriptor)
