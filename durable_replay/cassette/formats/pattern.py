"""Requests that a source describes by patterns, written out as one request each.

A mock's mapping says which requests it would answer; a tape holds requests that were sent. Where a pattern is exact the
request is what it says; else the pattern's own text stands in its place, and the note says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

__all__ = ["joined", "loosely"]


def joined(base: str, path: str, query: Iterable[tuple[str, str]] = ()) -> str:
    """The URL of a path (with or without a query of its own) and more query pairs below a base."""
    if not path.startswith("/"):
        path = f"/{path}"
    written = urlencode(list(query))
    return f"{base.rstrip('/')}{path}{('&' if '?' in path else '?') + written if written else ''}"


def loosely(notes: list[str], what: str, how: str) -> None:
    """Note that `what` (path, query 'q', body…) was matched by something that is not equality."""
    notes.append(f"the source matches its {what} by {how}, whose text stands here instead")
