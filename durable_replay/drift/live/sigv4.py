"""AWS' signature of a request, version 4, in its headers.

Source: AWS, "Create a signed AWS API request" (canonical request, string to sign, signing key). For S3 the path is
signed as it is sent; for other services it is percent-encoded once more. Signed are Host, Content-Type and every
x-amz header, as that page asks for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from durable_replay.http import Body, Headers, Request

__all__ = ["AwsKey", "is_presigned", "signed", "unsigned_target"]

_REGION = re.compile(r"(?:^|[.-])([a-z]{2}(?:-[a-z]+)+-\d)(?:\.|$)")
_SIGNING = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders")
_QUERY = frozenset({*_SIGNING, "x-amz-signature", "x-amz-security-token", "awsaccesskeyid", "signature", "expires"})
_HEADERS = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "date")


@dataclass(frozen=True, slots=True)
class AwsKey:
    """A key pair; `region` empty: as the host says, else us-east-1."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    region: str = ""
    service: str = "s3"


def is_presigned(target: str) -> bool:
    """Whether a target carries its own signature for AWS, of version 4 or 2."""
    names = {pair.partition("=")[0].lower() for pair in target.partition("?")[2].split("&")}
    return "x-amz-signature" in names or {"signature", "awsaccesskeyid"} <= names


def unsigned_target(target: str) -> str:
    """A target without the parameters of a presigned URL."""
    if not is_presigned(target):
        return target
    path, _, query = target.partition("?")
    kept = "&".join(pair for pair in query.split("&") if pair.partition("=")[0].lower() not in _QUERY)
    return f"{path}?{kept}" if kept else path


def signed(request: Request, key: AwsKey, authority: str, now: float) -> Request:
    """The request, signed in its headers; `authority` is the Host that is sent, `now` seconds since the epoch."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    found = _REGION.search(authority)
    scope = f"{stamp[:8]}/{key.region or (found[1] if found else 'us-east-1')}/{key.service}/aws4_request"
    digest = _digest(request.body)
    fields = [("x-amz-date", stamp), ("x-amz-content-sha256", digest)]
    if key.token:
        fields.append(("x-amz-security-token", key.token))
    request = replace(
        request, target=unsigned_target(request.target), headers=request.headers.without(*_HEADERS).with_(*fields)
    )
    covered = _covered(request.headers, authority)
    names = ";".join(name for name, _ in covered)
    canonical = "\n".join(
        (
            request.method,
            request.path if key.service == "s3" else quote(request.path, safe="/-_.~"),
            _canonical_query(request.query_string),
            *(f"{name}:{value}" for name, value in covered),
            "",
            names,
            digest,
        )
    )
    told = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.new(_signing_key(key, scope), told.encode(), hashlib.sha256).hexdigest()
    value = f"AWS4-HMAC-SHA256 Credential={key.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return replace(request, headers=request.headers.with_(("Authorization", value)))


def _covered(headers: Headers, authority: str) -> list[tuple[str, str]]:
    """The headers that are signed, sorted, by lower-case name."""
    names = {name.lower() for name, _ in headers if name.lower().startswith("x-amz-") or name.lower() == "content-type"}
    values = ((name, ",".join(" ".join(value.split()) for value in headers.get_all(name))) for name in names)
    return sorted([("host", authority), *values])


def _digest(body: Body) -> str:
    told = hashlib.sha256()
    for chunk in body.chunks():
        told.update(chunk)
    return told.hexdigest()


def _canonical_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join("=".join(pair) for pair in sorted((_spelt(name), _spelt(value)) for name, _, value in pairs))


def _spelt(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _signing_key(key: AwsKey, scope: str) -> bytes:
    made = f"AWS4{key.secret_key}".encode()
    for part in scope.split("/"):
        made = hmac.new(made, part.encode(), hashlib.sha256).digest()
    return made
