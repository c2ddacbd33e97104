from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from durable_replay.cassette.care.scrubbing import scrub
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.scan import scan_file

SECRET = "s3cr3t-Va1ue-0042"
KEY_ID = "AKIAIOSFODNN7EXAMPLE"


def said(text: str, *headers: tuple[str, str]) -> Interaction:
    request = Request("GET", "https", "h.example", 443, "/", Headers(headers))
    return Interaction(request, Response(200, Headers(), BytesBody(text.encode())))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Its second interaction gives away what its first one says."""
    path = tmp_path / "old.cassette"
    with CassetteWriter.open(path) as writer:
        writer.set_meta("hosts", '{"h.example": "s3"}')
        for one in (said(f"he wrote {SECRET} here"), said("x", ("Authorization", f"Bearer {SECRET}")), said("plain")):
            writer.append(one)
    return path


@pytest.fixture
def redactor() -> Redactor:
    return Redactor(b"a key of the tests' own, 32 bytes")


def test_what_a_later_interaction_gives_away_is_replaced_in_an_earlier_one(path: Path, redactor: Redactor) -> None:
    done = scrub(path, redactor)
    assert (done.interactions, done.changed) == (3, (1, 2))
    with Cassette.open(path) as cassette:
        first, second, third = cassette.interactions()
        bodies = [each.response.body.read() for each in (first, second, third)]
        assert cassette.meta("hosts") == '{"h.example": "s3"}'
    shown = second.request.headers.get("authorization").removeprefix("Bearer ")
    assert bodies == [f"he wrote {shown} here".encode(), b"x", b"plain"] and shown.startswith("secret-")


def test_nothing_of_the_old_file_is_left_free_pages_and_log_included(path: Path, redactor: Redactor) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE old (text TEXT)")
        connection.executemany("INSERT INTO old VALUES (?)", [(f"{KEY_ID} {at}" * 50,) for at in range(200)])
        connection.execute("DROP TABLE old")
    connection.close()
    assert {found.rule for found in scan_file(path)} == {"aws-access-key-id"}
    scrub(path, redactor)
    assert scan_file(path, known=[SECRET, KEY_ID]) == [] and KEY_ID.encode() not in path.read_bytes()
    assert [file.name for file in path.parent.iterdir() if "cassette" in file.name] == ["old.cassette"]


def test_a_second_scrub_changes_nothing(path: Path, redactor: Redactor) -> None:
    scrub(path, redactor)
    with Cassette.open(path) as cassette:
        identity = cassette.identity
    assert scrub(path, redactor).changed == ()
    with Cassette.open(path) as cassette:
        assert cassette.identity == identity


def test_the_files_mode_stays(path: Path, redactor: Redactor) -> None:
    path.chmod(0o640)
    scrub(path, redactor)
    assert os.stat(path).st_mode & 0o777 == 0o640


def test_a_damaged_cassette_is_left_as_it_is(path: Path, redactor: Redactor) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"h.example:443") + 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(CassetteError):
        scrub(path, redactor)
    assert (
        path.read_bytes()[100:] == data[100:]
        and [  # the file's head counts who opened it
            file.name for file in path.parent.glob("*.scrubbed*")
        ]
        == []
    )
