"""Fidelity is measured over cassettes and other tools' recordings, each a world of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.drift.measuring import measure
from durable_replay.drift.report import agreements
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Interaction
from durable_replay.settings import Settings
from durable_replay.testing import exchange

SERVER = {"baseUrl": "https://demo.atlassian.net", "version": "1001.0.0", "deploymentType": "Cloud"}


def tape(host: str) -> list[Interaction]:
    issue = {"id": "10001", "key": "P-1", "fields": {"summary": "milk"}}
    return [
        exchange("GET", f"https://{host}/rest/api/2/serverInfo", 200, SERVER, at=1_700_000_000.0),
        exchange("GET", f"https://{host}/rest/api/2/issue/P-1", 200, issue, at=1_700_000_001.0),
        exchange("GET", f"https://{host}/rest/api/2/issue/P-1", 200, issue, at=1_700_000_002.0),
        exchange("GET", f"https://{host}/status", 200, "ok", at=1_700_000_003.0),
    ]


def cassette(path: Path, host: str = "demo.atlassian.net") -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    with CassetteWriter.open(path) as writer:
        for one in tape(host):
            writer.append(one)
    return path


def har(path: Path, host: str) -> Path:
    entry = {
        "startedDateTime": "2026-01-31T10:00:00Z",
        "time": 1,
        "request": {"method": "GET", "url": f"https://{host}/rest/api/2/serverInfo", "headers": [], "queryString": []},
        "response": {
            "status": 200,
            "statusText": "OK",
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"size": 2, "mimeType": "application/json", "text": json.dumps(SERVER)},
        },
    }
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(
        json.dumps({"log": {"version": "1.2", "creator": {"name": "t", "version": "1"}, "entries": [entry]}})
    )
    return path


def test_a_cassette_is_measured_by_operation(tmp_path: Path) -> None:
    measured = measure([cassette(tmp_path / "a.cassette")], Settings(), {})
    found = {(row.service, row.operation): row for row in measured.rows}
    assert found["jira", "get_issue"].recorded == 2
    assert found["jira", "get_issue"].standing["asked"] == 1
    assert found["jira", "get_issue"].status == 1
    assert found["", ""].standing["unknown"] == 1
    assert (measured.files, measured.interactions, measured.services()) == (1, 4, ["jira"])


def test_files_add_up_and_each_is_a_world_of_its_own(tmp_path: Path) -> None:
    cassette(tmp_path / "a.cassette"), cassette(tmp_path / "b.cassette")
    measured = measure([tmp_path], Settings(), {})
    [row] = [row for row in measured.rows if row.operation == "get_issue"]
    assert (row.recorded, row.standing["first"], row.standing["asked"]) == (4, 2, 2)


def test_a_folder_named_after_a_service_says_whose_unknown_hosts_are(tmp_path: Path) -> None:
    cassette(tmp_path / "jira" / "a.cassette", "issues.test")
    har(tmp_path / "jira" / "more" / "b.har", "localhost")
    (tmp_path / "jira" / "README.md").write_text("Where these are from.")
    measured = measure([tmp_path], Settings(), {})
    assert {row.operation: row.recorded for row in measured.rows if row.service} == {"get_issue": 2, "server_info": 2}
    assert [path.name for path in measured.skipped] == ["README.md"]
    elsewhere = measure([cassette(tmp_path / "other" / "a.cassette", "issues.test")], Settings(), {})
    assert elsewhere.services() == []
    mapped = measure([tmp_path / "other"], Settings(), {"issues.test": "jira"})
    assert mapped.services() == ["jira"]


def test_progress_counts_files(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    cassette(tmp_path / "a.cassette"), cassette(tmp_path / "b.cassette")
    measure([tmp_path], Settings(), {}, lambda done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_what_is_no_recording_or_not_there_is_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("milk")
    with pytest.raises(UsageError, match=r"notes\.txt is no cassette"):
        measure([text], Settings(), {})
    with pytest.raises(UsageError, match=r"there is no file .*absent"):
        measure([tmp_path / "absent"], Settings(), {})
    broken = tmp_path / "broken.cassette"
    broken.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(CassetteError, match=r"broken\.cassette"):
        measure([broken], Settings(), {})


def test_the_reports_tell_shares_rounded_down(tmp_path: Path) -> None:
    measured = measure([cassette(tmp_path / "a.cassette")], Settings(), {})
    [row] = [row for row in measured.rows if row.operation == "get_issue"]
    row.keys = (999_999, 1_000_000)
    page = agreements.as_markdown(measured)
    assert "| get issue | 2 | 1 | 1 |  | 100 % | 99.9 % | 100 % |" in page
    assert "4 interactions of 1 recording, 1 of them of no operation" in page
    table = agreements.as_table(measured, 100, color=False)
    assert [line.split()[0] for line in table.splitlines() if line][:2] == ["jira", "operation"]
    document = json.loads(agreements.as_json(measured))
    [told] = [one for one in document["operations"] if one["operation"] == "get_issue"]
    assert told == {
        "service": "jira",
        "operation": "get_issue",
        "recorded": 2,
        "asked": 1,
        "first": 1,
        "status": [1, 1],
        "keys": [999_999, 1_000_000],
        "values": list(row.values),
    }


def test_the_emulators_are_measured_on_real_traffic(shared: Path) -> None:
    """Floors a little below what was measured: what gets worse fails here, by figure."""
    measured = measure([shared / "recordings" / "jira"], Settings(), {})
    asked = sum(row.standing["asked"] for row in measured.rows)
    assert measured.interactions == 220
    assert asked >= 90
    assert sum(row.status for row in measured.rows) / asked >= 0.95
    keys = [sum(row.keys[at] for row in measured.rows) for at in (0, 1)]
    values = [sum(row.values[at] for row in measured.rows) for at in (0, 1)]
    assert keys[0] / keys[1] >= 0.78
    assert values[0] / values[1] >= 0.95


def test_a_broken_file_is_named_and_the_others_are_measured(tmp_path: Path) -> None:
    (tmp_path / "a.cassette").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    cassette(tmp_path / "b.cassette")
    (tmp_path / "c.har").write_text('{"log": {"version": "1.2", "entries": [')
    measured = measure([tmp_path], Settings(), {})
    assert [path.name for path, _ in measured.broken] == ["a.cassette", "c.har"]
    assert (measured.files, measured.interactions) == (1, 4)
    assert [one["file"] for one in json.loads(agreements.as_json(measured))["broken"]] == [
        str(tmp_path / "a.cassette"),
        str(tmp_path / "c.har"),
    ]


def test_a_wrong_setting_is_told_as_such_and_not_as_a_broken_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nobody"):
        measure([cassette(tmp_path / "a.cassette")], Settings(), {"issues.test": "nobody"})


def test_folders_without_a_recording_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Where these are from.")
    with pytest.raises(UsageError, match=f"{tmp_path}: none of 1 files in there"):
        measure([tmp_path], Settings(), {})
