"""A recording of boto3 asked again of a real S3: moto's, and ours. No key is on the tape; one is in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from durable_replay.cassette.store import CassetteWriter
from durable_replay.cli import main
from durable_replay.redaction.redact import Redactor
from tests.end_to_end.record_replay import DURABLE, serving
from tests.end_to_end.s3_sides import Op, Side

BUCKET = "live-photos"
KEYS = ("cats/one.txt", "cats/two three+four.txt", "dogs/five.txt")
WRITES = (
    Op("create_bucket", {"Bucket": BUCKET}),
    *(Op("put_object", {"Bucket": BUCKET, "Key": key, "Body": key.encode()}) for key in KEYS),
)
READS = (
    Op("list_buckets"),
    Op("head_bucket", {"Bucket": BUCKET}),
    Op("list_objects_v2", {"Bucket": BUCKET, "Prefix": "cats/"}),
    *(Op("get_object", {"Bucket": BUCKET, "Key": key}) for key in KEYS),
    Op("get_object", {"Bucket": BUCKET, "Key": KEYS[0], "Range": "bytes=1-3"}),
    Op("head_object", {"Bucket": BUCKET, "Key": KEYS[1]}),
    Op("get_object", {"Bucket": BUCKET, "Key": "never-there"}),
)
PRESIGNED = Op("get_object_PRESIGNED", {"Bucket": BUCKET, "Key": KEYS[0]})
SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"


@dataclass
class S3:
    """A server of S3, by its authority, and a cassette of what boto3 asked of it."""

    authority: str
    folder: Path

    @property
    def cassette(self) -> Path:
        return self.folder / "s3.cassette"

    def run(self, *ops: Op) -> None:
        """Calls them, unrecorded."""
        self.record(*ops, path=self.folder / f"unrecorded-{len(list(self.folder.iterdir()))}.cassette")

    def record(self, *ops: Op, path: Path | None = None) -> None:
        """Calls them; what was on the wire is redacted and kept, as a recorder does it."""
        redactor, side = Redactor(b"0" * 32), Side(f"http://{self.authority}")
        with CassetteWriter.open(path or self.cassette) as writer:
            for op in ops:
                writer.append(redactor.interaction(side.run(op).interaction(), writer.new_body))
        side.close()

    def asked(self, *options: str, auth: bool = True) -> tuple[int, dict[str, Any]]:
        """The exit code and report of `durable-replay diff s3.cassette --live`."""
        output = self.folder / "report.json"
        line = ["diff", str(self.cassette), "--live", "--map", f"{self.authority}=s3", "--fail-on", "any"]
        if auth:
            line += ["--auth", str(self._auth())]
        code = main([*line, "--format", "json", "--output", str(output), *options])
        report: dict[str, Any] = json.loads(output.read_text("utf-8"))
        return code, report

    def _auth(self) -> Path:
        path = self.folder / "auth.toml"
        path.write_text(f'[hosts."{self.authority}"]\naws = {{ access_key = "AKEXAMPLE", secret_key = "{SECRET}" }}\n')
        path.chmod(0o600)
        return path


@pytest.fixture(params=["moto", "ours"])
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[S3]:
    if request.param == "moto":
        s3 = S3(request.getfixturevalue("moto"), tmp_path)
        yield s3
        s3.run(*(Op("delete_object", {"Bucket": BUCKET, "Key": key}) for key in KEYS))
        s3.run(Op("delete_bucket", {"Bucket": BUCKET}))
        return
    with serving(*DURABLE, "serve", "s3", "--port", "0") as served:
        yield S3(served.url.removeprefix("http://").rstrip("/"), tmp_path)


def test_what_did_not_change_gives_no_finding_and_nothing_is_written(s3: S3) -> None:
    s3.record(*WRITES, *READS)
    code, report = s3.asked("--save", str(s3.folder / "today.cassette"))
    assert (code, report["findings"]) == (0, [])
    assert report["notes"][0] == f"{len(READS)} of {len(READS)} requests were answered live"
    skipped = [note for note in report["notes"] if note.startswith("not asked")]
    assert len(skipped) == 2  # create_bucket, put_object
    assert all("a write" in note for note in skipped)
    assert SECRET.encode() not in (s3.folder / "today.cassette").read_bytes()


def test_an_object_that_is_gone_is_one_finding(s3: S3) -> None:
    s3.record(*WRITES, *READS)
    s3.run(Op("delete_object", {"Bucket": BUCKET, "Key": KEYS[2]}))
    code, report = s3.asked()
    assert code == 1
    (finding,) = report["findings"]
    assert (finding["endpoint"]["operation"], finding["path"], finding["kind"]) == (
        "s3.GetObject",
        "status",
        "status",
    )
    assert (finding["examples"][0]["before"], finding["examples"][0]["after"]) == ("200", "404")


def test_a_presigned_url_is_signed_anew(s3: S3) -> None:
    s3.record(*WRITES, PRESIGNED)
    code, report = s3.asked("--save", str(s3.folder / "today.cassette"))
    assert (code, report["findings"]) == (0, [])
    assert report["notes"][0] == "1 of 1 request was answered live"


def test_a_presigned_url_without_a_key_is_left_out_and_counted(s3: S3) -> None:
    s3.record(*WRITES, *READS[:2], PRESIGNED)
    code, report = s3.asked(auth=False)
    assert (code, report["findings"]) == (0, [])
    assert [note for note in report["notes"] if "presigned" in note] == [
        "not asked: s3 GET /{Bucket}/{Key:path}, 1 recorded: a presigned URL, good for that time alone; with `aws` in"
        " --auth those of AWS are signed anew"
    ]
