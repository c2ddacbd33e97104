"""Our signature is the one that AWS' own SDK makes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from durable_replay.drift.live.sigv4 import AwsKey, signed, unsigned_target
from durable_replay.testing import request

NOW = 1_700_000_000.0


@pytest.mark.parametrize("token", ["", "session-token-1"])
@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://photos.s3.eu-west-1.amazonaws.com/cats/a%20b%2Bc.jpg", "eu-west-1"),
        ("https://s3.amazonaws.com/photos?list-type=2&prefix=a%2Fb&delimiter=%2F", "us-east-1"),
        ("https://localhost:9000/photos?acl", "us-east-1"),
    ],
)
def test_s3_is_signed_as_botocore_does(monkeypatch: pytest.MonkeyPatch, url: str, region: str, token: str) -> None:
    mine = signed(request("GET", url), AwsKey("AK", "SK", token), url.split("/")[2], NOW)
    assert mine.headers.get("authorization") == _theirs(monkeypatch, S3SigV4Auth, url, "s3", region, token)


def test_another_service_is_signed_as_botocore_does(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://lambda.us-west-2.amazonaws.com/2015-03-31/functions/a%3Ab"
    mine = signed(request("GET", url), AwsKey("AK", "SK", service="lambda"), url.split("/")[2], NOW)
    theirs = _theirs(monkeypatch, SigV4Auth, url, "lambda", "us-west-2", "", payload=True)
    assert mine.headers.get("authorization") == theirs


def test_each_header_is_signed_that_aws_wants_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://photos.s3.eu-west-1.amazonaws.com/cat.jpg"
    fields = {"x-amz-checksum-mode": "ENABLED", "Content-Type": "text/plain", "X-Amz-Request-Payer": " a  b "}
    mine = signed(request("GET", url, headers=fields), AwsKey("AK", "SK"), url.split("/")[2], NOW)
    assert mine.headers.get("authorization") == _theirs(monkeypatch, S3SigV4Auth, url, "s3", "eu-west-1", "", fields)


def _theirs(
    monkeypatch: pytest.MonkeyPatch,
    auth: Any,
    url: str,
    service: str,
    region: str,
    token: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    payload: bool = False,
) -> str:
    moment = datetime.fromtimestamp(NOW, UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None))
    asked = AWSRequest("GET", url, headers=dict(headers))
    if payload:  # it is signed with other services too, which botocore leaves out
        asked.headers["X-Amz-Content-SHA256"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    auth(Credentials("AK", "SK", token or None), service, region).add_auth(asked)
    return str(asked.headers["Authorization"])


def test_a_presigned_url_loses_its_old_signature() -> None:
    target = "/b/k?X-Amz-Algorithm=A&X-Amz-Signature=s&versionId=3&X-Amz-Expires=9&x-amz-credential=c"
    assert unsigned_target(target) == "/b/k?versionId=3"
    assert unsigned_target("/b/k?expires=1&AWSAccessKeyId=k&signature=") == "/b/k"
    assert unsigned_target("/b/k?expires=1") == "/b/k?expires=1"
