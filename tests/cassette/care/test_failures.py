"""Whatever stops the care of a cassette, each file is, byte for byte, what it was; or all is done."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from durable_replay.cassette.care.building import changing
from durable_replay.cassette.care.editing import Changes, edit
from durable_replay.cassette.care.merging import merge
from durable_replay.cassette.care.pruning import Unneeded, prune
from durable_replay.cassette.care.scrubbing import scrub
from durable_replay.cassette.care.splitting import every, split
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.cassette.text.cassettes import cassette_text, import_text, write_whole
from durable_replay.errors import CassetteError, NotACassette
from durable_replay.http import BytesBody, Interaction
from durable_replay.redaction.redact import Redactor

Exchange = Callable[..., Interaction]
IsMoment = Callable[[str], bool]
Killed = Callable[[Callable[[], object], int], bool]
Tape = Callable[..., Path]

CARE: dict[str, Callable[[Path], object]] = {
    "prune": lambda folder: prune(folder / "t.cassette", Unneeded(duplicates=True)),
    "edit": lambda folder: edit(folder / "t.cassette", 1, Changes(503, body=BytesBody(b"x" * 300_000))),
    "merge into one that is there": lambda folder: merge(folder / "t.cassette", [folder / "other.cassette"]),
    "merge into a new one": lambda folder: merge(
        folder / "all.cassette", [folder / "t.cassette", folder / "t.cassette"]
    ),
    "split into a new folder": lambda folder: split(folder / "t.cassette", every(16), folder / "parts"),
    "scrub": lambda folder: scrub(folder / "t.cassette", Redactor(b"a key of the tests' own, 32 bytes")),
    "import": lambda folder: import_text(folder / "other.txt", folder / "t.cassette"),
}
TOUCHED = {"merge into a new one": ["all.cassette"], "split into a new folder": ["parts"]}
"""What is made by it; all others change `t.cassette`."""
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="killing at each moment needs fork")
FORKED = "ignore:This process .* is multi-threaded:DeprecationWarning"
"""From Python 3.12 on: the runner of tests may have threads; the child uses none of them, and ends by itself."""


def lay_out(folder: Path, exchange: Exchange) -> None:
    """A cassette with repeated reads, another one, and its text."""
    noise = random.Random(4)
    folder.mkdir(exist_ok=True)
    with CassetteWriter.open(folder / "t.cassette") as writer:
        for number in range(30):
            body = noise.randbytes(20_000) if number == 7 else b"body %d" % (number % 20)
            writer.append(exchange(f"/{number % 20}", body=body))
    with CassetteWriter.open(folder / "other.cassette") as writer:
        for number in range(10):
            writer.append(exchange(f"/other/{number}", body=noise.randbytes(15_000)))
    with Cassette.open(folder / "other.cassette") as cassette:
        write_whole(folder / "other.txt", cassette_text(cassette))


@pytest.fixture
def folder(tmp_path: Path, exchange: Exchange) -> Path:
    lay_out(tmp_path / "care", exchange)
    return tmp_path / "care"


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# -- a full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a disk of a known size needs Linux and the right to mount")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"tmpfs cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("room", [0, 12, 40])
@pytest.mark.parametrize("name", CARE)
def test_on_a_full_disk_nothing_is_changed_and_nothing_is_left(
    name: str, room: int, small_disk: Path, exchange: Exchange
) -> None:
    """`room` is in KiB: for nothing, for a beginning, for most of it."""
    lay_out(small_disk, exchange)
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "filling").write_bytes(bytes(free - room * 1024))
    before = snapshot(small_disk)
    with pytest.raises(CassetteError, match=r"disk is full|No space left on device"):
        CARE[name](small_disk)
    assert snapshot(small_disk) == before
    assert [path.name for path in small_disk.iterdir() if path.is_dir()] == []


# -- a killed process


def _count(folder: Path, name: str, is_moment: IsMoment) -> int:
    """At how many moments it can be killed: whenever Python touches a file, a process or a database."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        moments = 0

        def met(event: str, args: tuple[object, ...]) -> None:
            nonlocal moments
            moments += is_moment(event)

        sys.addaudithook(met)
        CARE[name](folder)
        os.write(writing, str(moments).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return int(pipe.read())


def _chosen(moments: int) -> list[int]:
    """The last ones, when it takes its place, and some of those before."""
    assert moments > 10
    return [*range(0, moments - 8, max(1, moments // 7)), *range(moments - 8, moments)]


def _identities(folder: Path, names: list[str]) -> dict[str, str]:
    """Those of the cassettes by these names, or in folders by these names."""
    found: dict[str, str] = {}
    for name in names:
        paths = sorted((folder / name).iterdir()) if (folder / name).is_dir() else [folder / name]
        for path in paths:
            if path.exists():
                with Cassette.open(path) as cassette:
                    assert cassette.verify() == len(cassette)
                    found[str(path.relative_to(folder))] = cassette.identity
    return found


@FORKS
@pytest.mark.parametrize("name", CARE)
@pytest.mark.filterwarnings(FORKED)
def test_killed_at_any_moment_all_is_as_it_was_or_done_and_can_be_done_again(
    name: str, folder: Path, tmp_path: Path, killed: Killed, is_moment: IsMoment
) -> None:
    before, touched = snapshot(folder), TOUCHED.get(name, ["t.cassette"])
    for each in ("done", "counted"):
        shutil.copytree(folder, tmp_path / each)
    CARE[name](tmp_path / "done")  # here, so that no child imports anything
    done = _identities(tmp_path / "done", touched)
    moments = _count(tmp_path / "counted", name, is_moment)
    unchanged = 0
    for moment in _chosen(moments):
        place = tmp_path / str(moment)
        shutil.copytree(folder, place)
        assert killed(partial(CARE[name], place), moment)
        found = {path: data for path, data in snapshot(place).items() if _is_shown(path)}
        if found == before:
            unchanged += 1
            CARE[name](place)  # what the killed one has left beside is in nobody's way
        else:
            assert {path: data for path, data in found.items() if path.split("/")[0] not in touched} == {
                path: data for path, data in before.items() if path not in touched
            }
        assert _identities(place, touched) == done
        shutil.rmtree(place)
    assert unchanged > 3


def _is_shown(path: str) -> bool:
    """Neither hidden, nor a lock, which is free as soon as its holder is gone."""
    return not any(part.startswith(".") for part in path.split("/")) and not path.endswith("-lock")


# -- a source that is damaged, a file of somebody else, somebody who writes


@pytest.mark.parametrize("name", [name for name in CARE if name not in ("merge into one that is there", "import")])
@pytest.mark.parametrize("damage", ["a row", "cut short"])
def test_a_damaged_cassette_is_named_and_left_as_it_is(name: str, damage: str, folder: Path) -> None:
    path = folder / "t.cassette"
    if damage == "a row":
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE interaction SET started = 5 WHERE number = 29")
        connection.close()
    else:
        path.write_bytes(path.read_bytes()[:-5000])
    before = snapshot(folder)
    with pytest.raises(CassetteError, match=r"t\.cassette"):
        CARE[name](folder)
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", CARE)
def test_a_file_that_is_no_cassette_is_refused_and_left_as_it_is(name: str, folder: Path) -> None:
    (folder / "t.cassette").write_text("somebody's notes")
    before = snapshot(folder)
    with pytest.raises(NotACassette, match=r"t\.cassette"):
        CARE[name](folder)
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", TOUCHED)
def test_a_new_target_that_is_there_is_left_as_it_is(name: str, folder: Path) -> None:
    if name == "split into a new folder":
        (folder / "parts").mkdir()
        (folder / "parts" / "t-0002.cassette").write_text("mine")
    else:
        (folder / "all.cassette").write_text("mine")
    before = snapshot(folder)
    with pytest.raises(CassetteError):
        CARE[name](folder)
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", [name for name in CARE if name not in TOUCHED])
def test_a_cassette_that_is_being_written_is_left_to_its_writer(name: str, folder: Path, exchange: Exchange) -> None:
    with CassetteWriter.open(folder / "t.cassette") as writer:
        writer.append(exchange("/30"))
        writer.flush()
        with pytest.raises(CassetteError, match=r"t\.cassette is being written by another recording"):
            CARE[name](folder)
    with Cassette.open(folder / "t.cassette") as cassette:
        assert cassette.verify() == 31


# -- what is there beside


def test_whoever_reads_a_cassette_goes_on_with_what_it_was(folder: Path) -> None:
    with Cassette.open(folder / "t.cassette") as reader:
        tape = reader.interactions()
        next(tape)
        prune(folder / "t.cassette", Unneeded(duplicates=True))
        assert len(list(tape)) == 29
    with Cassette.open(folder / "t.cassette") as again:
        assert again.verify() == 21


@FORKS
@pytest.mark.filterwarnings(FORKED)
def test_what_a_killed_recorder_has_left_in_its_log_is_kept(folder: Path) -> None:
    path = folder / "t.cassette"
    if (child := os.fork()) == 0:
        writer = CassetteWriter.open(path)
        with Cassette.open(folder / "other.cassette") as other:
            writer.append(other.interaction(1))
        writer.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert (folder / "t.cassette-wal").stat().st_size
    edit(path, 1, Changes(404))
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 31
        assert cassette.interaction(31).request.target == "/other/0"
    assert sorted(each.name for each in folder.iterdir()) == ["other.cassette", "other.txt", "t.cassette"]


def test_a_link_to_a_cassette_stays_one_and_the_files_mode_too(folder: Path) -> None:
    (folder / "t.cassette").chmod(0o640)
    (folder / "link.cassette").symlink_to(folder / "t.cassette")
    edit(folder / "link.cassette", 1, Changes(404))
    assert (folder / "link.cassette").is_symlink()
    assert (folder / "t.cassette").stat().st_mode & 0o777 == 0o640
    with Cassette.open(folder / "t.cassette") as cassette:
        assert cassette.interaction(1).response.status == 404


def test_a_change_that_raises_in_its_block_is_none(folder: Path, exchange: Exchange) -> None:
    before = snapshot(folder)

    def stopped() -> None:
        with changing(folder / "t.cassette") as writer:
            writer.append(exchange("/more"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert snapshot(folder) == before
