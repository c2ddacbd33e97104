"""`cassette import`, as typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette

Tell = Callable[..., tuple[int, str, str]]
SECRET = "0f8b1f3a9c5d4e6f8a7b"


@pytest.fixture
def har(tmp_path: Path) -> Path:
    """A HAR of one entry with a credential."""
    request = {"method": "GET", "url": "https://api.test/a", "httpVersion": "HTTP/1.1"}
    fields = [{"name": "Authorization", "value": f"Bearer {SECRET}"}]
    content = {"mimeType": "application/json", "text": '{"a":1}'}
    response = {"status": 200, "statusText": "OK", "headers": [{"name": "Content-Type", "value": "application/json"}]}
    entry = {"request": {**request, "headers": fields}, "response": {**response, "content": content}, "time": 5}
    (tmp_path / "a.har").write_text(json.dumps({"log": {"version": "1.2", "entries": [entry]}}))
    return tmp_path / "a.har"


def test_a_har_becomes_a_cassette_without_its_secrets(told: Tell, har: Path, tmp_path: Path) -> None:
    code, output, _ = told("cassette", "import", "a.cassette", har)
    assert code == 0
    assert output.startswith("imported 1 interaction of 1 file into a.cassette\n")
    with Cassette.open(tmp_path / "a.cassette") as cassette:
        assert cassette.interaction(1).request.headers.get("authorization").startswith("Bearer ")
    assert SECRET.encode() not in (tmp_path / "a.cassette").read_bytes()


def test_the_summary_is_for_programs_too(told: Tell, har: Path) -> None:
    _, output, _ = told("cassette", "import", "a.cassette", har, "--summary", "json")
    summary = json.loads(output)
    assert summary["interactions"] == 1
    assert summary["sources"][0]["format"] == "har"


def test_what_is_imported_replays_without_another_index(told: Tell, har: Path) -> None:
    told("cassette", "import", "a.cassette", har)
    _, output, _ = told("cassette", "verify", "a.cassette", "--format", "json")
    assert json.loads(output)[0]["index"] == "fits"


def test_a_broken_source_leaves_no_cassette(told: Tell, har: Path, tmp_path: Path) -> None:
    har.write_text(har.read_text()[:-20])
    code, output, errors = told("cassette", "import", "a.cassette", har)
    assert (code, output) == (2, "")
    assert "a.har" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["a.har"]


def test_a_broken_text_is_told_by_line(told: Tell, cassette: Path, tmp_path: Path) -> None:
    told("cassette", "export", cassette, "-o", "a.txt")
    text = (tmp_path / "a.txt").read_text().replace("< 200", "< two hundred")
    (tmp_path / "a.txt").write_text(text)
    code, _, errors = told("cassette", "import", "b.cassette", "a.txt")
    assert code == 2
    assert "a.txt, line " in errors
    assert not (tmp_path / "b.cassette").exists()


def test_a_text_and_another_format_are_not_mixed(told: Tell, cassette: Path, har: Path) -> None:
    told("cassette", "export", cassette, "-o", "a.txt")
    code, _, errors = told("cassette", "import", "b.cassette", "a.txt", har)
    assert code == 2
    assert "name one kind at a time" in errors


def test_a_text_of_a_later_version_is_told_as_such(told: Tell, tmp_path: Path) -> None:
    source = tmp_path / "later.txt"
    source.write_text("durable-replay cassette text 9 exact\n\n")
    code, output, errors = told("cassette", "import", "x.cassette", source)
    assert (code, output) == (2, "")
    assert "later.txt, line 1: this text is of another version" in errors
    assert not (tmp_path / "x.cassette").exists()
