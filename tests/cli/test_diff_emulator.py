"""`durable-replay diff FILE --emulator` as a user has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.http import Interaction
from durable_replay.testing import exchange

Told = Callable[..., tuple[int, str, str]]
SITE = "https://demo.atlassian.net/rest/api/2"
ISSUE = {"id": "10001", "key": "P-7", "fields": {"summary": "milk", "x-only": {"deep": [1, 2]}}}


def tape(*interactions: Interaction) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        with CassetteWriter.open(path) as writer:
            for interaction in interactions:
                writer.append(interaction)
        return path

    return write


def issue(**more: object) -> Interaction:
    return exchange("GET", f"{SITE}/issue/P-7", 200, {**ISSUE, **more}, at=1_700_000_000.0)


def edited(status: int = 204) -> Interaction:
    send = {"fields": {"summary": "tea"}}
    return exchange("PUT", f"{SITE}/issue/P-7", status, send=send, at=1_700_000_001.0)


def test_what_the_emulator_says_otherwise_is_found_with_its_place_on_the_tape(told: Told, tmp_path: Path) -> None:
    shown = exchange("GET", f"{SITE}/issue/P-7", 200, ISSUE | {"fields": {"summary": "tea"}}, at=1_700_000_002.0)
    file = tape(issue(), edited(200), shown)(tmp_path / "jira.cassette")
    code, out, _ = told("diff", file, "--emulator", "--format", "json", "--fail-on", "any")
    document = json.loads(out)
    [found] = [one for one in document["findings"] if one["path"] == "status"]
    assert code == 1
    assert found["endpoint"]["operation"] == "jira.edit_issue"
    assert [(one["before"], one["after"], one["before_number"]) for one in found["examples"]] == [("200", "204", 2)]
    assert (document["after"], document["summary"]["before"]) == ("the emulators", 2)
    assert any(note.startswith("1 interactions tell of something for the first time") for note in document["notes"])


def test_what_was_learnt_from_the_tape_is_told_again(told: Told, tmp_path: Path) -> None:
    file = tape(issue(), issue())(tmp_path / "jira.cassette")
    code, out, _ = told("diff", file, "--emulator", "--format", "json")
    document = json.loads(out)
    assert (code, document["summary"]["pairs"]) == (0, 1)
    assert {one["kind"] for one in document["findings"] if one["path"].startswith("body")} <= {"field-added"}


def test_the_next_step_is_no_new_recording(told: Told, tmp_path: Path) -> None:
    file = tape(issue(), issue(), edited(400))(tmp_path / "jira.cassette")
    code, out, _ = told("diff", file, "--emulator")
    assert code == 1
    assert "record --refresh" not in out
    assert "durable-replay fidelity" in out


def test_a_cassette_that_no_emulator_could_know_is_wrong_use_with_the_reason(told: Told, tmp_path: Path) -> None:
    file = tape(exchange("GET", "https://elsewhere.test/", 200, {}))(tmp_path / "other.cassette")
    code, out, errors = told("diff", file, "--emulator")
    assert (code, out) == (2, "")
    assert "1 interactions are of no operation that a service knows" in errors


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(("--live",), "--live and --emulator each make the after side"), (("x.cassette",), "leave AFTER out")],
)
def test_one_after_side_is_enough(told: Told, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    file = tape(issue())(tmp_path / "jira.cassette")
    code, _, errors = told("diff", file, *arguments, "--emulator")
    assert code == 2
    assert says in errors
