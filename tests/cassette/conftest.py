"""Builders for cassettes of a few pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response

Make = Callable[..., Interaction]


def interaction(number: int = 1, body: bytes = b'{"answer":42}', frames: tuple[Frame, ...] = ()) -> Interaction:
    """A GET of one host; all its parts follow from `number`."""
    return Interaction(
        Request(
            "GET", "https", "api.test", 443, f"/thing/{number}?a=%20b", Headers([("Accept", "*/*"), ("X", "\xe9")])
        ),
        Response(200, Headers([("Content-Type", "application/json")]), BytesBody(body), "OK"),
        number=number,
        frames=frames,
        started=1_700_000_000.5 + number,
        duration=0.25,
    )


@pytest.fixture
def make() -> Make:
    return interaction


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.cassette"


@pytest.fixture
def write(path: Path) -> Callable[[list[Interaction]], Path]:
    """Write a cassette of these interactions."""

    def write_all(interactions: list[Interaction]) -> Path:
        with CassetteWriter.open(path) as writer:
            for each in interactions:
                writer.append(each)
        return path

    return write_all


@pytest.fixture
def read() -> Callable[[Path], list[Interaction]]:
    """Every interaction of a cassette, bodies in memory."""

    def read_all(path: Path) -> list[Interaction]:
        with Cassette.open(path) as cassette:
            return [_in_memory(each) for each in cassette.interactions()]

    return read_all


def _in_memory(each: Interaction) -> Interaction:
    request = replace(each.request, body=BytesBody(each.request.body.read()))
    return replace(each, request=request, response=replace(each.response, body=BytesBody(each.response.body.read())))
