"""Uploads are begun, filled, listed, completed and given up as in AWS."""

from __future__ import annotations

import hashlib
import re
import zlib
from base64 import b64encode

import pytest

from durable_replay.engine import Engine
from durable_replay.http import Response
from durable_replay.testing import ask, engine_over
from durable_s3 import service

B = "https://s3.amazonaws.com/photos"
LARGE = b"1" * (5 << 20)


@pytest.fixture
def engine() -> Engine:
    engine = engine_over(service)
    ask(engine, "PUT", B)
    return engine


def code(response: Response) -> str:
    found = re.search(rb"<Code>(.*?)</Code>", response.body.read())
    return found[1].decode() if found else ""


def begin(engine: Engine, key: str = "m", **headers: str) -> str:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = ask(engine, "POST", f"{B}/{key}?uploads", headers=fields).response
    found = re.search(rb"<UploadId>(.*?)</UploadId>", answer.body.read())
    assert found is not None
    return found[1].decode()


def put(engine: Engine, upload: str, number: int, data: bytes, key: str = "m", **headers: str) -> Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(engine, "PUT", f"{B}/{key}?partNumber={number}&uploadId={upload}", data, headers=fields).response


def complete(engine: Engine, upload: str, *parts: tuple[int, str], key: str = "m", **headers: str) -> Response:
    listed = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
    xml = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(engine, "POST", f"{B}/{key}?uploadId={upload}", xml.encode(), headers=fields).response


def etag(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def test_parts_become_an_object_with_what_was_said_at_the_beginning(engine: Engine) -> None:
    upload = begin(engine, x_amz_meta_by="ann", content_type="text/plain")
    assert put(engine, upload, 2, b"22").headers.get("etag") == f'"{etag(b"22")}"'
    put(engine, upload, 1, b"old")
    put(engine, upload, 1, LARGE)
    answer = complete(engine, upload, (1, etag(LARGE)), (2, etag(b"22")))
    joined = hashlib.md5(hashlib.md5(LARGE).digest() + hashlib.md5(b"22").digest()).hexdigest()
    text = answer.body.read().decode()
    assert f"<ETag>&quot;{joined}-2&quot;</ETag>" in text and "<ChecksumType>FULL_OBJECT</ChecksumType>" in text
    read = ask(engine, "GET", f"{B}/m").response
    assert b"".join(read.body.chunks()) == LARGE + b"22"
    assert (read.headers.get("x-amz-meta-by"), read.headers.get("content-type")) == ("ann", "text/plain")
    part = ask(engine, "GET", f"{B}/m?partNumber=2").response
    assert (part.status, b"".join(part.body.chunks()), part.headers.get("x-amz-mp-parts-count")) == (206, b"22", "2")
    attributes = ask(engine, "GET", f"{B}/m?attributes", headers={"x-amz-object-attributes": "ObjectParts"}).response
    assert b"<PartsCount>2</PartsCount>" in attributes.body.read()


def test_the_same_completion_again_has_the_same_answer(engine: Engine) -> None:
    upload = begin(engine)
    put(engine, upload, 1, b"x")
    first, again = (complete(engine, upload, (1, etag(b"x"))) for _ in range(2))
    assert first.status == again.status == 200 and first.body == again.body
    assert code(complete(engine, upload, (1, etag(b"y")))) == "NoSuchUpload"
    assert code(put(engine, upload, 2, b"x")) == "NoSuchUpload"


def test_what_a_completion_may_not_list(engine: Engine) -> None:
    upload = begin(engine)
    put(engine, upload, 1, b"small")
    put(engine, upload, 2, b"last")
    one, two = (1, etag(b"small")), (2, etag(b"last"))
    assert code(complete(engine, upload, two, one)) == "InvalidPartOrder"
    assert code(complete(engine, upload, one, one)) == "InvalidPartOrder"
    assert code(complete(engine, upload, one, two)) == "EntityTooSmall"
    assert code(complete(engine, upload, (1, etag(b"else")))) == "InvalidPart"
    assert code(complete(engine, upload, one, (3, etag(b"x")))) == "InvalidPart"
    assert code(complete(engine, upload)) == "MalformedXML"
    assert code(complete(engine, upload, two, x_amz_mp_object_size="5")) == "InvalidRequest"
    assert complete(engine, upload, two, x_amz_mp_object_size="4").status == 200


def test_a_completion_on_condition(engine: Engine) -> None:
    upload = begin(engine)
    put(engine, upload, 1, b"x")
    ask(engine, "PUT", f"{B}/m", b"meanwhile")
    assert code(complete(engine, upload, (1, etag(b"x")), if_none_match="*")) == "ConditionalRequestConflict"
    second = begin(engine)
    put(engine, second, 1, b"x")
    assert code(complete(engine, second, (1, etag(b"x")), if_none_match="*")) == "PreconditionFailed"
    assert complete(engine, second, (1, etag(b"x")), if_match=etag(b"meanwhile")).status == 200


def crc32(data: bytes) -> str:
    return b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def test_sums_of_an_upload(engine: Engine) -> None:
    upload = begin(engine, x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="FULL_OBJECT")
    assert put(engine, upload, 1, LARGE, x_amz_checksum_crc32=crc32(LARGE)).status == 200
    assert code(put(engine, upload, 2, b"22", x_amz_checksum_sha1="5DW5KsrHP5DcHoSiFbXbt4ANYD0=")) == "InvalidRequest"
    put(engine, upload, 2, b"22", x_amz_checksum_crc32=crc32(b"22"))
    wrong = complete(engine, upload, (1, etag(LARGE)), (2, etag(b"22")), x_amz_checksum_crc32=crc32(b"no"))
    assert code(wrong) == "BadDigest"
    answer = complete(engine, upload, (1, etag(LARGE)), (2, etag(b"22")), x_amz_checksum_crc32=crc32(LARGE + b"22"))
    assert f"<ChecksumCRC32>{crc32(LARGE + b'22')}</ChecksumCRC32>".encode() in answer.body.read()


def test_a_composite_sum_needs_the_sums_of_its_parts(engine: Engine) -> None:
    upload = begin(engine, x_amz_checksum_algorithm="CRC32")
    put(engine, upload, 1, b"x", x_amz_checksum_crc32=crc32(b"x"))
    assert code(complete(engine, upload, (1, etag(b"x")))) == "InvalidRequest"
    sums = f"<ETag>{etag(b'x')}</ETag><ChecksumCRC32>{crc32(b'x')}</ChecksumCRC32>"
    xml = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>{sums}</Part></CompleteMultipartUpload>"
    text = ask(engine, "POST", f"{B}/m?uploadId={upload}", xml.encode()).response.body.read()
    assert b"<ChecksumType>COMPOSITE</ChecksumType>" in text and b"-1</ChecksumCRC32>" in text


def test_an_upload_that_is_given_up_leaves_nothing(engine: Engine) -> None:
    upload = begin(engine)
    put(engine, upload, 1, b"x")
    assert ask(engine, "DELETE", f"{B}/m?uploadId={upload}").response.status == 204
    for answer in (put(engine, upload, 1, b"x"), ask(engine, "GET", f"{B}/m?uploadId={upload}").response):
        assert (answer.status, code(answer)) == (404, "NoSuchUpload")
    assert code(ask(engine, "DELETE", f"{B}/m?uploadId={upload}").response) == "NoSuchUpload"
    assert ask(engine, "DELETE", B).response.status == 204


def test_part_numbers_have_limits(engine: Engine) -> None:
    upload = begin(engine)
    assert [code(put(engine, upload, number, b"x")) for number in (0, 10_001)] == ["InvalidArgument"] * 2
    assert put(engine, upload, 10_000, b"x").status == 200


def test_parts_are_listed_in_pages(engine: Engine) -> None:
    upload = begin(engine)
    for number in (10, 2, 1):
        put(engine, upload, number, b"x" * number)
    text = ask(engine, "GET", f"{B}/m?uploadId={upload}&max-parts=2").response.body.read().decode()
    assert re.findall("<PartNumber>(.*?)</PartNumber>", text) == ["1", "2"]
    assert "<NextPartNumberMarker>2</NextPartNumberMarker>" in text and "<IsTruncated>true</IsTruncated>" in text
    rest = ask(engine, "GET", f"{B}/m?uploadId={upload}&part-number-marker=2").response.body.read().decode()
    assert re.findall("<Size>(.*?)</Size>", rest) == ["10"]


def test_open_uploads_are_listed_by_key(engine: Engine) -> None:
    uploads = {key: begin(engine, key) for key in ("b", "a/2", "a/1")}
    put(engine, uploads["b"], 1, b"x", "b")
    complete(engine, uploads["b"], (1, etag(b"x")), key="b")
    text = ask(engine, "GET", f"{B}?uploads").response.body.read().decode()
    assert re.findall("<UploadId>(.*?)</UploadId>", text) == [uploads["a/1"], uploads["a/2"]]
    rolled = ask(engine, "GET", f"{B}?uploads&delimiter=/").response.body.read().decode()
    assert re.findall("<CommonPrefixes><Prefix>(.*?)</Prefix>", rolled) == ["a/"]
    page = ask(engine, "GET", f"{B}?uploads&max-uploads=1").response.body.read().decode()
    assert "<NextKeyMarker>a/1</NextKeyMarker>" in page
    assert f"<NextUploadIdMarker>{uploads['a/1']}</NextUploadIdMarker>" in page
    more = f"&key-marker=a/1&upload-id-marker={uploads['a/1']}"
    rest = ask(engine, "GET", f"{B}?uploads{more}").response.body.read().decode()
    assert re.findall("<UploadId>(.*?)</UploadId>", rest) == [uploads["a/2"]]
