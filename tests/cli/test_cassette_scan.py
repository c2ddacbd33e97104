from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.http import BytesBody, Headers, Interaction, Request, Response

Tell = Callable[..., tuple[int, str, str]]
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
NOTED = "AKIAI44QH8DHBEXAMPLE"


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DURABLE_REPLAY_REDACTION_KEY_FILE", str(tmp_path / "redaction.key"))


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    path = tmp_path / "leaky.cassette"
    request = Request("GET", "https", "h.example", 443, "/", Headers([("X-Key", KEY_ID), ("X-Tenant", "tenant-4711")]))
    with CassetteWriter.open(path) as writer:
        writer.append(Interaction(request, Response(200, Headers(), BytesBody(b"fine")), note=f"with {NOTED}"))
        writer.set_meta("remark", f"made with {KEY_ID} once")
    return path


def test_a_scan_tells_rule_and_place_but_not_the_secret(told: Tell, leaky: Path) -> None:
    code, output, errors = told("cassette", "scan", leaky)
    assert code == 1 and "aws-access-key-id: interaction 1, request headers" in output.splitlines()
    assert "aws-access-key-id: interaction 1, note" in output.splitlines()
    assert "aws-access-key-id: leaky.cassette, byte " in output
    assert KEY_ID not in output + errors and NOTED not in output + errors
    assert "durable-replay cassette scrub" in errors


def test_a_scan_as_json_is_one_document(told: Tell, leaky: Path) -> None:
    code, output, _ = told("cassette", "scan", leaky, "--format", "json")
    found = json.loads(output)["findings"]
    assert code == 1 and {"rule": "aws-access-key-id", "place": "interaction 1, request headers"} in found


def test_a_scrubbed_cassette_is_clean_and_has_its_index(told: Tell, leaky: Path) -> None:
    code, output, _ = told("cassette", "scrub", leaky)
    assert (code, output.splitlines()[0]) == (0, f"{leaky}: secrets were replaced in 1 of 1 interactions")
    assert told("cassette", "scan", leaky)[0] == 0
    assert "the index fits" in told("cassette", "verify", leaky)[1]


def test_a_scrub_follows_the_rules_of_the_project(told: Tell, leaky: Path, tmp_path: Path) -> None:
    (tmp_path / "durable.toml").write_text('[redact]\nadd = [{ name = "tenant", header = "x-tenant" }]\n')
    assert json.loads(told("cassette", "scrub", leaky, "--format", "json")[1])["changed"] == [1]
    with Cassette.open(leaky) as cassette:
        assert cassette.interaction(1).request.headers.get("x-tenant").startswith("secret-")


def test_a_file_that_is_no_cassette_is_named(told: Tell, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing to see")
    code, _, errors = told("cassette", "scan", tmp_path / "notes.txt")
    assert code == 2 and "notes.txt" in errors
    assert told("cassette", "scan", tmp_path / "gone.cassette")[0] == 2


@pytest.mark.parametrize("command", ["scan", "scrub"])
def test_a_folder_is_no_cassette(told: Tell, tmp_path: Path, command: str) -> None:
    (tmp_path / "recordings").mkdir()
    code, output, errors = told("cassette", command, "recordings")
    assert (code, output) == (2, "")
    assert errors == "durable-replay: recordings is a directory, a cassette is a file. Name the file in it.\n"


def test_a_file_that_cannot_be_scrubbed_is_called_as_it_was_given(told: Tell, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("no cassette")
    code, _, errors = told("cassette", "scrub", "plain")
    assert code == 2
    assert errors.startswith("durable-replay: plain is no SQLite file")
