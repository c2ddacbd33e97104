"""The key that makes placeholders: one a user, outside every cassette, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from durable_replay.errors import UsageError

__all__ = ["VARIABLE", "load_key"]

VARIABLE = "DURABLE_REPLAY_REDACTION_KEY_FILE"
_SIZE = 32


def _default() -> Path:
    from platformdirs import user_data_dir

    return Path(user_data_dir("durable-replay", appauthor=False)) / "redaction.key"


def load_key(path: Path | None = None) -> bytes:
    """The key in `path`, else in the file that the environment variable names, else in the user's data directory.

    A missing file is made (32 random bytes as hex, mode 0600). Share one file in a team to get the same placeholders
    from everybody's recordings. Raises UsageError where the file is unusable.
    """
    place = path or (Path(named) if (named := os.environ.get(VARIABLE)) else _default())
    try:
        return _read(place) if place.exists() else _make(place)
    except OSError as wrong:
        raise UsageError(
            f"the redaction key {place} cannot be used ({wrong.strerror}); name another file in {VARIABLE}"
        ) from None


def _read(place: Path) -> bytes:
    text = place.read_bytes().strip()
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) < 16:
        raise UsageError(f"{place} is no redaction key (hex, at least 16 bytes); delete it, and the next run makes one")
    return key


def _make(place: Path) -> bytes:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = place.with_name(f"{place.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(_SIZE) + "\n")
    try:
        os.link(new, place)  # two processes may start at once: the first key stands
    except FileExistsError:
        pass
    except OSError:
        new.replace(place)
        return _read(place)
    new.unlink(missing_ok=True)
    return _read(place)
