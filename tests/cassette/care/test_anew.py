"""A recording taken anew takes its cassette's place in one step, whoever is killed when."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from durable_replay.cassette.care.anew import Refreshing, refresh_command, refreshing
from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Interaction

Exchange = Callable[..., Interaction]
Killed = Callable[[Callable[[], object], int], bool]
OLD, NEW = [f"/old/{number}" for number in range(5)], [f"/new/{number}" for number in range(3)]


@pytest.fixture
def file(tmp_path: Path, exchange: Exchange) -> Path:
    folder = tmp_path / "cassettes"
    folder.mkdir()
    with CassetteWriter.open(folder / "a.cassette") as writer:
        writer.extend(exchange(target, body=os.urandom(9_000)) for target in OLD)
        writer.set_meta("hosts", '{"minio.test": "s3", "jira.test": "jira"}')
    return folder / "a.cassette"


def staged(work: Refreshing, exchange: Exchange, exit_code: int = 0) -> None:
    with CassetteWriter.open(work.staged) as writer:
        writer.extend(exchange(target, body=os.urandom(9_000)) for target in NEW)
        writer.set_meta("hosts", '{"jira.test": "other"}')
    work.mark(exit_code)


def kept(file: Path, exchange: Exchange, exit_code: int = 0) -> None:
    with refreshing(file) as work:
        staged(work, exchange, exit_code)
        work.publish()


def names(file: Path) -> set[str]:
    return {path.name for path in file.parent.iterdir()}


def accept(file: Path, *, keep_former: bool = False) -> None:
    with refreshing(file) as work:
        work.accept(keep_former=keep_former)


@pytest.mark.parametrize("keep_former", [True, False])
def test_what_was_kept_takes_the_place_of_the_former(
    file: Path, exchange: Exchange, targets: Callable[[Path], list[str]], keep_former: bool
) -> None:
    file.chmod(0o640)
    kept(file, exchange)
    assert targets(file) == OLD
    assert names(file) == {"a.cassette", "a.cassette.new"}
    accept(file, keep_former=keep_former)
    assert targets(file) == NEW
    assert file.stat().st_mode & 0o777 == 0o640
    former = file.with_name("a.cassette.before")
    assert names(file) == {"a.cassette"} | ({former.name} if keep_former else set())
    if keep_former:
        assert targets(former) == OLD
    with Cassette.open(file) as cassette:
        assert mapped_hosts(cassette) == {"minio.test": "s3", "jira.test": "other"}


def test_a_link_stays_and_the_file_behind_it_is_replaced(
    file: Path, tmp_path: Path, exchange: Exchange, targets: Callable[[Path], list[str]]
) -> None:
    link = tmp_path / "link.cassette"
    link.symlink_to(file)
    kept(link, exchange)
    accept(link)
    assert link.is_symlink()
    assert targets(file) == NEW


def test_how_its_command_ended_is_remembered(file: Path, exchange: Exchange) -> None:
    kept(file, exchange, exit_code=3)
    with refreshing(file) as work:
        assert work.kept().exit_code == 3


def test_a_later_recording_takes_the_place_of_one_that_was_kept(file: Path, exchange: Exchange) -> None:
    kept(file, exchange, exit_code=3)
    kept(file, exchange)
    with refreshing(file) as work:
        assert work.kept().exit_code == 0


def test_what_is_kept_belongs_to_the_tape_as_it_was(
    file: Path, exchange: Exchange, targets: Callable[[Path], list[str]]
) -> None:
    kept(file, exchange)
    with CassetteWriter.open(file) as writer:
        writer.append(exchange("/more"))
    with pytest.raises(UsageError, match="is not the tape any more"):
        accept(file)
    assert targets(file) == [*OLD, "/more"]
    assert names(file) == {"a.cassette", "a.cassette.new"}


@pytest.mark.parametrize("mark", [None, "", "[]", "{}", '{"follows": 1, "exit_code": 0}', "[" * 100_000])
def test_a_cassette_by_that_name_without_a_mark_is_not_taken_and_not_replaced(
    file: Path, exchange: Exchange, mark: str | None
) -> None:
    new = file.with_name("a.cassette.new")
    with CassetteWriter.open(new) as writer:
        writer.append(exchange("/mine"))
        if mark is not None:
            writer.set_meta("refreshes", mark)
    before = new.read_bytes()
    with pytest.raises(UsageError, match="would be replaced; move it away"), refreshing(file):
        raise AssertionError("it began")
    assert new.read_bytes() == before


def test_nothing_kept_is_said_with_the_command(file: Path) -> None:
    with refreshing(file) as work, pytest.raises(UsageError, match=r"record --refresh .*a\.cassette -- CMD"):
        work.kept()


def test_two_cannot_be_at_one_cassette(file: Path) -> None:
    with (
        refreshing(file),
        pytest.raises(CassetteError, match="recorded anew by another command already"),
        refreshing(file),
    ):
        raise AssertionError("both began")
    with refreshing(file):
        pass
    assert names(file) == {"a.cassette"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write any folder")
def test_a_folder_that_cannot_be_written_is_named(file: Path) -> None:
    file.parent.chmod(0o500)
    try:
        with pytest.raises(CassetteError, match="cannot be written"), refreshing(file):
            raise AssertionError("it began")
    finally:
        file.parent.chmod(0o700)


def test_the_command_can_be_typed_for_any_name() -> None:
    assert refresh_command("my tape's") == """durable-replay record --refresh 'my tape'"'"'s' -- CMD"""


# -- a killed process


@pytest.mark.skipif(not hasattr(os, "fork"), reason="killing at each moment needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_killed_at_any_moment_of_accepting_the_former_or_the_new_is_there_whole(
    file: Path, tmp_path: Path, exchange: Exchange, targets: Callable[[Path], list[str]], killed: Killed
) -> None:
    kept(file, exchange)
    found: list[list[str]] = []
    moment = 0
    while True:
        place = tmp_path / str(moment) / file.name
        shutil.copytree(file.parent, place.parent)
        alive = not killed(partial(accept, place, keep_former=True), moment)
        found.append(targets(place))
        new = place.with_name("a.cassette.new")
        assert targets(place) == NEW or targets(new) == NEW
        former = place.with_name("a.cassette.before")
        assert not former.exists() or targets(former) == OLD
        if targets(place) == OLD:
            accept(place, keep_former=True)  # what the killed one left is in nobody's way
        assert (targets(place), targets(former)) == (NEW, OLD)
        shutil.rmtree(place.parent)
        if alive:
            break
        moment += 1
    turn = found.index(NEW)
    assert found == [OLD] * turn + [NEW] * (len(found) - turn)
    assert turn > 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="killing at each moment needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_killed_while_it_is_put_beside_the_cassette_stays_and_a_part_is_never_kept(
    file: Path, tmp_path: Path, exchange: Exchange, targets: Callable[[Path], list[str]], killed: Killed
) -> None:
    before = file.read_bytes()
    moment = 0
    while True:
        place = tmp_path / str(moment) / file.name
        shutil.copytree(file.parent, place.parent)
        alive = not killed(partial(kept, place, exchange), moment)
        new = place.with_name("a.cassette.new")
        assert place.read_bytes() == before
        assert not new.exists() or targets(new) == NEW
        with refreshing(place) as work:
            assert not work.staged.exists()
        shutil.rmtree(place.parent)
        if alive:
            break
        moment += 4
    assert moment > 20
