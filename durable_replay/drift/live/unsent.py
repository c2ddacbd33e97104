"""What the recorded writes that are not sent have made or taken away.

A suite makes an order, reads it and deletes it. Whoever asks for that order again, and sends no writes, finds none:
that tells of the suite, and nothing of the API.
"""

# Rule: an address is touched by a write to it, or by a POST whose answer names it: by Location, or by an id below the
# address that was posted to. What the tape left there and is gone now is told; so is what an answer says.

from __future__ import annotations

from typing import Literal, TypeAlias
from urllib.parse import unquote, urljoin, urlsplit

from durable_replay.drift.live.places import Place, shown
from durable_replay.http import Interaction, Request

__all__ = ["Left", "Touched", "says_nothing"]

Left: TypeAlias = Literal["", "there", "gone"]
"""How the tape left what a request names: its unsent writes did not touch it, or had it there, or deleted it."""

_GONE = frozenset({404, 410})
_MOST = 200_000
_NEAR = 2
"""Steps from the top of an answer to the id of what it is about: `id`, `order.id`."""


def says_nothing(recorded: int, live: int, left: Left) -> bool:
    """Whether two statuses differ in that something is there, as the writes explain."""
    if recorded in _GONE and 200 <= live < 300:
        return left != ""
    return left == "gone" and live in _GONE and 200 <= recorded < 300


class Touched:
    """The addresses that these writes touched, by authority and path."""

    def __init__(self) -> None:
        self._addresses: dict[tuple[str, str], Left] = {}

    def add(self, write: Interaction) -> None:
        """Takes in one write that is not sent."""
        request, response = write.request, write.response
        if response.status >= 400 or len(self._addresses) >= _MOST:
            return
        if request.method != "POST":
            self._addresses[request.authority, _path(request.path)] = "gone" if request.method == "DELETE" else "there"
            return
        if location := response.headers.get("location"):
            self._locate(request, location)
        for place, value in shown(request, response):
            if _names(place) and "/" not in value:
                self._addresses[request.authority, f"{_path(request.path)}/{value}"] = "there"

    def _locate(self, request: Request, location: str) -> None:
        try:
            parts = urlsplit(urljoin(request.url, location))
        except ValueError:
            return
        if _path(parts.path):
            self._addresses[request.authority, _path(parts.path)] = "there"

    def left(self, authority: str, path: str) -> Left:
        """How an address was left, or the nearest above it that was touched; what is above takes it along."""
        path, left = _path(path), ""
        while path:
            here = self._addresses.get((authority, path), "")
            if here == "gone":
                return here
            left = left or here
            path = path.rpartition("/")[0]
        return "there" if left else ""


def _names(place: Place) -> bool:
    names = [step for step in place.path if isinstance(step, str)]
    return place.is_id and not place.within and len(names) == len(place.path) <= _NEAR


def _path(path: str) -> str:
    return unquote(path).rstrip("/")
