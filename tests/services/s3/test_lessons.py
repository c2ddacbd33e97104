"""A recorded bucket goes on coherently when a test does something else than was recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from durable_replay.engine import Engine
from durable_replay.http import Interaction
from durable_replay.testing import ask, engine_over, exchange
from durable_s3 import service

B = "https://s3.amazonaws.com/photos"


def keys(engine: Engine, query: str = "list-type=2") -> list[str]:
    answer = ask(engine, "GET", f"{B}?{query}")
    assert answer.response.status == 200, answer.response.body.read()
    root = ElementTree.fromstring(answer.response.body.read())
    return [str(node.text) for node in root.iter() if node.tag.endswith("}Key")]


def body(engine: Engine, key: str) -> bytes:
    answer = ask(engine, "GET", f"{B}/{key}")
    assert answer.response.status == 200, answer.why
    return b"".join(answer.response.body.chunks())


def record(recorder: Any, connect: Callable[..., Any], script: Callable[[Any], None]) -> list[Interaction]:
    script(connect(recorder))
    tape: list[Interaction] = recorder.tape
    return tape


def script(client: Any) -> None:
    client.create_bucket(Bucket="photos")
    client.put_object(Bucket="photos", Key="a/cat.jpg", Body=b"cat", Metadata={"by": "ann"}, ContentType="image/jpeg")
    client.put_object(Bucket="photos", Key="a/dog.jpg", Body=b"dog")
    client.get_object(Bucket="photos", Key="a/cat.jpg")["Body"].read()
    client.list_objects_v2(Bucket="photos")
    client.copy_object(Bucket="photos", Key="b/cat.jpg", CopySource={"Bucket": "photos", "Key": "a/cat.jpg"})
    client.delete_object(Bucket="photos", Key="a/dog.jpg")
    client.list_objects_v2(Bucket="photos", Prefix="a/")


@pytest.fixture
def tape(recorder: Any, connect: Callable[..., Any]) -> list[Interaction]:
    return record(recorder, connect, script)


def test_the_tapes_own_requests_in_order_give_the_recorded_answers(tape: list[Interaction]) -> None:
    engine = engine_over(service, tape)
    for number, one in enumerate(tape, 1):
        answer = engine.answer("s", one.request)
        assert (answer.source, answer.interaction) == ("recorded", number)
        assert answer.response == one.response


def test_the_same_script_signed_at_another_time_is_answered_from_the_tape(
    tape: list[Interaction], connect: Callable[..., Any]
) -> None:
    engine = engine_over(service, tape)
    script(connect(engine))
    assert engine.usage.total("recorded") == len(tape)
    assert engine.usage.total("emulated") == 0


def test_after_a_recorded_prefix_an_overwrite_a_delete_and_an_addition_are_listed(tape: list[Interaction]) -> None:
    engine = engine_over(service, tape)
    for one in tape[:5]:
        engine.answer("default", one.request)
    assert ask(engine, "PUT", f"{B}/a/cat.jpg", b"lion").response.status == 200
    assert ask(engine, "DELETE", f"{B}/a/dog.jpg", headers={"x": "y"}).interaction == 7
    assert ask(engine, "PUT", f"{B}/c/new", b"new").response.status == 200
    assert keys(engine) == ["a/cat.jpg", "c/new"]
    assert body(engine, "a/cat.jpg") == b"lion"
    assert "x-amz-meta-by" not in ask(engine, "HEAD", f"{B}/a/cat.jpg").response.headers


def test_a_played_put_can_be_read_though_no_read_of_it_was_recorded(tape: list[Interaction]) -> None:
    engine = engine_over(service, tape)
    for one in tape[:3]:
        engine.answer("default", one.request)
    answer = ask(engine, "GET", f"{B}/a/dog.jpg")
    assert (answer.source, answer.response.body.read()) == ("emulated", b"dog")
    assert answer.response.headers.get("etag") == tape[2].response.headers.get("etag")


def test_what_only_a_later_recording_makes_is_not_there_before(tape: list[Interaction]) -> None:
    engine = engine_over(service, tape)
    assert ask(engine, "GET", f"{B}/a/cat.jpg").response.status == 404
    engine.answer("default", tape[0].request)
    assert keys(engine) == []
    assert ask(engine, "HEAD", f"{B}/a/cat.jpg").response.status == 404


def test_a_recorded_copy_of_an_object_that_was_overwritten_here_copies_the_new_one(tape: list[Interaction]) -> None:
    engine = engine_over(service, tape)
    for one in tape[:3]:
        engine.answer("default", one.request)
    ask(engine, "PUT", f"{B}/a/cat.jpg", b"lion")
    copied = engine.answer("default", tape[5].request)
    assert copied.source == "emulated"
    assert body(engine, "b/cat.jpg") == b"lion"


def test_a_played_copy_holds_what_its_source_held(tape: list[Interaction]) -> None:
    engine = engine_over(service, tape)
    for one in tape[:6]:
        engine.answer("default", one.request)
    ask(engine, "DELETE", f"{B}/a/cat.jpg")
    assert body(engine, "b/cat.jpg") == b"cat"
    assert ask(engine, "HEAD", f"{B}/b/cat.jpg").response.headers.get("x-amz-meta-by") == "ann"


def test_a_tape_that_never_made_its_bucket_can_be_continued() -> None:
    etag = '"d077f244def8a70e5ea758bd8352fcd8"'
    read = exchange(
        "GET",
        f"{B}/cat",
        200,
        b"cat",
        answer_headers={
            "ETag": etag,
            "Content-Type": "image/jpeg",
            "Last-Modified": "Wed, 21 Jan 2026 10:00:00 GMT",
            "x-amz-meta-by": "ann",
            "x-amz-server-side-encryption": "aws:kms",
            "Content-Length": "3",
        },
    )
    engine = engine_over(service, [read])
    assert ask(engine, "PUT", f"{B}/dog", b"dog").response.status == 200
    assert keys(engine) == ["cat", "dog"]
    part = ask(engine, "GET", f"{B}/cat", headers={"range": "bytes=1-"})
    assert (part.source, part.response.status, part.response.body.read()) == ("emulated", 206, b"at")
    assert part.response.headers.get("x-amz-meta-by") == "ann"
    assert part.response.headers.get("x-amz-server-side-encryption") == "aws:kms"
    copied = ask(engine, "PUT", f"{B}/copy", headers={"x-amz-copy-source": "photos/cat"})
    assert copied.response.status == 200
    assert body(engine, "copy") == b"cat"
    assert ask(engine, "GET", "https://s3.amazonaws.com/other/cat").response.status == 404


def test_a_content_that_was_never_recorded_is_refused_and_not_made_up() -> None:
    head = exchange(
        "HEAD",
        f"{B}/cat",
        200,
        answer_headers={
            "ETag": '"d077f244def8a70e5ea758bd8352fcd8"',
            "Last-Modified": "Wed, 21 Jan 2026 10:00:00 GMT",
            "Content-Length": "3",
            "Content-Type": "image/jpeg",
        },
    )
    engine = engine_over(service, [head])
    answer = ask(engine, "GET", f"{B}/cat")
    assert (answer.source, answer.response.status) == ("refused", 501)
    assert b"<Code>NotImplemented</Code>" in answer.response.body.read()
    assert "its Content was never recorded" in answer.why
    assert ask(engine, "HEAD", f"{B}/cat", headers={"if-none-match": "x"}).response.status == 200
    assert ask(engine, "GET", f"{B}/cat", headers={"if-match": "x"}).response.status == 412


def test_headers_that_a_client_chose_and_parts_are_not_taken_for_the_object() -> None:
    shown = {
        "ETag": '"d077f244def8a70e5ea758bd8352fcd8"',
        "Last-Modified": "Wed, 21 Jan 2026 10:00:00 GMT",
        "Content-Type": "text/plain",
    }
    chosen = exchange("GET", f"{B}/cat?response-content-type=text%2Fplain", 200, b"cat", answer_headers=shown)
    engine = engine_over(service, [chosen])
    answer = ask(engine, "GET", f"{B}/cat")
    assert (answer.source, "its Headers was never recorded" in answer.why) == ("refused", True)
    part = exchange("GET", f"{B}/cat?partNumber=1", 200, b"ca", answer_headers=shown)
    refused = ask(engine_over(service, [part]), "GET", f"{B}/cat")
    assert (refused.source, "was never recorded" in refused.why) == ("refused", True)


LISTING = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>photos</Name><Prefix></Prefix>
<MaxKeys>1000</MaxKeys><IsTruncated>{truncated}</IsTruncated>{contents}</ListBucketResult>"""
ENTRY = """<Contents><Key>{key}</Key><LastModified>2026-01-21T10:00:00.000Z</LastModified>
<ETag>"d077f244def8a70e5ea758bd8352fcd8"</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass></Contents>"""


def listing(*contents: str, truncated: str = "false") -> bytes:
    return LISTING.format(truncated=truncated, contents="".join(contents)).encode()


def test_a_recorded_listing_is_continued_with_this_sessions_writes() -> None:
    shown = listing(ENTRY.format(key="a"), ENTRY.format(key="b/x"))
    engine = engine_over(service, [exchange("GET", f"{B}?list-type=2", 200, shown)])
    assert "taken for absent" not in ask(engine, "GET", f"{B}/missing").why
    ask(engine, "DELETE", f"{B}/a")
    ask(engine, "PUT", f"{B}/b/y", b"1")
    assert keys(engine) == ["b/x", "b/y"]
    assert keys(engine, "list-type=2&prefix=b/&max-keys=1") == ["b/x"]


def test_a_folder_that_a_listing_rolled_up_stays_while_nothing_is_written_below_it() -> None:
    shown = listing(ENTRY.format(key="a"), "<CommonPrefixes><Prefix>dir/</Prefix></CommonPrefixes>")
    engine = engine_over(service, [exchange("GET", f"{B}?list-type=2&delimiter=%2F", 200, shown)])
    ask(engine, "PUT", f"{B}/b", b"1")
    answer = ask(engine, "GET", f"{B}?list-type=2&delimiter=%2F")
    assert answer.source == "emulated"
    assert b"<CommonPrefixes><Prefix>dir/</Prefix></CommonPrefixes>" in answer.response.body.read()
    refused = ask(engine, "GET", f"{B}?list-type=2")
    assert (refused.source, "what is below dir/ was never listed" in refused.why) == ("refused", True)
    assert ask(engine, "DELETE", B).response.status == 409


def test_a_listing_that_was_recorded_in_part_is_not_ended_by_guessing() -> None:
    shown = listing(ENTRY.format(key="a"), ENTRY.format(key="b"), truncated="true")
    engine = engine_over(service, [exchange("GET", f"{B}?list-type=2&max-keys=2", 200, shown)])
    ask(engine, "DELETE", f"{B}/a")
    refused = ask(engine, "GET", f"{B}?list-type=2&max-keys=2")
    assert (refused.source, "was not recorded to its end" in refused.why) == ("refused", True)


def test_a_multi_delete_takes_what_its_answer_does_not_call_failed() -> None:
    shown = listing(ENTRY.format(key="a"), ENTRY.format(key="b"), ENTRY.format(key="c"))
    sent = b"<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>"
    failed = b"<Error><Key>b</Key><Code>AccessDenied</Code></Error>"
    gone = b"<DeleteResult><Deleted><Key>a</Key></Deleted>" + failed + b"</DeleteResult>"
    engine = engine_over(
        service,
        [
            exchange("GET", f"{B}?list-type=2", 200, shown),
            exchange("POST", f"{B}?delete", 200, gone, send=sent, headers={"content-md5": "R6Zxk5+cqtFHS8JUtqXSQQ=="}),
        ],
    )
    assert ask(engine, "POST", f"{B}?delete", sent, headers={"content-md5": "x"}).interaction == 2
    assert keys(engine) == ["b", "c"]


def multipart(client: Any) -> None:
    client.create_bucket(Bucket="photos")
    upload = client.create_multipart_upload(Bucket="photos", Key="big", Metadata={"k": "v"})["UploadId"]
    where = {"Bucket": "photos", "Key": "big", "UploadId": upload}
    one = client.upload_part(**where, PartNumber=1, Body=b"1" * (5 << 20))
    two = client.upload_part(**where, PartNumber=2, Body=b"22")
    client.list_parts(**where)
    listed = [{"PartNumber": number, "ETag": part["ETag"]} for number, part in ((1, one), (2, two))]
    client.complete_multipart_upload(**where, MultipartUpload={"Parts": listed})


def test_a_recorded_upload_is_replayed_and_may_end_otherwise(recorder: Any, connect: Callable[..., Any]) -> None:
    tape = record(recorder, connect, multipart)
    engine = engine_over(service, tape)
    client = connect(engine)
    multipart(client)
    assert engine.usage.total("emulated") == 0
    assert client.get_object(Bucket="photos", Key="big", Range="bytes=5242879-")["Body"].read() == b"122"
    assert client.head_object(Bucket="photos", Key="big")["Metadata"] == {"k": "v"}
    other = engine_over(service, tape)
    for one in tape[:4]:
        other.answer("default", one.request)
    client = connect(other)
    where = {
        "Bucket": "photos",
        "Key": "big",
        "UploadId": client.list_multipart_uploads(Bucket="photos")["Uploads"][0]["UploadId"],
    }
    client.upload_part(**where, PartNumber=2, Body=b"333")
    parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in client.list_parts(**where)["Parts"]]
    client.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert client.get_object(Bucket="photos", Key="big", Range="bytes=5242879-")["Body"].read() == b"1333"
    assert "Uploads" not in client.list_multipart_uploads(Bucket="photos")


def test_an_upload_whose_beginning_was_not_recorded_can_be_given_up() -> None:
    recorded = exchange(
        "PUT",
        f"{B}/k?partNumber=1&uploadId=U",
        200,
        send=b"x",
        answer_headers={"ETag": '"9dd4e461268c8034f5c8564e155c67a6"'},
    )
    engine = engine_over(service, [recorded])
    assert ask(engine, "PUT", f"{B}/k?partNumber=1&uploadId=U", b"x").source == "recorded"
    assert ask(engine, "DELETE", f"{B}/k?uploadId=U").response.status == 204
    assert ask(engine, "PUT", f"{B}/k?partNumber=2&uploadId=U", b"x").response.status == 404
