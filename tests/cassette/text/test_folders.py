"""A cassette's text as a folder: the same tape comes back, or the file that is wrong is named."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.bodies import INLINE
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.cassette.text.cassettes import import_text, is_text
from durable_replay.cassette.text.folders import HEAD, file_name, write_folder
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import BytesBody, Frame, Headers, Interaction

Make = Callable[..., Interaction]
ONE, TWO, THREE = "0001-GET-thing-1.txt", "0002-GET-thing-2.txt", "0003-GET-thing-3.txt"


def exported(cassette: Path, folder: Path, *, review: bool = False) -> dict[str, bytes]:
    """The folder's files after an export."""
    with Cassette.open(cassette) as opened:
        write_folder(folder, opened, review=review)
    return files(folder)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def folder(tmp_path: Path, path: Path, make: Make) -> Path:
    """The text of a cassette with a large binary body, frames and mapped hosts; the cassette is at `path`."""
    large = BytesBody(bytes(range(256)) * (2 * INLINE // 256) + b"end")
    with CassetteWriter.open(path) as writer:
        writer.append(make(1))
        writer.append(replace(make(2, frames=(Frame(True, "text", b"hi", None, 0.5),)), outcome="aborted"))
        writer.append(replace(make(3), request=replace(make(3).request, body=large)))
        writer.set_meta("hosts", '{"minio.local:9000": "s3"}')
    exported(path, tmp_path / "text")
    return tmp_path / "text"


def test_each_interaction_has_a_file_whose_name_tells_number_method_and_path(folder: Path) -> None:
    found = files(folder)
    assert list(found) == [ONE, TWO, THREE, HEAD]
    assert found[HEAD] == b"durable-replay cassette text 1 exact\nhost minio.local:9000 s3\ninteractions 3\n"
    assert found[ONE].startswith(b"durable-replay cassette text 1 exact\n\n#1 GET https://api.test/thing/1")


def test_the_same_tape_comes_back(folder: Path, path: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.cassette"
    assert is_text(folder)
    assert import_text(folder, target) == 3
    with Cassette.open(path) as first, Cassette.open(target) as second:
        assert second.identity == first.identity
        assert second.meta("hosts") == first.meta("hosts")


def test_the_file_of_an_interaction_is_a_text_of_its_own(folder: Path, tmp_path: Path) -> None:
    assert import_text(folder / TWO, tmp_path / "b.cassette") == 1


def test_a_cassette_without_interactions_comes_back(path: Path, tmp_path: Path) -> None:
    CassetteWriter.open(path).close()
    assert list(exported(path, tmp_path / "text")) == [HEAD]
    assert import_text(tmp_path / "text", tmp_path / "b.cassette") == 0


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("GET https://a.test/", "0007-GET.txt"),
        ("GET https://a.test/rest/api/2/issue/P-7?expand=names", "0007-GET-rest-api-2-issue-P-7.txt"),
        ("OPTIONS https://a.test *", "0007-OPTIONS.txt"),
        ("GET https://a.test/../../etc/passwd", "0007-GET-etc-passwd.txt"),
        ("GET https://a.test/a%2Fb%00c%20%C3%A9.", "0007-GET-a-b-c.txt"),
        ("GET https://a.test/issues/‹id 1›", "0007-GET-issues-id-1.txt"),
        ("G\\nT https://a.test/CON:", "0007-G-nT-CON.txt"),
        ("P" * 99 + " https://a.test/" + "x/" * 999, f"0007-{'P' * 16}-{'x-' * 39}x.txt"),
    ],
)
def test_a_name_is_short_and_safe_on_every_file_system(line: str, name: str) -> None:
    assert file_name(7, 100, line) == name


def test_names_sort_as_the_tape_does_however_long_it_is() -> None:
    names = [file_name(number, 12_345, "GET https://a.test/") for number in range(1, 12_346)]
    assert sorted(names) == names
    assert names[0] == "00001-GET.txt"


def test_an_export_again_gives_the_same_folder_and_leaves_nothing_beside_it(
    folder: Path, path: Path, tmp_path: Path
) -> None:
    before, beside = files(folder), sorted(tmp_path.iterdir())
    (folder / "0009-GET-gone.txt").write_bytes(before[ONE])  # of a longer tape than today's
    assert exported(path, folder) == before
    assert sorted(tmp_path.iterdir()) == beside


def test_the_same_traffic_at_another_time_gives_the_same_folder_for_review(tmp_path: Path, make: Make) -> None:
    def at(later: float, number: int) -> Interaction:
        one = make(number)
        dated = Headers([*one.response.headers, ("X-Request-Id", str(later))])
        return replace(
            one, started=one.started + later, duration=later / 7, response=replace(one.response, headers=dated)
        )

    made = []
    for later in (1.0, 86400.0):
        with CassetteWriter.open(tmp_path / f"{later}.cassette") as writer:
            for number in (1, 2):
                writer.append(at(later, number))
        made.append(exported(tmp_path / f"{later}.cassette", tmp_path / f"{later}", review=True))
        assert made[-1] != exported(tmp_path / f"{later}.cassette", tmp_path / f"exact-{later}")
    assert made[0] == made[1]
    assert list(made[0]) == [ONE, TWO, HEAD]


def test_a_folder_for_review_is_not_imported(folder: Path, path: Path, tmp_path: Path) -> None:
    exported(path, folder, review=True)
    with pytest.raises(CassetteError, match=r"cassette\.txt, line 1: .* export again without --review"):
        import_text(folder, tmp_path / "b.cassette")


# -- what is wrong is named, and the target stays


def _cut(folder: Path) -> None:
    whole = (folder / TWO).read_text("utf-8")
    (folder / TWO).write_text(whole[: whole.index("< 2")], "utf-8")


def _renamed(old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: (folder / old).rename(folder / new)


def _copied(old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: shutil.copy(folder / old, folder / new)


def _changed(name: str, old: str, new: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), "utf-8")

    return change


def _swapped(folder: Path) -> None:
    first, second = (folder / ONE).read_bytes(), (folder / TWO).read_bytes()
    (folder / ONE).write_bytes(second)
    (folder / TWO).write_bytes(first)


def _joined(folder: Path) -> None:
    second = (folder / TWO).read_text("utf-8").partition("\n")[2]
    (folder / ONE).write_text((folder / ONE).read_text("utf-8") + second, "utf-8")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "a file is missing": (lambda folder: (folder / TWO).unlink(), r"0002-….txt is missing"),
    "the head is missing": (lambda folder: (folder / HEAD).unlink(), r"cassette\.txt is missing"),
    "a file too many": (_copied(ONE, "0004-GET-thing-1.txt"), r"0004-GET-thing-1\.txt is beyond the 3 interactions"),
    "a copy": (_copied(ONE, "0001-GET-thing-1 (copy).txt"), r"0001-GET-thing-1 \(copy\)\.txt is no interaction's file"),
    "a number twice": (_copied(ONE, "0001-GET-x.txt"), r"0001-GET-x\.txt has the number of 0001-GET-thing-1\.txt"),
    "a foreign file": (lambda folder: (folder / "notes.md").write_text("x"), r"notes\.md is no interaction's file"),
    "a folder in it": (lambda folder: (folder / "0004-GET.txt").mkdir(), r"0004-GET\.txt is no interaction's file"),
    "a renamed file": (_renamed(ONE, "0001-GET-b.txt"), r"0001-GET-b\.txt holds '#1 GET .*named 0001-GET-thing-1\.txt"),
    "two files in each other's place": (_swapped, r"0001-GET-thing-1\.txt holds '#2 GET .*0002-GET-thing-2\.txt"),
    "two interactions in a file": (_joined, r"0001-GET-thing-1\.txt has no interaction or several"),
    "an empty file": (lambda folder: (folder / ONE).write_bytes(b""), r"0001-GET-thing-1\.txt, line 1: the first line"),
    "no interaction": (
        lambda folder: (folder / ONE).write_text("durable-replay cassette text 1 exact\n"),
        r"0001-GET-thing-1\.txt has no interaction or several",
    ),
    "half a file": (_cut, r"0002-GET-thing-2\.txt, line \d+: here the response begins"),
    "a host where it has no place": (
        _changed(ONE, "exact\n", "exact\nhost a s3\n"),
        r"0001-GET-thing-1\.txt names a host's service",
    ),
    "a count that is none": (_changed(HEAD, "interactions 3", "interactions x"), r"cassette\.txt, line 3: how many"),
    "no count": (_changed(HEAD, "interactions 3\n", ""), r"cassette\.txt, line 3: here stands how many"),
    "a count that is enormous": (
        _changed(HEAD, "interactions 3", "interactions 999999999"),
        r"000000004-….txt is missing",
    ),
    "more in the head": (_changed(HEAD, "interactions 3\n", "interactions 3\n\n#1"), r"cassette\.txt, line 4: after"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_is_named_by_file_and_leaves_the_target_as_it_was(
    name: str, folder: Path, path: Path, tmp_path: Path
) -> None:
    breaking, told = BROKEN[name]
    breaking(folder)
    before, there = path.read_bytes(), sorted(each for each in tmp_path.rglob("*"))
    for target in (path, tmp_path / "new.cassette"):
        with pytest.raises(CassetteError, match=told):
            import_text(folder, target)
    assert path.read_bytes() == before
    assert sorted(tmp_path.rglob("*")) == there


def test_a_link_to_a_file_elsewhere_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / ONE).rename(tmp_path / ONE)
    (folder / ONE).symlink_to(tmp_path / ONE)
    with pytest.raises(CassetteError, match=r"0001-GET-thing-1\.txt is no interaction's file"):
        import_text(folder, tmp_path / "new.cassette")


def test_the_head_alone_is_no_text(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="import their folder"):
        import_text(folder / HEAD, tmp_path / "new.cassette")


# -- what else is in a folder is left alone


@pytest.mark.parametrize("name", ["notes.md", "0004-GET-thing.txt", "cassette.txt"])
def test_a_folder_with_anything_else_in_it_is_not_replaced(name: str, folder: Path, path: Path) -> None:
    (folder / name).write_text("mine")
    before = files(folder)
    with pytest.raises(UsageError, match=rf"{name} in it is no part of a cassette's text; name another folder"):
        exported(path, folder)
    assert files(folder) == before


def test_a_file_is_not_replaced_by_a_folder(path: Path, make: Make, tmp_path: Path) -> None:
    CassetteWriter.open(path).close()
    (tmp_path / "a").write_text("mine")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        exported(path, tmp_path / "a")
    assert (tmp_path / "a").read_text() == "mine"


def test_an_export_that_fails_leaves_the_former_folder(
    folder: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, beside = files(folder), sorted(tmp_path.iterdir())
    move, moves = Path.rename, []

    def fail(self: Path, target: Path) -> Path:
        moves.append(self.name)
        if self.suffix == ".new":
            raise OSError(28, "No space left on device")
        return move(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(CassetteError, match="cannot be written: No space left on device"):
        exported(path, folder)
    assert moves == ["text", f".text.{os.getpid()}.new", f".text.{os.getpid()}.old"]
    assert files(folder) == before
    assert sorted(tmp_path.iterdir()) == beside


@pytest.mark.parametrize("service", ["asana", "box", "discord", "jira", "opennebula", "proxmox", "youtube"])
def test_other_peoples_recordings_come_back_exactly(service: str, shared: Path, tmp_path: Path) -> None:
    from durable_replay.cassette.formats.importing import import_into

    first, second, folder = tmp_path / "a.cassette", tmp_path / "b.cassette", tmp_path / "text"
    import_into(first, [shared / "recordings" / service], base="https://api.test")
    with Cassette.open(first) as cassette:
        write_folder(folder, cassette)
        assert len(list(folder.iterdir())) == len(cassette) + 1
        assert import_text(folder, second) == len(cassette)
        with Cassette.open(second) as again:
            assert again.identity == cassette.identity
