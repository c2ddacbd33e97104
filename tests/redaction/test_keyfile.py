from __future__ import annotations

import stat
from pathlib import Path

import pytest

from durable_replay.errors import UsageError
from durable_replay.redaction.keyfile import VARIABLE, load_key


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "made" / "redaction.key"
    key = load_key(place)
    assert len(key) == 32 and load_key(place) == key
    assert stat.S_IMODE(place.stat().st_mode) == 0o600 and [file.name for file in place.parent.iterdir()] == [
        place.name
    ]


def test_the_environment_names_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "team.key").write_text("ab" * 32)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "team.key"))
    assert load_key() == bytes.fromhex("ab" * 32)


def test_a_file_that_is_no_key_is_named_and_left(tmp_path: Path) -> None:
    place = tmp_path / "k"
    place.write_text("hello")
    with pytest.raises(UsageError, match=r"k is no redaction key"):
        load_key(place)
    assert place.read_text() == "hello"


def test_an_unusable_place_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=VARIABLE):
        load_key(tmp_path / "file" / "key")
