"""What was looked through and held nothing, so that it need not be looked through again.

# Rule: what is kept here held nothing when it was looked at, and holds none of the secrets that were learnt since: each
# new one is looked for in all that is kept, and where it stands, all is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable

from durable_replay.redaction.blocks import Standing

__all__ = ["LARGEST", "Clean"]

_ROOM = 4 * 1024 * 1024
_BODIES = 8 * 1024 * 1024
LARGEST = 128 * 1024
"""Of what is kept in one go, in signs."""
_LARGEST_BODY = 1024 * 1024
_EACH = 100  # bytes that a text takes beside its signs


class Clean:
    """Texts in sets of their own (`section`), and whole bodies. `sign` is where bodies were cut, so that a secret with
    that sign may stand in a body and in none of its pieces. `times` counts how often all was forgotten."""

    __slots__ = ("_bodies", "_free", "_free_bodies", "_sections", "_sign", "_standing", "times")

    def __init__(self, sign: str = "") -> None:
        self._sign = sign
        self._sections: list[set[str]] = []
        self._bodies: set[tuple[str, bytes]] = set()
        self._standing = Standing()
        self._free, self._free_bodies = _ROOM, _BODIES
        self.times = 0

    def section(self) -> set[str]:
        """A set of texts, to be read by its owner and to be filled by `keep`."""
        self._sections.append(set())
        return self._sections[-1]

    def keep(self, section: set[str], new: set[str], texts: Iterable[str]) -> bool:
        """Put texts into a section. In `texts` all stands that a secret learnt later could stand in: they themselves,
        joined, and what is encoded in them. False: they are too large to be kept."""
        texts = tuple(texts)
        size = sum(map(len, texts)) + len(new) * _EACH
        if size > LARGEST:
            return False
        if size > self._free:
            self.forget()
        self._free -= size
        section |= new
        self._standing.add(texts)
        return True

    def has_body(self, kind: str, data: bytes) -> bool:
        return (kind, data) in self._bodies

    def keep_body(self, kind: str, data: bytes) -> None:
        """Keep a body whose texts, all of them, are kept."""
        size = len(data) + _EACH
        if size > _LARGEST_BODY:
            return
        if size > self._free_bodies:
            self._forget_bodies()
        self._free_bodies -= size
        self._bodies.add((kind, data))

    def doubt(self, secrets: Iterable[str]) -> None:
        """These are secrets from now on."""
        secrets = tuple(secrets)
        if any(map(self._standing.has, secrets)):
            self.forget()
        elif any(self._sign in secret for secret in secrets):
            self._forget_bodies()

    def forget(self) -> None:
        """All of it."""
        for section in self._sections:
            section.clear()
        self._standing = Standing()
        self._free = _ROOM
        self.times += 1
        self._forget_bodies()

    def _forget_bodies(self) -> None:
        self._bodies.clear()
        self._free_bodies = _BODIES
