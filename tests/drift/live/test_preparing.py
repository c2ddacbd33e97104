"""What leaves: a signature of the past is never sent, and one of AWS is made anew."""

from __future__ import annotations

import pytest

from durable_replay.drift.live.auth import Credential
from durable_replay.drift.live.preparing import Unsendable, prepared
from durable_replay.drift.live.selecting import Server
from durable_replay.drift.live.sigv4 import AwsKey
from durable_replay.http import Request
from durable_replay.redaction.redact import Redactor
from durable_replay.redaction.rules import DEFAULT
from durable_replay.testing import exchange, request

NOW = 1_700_000_000.0
SERVER = Server("https", "files.test", 443)
OLD = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
AWS = (
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    f"&X-Amz-Date=20260101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature={OLD}"
)
KEY = Credential(aws=AwsKey("AK", "SK"))


def asked(query: str) -> Request:
    return request("GET", f"https://files.test/b/k?{query}")


@pytest.mark.parametrize(
    "query",
    [
        AWS,
        f"AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature={OLD}&Expires=1767225600",
        f"X-Goog-Credential=a&X-Goog-Expires=9&X-Goog-Signature={OLD}",
        f"Expires=1767225600&Key-Pair-Id=K1&Signature={OLD}",
        f"sv=2024-05-04&se=2026-01-01T00%3A00%3A00Z&sr=b&sp=r&sig={OLD}",
    ],
)
@pytest.mark.parametrize("redacted", [False, True])
def test_a_presigned_url_of_the_tape_is_not_sent(query: str, redacted: bool) -> None:
    one = asked(query)
    if redacted:
        shown = Redactor(b"0" * 32).interaction(exchange("GET", one.url, 200), lambda: pytest.fail("no body"))
        one = shown.request
        assert OLD not in one.target
    with pytest.raises(Unsendable, match="a presigned URL"):
        prepared(one, one, SERVER, None, DEFAULT, NOW)


@pytest.mark.parametrize("signature", [OLD, "secret-0123456789abcdef"])
def test_a_presigned_url_of_aws_is_signed_anew(signature: str) -> None:
    one = asked(f"versionId=3&{AWS.replace(OLD, signature)}&response-content-type=text%2Fplain")
    sent, fewer = prepared(one, one, SERVER, KEY, DEFAULT, NOW)
    assert (sent.target, fewer) == ("/b/k?versionId=3&response-content-type=text%2Fplain", 0)
    assert sent.headers.get("authorization").startswith("AWS4-HMAC-SHA256 Credential=AK/")


def test_a_key_of_aws_makes_no_signature_of_others() -> None:
    one = asked(f"X-Goog-Credential=a&X-Goog-Expires=9&X-Goog-Signature={OLD}")
    with pytest.raises(Unsendable):
        prepared(one, one, SERVER, KEY, DEFAULT, NOW)


def test_a_link_that_a_live_answer_has_signed_is_sent_as_it_is() -> None:
    fresh = asked(AWS.replace(OLD, "9" * 64))
    sent, _ = prepared(fresh, asked(AWS), SERVER, None, DEFAULT, NOW)
    assert sent.target == fresh.target


def test_a_parameter_that_is_called_a_signature_is_no_presigned_url() -> None:
    one = asked("signature=full&page=2")
    assert prepared(one, one, SERVER, None, DEFAULT, NOW)[0].target == one.target
