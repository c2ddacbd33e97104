"""S3's clients as people use them, against `durable-replay serve s3` as a process, over HTTP and through TLS."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
import sys
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

from durable_replay.replaying import Plan, opened
from durable_replay.settings import Settings
from tests.end_to_end.record_replay import DURABLE, run, serving

AWS = str(Path(sys.executable).with_name("aws"))
MIB = 1024**2


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The URL of `durable-replay serve s3 --port 0`, with a bucket `photos`."""
    with serving(*DURABLE, "serve", "s3", "--port", "0") as served:
        s3(served.url).create_bucket(Bucket="photos")
        yield served.url


def s3(endpoint: str | None, verify: str | None = None, **settings: Any) -> Any:
    config = {"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}, **settings}
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        verify=verify,
        aws_access_key_id="test",
        aws_secret_access_key="secret",
        config=Config(**config),
    )


def test_boto3_uploads_a_file_of_20_mib_in_parts_and_gets_it_back(endpoint: str, tmp_path: Path) -> None:
    (source := tmp_path / "large.bin").write_bytes(bytes(range(256)) * (20 * MIB // 256) + b"end")
    client = s3(endpoint)
    client.upload_file(str(source), "photos", "large.bin", ExtraArgs={"Metadata": {"by": "boto3"}})
    head = client.head_object(Bucket="photos", Key="large.bin")
    assert (head["ContentLength"], head["ETag"][-3:], head["Metadata"]) == (20 * MIB + 3, '-3"', {"by": "boto3"})
    client.download_file("photos", "large.bin", str(back := tmp_path / "back.bin"), Config=TransferConfig(MIB, 2))
    assert back.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("validation", ["when_required", "when_supported"])
@pytest.mark.parametrize("calculation", ["when_required", "when_supported"])
def test_boto3_with_each_setting_for_checksums(endpoint: str, calculation: str, validation: str) -> None:
    client = s3(endpoint, request_checksum_calculation=calculation, response_checksum_validation=validation)
    key = f"{calculation} {validation}"
    client.put_object(Bucket="photos", Key=key, Body=b"summed")
    got = client.get_object(Bucket="photos", Key=key, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"summed"
    if calculation == "when_supported":
        assert got["ChecksumCRC32"] == b64encode(zlib.crc32(b"summed").to_bytes(4, "big")).decode()


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"])
def test_boto3_with_each_algorithm(endpoint: str, algorithm: str) -> None:
    if algorithm in ("CRC32C", "CRC64NVME"):
        pytest.importorskip("awscrt", reason=f"botocore computes {algorithm} by awscrt only")
    client = s3(endpoint)
    put = client.put_object(Bucket="photos", Key=algorithm, Body=b"summed", ChecksumAlgorithm=algorithm)
    got = client.get_object(Bucket="photos", Key=algorithm, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"summed"
    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
def test_presigned_urls_put_and_get(endpoint: str, signature: str) -> None:
    client = s3(endpoint, signature_version=signature)
    place = {"Bucket": "photos", "Key": f"signed by {signature}"}
    put = requests.put(client.generate_presigned_url("put_object", place), data=b"by url", timeout=20)
    got = requests.get(client.generate_presigned_url("get_object", place), timeout=20)
    assert (put.status_code, got.status_code, got.content) == (200, 200, b"by url")


def test_a_presigned_url_that_has_expired_is_refused(endpoint: str) -> None:
    url = s3(endpoint, signature_version="s3v4").generate_presigned_url(
        "get_object", {"Bucket": "photos", "Key": "any"}, ExpiresIn=1
    )
    signed = url.partition("X-Amz-Date=")[2][:16]
    got = requests.get(url.replace(signed, "20200101T000000Z"), timeout=20)
    assert (got.status_code, "<Code>AccessDenied</Code>" in got.text) == (403, True)


def test_an_unsigned_payload_as_other_sdks_send_it(endpoint: str) -> None:
    """minio's and rclone's way over HTTPS: SigV4 with UNSIGNED-PAYLOAD and Content-MD5, made here by hand."""
    data = b"no hash of this is signed"
    md5 = b64encode(hashlib.md5(data).digest()).decode()
    for key, said, status in (("raw", md5, 200), ("bad", b64encode(bytes(16)).decode(), 400)):
        path = f"/photos/{key}.bin"
        fields = signed(endpoint, "PUT", path, {"content-md5": said})
        assert requests.put(endpoint + path, data, headers=fields, timeout=20).status_code == status
    got = requests.get(f"{endpoint}/photos/raw.bin", headers=signed(endpoint, "GET", "/photos/raw.bin", {}), timeout=20)
    assert got.content == data
    assert got.headers["etag"] == f'"{hashlib.md5(data).hexdigest()}"'


def signed(endpoint: str, method: str, path: str, fields: dict[str, str]) -> dict[str, str]:
    """The fields with a SigV4 signature that leaves the payload out."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    day, scope = now[:8], f"{now[:8]}/us-east-1/s3/aws4_request"
    host = endpoint.removeprefix("http://")
    whole = {**fields, "host": host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": now}
    names = ";".join(sorted(whole))
    lines = "".join(f"{name}:{whole[name]}\n" for name in sorted(whole))
    canonical = "\n".join((method, path, "", lines, names, "UNSIGNED-PAYLOAD"))
    key = b"AWS4secret"
    for part in (day, "us-east-1", "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**whole, "authorization": credential}


def test_awss_own_hosts_over_tls_by_path_and_by_virtual_host(tmp_path: Path) -> None:
    """Over HTTPS boto3 sends its bodies aws-chunked with a sum in the trailer, without a length."""
    with opened(Plan(on_miss="emulate"), Settings.load(tmp_path)) as replay:
        trusted = str(replay.authority.path)
        for style in ("path", "virtual"):
            client = s3(None, trusted, proxies={"https": replay.url}, s3={"addressing_style": style})
            client.create_bucket(Bucket=f"by-{style}")
            client.put_object(Bucket=f"by-{style}", Key="a/b c", Body=b"over TLS")
            listed = client.list_objects_v2(Bucket=f"by-{style}")["Contents"]
            assert [(entry["Key"], entry["Size"]) for entry in listed] == [("a/b c", 8)]
            assert client.get_object(Bucket=f"by-{style}", Key="a/b c")["Body"].read() == b"over TLS"
            client.close()


def test_awscli_copies_lists_synchronises_presigns_and_removes(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def aws(*arguments: str) -> str:
        done = run([AWS, "--endpoint-url", endpoint, *arguments], tmp_path)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    (tmp_path / "folder" / "sub").mkdir(parents=True)
    for name in ("folder/one.txt", "folder/sub/two.txt"):
        (tmp_path / name).write_text(name)
        # aws-cli compares with a Last-Modified of whole seconds: what was written in this one would seem newer.
        os.utime(tmp_path / name, (1_700_000_000, 1_700_000_000))
    aws("s3", "sync", "folder", "s3://photos/cli", "--no-progress")
    assert aws("s3", "sync", "folder", "s3://photos/cli", "--no-progress") == ""  # nothing new to send
    listed = aws("s3", "ls", "--recursive", "s3://photos/cli/")
    assert [line.split()[2:] for line in listed.splitlines()] == [["14", "cli/one.txt"], ["18", "cli/sub/two.txt"]]
    url = aws("s3", "presign", "s3://photos/cli/one.txt").strip()
    assert requests.get(url, timeout=20).text == "folder/one.txt"
    aws("s3", "rm", "s3://photos/cli", "--recursive")
    shown = aws("s3api", "list-objects-v2", "--bucket", "photos", "--prefix", "cli/", "--query", "KeyCount")
    assert shown.strip() in ("0", "null")
