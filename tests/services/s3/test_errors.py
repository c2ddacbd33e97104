"""Errors in S3's words."""

from __future__ import annotations

import pytest

from durable_s3.errors import S3Fault, error_codes, error_xml


def test_an_error_has_its_details_between_message_and_ids_and_no_namespace() -> None:
    written = error_xml(S3Fault("NoSuchKey", Key="a<b"), "R1", "H1")
    assert written == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        b"<Message>The specified key does not exist.</Message><Key>a&lt;b</Key>"
        b"<RequestId>R1</RequestId><HostId>H1</HostId></Error>"
    )


def test_a_message_can_be_said_otherwise_and_a_resource_named() -> None:
    fault = S3Fault("InvalidRequest", "Otherwise")
    assert b"<Message>Otherwise</Message><Resource>/b</Resource>" in error_xml(fault, "R", "H", "/b")
    assert str(fault) == "InvalidRequest: Otherwise"


@pytest.mark.parametrize(
    ("code", "status"),
    [("NoSuchBucket", 404), ("BucketNotEmpty", 409), ("PreconditionFailed", 412), ("InvalidRange", 416),
     ("NotImplemented", 501), ("MissingContentLength", 411), ("MethodNotAllowed", 405), ("AccessDenied", 403)],
)  # fmt: skip
def test_a_code_has_its_status(code: str, status: int) -> None:
    assert S3Fault(code).status == status


def test_every_code_has_an_error_status_and_a_text() -> None:
    assert error_codes()
    for code, (status, message) in error_codes().items():
        assert 400 <= status < 600, code
        assert message, code


def test_a_code_that_is_not_s3s_is_our_own_mistake() -> None:
    with pytest.raises(KeyError):
        S3Fault("NoSuchThing")
