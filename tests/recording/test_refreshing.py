"""What is kept of a recording that was taken anew, and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from durable_replay.cassette.care.anew import Refreshing, refreshing
from durable_replay.cassette.care.hosts import add_mapped_hosts
from durable_replay.cassette.store import CassetteWriter
from durable_replay.errors import CassetteError, UsageError
from durable_replay.recording.recorder import Recorder
from durable_replay.recording.refreshing import loopback_hosts, refresh
from durable_replay.recording.run import Outcome
from durable_replay.redaction.scan import Finding
from durable_replay.testing import exchange


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Refreshing]:
    path = tmp_path / "tapes" / "a.cassette"
    path.parent.mkdir()
    with CassetteWriter.open(path) as writer:
        writer.append(exchange("GET", "https://api.test/old", 200, {"a": 1}))
    with refreshing(path) as going:
        yield going


def recording(
    written: int = 1, exit_code: int = 0, error: str = "", interrupted: bool = False
) -> Callable[[Path], Outcome]:
    """A recording that ends so; it leaves a file in any case."""

    def record(path: Path) -> Outcome:
        with CassetteWriter.open(path) as writer:
            for number in range(written):
                writer.append(exchange("GET", f"https://api.test/new/{number}", 200, {"a": number}))
        findings = (Finding("github-token", "interaction #1"),) if "secrets" in error else ()
        return Outcome(written, written, 9, frozenset({"api.test"}), findings, exit_code, error, interrupted)

    return record


def no_more(path: Path) -> None:
    return


@pytest.mark.parametrize("exit_code", [0, 3])
def test_what_ended_by_itself_is_kept_after_it_was_finished(work: Refreshing, exit_code: int) -> None:
    finished: list[Path] = []
    taken = refresh(work, recording(exit_code=exit_code), finished.append)
    assert (taken.removed, taken.outcome.exit_code, finished) == ("", exit_code, [work.staged])
    assert work.kept().exit_code == exit_code
    assert not work.staged.exists()


@pytest.mark.parametrize(
    ("record", "why", "exit_code"),
    [
        (recording(error="It holds secrets: github-token", exit_code=1), "github-token", 1),
        (recording(error="The recording is not whole", exit_code=9), "not whole", 9),
        (recording(interrupted=True), "interrupted", 130),
        (recording(interrupted=True, exit_code=143), "interrupted", 143),
        (recording(written=0), "Nothing was recorded", 1),
        (recording(written=0, exit_code=4), "Nothing was recorded", 4),
    ],
)
def test_anything_else_is_removed_and_said(
    work: Refreshing, record: Callable[[Path], Outcome], why: str, exit_code: int
) -> None:
    before = work.file.read_bytes()
    taken = refresh(work, record, no_more)
    assert why in taken.removed
    assert taken.outcome.exit_code == exit_code
    assert {path.name for path in work.file.parent.iterdir() if not path.name.endswith("-lock")} == {"a.cassette"}
    assert work.file.read_bytes() == before


def test_an_error_on_the_way_removes_it_too(work: Refreshing) -> None:
    def fails(path: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        refresh(work, recording(), fails)
    assert {path.name for path in work.file.parent.iterdir() if not path.name.endswith("-lock")} == {"a.cassette"}


def test_a_secret_that_a_recording_holds_leaves_no_file(work: Refreshing, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the recorder's own proof, with a rule that finds what redaction has missed."""
    monkeypatch.setattr(
        "durable_replay.recording.recorder.scan_tape", lambda *_: [Finding("github-token", "interaction #1")]
    )

    def record(path: Path) -> Outcome:
        recording()(path)
        recorder = Recorder.start(path, "new", key=b"0123456789abcdef")
        with pytest.raises(CassetteError) as wrong:
            recorder.finish()
        return Outcome(1, 1, 9, frozenset(), (), 1, str(wrong.value))

    taken = refresh(work, record, no_more)
    assert "holds secrets" in taken.removed and "github-token" in taken.removed
    assert not work.staged.exists() and not work.new.exists()


def test_an_earlier_recording_stays_where_a_later_one_is_not_kept(work: Refreshing) -> None:
    refresh(work, recording(exit_code=0), no_more)
    refresh(work, recording(interrupted=True), no_more)
    assert work.kept().exit_code == 0


def test_loopback_names_come_from_the_tape_and_from_its_mapped_hosts(tmp_path: Path) -> None:
    path = tmp_path / "a.cassette"
    with CassetteWriter.open(path) as writer:
        writer.append(exchange("GET", "http://127.0.0.1:8080/a", 200, {"a": 1}))
        writer.append(exchange("GET", "https://api.test/a", 200, {"a": 1}))
        add_mapped_hosts(writer, {"localhost:9000": "s3", "minio.test": "s3"})
    assert loopback_hosts(path) == {"127.0.0.1", "localhost"}


def test_an_empty_cassette_has_nothing_to_take_anew(tmp_path: Path) -> None:
    CassetteWriter.open(tmp_path / "a.cassette").close()
    with pytest.raises(UsageError, match="holds no interactions"), refreshing(tmp_path / "a.cassette"):
        raise AssertionError("it began")
