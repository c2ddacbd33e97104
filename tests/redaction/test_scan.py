from __future__ import annotations

import base64
import gzip
from pathlib import Path

from durable_replay.http import BytesBody, Headers, Interaction, Request, Response
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.scan import Finding, scan_file, scan_interactions

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW"


def test_a_file_with_a_known_shape_is_found_by_rule_and_place_without_its_value(tmp_path: Path) -> None:
    file = tmp_path / "x.cassette"
    file.write_bytes(b"\0" * 1_048_570 + KEY_ID.encode() + b"\0")
    assert scan_file(file) == [Finding("aws-access-key-id", "x.cassette, byte 1048570")]


def test_a_known_secret_is_found_in_every_spelling(tmp_path: Path) -> None:
    secret = "p@ss/w0rd+42"
    file = tmp_path / "x.cassette"
    for spelling in (secret, "p%40ss%2Fw0rd%2B42", base64.b64encode(secret.encode()).decode()):
        file.write_text(f"...{spelling}...")
        assert [finding.rule for finding in scan_file(file, known=[secret])] == ["known-secret"]
    file.write_text("nothing of it")
    assert scan_file(file, known=[secret]) == []


def test_what_lies_in_the_log_beside_the_file_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "x.cassette").write_bytes(b"clean")
    (tmp_path / "x.cassette-wal").write_text(JWT)
    assert scan_file(tmp_path / "x.cassette") == [Finding("jwt", "x.cassette-wal, byte 0")]


def test_bodies_are_searched_behind_their_coding() -> None:
    headers = Headers([("Content-Encoding", "gzip")])
    response = Response(200, headers, BytesBody(gzip.compress(JWT.encode())))
    interaction = Interaction(Request("GET", "https", "h", 443, "/"), response, number=7)
    assert scan_interactions([interaction]) == [Finding("jwt", "interaction 7, response body")]


def test_placeholders_are_no_findings(redactor: Redactor, tmp_path: Path) -> None:
    text = f"{KEY_ID} {JWT} https://joe:hunter2hunter2@h/ PVEAPIToken=a@b!c=11111111-1111-1111-1111-{'1' * 12}"
    file = tmp_path / "x"
    file.write_text(redactor.target(text))
    assert scan_file(file) == []
    file.write_text(text)
    assert {finding.rule for finding in scan_file(file)} >= {
        "aws-access-key-id",
        "jwt",
        "url-password",
        "pve-api-token",
    }
