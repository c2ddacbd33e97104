"""Real servers and processes for the end-to-end tests: each on loopback, on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end.record_replay import moto_server


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The authority of a moto server that lives as long as the tests."""
    with moto_server() as authority:
        yield authority
