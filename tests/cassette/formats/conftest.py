"""Builders of sources, and imports into a fresh cassette."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from durable_replay.cassette.formats.importing import ImportSummary, import_into
from durable_replay.cassette.store import Cassette
from durable_replay.http import BytesBody, Interaction

Imports = Callable[..., list[Interaction]]
Writes = Callable[..., Path]


def read_all(path: Path) -> list[Interaction]:
    """Every interaction of a cassette, bodies in memory."""
    with Cassette.open(path) as cassette:
        return [_in_memory(each) for each in cassette.interactions()]


def _in_memory(each: Interaction) -> Interaction:
    request = replace(each.request, body=BytesBody(each.request.body.read()))
    return replace(each, request=request, response=replace(each.response, body=BytesBody(each.response.body.read())))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target.cassette"


@pytest.fixture
def writes(tmp_path: Path) -> Writes:
    """Write a source: text or bytes as they are, anything else as JSON."""

    def write(name: str, content: object) -> Path:
        path = tmp_path / "sources" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path

    return write


@pytest.fixture
def imports(target: Path, writes: Writes) -> Imports:
    """Write a source and import it; gives what is on the tape."""

    def imported(name: str, content: object, format: str | None = None, base: str = "") -> list[Interaction]:
        target.unlink(missing_ok=True)
        summary: ImportSummary = import_into(target, [writes(name, content)], format=format, base=base)
        found = read_all(target)
        assert summary.interactions == len(found)
        return found

    return imported


@pytest.fixture
def newer() -> Callable[[Path], None]:
    """Make a cassette one of a later version."""

    def mark(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 999")

    return mark
