from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Tell = Callable[..., tuple[int, str, str]]


def test_the_authority_is_shown_by_name_date_fingerprint_and_place(told: Tell) -> None:
    shown = json.loads(told("ca", "show", "--format", "json")[1])
    assert "CN=durable-replay test CA" in shown["subject"]
    assert len(shown["sha256"].split(":")) == 32
    assert Path(shown["certificate"]).is_file()
    assert shown["sha256"] in told("ca", "show")[1]


def test_the_path_is_that_of_a_certificate_without_a_key(told: Tell) -> None:
    code, output, _ = told("ca", "path")
    assert code == 0
    assert b"PRIVATE KEY" not in Path(output.strip()).read_bytes()


def test_the_certificate_can_be_exported(told: Tell, tmp_path: Path) -> None:
    _, output, _ = told("ca", "export")
    assert output.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in output
    assert told("ca", "export", "ours.pem")[0] == 0
    assert (tmp_path / "ours.pem").read_text() == output


def test_a_file_that_cannot_be_written_is_one_line_and_exit_2(told: Tell) -> None:
    code, _, errors = told("ca", "export", "no/such/folder/ours.pem")
    assert (code, len(errors.splitlines())) == (2, 1)
