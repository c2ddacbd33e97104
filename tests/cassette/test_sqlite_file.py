"""Files as a killed program leaves them, and SQLite's errors in our words."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette import sqlite_file
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError, CorruptCassette
from durable_replay.http import Interaction


def test_a_transaction_that_a_killed_program_left_half_written_is_undone(
    write: Callable[[list[Interaction]], Path], make: Callable[..., Interaction]
) -> None:
    path = write([make(number) for number in range(1, 50)])
    before = path.read_bytes()
    code = (
        "import os, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('PRAGMA cache_size = 1')\n"
        "connection.execute('BEGIN')\n"
        "connection.execute('UPDATE interaction SET started = 5')\n"
        "connection.execute('INSERT INTO body (digest, size, packing, data) VALUES (1, 1, 1, zeroblob(999999))')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == -signal.SIGKILL
    assert path.read_bytes() != before and path.with_name(path.name + "-journal").exists()
    with Cassette.open(path) as cassette:
        assert cassette.verify() == 49
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_that_another_program_holds_is_named(
    write: Callable[[list[Interaction]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_BUSY_SECONDS", 0.0)
    path = write([])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CassetteError, match="in use by another program") as caught:
        Cassette.open(path)
    holder.close()
    assert not isinstance(caught.value, CorruptCassette)


def test_a_reader_cannot_write(write: Callable[[list[Interaction]], Path]) -> None:
    with (
        Cassette.open(write([])) as cassette,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        cassette.connection().execute("DELETE FROM interaction")


def test_the_application_id_stands_in_the_header(write: Callable[[list[Interaction]], Path]) -> None:
    header = write([]).read_bytes()[:100]
    assert header[68:72] == b"DRC1"
    assert int.from_bytes(header[60:64], "big") == sqlite_file.SCHEMA_VERSION
    assert header[18:20] == b"\x01\x01"  # no write-ahead form at rest
