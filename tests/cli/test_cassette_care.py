"""`cassette merge`, `split`, `prune`, `verify` and `edit`, as typed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette

Tell = Callable[..., tuple[int, str, str]]


def test_cassettes_are_merged_and_indexed(told: Tell, cassette: Path, tmp_path: Path) -> None:
    shutil.copy(cassette, tmp_path / "b.cassette")
    code, output, _ = told("cassette", "merge", "all.cassette", cassette, "b.cassette")
    assert (code, output) == (0, "merged 4 interactions of 2 cassettes into all.cassette\n")
    _, output, _ = told("cassette", "verify", "all.cassette", "--format", "json")
    (report,) = json.loads(output)
    assert (report["sound"], report["interactions"], report["index"]) == (True, 4, "fits")


@pytest.mark.parametrize(("by", "parts"), [("host", 1), ("operation", 1), ("1", 2)])
def test_a_cassette_is_split(told: Tell, cassette: Path, tmp_path: Path, by: str, parts: int) -> None:
    code, output, _ = told("cassette", "split", cassette, "--by", by, "--into", "parts", "--format", "json")
    assert code == 0
    assert len(json.loads(output)) == parts == len(list((tmp_path / "parts").iterdir()))
    assert sum(json.loads(output).values()) == 2


def test_a_part_that_is_nothing_known_is_wrong_use(told: Tell, cassette: Path) -> None:
    code, _, errors = told("cassette", "split", cassette, "--by", "colour", "--into", "parts")
    assert code == 2
    assert "neither host nor operation nor a number" in errors


def test_a_dry_run_finds_and_the_real_one_takes_off(told: Tell, cassette: Path) -> None:
    told("cassette", "merge", "twice.cassette", cassette)
    told("cassette", "merge", "twice.cassette", cassette)
    code, output, _ = told("cassette", "prune", "twice.cassette", "--duplicates", "--dry-run")
    assert code == 1
    assert output == "would take 2 off twice.cassette (2 duplicate); 2 stay\n  #3 duplicate\n  #4 duplicate\n"
    code, output, _ = told("cassette", "prune", "twice.cassette", "--duplicates", "--format", "json")
    assert (code, json.loads(output)) == (0, {"gone": {"3": "duplicate", "4": "duplicate"}, "left": 2})
    code, output, _ = told("cassette", "prune", "twice.cassette", "--duplicates", "--dry-run")
    assert (code, output) == (0, "would take 0 off twice.cassette; 2 stay\n")


@pytest.mark.parametrize(
    ("options", "message"), [([], "give --unused-in"), (["--older-than", "soon"], "'soon' is no age")]
)
def test_pruning_needs_a_reason(told: Tell, cassette: Path, options: list[str], message: str) -> None:
    code, _, errors = told("cassette", "prune", cassette, *options)
    assert code == 2
    assert message in errors


def test_damage_is_found_by_exit_code_and_line(told: Tell, cassette: Path) -> None:
    connection = sqlite3.connect(cassette)
    with connection:
        connection.execute("UPDATE interaction SET started = 5 WHERE number = 2")
    connection.close()
    code, output, _ = told("cassette", "verify", cassette)
    assert code == 1
    assert "damaged\n" in output
    assert "interaction #2" in output


def test_a_truncated_cassette_is_damage_not_wrong_use(told: Tell, cassette: Path) -> None:
    cassette.write_bytes(cassette.read_bytes()[:-512])
    code, output, _ = told("cassette", "verify", cassette)
    assert code == 1
    assert ": damaged\n" in output


def test_a_cassette_that_is_not_there_is_wrong_use(told: Tell) -> None:
    for command in (["verify"], ["merge", "all.cassette"], ["export"], ["prune", "--duplicates"]):
        code, _, errors = told("cassette", *command, "none.cassette")
        assert code == 2
        assert "there is no cassette none.cassette" in errors


def test_an_answer_is_edited_and_noted(told: Tell, cassette: Path) -> None:
    code, output, _ = told(
        "cassette", "edit", cassette, "2", "--status", "503", "--header", "Retry-After: 1", "--body", "x"
    )
    assert code == 0
    assert "edited: status, header retry-after, body" in output
    with Cassette.open(cassette) as changed:
        response = changed.interaction(2).response
        assert (response.status, response.headers.get("retry-after"), response.body.read()) == (503, "1", b"x")


def test_a_body_comes_from_a_file(told: Tell, cassette: Path, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"\x00\xff")
    assert told("cassette", "edit", cassette, "1", "--body-file", "body")[0] == 0
    with Cassette.open(cassette) as changed:
        assert changed.interaction(1).response.body.read() == b"\x00\xff"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nothing to change"),
        (["--header", "x"], "is not NAME:VALUE"),
        (["--body", "a", "--body-file", "b"], "exclude each other"),
        (["--body-file", "none"], "there is no file none"),
        (["--status", "7"], "no HTTP status"),
    ],
)
def test_an_edit_that_says_nothing_sensible_is_wrong_use(
    told: Tell, cassette: Path, options: list[str], message: str
) -> None:
    code, _, errors = told("cassette", "edit", cassette, "1", *options)
    assert code == 2
    assert message in errors
