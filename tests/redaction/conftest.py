from __future__ import annotations

import pytest

from durable_replay.redaction.redact import Redactor


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(b"a key of the tests' own, 32 bytes")
