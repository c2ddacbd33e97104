"""Objects are put, read and removed as in AWS."""

from __future__ import annotations

import hashlib
import re
import zlib
from base64 import b64encode
from pathlib import Path

import pytest

from durable_replay.engine import Engine
from durable_replay.http import Response
from durable_replay.testing import ask, engine_over
from durable_s3 import service

AWS = "https://s3.amazonaws.com"
B = f"{AWS}/photos"
MD5 = hashlib.md5(b"hello").hexdigest()


@pytest.fixture
def engine() -> Engine:
    engine = engine_over(service, clock="2026-01-31T10:00:00+00:00")
    ask(engine, "PUT", B)
    ask(engine, "PUT", f"{B}/k", b"hello", headers={"x-amz-meta-By": "ann", "Cache-Control": "no-store"})
    return engine


def get(engine: Engine, query: str = "", method: str = "GET", **headers: str) -> Response:
    return ask(engine, method, f"{B}/k{query}", headers={n.replace("_", "-"): v for n, v in headers.items()}).response


def code(response: Response) -> str:
    found = re.search(rb"<Code>(.*?)</Code>", response.body.read())
    return found[1].decode() if found else ""


def test_an_object_comes_back_with_what_was_put_with_it(engine: Engine) -> None:
    answer = get(engine)
    assert (answer.status, answer.body.read()) == (200, b"hello")
    expected = {
        "ETag": f'"{MD5}"',
        "Content-Type": "binary/octet-stream",
        "Cache-Control": "no-store",
        "x-amz-meta-by": "ann",
        "x-amz-server-side-encryption": "AES256",
        "Last-Modified": "Sat, 31 Jan 2026 10:00:02 GMT",
        "Accept-Ranges": "bytes",
        "Content-Length": "5",
    }
    assert {name: answer.headers.get(name) for name in expected} == expected
    head = get(engine, method="HEAD")
    assert (head.body.size, head.headers.get("content-length"), head.headers.get("etag")) == (0, "5", f'"{MD5}"')


def test_sums_are_shown_on_wish_and_never_with_a_range(engine: Engine) -> None:
    assert "x-amz-checksum-crc64nvme" not in get(engine).headers
    assert get(engine, x_amz_checksum_mode="ENABLED").headers.get("x-amz-checksum-type") == "FULL_OBJECT"
    assert "x-amz-checksum-crc64nvme" in get(engine, x_amz_checksum_mode="ENABLED").headers
    assert "x-amz-checksum-crc64nvme" not in get(engine, x_amz_checksum_mode="ENABLED", range="bytes=0-1").headers


def test_a_wrong_sum_is_refused_and_nothing_is_stored(engine: Engine) -> None:
    wrong = b64encode(zlib.crc32(b"other").to_bytes(4, "big")).decode()
    answer = ask(engine, "PUT", f"{B}/k", b"changed", headers={"x-amz-checksum-crc32": wrong}).response
    assert (answer.status, code(answer)) == (400, "BadDigest")
    assert get(engine).body.read() == b"hello"


def test_framing_never_lands_in_an_object(engine: Engine) -> None:
    framed = (
        b"5\r\nworld\r\n0\r\nx-amz-checksum-crc32:" + b64encode(zlib.crc32(b"world").to_bytes(4, "big")) + b"\r\n\r\n"
    )
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "Content-Encoding": "gzip, aws-chunked",
        "x-amz-decoded-content-length": "5",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    assert ask(engine, "PUT", f"{B}/k", framed, headers=headers).response.status == 200
    answer = get(engine)
    assert (answer.body.read(), answer.headers.get("content-encoding")) == (b"world", "gzip")


@pytest.mark.parametrize(
    ("asked", "status", "body", "shown"),
    [
        ("bytes=1-2", 206, b"el", "bytes 1-2/5"),
        ("bytes=3-", 206, b"lo", "bytes 3-4/5"),
        ("bytes=-2", 206, b"lo", "bytes 3-4/5"),
        ("bytes=0-99", 206, b"hello", "bytes 0-4/5"),
        ("bytes=oops", 200, b"hello", ""),
    ],
)
def test_ranges(engine: Engine, asked: str, status: int, body: bytes, shown: str) -> None:
    answer = get(engine, range=asked)
    assert (answer.status, b"".join(answer.body.chunks()), answer.headers.get("content-range")) == (status, body, shown)
    assert get(engine, method="HEAD", range=asked).headers.get("content-length") == str(len(body))


def test_a_range_beyond_the_end_is_refused(engine: Engine) -> None:
    assert (get(engine, range="bytes=5-").status, code(get(engine, range="bytes=5-"))) == (416, "InvalidRange")


def test_part_numbers_of_an_object_in_one_piece(engine: Engine) -> None:
    answer = get(engine, "?partNumber=1")
    assert (answer.status, answer.headers.get("content-range")) == (206, "bytes 0-4/5")
    assert (get(engine, "?partNumber=2").status, code(get(engine, "?partNumber=2"))) == (416, "InvalidPartNumber")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_match": f'"{MD5}"'}, 200),
        ({"if_match": "x"}, 412),
        ({"if_none_match": MD5}, 304),
        ({"if_none_match": "x"}, 200),
        ({"if_modified_since": "Sat, 31 Jan 2026 10:00:02 GMT"}, 304),
        ({"if_modified_since": "Sat, 31 Jan 2026 10:00:01 GMT"}, 200),
        ({"if_unmodified_since": "Sat, 31 Jan 2026 10:00:01 GMT"}, 412),
        ({"if_unmodified_since": "Sat, 31 Jan 2026 10:00:02 GMT"}, 200),
    ],
)
def test_conditions_of_reads(engine: Engine, headers: dict[str, str], status: int) -> None:
    for method in ("GET", "HEAD"):
        answer = get(engine, method=method, **headers)
        assert answer.status == status
        if status == 304:
            assert (answer.body.size, answer.headers.get("etag")) == (0, f'"{MD5}"')


def test_conditions_of_writes(engine: Engine) -> None:
    def put(key: str, **headers: str) -> tuple[int, str]:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = ask(engine, "PUT", f"{B}/{key}", b"new", headers=fields).response
        return answer.status, code(answer)

    assert put("k", if_none_match="*") == (412, "PreconditionFailed")
    assert put("new", if_none_match="*") == (200, "")
    assert put("k", if_match="x") == (412, "PreconditionFailed")
    assert put("none", if_match="x") == (404, "NoSuchKey")
    assert put("k", if_none_match="x") == (501, "NotImplemented")
    assert get(engine).body.read() == b"hello"
    assert put("k", if_match=MD5) == (200, "")


def test_headers_of_the_answer_can_be_asked_for(engine: Engine) -> None:
    answer = get(engine, "?response-content-type=text/plain&response-content-disposition=attachment")
    assert answer.headers.get("content-type") == "text/plain"
    assert answer.headers.get("content-disposition") == "attachment"


def test_versions(engine: Engine) -> None:
    assert get(engine, "?versionId=null").status == 200
    assert (get(engine, "?versionId=abc").status, code(get(engine, "?versionId=abc"))) == (400, "InvalidArgument")


def test_a_presigned_url_expires_by_the_sessions_clock_and_is_never_too_early(engine: Engine) -> None:
    signed = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&X-Amz-Expires=60&X-Amz-Date="
    assert get(engine, f"{signed}20260131T095930Z").status == 200
    assert (get(engine, f"{signed}20260131T095000Z").status, code(get(engine, f"{signed}20260131T095000Z"))) == (
        403,
        "AccessDenied",
    )
    assert get(engine, f"{signed}20261122T000000Z").status == 200
    assert get(engine, "?AWSAccessKeyId=x&Signature=y&Expires=1769853000").status == 403
    assert get(engine, "?AWSAccessKeyId=x&Signature=y&Expires=4000000000").status == 200


def test_what_is_put_with_parameters_that_matter_and_are_not_modelled_is_refused(engine: Engine) -> None:
    headers = {"x-amz-object-lock-mode": "GOVERNANCE"}
    answer = ask(engine, "PUT", f"{B}/locked", b"x", headers=headers)
    assert (answer.source, answer.response.status) == ("refused", 501)
    assert ask(engine, "HEAD", f"{B}/locked").response.status == 404


def test_a_key_or_an_object_that_is_too_long_is_refused(engine: Engine) -> None:
    assert code(ask(engine, "PUT", f"{B}/{'k' * 1025}", b"").response) == "KeyTooLongError"
    headers = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length": str(2**40)}
    assert code(ask(engine, "PUT", f"{B}/large", b"", headers=headers).response) == "EntityTooLarge"


def test_removing_is_the_same_whether_the_object_was_there_or_not(engine: Engine) -> None:
    for _ in range(2):
        assert ask(engine, "DELETE", f"{B}/k").response.status == 204
    assert (get(engine).status, code(get(engine))) == (404, "NoSuchKey")
    assert code(ask(engine, "DELETE", f"{AWS}/none/k").response) == "NoSuchBucket"


def test_removing_on_condition(engine: Engine) -> None:
    assert ask(engine, "DELETE", f"{B}/k", headers={"if-match": "x"}).response.status == 412
    assert ask(engine, "DELETE", f"{B}/k", headers={"if-match": f'"{MD5}"'}).response.status == 204


def test_attributes(engine: Engine) -> None:
    answer = get(engine, "?attributes", x_amz_object_attributes="ETag,ObjectSize,StorageClass,Checksum")
    text = answer.body.read().decode()
    assert f"<ETag>{MD5}</ETag>" in text and "<ObjectSize>5</ObjectSize>" in text
    assert "<ChecksumType>FULL_OBJECT</ChecksumType>" in text
    assert get(engine, "?attributes", x_amz_object_attributes="Nonsense").status == 400


def many(engine: Engine, xml: str, **headers: str) -> Response:
    md5 = b64encode(hashlib.md5(xml.encode()).digest()).decode()
    fields = {"content-md5": md5, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return ask(engine, "POST", f"{B}?delete", xml.encode(), headers=fields).response


def test_many_are_removed_at_once(engine: Engine) -> None:
    ask(engine, "PUT", f"{B}/l", b"")
    asked = "<Object><Key>k</Key></Object><Object><Key>none</Key></Object>"
    text = many(engine, f"<Delete>{asked}</Delete>").body.read().decode()
    assert re.findall("<Deleted><Key>(.*?)</Key></Deleted>", text) == ["k", "none"]
    assert get(engine).status == 404
    quiet = many(engine, "<Delete><Quiet>true</Quiet><Object><Key>l</Key></Object></Delete>")
    assert (quiet.status, b"<Deleted>" in quiet.body.read()) == (200, False)
    assert ask(engine, "HEAD", f"{B}/l").response.status == 404


def test_a_multi_delete_needs_a_right_sum_and_right_xml(engine: Engine) -> None:
    sent = b"<Delete><Object><Key>k</Key></Object></Delete>"
    assert code(ask(engine, "POST", f"{B}?delete", sent).response) == "InvalidRequest"
    assert (
        code(ask(engine, "POST", f"{B}?delete", sent, headers={"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="}).response)
        == "BadDigest"
    )
    assert code(many(engine, "<Delete>")) == "MalformedXML"
    assert code(many(engine, "<Delete></Delete>")) == "MalformedXML"
    assert get(engine).status == 200


def test_a_stale_etag_fails_its_own_object_of_a_multi_delete_only(engine: Engine) -> None:
    ask(engine, "PUT", f"{B}/l", b"")
    asked = "<Object><Key>k</Key><ETag>x</ETag></Object><Object><Key>l</Key></Object>"
    text = many(engine, f"<Delete>{asked}</Delete>").body.read().decode()
    assert "<Error><Key>k</Key><Code>PreconditionFailed</Code>" in text and "<Deleted><Key>l</Key></Deleted>" in text
    assert get(engine).status == 200


def test_objects_outlive_their_server(tmp_path: Path) -> None:
    for _ in range(2):
        engine = engine_over(service, data_dir=tmp_path)
        if ask(engine, "HEAD", B).response.status == 404:
            ask(engine, "PUT", B)
            ask(engine, "PUT", f"{B}/k", b"hello")
            ask(engine, "PUT", f"{B}/c", headers={"x-amz-copy-source": "photos/k"})
            ask(engine, "DELETE", f"{B}/k")
        engine.sessions.store.close()
    engine = engine_over(service, data_dir=tmp_path)
    assert b"".join(ask(engine, "GET", f"{B}/c").response.body.chunks()) == b"hello"
    assert ask(engine, "HEAD", f"{B}/k").response.status == 404
    engine.sessions.store.close()
