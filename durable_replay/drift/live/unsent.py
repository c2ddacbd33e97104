"""What the recorded writes that are not sent have made or taken away.

A suite makes an order, reads it and deletes it. Whoever asks for that order again, and sends no writes, finds none:
that tells of the suite, and nothing of the API.
"""

# Rule: an address is touched by a write to it, or by a POST whose answer names it: by Location, or by an id below the
# address that was posted to. Only whether something is there is left alone; what an answer says is compared.

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

from durable_replay.drift.live.places import Place, shown
from durable_replay.http import Interaction, Request

__all__ = ["Touched", "is_there_or_not"]

_GONE = frozenset({404, 410})
_MOST = 200_000
_NEAR = 2
"""Steps from the top of an answer to the id of what it is about: `id`, `order.id`."""


def is_there_or_not(recorded: int, live: int) -> bool:
    """Whether two statuses differ in whether something is there, and in nothing else."""
    return (recorded in _GONE and 200 <= live < 300) or (live in _GONE and 200 <= recorded < 300)


class Touched:
    """The addresses that these writes touched, by authority and path."""

    def __init__(self) -> None:
        self._addresses: set[tuple[str, str]] = set()

    def add(self, write: Interaction) -> None:
        """Takes in one write that is not sent."""
        request, response = write.request, write.response
        if response.status >= 400 or len(self._addresses) >= _MOST:
            return
        if request.method != "POST":
            self._addresses.add((request.authority, _path(request.path)))
            return
        if location := response.headers.get("location"):
            self._locate(request, location)
        for place, value in shown(request, response):
            if _names(place) and "/" not in value:
                self._addresses.add((request.authority, f"{_path(request.path)}/{value}"))

    def _locate(self, request: Request, location: str) -> None:
        try:
            parts = urlsplit(urljoin(request.url, location))
        except ValueError:
            return
        if _path(parts.path):
            self._addresses.add((request.authority, _path(parts.path)))

    def holds(self, authority: str, path: str) -> bool:
        """Whether an address is one that was touched, or below one."""
        path = _path(path)
        while path:
            if (authority, path) in self._addresses:
                return True
            path = path.rpartition("/")[0]
        return False


def _names(place: Place) -> bool:
    names = [step for step in place.path if isinstance(step, str)]
    return place.is_id and not place.within and len(names) == len(place.path) <= _NEAR


def _path(path: str) -> str:
    return unquote(path).rstrip("/")
