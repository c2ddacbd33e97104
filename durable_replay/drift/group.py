"""The recordings that a comparison is made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from durable_replay.drift.finding import Endpoint, Exchange

__all__ = ["Group"]


@dataclass(frozen=True, slots=True)
class Group:
    """The recordings of both sides that belong together, each side in the order of its tape.

    `same_request` True: all recordings of one canonical request key, compared value by value. False: what is left of
    an endpoint's requests after the exact pairing; only status, headers and shape are compared.
    """

    endpoint: Endpoint
    befores: Iterable[Exchange]
    afters: Iterable[Exchange]
    same_request: bool
