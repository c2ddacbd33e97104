from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.testing import exchange

Tell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    path = tmp_path / "s3.cassette"
    url = "https://s3.amazonaws.com/photos"
    with CassetteWriter.open(path) as writer:
        writer.append(exchange("PUT", url, 200, at=1_700_000_000.0))
        writer.append(exchange("GET", f"{url}/cat", 404, b"<Error><Code>NoSuchKey</Code></Error>", at=1_700_000_001.0))
    return path


def test_the_table_tells_each_operation(told: Tell, cassette: Path) -> None:
    code, output, _ = told("fidelity", str(cassette))
    assert code == 0
    assert [line.split()[0] for line in output.splitlines() if line] == [
        "s3", "operation", "CreateBucket", "GetObject", "all", "2",
    ]  # fmt: skip


def test_json_is_for_programs(told: Tell, cassette: Path) -> None:
    document = json.loads(told("fidelity", str(cassette), "--format", "json")[1])
    assert (document["format"], document["version"], document["interactions"]) == ("durable-replay.fidelity", 1, 2)
    assert {one["operation"]: one["status"] for one in document["operations"]} == {
        "CreateBucket": [1, 1],
        "GetObject": [1, 1],
    }


def test_a_page_is_written_where_it_is_asked_for(told: Tell, cassette: Path, tmp_path: Path) -> None:
    page = tmp_path / "fidelity.md"
    code, output, _ = told("fidelity", str(cassette), "--format", "markdown", "--output", str(page))
    assert (code, output) == (0, "")
    assert page.read_text("utf-8").startswith("# Fidelity of the emulators\n")


def test_a_file_that_is_not_there_is_one_line_and_exit_2(told: Tell, tmp_path: Path) -> None:
    code, output, errors = told("fidelity", str(tmp_path / "absent.cassette"))
    assert (code, output, len(errors.splitlines())) == (2, "", 1)


def test_the_page_in_the_docs_is_what_the_command_prints(told: Tell, shared: Path, repository: Path) -> None:
    """Only services with a section are compared: recordings of the others are imported by other tests."""
    page = (repository / "docs" / "fidelity.md").read_text("utf-8")
    folders = [str(shared / "recordings" / name) for name in re.findall(r"^## (.+)$", page, re.MULTILINE)]
    assert folders
    code, output, _ = told("fidelity", *folders, "--format", "markdown")
    assert code == 0
    assert output[output.index("\n## ") :] == page[page.index("\n## ") :]


def test_a_report_that_cannot_be_written_is_one_line_and_exit_2(told: Tell, cassette: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "absent" / "page.md"
    assert told("fidelity", cassette, "-o", nowhere) == (
        2,
        "",
        f"durable-replay: --output {nowhere} cannot be written: No such file or directory\n",
    )


def test_a_broken_file_of_a_folder_is_named_after_the_table_of_the_others(
    told: Tell, cassette: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "a.cassette"
    broken.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    code, output, errors = told("fidelity", tmp_path)
    assert (code, output.splitlines()[-1]) == (2, "2 interactions of 1 recording.")
    [line] = errors.splitlines()
    assert line.startswith(f"durable-replay: {broken}")


def test_where_no_service_knows_the_hosts_the_next_step_is_told(told: Tell, tmp_path: Path) -> None:
    path = tmp_path / "shop.cassette"
    with CassetteWriter.open(path) as writer:
        writer.append(exchange("GET", "https://shop.test/items", 200, {"a": 1}, at=1_700_000_000.0))
    code, _, errors = told("fidelity", path)
    assert (code, "--map HOST=SERVICE" in errors) == (0, True)
