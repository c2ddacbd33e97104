"""Files of flows, as `mitmdump -w` writes them: mitmproxy reads and upgrades them, flows.py makes them ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from mitmproxy import exceptions, http
from mitmproxy.io import FlowReader

from durable_addons.flows import interaction_of
from durable_replay.http import Interaction

__all__ = ["Unreadable", "interactions"]


class Unreadable(ValueError):
    """mitmproxy cannot read the file, or it is of a later version."""


def interactions(file: BinaryIO) -> Iterator[Interaction]:
    """The HTTP and WebSocket flows of a file in order; those of other protocols have no place on a tape."""
    try:
        for flow in FlowReader(file).stream():
            if isinstance(flow, http.HTTPFlow):
                yield interaction_of(flow)
    except (exceptions.FlowReadException, ValueError, KeyError, TypeError) as error:
        raise Unreadable(str(error) or type(error).__name__) from error
