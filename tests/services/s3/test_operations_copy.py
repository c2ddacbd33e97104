"""Copies take bytes and metadata as in AWS, and move none."""

from __future__ import annotations

import re

import pytest

from durable_replay.engine import Engine
from durable_replay.http import Response
from durable_replay.testing import ask, engine_over
from durable_s3 import service

AWS = "https://s3.amazonaws.com"
B = f"{AWS}/photos"


@pytest.fixture
def engine() -> Engine:
    engine = engine_over(service)
    ask(engine, "PUT", B)
    ask(engine, "PUT", f"{AWS}/other")
    headers = {"x-amz-meta-by": "ann", "content-type": "text/plain", "x-amz-tagging": "a=1&b=2"}
    ask(engine, "PUT", f"{B}/a%20b", b"hello", headers=headers)
    return engine


def copy(engine: Engine, url: str, source: str = "/photos/a%20b", **headers: str) -> Response:
    fields = {"x-amz-copy-source": source, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return ask(engine, "PUT", url, headers=fields).response


def code(response: Response) -> str:
    found = re.search(rb"<Code>(.*?)</Code>", response.body.read())
    return found[1].decode() if found else ""


def test_a_copy_has_the_bytes_and_the_metadata_of_its_source(engine: Engine) -> None:
    answer = copy(engine, f"{AWS}/other/copy")
    assert answer.status == 200
    assert b"<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag>" in answer.body.read()
    ask(engine, "DELETE", f"{B}/a%20b")
    read = ask(engine, "GET", f"{AWS}/other/copy").response
    assert (read.body.read(), read.headers.get("x-amz-meta-by")) == (b"hello", "ann")
    assert (read.headers.get("content-type"), read.headers.get("x-amz-tagging-count")) == ("text/plain", "2")


def test_a_copy_can_replace_the_metadata(engine: Engine) -> None:
    copy(engine, f"{B}/a%20b", x_amz_metadata_directive="REPLACE", x_amz_meta_by="bob", content_type="text/css")
    read = ask(engine, "GET", f"{B}/a%20b").response
    assert (read.body.read(), read.headers.get("x-amz-meta-by")) == (b"hello", "bob")
    assert read.headers.get("content-type") == "text/css"


def test_a_copy_onto_itself_must_change_something(engine: Engine) -> None:
    assert code(copy(engine, f"{B}/a%20b")) == "InvalidRequest"
    assert copy(engine, f"{B}/a%20b", x_amz_storage_class="STANDARD_IA").status == 200
    assert ask(engine, "HEAD", f"{B}/a%20b").response.headers.get("x-amz-storage-class") == "STANDARD_IA"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("photos/none", "NoSuchKey"),
        ("none/x", "NoSuchBucket"),
        ("photos", "InvalidArgument"),
        ("arn:aws:s3:eu-west-1:1:accesspoint/x/object/y", "NotImplemented"),
        ("/photos/a%20b?versionId=nonsense", "InvalidArgument"),
        ("/photos/a%20b?versionId=null", ""),
    ],
)
def test_sources(engine: Engine, source: str, expected: str) -> None:
    assert code(copy(engine, f"{B}/copy", source)) == expected


def test_conditions_on_the_source(engine: Engine) -> None:
    etag = "5d41402abc4b2a76b9719d911017c592"
    assert copy(engine, f"{B}/c", x_amz_copy_source_if_match=etag).status == 200
    assert code(copy(engine, f"{B}/c", x_amz_copy_source_if_none_match=etag)) == "PreconditionFailed"


def test_another_sum_can_be_asked_for(engine: Engine) -> None:
    text = copy(engine, f"{B}/c", x_amz_checksum_algorithm="SHA256").body.read()
    assert b"<ChecksumSHA256>LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=</ChecksumSHA256>" in text


def test_a_copy_of_an_upload_is_an_object_in_one_piece(engine: Engine) -> None:
    begun = ask(engine, "POST", f"{B}/m?uploads").response.body.read().decode()
    found = re.search("<UploadId>(.*?)</UploadId>", begun)
    assert found is not None
    part = copy(engine, f"{B}/m?partNumber=1&uploadId={found[1]}", x_amz_copy_source_range="bytes=1-3")
    etag = re.search(rb"&quot;(.*?)&quot;", part.body.read())
    assert etag is not None
    listed = f"<Part><PartNumber>1</PartNumber><ETag>{etag[1].decode()}</ETag></Part>"
    xml = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    assert ask(engine, "POST", f"{B}/m?uploadId={found[1]}", xml.encode()).response.status == 200
    assert b"-1&quot;" not in copy(engine, f"{B}/c", "photos/m").body.read()
    assert b"".join(ask(engine, "GET", f"{B}/c").response.body.chunks()) == b"ell"


@pytest.mark.parametrize("range_", ["bytes=0-5", "bytes=-3", "bytes=3-1", "0-1"])
def test_a_range_of_a_source_must_lie_within_it(engine: Engine, range_: str) -> None:
    begun = ask(engine, "POST", f"{B}/m?uploads").response.body.read().decode()
    found = re.search("<UploadId>(.*?)</UploadId>", begun)
    assert found is not None
    answer = copy(engine, f"{B}/m?partNumber=1&uploadId={found[1]}", x_amz_copy_source_range=range_)
    assert (answer.status, code(answer)) == (400, "InvalidArgument")
