"""Bodies of a media type, read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durable_replay.drift.documents import Document, document
from durable_replay.http import BytesBody, Headers

Read = Callable[..., Document]


@pytest.fixture
def read() -> Read:
    """`read(content_type, data, *other fields)` as a message of these headers."""

    def read(content_type: str, data: bytes, *fields: tuple[str, str]) -> Document:
        typed = (("Content-Type", content_type),) if content_type else ()
        return document(Headers((*typed, *fields)), BytesBody(data))

    return read
