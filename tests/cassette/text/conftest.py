"""A text form in memory, and back."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from durable_replay.cassette.text.reading import TextReader
from durable_replay.cassette.text.writing import exact_text
from durable_replay.http import EMPTY, Body, BytesBody, Interaction


class MemorySink:
    """A body that is gathered in memory."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._pieces.append(data)

    def finish(self) -> Body:
        return BytesBody(b"".join(self._pieces)) if self._pieces else EMPTY

    def abort(self) -> None:
        self._pieces.clear()


def parsed(text: str | bytes) -> list[Interaction]:
    """The interactions of a text."""
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    return list(TextReader(Path("review.txt"), io.BytesIO(data), MemorySink))


@pytest.fixture
def parse() -> Callable[[str | bytes], list[Interaction]]:
    return parsed


@pytest.fixture
def written() -> Callable[[Iterable[Interaction]], str]:
    return lambda interactions: "".join(exact_text(interactions))
