from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from durable_replay.cassette.writer import CassetteWriter
from durable_replay.errors import UsageError
from durable_replay.http import Interaction, Request, Response
from durable_replay.recording.expiry import expired, parse_age


def test_a_cassette_is_too_old_when_its_oldest_recording_is(tmp_path: Path) -> None:
    path = tmp_path / "x.cassette"
    now = datetime(2026, 3, 1, tzinfo=UTC)
    with CassetteWriter.open(path) as writer:
        started = (now - timedelta(days=31)).timestamp()
        writer.append(Interaction(Request("GET", "https", "h", 443, "/"), Response(200), started=started))
    assert "31 days old; the limit is 30" in expired(path, parse_age("30d"), now)
    assert expired(path, parse_age("5w"), now) == ""


@pytest.mark.parametrize("text", ["", "30", "d", "3 years", "-1d"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="30d"):
        parse_age(text)
