"""`cassette export` and `git-setup`, as typed."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette

Tell = Callable[..., tuple[int, str, str]]


def test_text_goes_to_stdout_and_nothing_else_is_said(told: Tell, cassette: Path) -> None:
    code, output, errors = told("cassette", "export", cassette)
    assert (code, errors) == (0, "")
    assert output.startswith("durable-replay cassette text 1 exact\n\n#1 GET https://api.example.com/text?page=2\n")


def test_text_for_review_has_neither_numbers_nor_times(told: Tell, cassette: Path) -> None:
    _, output, _ = told("cassette", "export", cassette, "--review")
    assert output.startswith("durable-replay cassette text 1 review\n\nGET https://api.example.com/")
    assert not [line for line in output.splitlines() if line.startswith(("#", "at ", "took "))]


@pytest.mark.parametrize("name", ["har", "vcrpy", "wiremock", "hoverfly"])
def test_a_format_of_another_tool_goes_to_a_file(told: Tell, cassette: Path, tmp_path: Path, name: str) -> None:
    code, output, errors = told("cassette", "export", cassette, "--format", name, "-o", "out", "--summary", "json")
    assert (code, output) == (0, "")
    summary = json.loads(errors)
    assert summary["interactions"] == 2
    assert summary["bytes"] == (tmp_path / "out").stat().st_size


def test_what_a_format_does_not_hold_is_said(told: Tell, cassette: Path) -> None:
    _, output, errors = told("cassette", "export", cassette, "--format", "vcrpy", "-o", "out.yaml")
    assert output == ""
    assert "not held by this format: 2 times" in errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "har", "--review"], "--review is for --format text"),
        (["--host", "a.test"], "--host is for other tools' formats"),
        (["--format", "pdf"], "not one of text, har"),
    ],
)
def test_wrong_use_is_told_in_one_line(told: Tell, cassette: Path, options: list[str], message: str) -> None:
    code, output, errors = told("cassette", "export", cassette, *options)
    assert (code, output) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1


def test_a_cassette_is_not_exported_over_itself(told: Tell, cassette: Path) -> None:
    before = cassette.read_bytes()
    code, _, errors = told("cassette", "export", cassette, "-o", cassette)
    assert code == 2
    assert "is the cassette itself" in errors
    assert cassette.read_bytes() == before


def test_the_text_gives_the_same_cassette_back(told: Tell, cassette: Path, tmp_path: Path) -> None:
    told("cassette", "export", cassette, "-o", "a.txt")
    code, output, _ = told("cassette", "import", "b.cassette", "a.txt")
    assert (code, output) == (0, "imported 2 interactions into b.cassette\n")
    with Cassette.open(cassette) as first, Cassette.open(tmp_path / "b.cassette") as second:
        assert first.identity == second.identity


@pytest.mark.parametrize("folder", ["text/", "text"])
def test_text_goes_into_a_folder_with_a_file_for_each_interaction(
    told: Tell, cassette: Path, tmp_path: Path, folder: str
) -> None:
    if folder == "text":  # without a slash it is a folder where there is one
        (tmp_path / "text").mkdir()
    code, output, errors = told("cassette", "export", cassette, "-o", folder)
    assert (code, output) == (0, "")
    assert errors.startswith("wrote 2 interactions, ") and errors.endswith(" to text\n")
    names = sorted(path.name for path in (tmp_path / "text").iterdir())
    assert names == ["0001-GET-text.txt", "0002-GET-picture.txt", "cassette.txt"]
    code, output, _ = told("cassette", "import", "b.cassette", folder)
    assert (code, output) == (0, "imported 2 interactions into b.cassette\n")
    with Cassette.open(cassette) as first, Cassette.open(tmp_path / "b.cassette") as second:
        assert first.identity == second.identity


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "out/", "--format", "har"], "out is a folder; --format har is written to one file"),
        (["-o", "."], "is not replaced, since api.cassette in it is no part of a cassette's text; name another folder"),
        (["-o", "none/out/"], "none/out cannot be written: No such file or directory"),
    ],
)
def test_a_folder_that_cannot_be_is_told_in_one_line(
    told: Tell, cassette: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    code, output, errors = told("cassette", "export", cassette, *options)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert message in errors
    assert [path.name for path in tmp_path.iterdir()] == ["api.cassette"]


@pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine")
def test_git_is_set_up(told: Tell, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    code, output, _ = told("cassette", "git-setup")
    assert code == 0
    assert "wrote .gitattributes; commit it" in output
    assert (tmp_path / ".gitattributes").read_text().startswith("*.cassette diff=durable-replay")
    _, output, _ = told("cassette", "git-setup", "--format", "json")
    assert json.loads(output)["attributes"] is None
