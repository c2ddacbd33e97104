"""A small service for the timeline's tests."""

from __future__ import annotations

import pytest

from durable_replay.service.api import Service, kind
from durable_replay.service.codecs import JsonCodec
from durable_replay.service.verbs import create, index, merge, remove, show

NOTE = kind("note", "book note")


@pytest.fixture
def notes() -> Service:
    """Notes in books, by the generic verbs."""
    routes = {
        "GET /{book}": index(NOTE),
        "POST /{book}": create(NOTE),
        "GET /{book}/{note}": show(NOTE),
        "PUT /{book}/{note}": merge(NOTE),
        "DELETE /{book}/{note}": remove(NOTE),
    }
    return Service("notes", ("service.test",), JsonCodec(), routes, (NOTE,))
