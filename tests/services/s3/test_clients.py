"""boto3, as it is, against the front over a socket."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from durable_replay.engine import Engine
from durable_replay.front.server import start_in_thread
from durable_replay.front.settings import Settings
from durable_replay.front.tls import Authority
from durable_replay.http import Body, Headers, Request
from durable_replay.service.registry import Registry
from durable_replay.testing import MemoryTape
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import SQLiteStore
from durable_s3 import service

MIB = 1024 * 1024


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    indexing = Indexing(Registry([service]))
    tape = MemoryTape([], indexing)
    return Engine(tape, indexing, Sessions(tape, SQLiteStore(None, tmp_path / "spool"), clock="now"))


@pytest.fixture
def client(engine: Engine, connect: Callable[..., Any]) -> Any:
    made = connect(engine)
    made.create_bucket(Bucket="photos")
    return made


def refused(call: Callable[..., object], **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def test_an_application_day(client: Any) -> None:
    client.put_object(Bucket="photos", Key="a b/ü+%2F", Body=b"hi", Metadata={"By": "ann"}, StorageClass="STANDARD_IA")
    read = client.get_object(Bucket="photos", Key="a b/ü+%2F")
    assert (read["Body"].read(), read["Metadata"], read["StorageClass"]) == (b"hi", {"by": "ann"}, "STANDARD_IA")
    client.copy_object(Bucket="photos", Key="copy", CopySource={"Bucket": "photos", "Key": "a b/ü+%2F"})
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="photos", PaginationConfig={"PageSize": 1})
    assert [one["Key"] for page in pages for one in page["Contents"]] == ["a b/ü+%2F", "copy"]
    gone = client.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": "copy"}, {"Key": "none"}]})
    assert [one["Key"] for one in gone["Deleted"]] == ["copy", "none"]
    assert client.head_bucket(Bucket="photos")["BucketRegion"] == "us-east-1"
    assert [one["Name"] for one in client.list_buckets()["Buckets"]] == ["photos"]


def test_refusals_become_boto3s_errors(client: Any) -> None:
    client.put_object(Bucket="photos", Key="k", Body=b"x")
    assert refused(client.get_object, Bucket="photos", Key="none") == ("NoSuchKey", 404)
    assert refused(client.head_object, Bucket="photos", Key="none") == ("404", 404)
    assert refused(client.get_object, Bucket="none", Key="k") == ("NoSuchBucket", 404)
    assert refused(client.get_object, Bucket="photos", Key="k", IfNoneMatch="*") == ("304", 304)
    assert refused(client.get_object, Bucket="photos", Key="k", Range="bytes=9-") == ("InvalidRange", 416)
    assert refused(client.put_object, Bucket="photos", Key="k", Body=b"", IfNoneMatch="*") == (
        "PreconditionFailed",
        412,
    )
    assert refused(client.delete_bucket, Bucket="photos") == ("BucketNotEmpty", 409)
    assert refused(client.get_bucket_acl, Bucket="photos") == ("NotImplemented", 501)
    client.put_object(Bucket="photos", Key="k", Body=b"the connection is still good")


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_presigned_urls(engine: Engine, connect: Callable[..., Any], signature: str) -> None:
    client = connect(engine, signature_version=signature)
    connect(engine).create_bucket(Bucket="photos")
    where = {"Bucket": "photos", "Key": "a b"}
    assert requests.put(client.generate_presigned_url("put_object", Params=where), data=b"there", timeout=30).ok
    assert requests.get(client.generate_presigned_url("get_object", Params=where), timeout=30).content == b"there"
    late = client.generate_presigned_url("get_object", Params=where, ExpiresIn=-10)
    assert requests.get(late, timeout=30).status_code in (400, 403)


def test_a_virtual_host_at_a_plain_endpoint(client: Any) -> None:
    client.put_object(Bucket="photos", Key="k", Body=b"x")
    port = client.meta.endpoint_url.rpartition(":")[2]
    answer = requests.get(f"http://127.0.0.1:{port}/k", headers={"Host": f"photos.localhost:{port}"}, timeout=30)
    assert answer.content == b"x"


def test_a_file_of_64_mib_goes_up_in_parts_and_comes_back(client: Any, tmp_path: Path) -> None:
    sent, received = tmp_path / "sent", tmp_path / "received"
    with sent.open("wb") as file:
        for number in range(64):
            file.write(bytes([number]) * MIB)
    settings = TransferConfig(multipart_chunksize=16 * MIB)
    client.upload_file(str(sent), "photos", "large", ExtraArgs={"Metadata": {"k": "v"}}, Config=settings)
    client.download_file("photos", "large", str(received), Config=settings)
    assert hashlib.sha256(received.read_bytes()).digest() == hashlib.sha256(sent.read_bytes()).digest()
    head = client.head_object(Bucket="photos", Key="large")
    assert (head["ContentLength"], head["ETag"].endswith('-4"'), head["Metadata"]) == (64 * MIB, True, {"k": "v"})


def test_awss_own_names_through_the_proxy(engine: Engine, authority: Authority) -> None:
    answering: Any = engine  # nobody asks its admin API here
    with start_in_thread(answering, Settings(), authority) as server:
        config = Config(
            retries={"total_max_attempts": 1}, proxies={"https": server.url}, s3={"addressing_style": "virtual"}
        )
        with closing(
            boto3.client(
                "s3",
                region_name="eu-west-1",
                aws_access_key_id="AKIDEXAMPLE",
                aws_secret_access_key="a secret of the tests",
                verify=str(authority.path),
                config=config,
            )
        ) as client:
            client.create_bucket(Bucket="fotos", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            client.put_object(Bucket="fotos", Key="k", Body=b"framed with a trailer")
            assert client.get_object(Bucket="fotos", Key="k")["Body"].read() == b"framed with a trailer"
            assert client.get_bucket_location(Bucket="fotos")["LocationConstraint"] == "eu-west-1"


class Zeros(Body):
    """Many bytes that nobody holds."""

    def __init__(self, size: int) -> None:
        self.size = size

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        left, piece = (self.size if stop is None else stop) - start, bytes(256 * 1024)
        while left > 0:
            yield piece[:left]
            left -= len(piece)


def peak_of_storing(engine: Engine, size: int) -> int:
    """The most memory that storing, copying and reading an object took, in bytes."""

    def ask(method: str, target: str, body: Body | None = None, **headers: str) -> int:
        fields = Headers((name.replace("_", "-"), value) for name, value in headers.items())
        answer = engine.answer("s", Request(method, "https", "s3.amazonaws.com", 443, target, fields, body or Zeros(0)))
        assert answer.response.status == 200, answer.why
        return sum(map(len, answer.response.body.chunks()))

    ask("PUT", "/photos")
    tracemalloc.start()
    try:
        ask("PUT", "/photos/large", Zeros(size))
        ask("PUT", "/photos/copy", x_amz_copy_source="photos/large")
        assert ask("GET", "/photos/copy") == size
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_an_object_of_64_mib_takes_little_memory(engine: Engine) -> None:
    assert peak_of_storing(engine, 64 * MIB) < 8 * MIB


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_an_object_of_5_gib_takes_no_more(engine: Engine) -> None:
    assert peak_of_storing(engine, 5 * 1024 * MIB) < 8 * MIB
