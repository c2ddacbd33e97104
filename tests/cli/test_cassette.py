from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.index import Index
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import BytesBody, Frame, Headers, Interaction, Request, Response

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


def test_one_interaction_is_shown_laid_out_and_cannot_speak_to_the_terminal(told: Tell, cassette: Path) -> None:
    code, output, _ = told("cassette", "show", cassette, "1")
    assert code == 0
    assert "> GET /text?page=2 HTTP/1.1\n> Accept: */*\n" in output
    assert '< HTTP/1.1 200 OK\n< Content-Type: application/json\n<\n{\n  "name": "\\x1b[31mred"\n}\n' in output
    assert told("cassette", "show", cassette, "--interaction", "1") == (0, output, "")


def test_a_picture_is_shown_in_hex_and_written_whole_on_demand(told: Tell, cassette: Path) -> None:
    assert "<\n00000000  89 50 4e 47 00 ff " in told("cassette", "show", cassette, "2")[1]
    command = [sys.executable, "-m", "durable_replay", "cassette", "show", str(cassette), "2", "--body"]
    assert subprocess.run(command, capture_output=True, timeout=60).stdout == b"\x89PNG\x00\xff"


@pytest.mark.parametrize("arguments", [[], ["1", "--interaction", "1"]])
def test_an_interaction_that_is_named_not_once_is_asked_for(told: Tell, cassette: Path, arguments: list[str]) -> None:
    code, output, errors = told("cassette", "show", cassette, *arguments)
    assert (code, output) == (2, "")
    assert "name one interaction by its number" in errors


@pytest.fixture
def conversation(tmp_path: Path) -> Path:
    """A cassette with a WebSocket of 101 messages, behind a request and a response that were sent in gzip."""
    frames = [
        Frame(True, "text", b'{"op":1,"d":null}', None, 0.5),
        Frame(False, "binary", b"\x00\xff\x1b", None, 0.75),
        *(Frame(False, "ping", b"") for _ in range(98)),
        Frame(False, "close", b"bye\x1b", 1000, 9.0),
    ]
    fields = [("Content-Encoding", "gzip"), ("Content-Type", "application/x-www-form-urlencoded")]
    request = Request(
        "POST", "https", "api.example.com", 443, "/ws", Headers(fields), BytesBody(gzip.compress(b"a=1&b=2", mtime=0))
    )
    fields[1] = ("Content-Type", "application/xml")
    long = BytesBody(gzip.compress(b"<a><b>" + b"x" * 70_000 + b"</b></a>", mtime=0))
    trailers = Headers([("X-Sum", "7")])
    with CassetteWriter.open(tmp_path / "ws.cassette") as writer:
        response = Response(101, Headers(fields), long, "OK", trailers)
        writer.append(Interaction(request, response, frames=tuple(frames), started=1.0, note="edited: status"))
    return tmp_path / "ws.cassette"


def test_coded_bodies_are_decoded_and_laid_out_and_say_so(told: Tell, conversation: Path) -> None:
    output = told("cassette", "show", conversation, "1")[1]
    assert output.startswith("#1  https://api.example.com/ws\nnote: edited: status\n\n> POST /ws HTTP/1.1\n")
    assert re.search(r"\n>\n\(gzip, \d+ bytes; decoded, 7 bytes\)\na=1\n&b=2\n\n< HTTP/1.1 101 OK\n", output)
    assert re.search(r"\n<\n\(gzip, \d+ bytes; decoded, 70,014 bytes\)\n<a>\n  <b>xxx", output)
    assert "\n+ X-Sum: 7\n" in output


def test_messages_of_a_websocket_are_laid_out_by_their_kind(told: Tell, conversation: Path) -> None:
    output = told("cassette", "show", conversation, "1", "--full")[1]
    assert '\n-> text 0.500\n{\n  "op": 1,\n  "d": null\n}\n\n<- binary 0.750\n00000000  00 ff 1b ' in output
    assert output.endswith("\n<- close 9.000 1000\nbye\\x1b\n")


def test_what_is_long_is_cut_and_says_so_unless_all_is_asked_for(told: Tell, conversation: Path) -> None:
    short, full = (told("cassette", "show", conversation, "1", *more)[1] for more in ([], ["--full"]))
    assert re.search(r"… 4,48\d of 70,01\d bytes are left out; --full shows them\n", short)
    assert short.endswith("… 1 of 101 messages are left out; --full shows them\n")
    assert full.count("x" * 70_000) == 1
    assert "left out" not in full


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
        assert sum(Index(opened.connection).used().values()) == 2


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
