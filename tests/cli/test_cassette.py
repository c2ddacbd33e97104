from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette

Tell = Callable[..., tuple[int, str, str]]


def test_a_list_has_a_line_for_each_interaction(told: Tell, cassette: Path) -> None:
    code, output, _ = told("cassette", "list", cassette)
    assert code == 0
    assert output.splitlines() == [
        "#1  GET     200      20 B  https://api.example.com/text?page=2",
        "#2  GET     404       6 B  https://api.example.com/picture",
    ]


@pytest.mark.parametrize(
    ("options", "numbers"),
    [(["--first", "2"], [2]), (["--limit", "1"], [1]), (["--host", "*.EXAMPLE.com"], [1, 2]), (["--host", "x"], [])],
)
def test_a_list_can_be_narrowed(told: Tell, cassette: Path, options: list[str], numbers: list[int]) -> None:
    _, output, _ = told("cassette", "list", cassette, "--format", "json", *options)
    assert [json.loads(line)["number"] for line in output.splitlines()] == numbers


def test_one_interaction_is_shown_as_on_the_wire_and_cannot_speak_to_the_terminal(told: Tell, cassette: Path) -> None:
    code, output, _ = told("cassette", "show", cassette, "1")
    assert code == 0
    assert "> GET /text?page=2 HTTP/1.1\n> Accept: */*\n" in output
    assert '< HTTP/1.1 200 OK\n< Content-Type: application/json\n<\n{"name": "\\x1b[31mred"}\n' in output


def test_a_picture_is_told_by_its_size_and_written_whole_on_demand(told: Tell, cassette: Path) -> None:
    assert "< (6 bytes)\n" in told("cassette", "show", cassette, "2")[1]
    command = [sys.executable, "-m", "durable_replay", "cassette", "show", str(cassette), "2", "--body"]
    assert subprocess.run(command, capture_output=True, timeout=60).stdout == b"\x89PNG\x00\xff"


def test_an_interaction_as_json_has_its_bodies(told: Tell, cassette: Path) -> None:
    document = json.loads(told("cassette", "show", cassette, "2", "--format", "json")[1])
    assert document["response"] == {
        "status": 404,
        "reason": "",
        "headers": [["Content-Type", "image/png"]],
        "size": 6,
        "base64": "iVBORwD/",
    }


def test_stats_count_hosts_and_bytes(told: Tell, cassette: Path) -> None:
    _, output, _ = told("cassette", "stats", cassette)
    rows = dict(line.split(maxsplit=1) for line in output.splitlines())
    assert rows["interactions"].strip() == "2"
    assert rows["host"].split() == ["api.example.com", "2"]
    counted = json.loads(told("cassette", "stats", cassette, "--format", "json")[1])
    assert (counted["interactions"], counted["hosts"], counted["response_bytes"]) == (2, {"api.example.com": 2}, 26)


def test_an_index_is_written_into_the_file(told: Tell, cassette: Path) -> None:
    assert told("cassette", "index", cassette)[:2] == (0, f"indexed 2 interactions of {cassette}\n")
    with Cassette.open(cassette) as opened:
        assert opened.connection().execute("SELECT count(*) FROM fact").fetchone() == (2,)


@pytest.mark.parametrize("command", ["list", "show", "stats", "index"])
def test_a_missing_and_a_wrong_file_are_one_line_and_exit_2(told: Tell, tmp_path: Path, command: str) -> None:
    (tmp_path / "wrong.cassette").write_text("something else entirely")
    number = ["1"] if command == "show" else []
    for name, what in (("none.cassette", "there is no cassette none.cassette"), ("wrong.cassette", "wrong.cassette")):
        code, output, errors = told("cassette", command, name, *number)
        assert (code, output, len(errors.splitlines())) == (2, "", 1)
        assert what in errors
    assert (tmp_path / "wrong.cassette").read_text() == "something else entirely"


def test_an_interaction_that_is_not_there_names_those_there_are(told: Tell, cassette: Path) -> None:
    code, _, errors = told("cassette", "show", cassette, "3")
    assert (code, "from 1 to 2" in errors) == (2, True)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(cassette: Path, unbuffered: str) -> None:
    """The pipe's other end is closed before anything is written; buffered or not, it ends as other tools do."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "durable_replay", "cassette", "list", str(cassette)]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    try:
        done = subprocess.run(
            command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, env=environment, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
