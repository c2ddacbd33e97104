"""A cassette as a source: times and notes stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.formats.importing import import_into
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import NewerCassette, UsageError
from durable_replay.http import Interaction, Request, Response

ONE = Interaction(Request("GET", "https", "api.test", 443, "/a"), Response(200), started=5.0, note="by hand")


def made(path: Path) -> Path:
    with CassetteWriter.open(path) as writer:
        writer.append(ONE)
    return path


def test_its_interactions_are_appended_as_they_are(tmp_path: Path, target: Path) -> None:
    source = made(tmp_path / "source.cassette")
    import_into(target, [source])
    import_into(target, [source])
    with Cassette.open(target) as cassette:
        assert [(each.started, each.note) for each in cassette.interactions()] == [(5.0, "by hand")] * 2


def test_a_cassette_of_the_future_leaves_the_target_alone(
    tmp_path: Path, target: Path, newer: Callable[[Path], None]
) -> None:
    source = made(tmp_path / "source.cassette")
    newer(source)
    with pytest.raises(NewerCassette, match=r"source\.cassette"):
        import_into(target, [source])
    assert not target.exists()


def test_a_cassette_is_not_imported_into_itself(target: Path) -> None:
    made(target)
    with pytest.raises(UsageError, match="both source and target"):
        import_into(target, [target])
