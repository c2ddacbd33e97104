"""Signatures are recognised in all four places, and refused when they are out of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from durable_replay.http import Headers, Request
from durable_s3.errors import S3Fault
from durable_s3.signing import SigV2, SigV4, check_time, recognise

Maker = Callable[..., Request]
GOOD = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AK/20260101/eu-west-1/s3/aws4_request",
    "X-Amz-Date": "20260101T000000Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host",
    "X-Amz-Signature": "ab",
}
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def presigned(**changes: str) -> Request:
    query = {**GOOD, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return Request("GET", "http", "h", 80, "/b/k?" + "&".join(f"{name}={value}" for name, value in query.items()))


def fault_of(request: Request, now: datetime = MIDNIGHT) -> S3Fault:
    with pytest.raises(S3Fault) as caught:
        found = recognise(request)
        assert found is not None
        check_time(found, request, now)
    return caught.value


def test_boto3s_headers_are_recognised(capture: Maker, access_key: str) -> None:
    found = recognise(capture("get_object", Bucket="b", Key="k"))
    assert isinstance(found, SigV4)
    assert (found.access_key, found.scope.region, found.scope.service) == (access_key, "eu-west-1", "s3")
    assert (found.expires, "host" in found.signed_headers) == (None, True)


def test_boto3s_presigned_urls_are_recognised(presign: Maker, access_key: str) -> None:
    fourth = recognise(presign("get_object", "s3v4", 77, Bucket="b", Key="k"))
    second = recognise(presign("get_object", "s3", Bucket="b", Key="k"))
    assert isinstance(fourth, SigV4)
    assert isinstance(second, SigV2)
    assert (fourth.access_key, fourth.expires) == (access_key, 77)
    assert (second.access_key, bool(second.expires)) == (access_key, True)


def test_a_request_without_signature_is_anonymous() -> None:
    assert recognise(Request("GET", "http", "h", 80, "/b/k?x-id=GetObject")) is None


def test_no_space_after_the_commas_is_understood() -> None:
    text = "AWS4-HMAC-SHA256 Credential=A/20260101/r/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=ff"
    found = recognise(
        Request("GET", "http", "h", 80, "/", Headers([("Authorization", text), ("x-amz-date", "20260101T000000Z")]))
    )
    assert isinstance(found, SigV4)
    assert (found.signed_headers, found.signature) == (("host", "x-amz-date"), "ff")


def test_another_services_token_is_refused_and_not_echoed() -> None:
    fault = fault_of(Request("GET", "http", "h", 80, "/", Headers([("Authorization", "Bearer hush-hush")])))
    assert fault.code == "InvalidArgument"
    assert "hush" not in str(fault.details) + fault.message


@pytest.mark.parametrize("expires", ["0", "-1", "604801", "soon"])
def test_an_impossible_expiry_is_refused(expires: str) -> None:
    assert fault_of(presigned(X_Amz_Expires=expires)).code == "AuthorizationQueryParametersError"


@pytest.mark.parametrize(
    "credential", ["AK", "AK/2026/r/s3/aws4_request", "AK/20260101/r/s3/other", "/20260101/r/s3/aws4_request"]
)
def test_a_malformed_credential_is_refused(credential: str) -> None:
    assert fault_of(presigned(X_Amz_Credential=credential)).code == "AuthorizationQueryParametersError"


def test_a_missing_parameter_is_refused() -> None:
    assert "requires the X-Amz-Algorithm" in fault_of(presigned(X_Amz_Signature="")).message


def test_a_presigned_url_is_good_until_it_expires() -> None:
    request = presigned()
    found = recognise(request)
    assert found is not None
    check_time(found, request, MIDNIGHT + timedelta(seconds=59))
    fault = fault_of(request, MIDNIGHT + timedelta(seconds=61))
    assert (fault.status, fault.code, fault.message) == (403, "AccessDenied", "Request has expired")
    assert fault.details == {
        "X-Amz-Expires": 60,
        "Expires": "2026-01-01T00:01:00Z",
        "ServerTime": "2026-01-01T00:01:01Z",
    }


def test_a_presigned_url_from_the_future_is_not_yet_valid() -> None:
    assert fault_of(presigned(), MIDNIGHT - timedelta(hours=1)).message == "Request is not yet valid"


def test_an_old_presigned_url_expires_by_its_epoch_seconds() -> None:
    seconds = int(MIDNIGHT.timestamp())
    request = Request("GET", "http", "h", 80, f"/b/k?AWSAccessKeyId=A&Signature=s&Expires={seconds}")
    assert fault_of(request, MIDNIGHT).details["Expires"] == "2026-01-01T00:00:00Z"
    broken = replace(request, target="/b/k?AWSAccessKeyId=A&Signature=s&Expires=never")
    assert "Invalid date" in fault_of(broken).message


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_signed_headers_are_refused_sixteen_minutes_off(capture: Maker, version: str) -> None:
    request = capture("get_object", "http", version, Bucket="b", Key="k")
    now = datetime.now(UTC)
    found = recognise(request)
    assert found is not None
    check_time(found, request, now + timedelta(minutes=14))
    assert fault_of(request, now + timedelta(minutes=16)).code == "RequestTimeTooSkewed"
    assert fault_of(request, now - timedelta(minutes=16)).code == "RequestTimeTooSkewed"
