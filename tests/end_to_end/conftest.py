"""Real servers and processes for the end-to-end tests: each on loopback, on a port of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# This folder is no package; what its tests share is imported by name.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The authority of a moto server that lives as long as the tests."""
    from record_replay import moto_server

    with moto_server() as authority:
        yield authority
