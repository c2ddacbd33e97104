"""Cassettes to text files and back: the same tape, or the target as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.bodies import INLINE
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.cassette.text.cassettes import cassette_text, import_text, is_text, write_whole
from durable_replay.errors import CassetteError
from durable_replay.http import BytesBody, Frame, Interaction

Make = Callable[..., Interaction]


@pytest.fixture
def text(tmp_path: Path, path: Path, make: Make) -> Path:
    """The text of a cassette with a large binary body, frames and mapped hosts; the cassette is at `path`."""
    large = BytesBody(bytes(range(256)) * (2 * INLINE // 256) + b"end")
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        writer.append(replace(make(2, frames=(Frame(True, "text", b"hi", None, 0.5),)), outcome="aborted"))
        writer.append(replace(make(3), request=replace(make(3).request, body=large)))
        writer.set_meta("hosts", '{"minio.local:9000": "s3"}')
    with Cassette.open(path) as cassette:
        write_whole(tmp_path / "a.txt", cassette_text(cassette))
    return tmp_path / "a.txt"


def test_the_same_tape_comes_back(text: Path, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.cassette"
    assert import_text(text, target) == 3
    with Cassette.open(path) as first, Cassette.open(target) as second:
        assert second.identity == first.identity
        assert second.meta("hosts") == first.meta("hosts")
        assert "".join(cassette_text(second)) == text.read_text("utf-8")


def test_a_text_is_appended_to_a_cassette_that_is_there(text: Path, path: Path) -> None:
    assert import_text(text, path) == 3
    with Cassette.open(path) as cassette:
        assert len(cassette) == 6
        assert cassette.verify() == 6


def test_a_broken_text_leaves_no_new_cassette(text: Path, tmp_path: Path) -> None:
    text.write_text(text.read_text("utf-8") + "nonsense\n", "utf-8")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CassetteError, match=rf"{text.name}, line \d+: 'nonsense' has no meaning here"):
        import_text(text, tmp_path / "b.cassette")
    assert sorted(tmp_path.iterdir()) == before


def test_a_broken_text_leaves_an_old_cassette_as_it_was(text: Path, path: Path) -> None:
    before = path.read_bytes()
    text.write_text(text.read_text("utf-8") + "nonsense\n", "utf-8")
    with pytest.raises(CassetteError):
        import_text(text, path)
    assert path.read_bytes() == before


def test_a_text_for_review_is_not_imported(path: Path, tmp_path: Path, text: Path) -> None:
    with Cassette.open(path) as cassette:
        write_whole(text, cassette_text(cassette, review=True))
    with pytest.raises(CassetteError, match="export again without --review"):
        import_text(text, tmp_path / "b.cassette")


def test_a_file_is_known_by_its_first_line(text: Path, path: Path, tmp_path: Path) -> None:
    assert is_text(text)
    assert not is_text(path)
    assert not is_text(tmp_path / "none")
    assert not is_text(tmp_path)


def test_progress_is_told_to_the_end(path: Path, text: Path) -> None:
    told: list[tuple[int, int]] = []
    with Cassette.open(path) as cassette:
        for _ in cassette_text(cassette, on_progress=lambda done, total: told.append((done, total))):
            pass
    assert told == [(0, 3), (3, 3)]


def test_a_failed_write_leaves_the_former_file(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("before")

    def pieces() -> object:
        yield "half"
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        write_whole(target, pieces())  # type: ignore[arg-type]
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("service", ["asana", "discord", "heroku", "jira", "proxmox", "youtube"])
def test_other_peoples_recordings_come_back_exactly(service: str, shared: Path, tmp_path: Path) -> None:
    from durable_replay.cassette.formats.importing import import_into

    first, second, text = tmp_path / "a.cassette", tmp_path / "b.cassette", tmp_path / "a.txt"
    import_into(first, [shared / "recordings" / service], base="https://api.test")
    with Cassette.open(first) as cassette:
        write_whole(text, cassette_text(cassette))
        assert import_text(text, second) == len(cassette)
        with Cassette.open(second) as again:
            assert again.identity == cassette.identity
