"""Where requests go, and how refusals look."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from durable_replay.engine import Engine
from durable_replay.http import Request
from durable_replay.testing import ask, engine_over, exchange, request
from durable_s3 import service
from durable_s3.wire import fields_of

AWS = "https://s3.amazonaws.com"


@pytest.fixture
def engine() -> Engine:
    made = engine_over(service)
    ask(made, "PUT", f"{AWS}/photos")
    return made


def code(text: bytes) -> str:
    found = re.search(rb"<Code>(.*?)</Code>", text)
    return found[1].decode() if found else ""


@pytest.mark.parametrize(
    "url",
    [
        f"{AWS}/photos/a%20b/c",
        "https://photos.s3.amazonaws.com/a%20b/c",
        "https://photos.s3.eu-west-1.amazonaws.com/a%20b/c",
        "https://s3.eu-west-1.amazonaws.com/photos/a%20b/c",
        "https://photos.s3-us-west-2.amazonaws.com/a%20b/c",
        "https://photos.s3.dualstack.us-east-2.amazonaws.com/a%20b/c",
        "https://s3.dualstack.us-east-2.amazonaws.com/photos/a%20b/c",
        "https://photos.s3.cn-north-1.amazonaws.com.cn/a%20b/c",
        "https://photos.s3.localhost/a%20b/c",
    ],
)
def test_path_and_virtual_host_addressing_reach_the_same_object(engine: Engine, url: str) -> None:
    assert ask(engine, "PUT", url, b"here").response.status == 200
    answer = ask(engine, "GET", f"{AWS}/photos/a%20b/c?x-id=GetObject&unknown=1")
    assert answer.response.body.read() == b"here"


def test_at_a_plain_endpoint_the_host_field_names_the_bucket(engine: Engine) -> None:
    ask(engine, "PUT", f"{AWS}/photos/k", b"x")
    for host, path in (("photos.localhost:8000", "/k"), ("127.0.0.1:8000", "/photos/k"), ("localhost", "/photos/k")):
        assert ask(engine, "GET", f"{AWS}{path}", headers={"Host": host}).response.body.read() == b"x"


@pytest.mark.parametrize(
    "path", ["a//b", "/a", "a/", "a/../b", "a+b", "a%2Fb", "%E2%82%AC", "a%00b", "a?".replace("?", "%3F")]
)
def test_a_key_is_kept_as_it_is_sent(engine: Engine, path: str) -> None:
    ask(engine, "PUT", f"{AWS}/photos/{path}", path)
    assert ask(engine, "GET", f"{AWS}/photos/{path}").response.body.read() == path.encode()
    listed = ask(engine, "GET", f"{AWS}/photos?list-type=2&encoding-type=url").response.body.read()
    assert listed.count(b"<Contents>") == 1


@pytest.mark.parametrize(
    ("method", "target", "status", "said"),
    [
        ("PUT", "/new?versioning", 501, "NotImplemented"),
        ("PUT", "/new?acl", 501, "NotImplemented"),
        ("PUT", "/new?frobnication", 501, "NotImplemented"),
        ("PUT", "/new?versions", 405, "MethodNotAllowed"),
        ("PUT", "/new?uploads", 405, "MethodNotAllowed"),
        ("PATCH", "/new", 405, "MethodNotAllowed"),
        ("PUT", "/", 405, "MethodNotAllowed"),
        ("PUT", "/new/key?tagging", 501, "NotImplemented"),
        ("PUT", "/new/key?uploadId=U", 405, "MethodNotAllowed"),
        ("PUT", "/new/key?partNumber=1", 405, "MethodNotAllowed"),
        ("POST", "/new", 501, "NotImplemented"),
        ("PUT", "/new/%ff", 400, "InvalidURI"),
        ("GET", "//key", 400, "InvalidBucketName"),
    ],
)
def test_what_no_row_knows_is_refused_and_does_nothing(
    engine: Engine, method: str, target: str, status: int, said: str
) -> None:
    answer = ask(engine, method, f"{AWS}{target}")
    assert (answer.source, answer.response.status, code(answer.response.body.read())) == ("refused", status, said)
    assert answer.response.headers.get("content-type") == "application/xml"
    assert ask(engine, "HEAD", f"{AWS}/new").response.status == 404


def test_a_bucket_may_be_named_with_a_slash_behind_it(engine: Engine) -> None:
    assert b"<LocationConstraint" in ask(engine, "GET", f"{AWS}/photos/?location").response.body.read()


def test_a_refusal_names_what_is_missing_and_repeats_its_request_id(engine: Engine) -> None:
    for target, expected in (("/none/k", b"<BucketName>none</BucketName>"), ("/photos/k", b"<Key>k</Key>")):
        answer = ask(engine, "GET", f"{AWS}{target}").response
        text = answer.body.read()
        assert expected in text and answer.status == 404
        assert f"<RequestId>{answer.headers.get('x-amz-request-id')}</RequestId>".encode() in text
        assert b"xmlns" not in text


def test_a_refused_head_has_no_body(engine: Engine) -> None:
    answer = ask(engine, "HEAD", f"{AWS}/photos/none").response
    assert (answer.status, answer.reason, answer.body.size) == (404, "Not Found", 0)
    assert answer.headers.get("x-amz-request-id")


def test_every_answer_has_the_fields_that_clients_look_for(engine: Engine) -> None:
    for method, target in (("PUT", "/photos/k"), ("GET", "/photos/k"), ("HEAD", "/photos/k"), ("GET", "/photos")):
        answer = ask(engine, method, f"{AWS}{target}").response
        assert re.fullmatch("[0-9A-F]{16}", answer.headers.get("x-amz-request-id"))
        assert answer.headers.get("server") == "AmazonS3" and answer.reason
        assert answer.headers.get("date").endswith(" GMT") and answer.headers.get("content-length").isdigit()


def test_the_same_requests_in_another_run_have_the_same_answers() -> None:
    def run() -> list[object]:
        engine = engine_over(service)
        steps = [("PUT", "/bkt"), ("PUT", "/bkt/k"), ("POST", "/bkt/m?uploads"), ("GET", "/bkt"), ("GET", "/bkt/none")]
        return [ask(engine, method, f"{AWS}{target}").response for method, target in steps]

    first = run()
    assert first == run()
    assert len({str(one) for one in first}) == len(first)


def test_the_same_object_sent_in_other_frames_is_the_recorded_one(capture: Callable[..., Request]) -> None:
    plain = capture("put_object", "http", Bucket="photos", Key="k", Body=b"hello", Metadata={"a": "b"})
    framed = capture("put_object", "https", Bucket="photos", Key="k", Body=b"hello", Metadata={"a": "b"})
    assert framed.body.read() != plain.body.read()
    other = capture("put_object", "https", Bucket="photos", Key="k", Body=b"hello", Metadata={"a": "c"})
    keys = [engine_over(service).indexing.understand(_at_aws(one)).key for one in (plain, framed, other)]
    assert keys[0] == keys[1] != keys[2]


def _at_aws(one: Request) -> Request:
    return request(one.method, f"{AWS}{one.target}", one.body.read(), one.headers.without("host").fields)


def test_a_signature_and_an_sdks_own_fields_do_not_count() -> None:
    recorded = exchange("GET", f"{AWS}/photos/k?X-Amz-Signature=1&X-Amz-Date=20200101T000000Z", 200, b"x")
    engine = engine_over(service, [recorded])
    headers = {"authorization": "AWS4 …", "amz-sdk-invocation-id": "1", "x-amz-checksum-mode": "ENABLED"}
    assert ask(engine, "GET", f"{AWS}/photos/k?x-id=GetObject", headers=headers).source == "recorded"
    assert ask(engine, "GET", f"{AWS}/photos/k", headers={"range": "bytes=0-"}).source != "recorded"


def test_fields_that_a_presigned_url_carries_in_its_query_are_headers() -> None:
    one = request("PUT", f"{AWS}/b/k?x-amz-meta-a=1&X-Amz-Signature=2&x-amz-storage-class=GLACIER")
    assert dict(fields_of(one)) == {"x-amz-meta-a": "1", "x-amz-storage-class": "GLACIER"}


def test_a_recorded_200_that_holds_an_error_did_nothing() -> None:
    error = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code></Error>'
    copy = exchange("PUT", f"{AWS}/photos/k", 200, error, headers={"x-amz-copy-source": "photos/a"})
    engine = engine_over(service, [copy])
    assert engine.tape.fact(1).writes == ()
