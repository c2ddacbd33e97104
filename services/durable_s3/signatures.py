"""Whether a signature is that of a known secret: SigV4 with its chunks, and SigV2. Used when identities are configured.

Canonical forms follow AWS's "Signature Version 4 signing process" and "Signing and authenticating REST requests".
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from functools import cache
from importlib.resources import files
from urllib.parse import quote, unquote_to_bytes

from durable_replay.http import Request
from durable_s3.errors import S3Fault
from durable_s3.signing import ALGORITHMS, Authentication, Scope, SigV2, SigV4

__all__ = ["ChunkChain", "verify"]

_EMPTY_HASH = hashlib.sha256().hexdigest()


@cache
def _v2_parameters() -> frozenset[str]:
    """The parameters that SigV2 signs, as AWS's reference on signing REST requests lists them."""
    return frozenset(files(__package__).joinpath("sigv2_parameters.txt").read_text("ascii").split())


def verify(authentication: Authentication, request: Request, secret: str, virtual_bucket: str = "") -> None:
    """Raises SignatureDoesNotMatch when `secret` did not make this signature, AccessDenied for unsigned x-amz headers.

    `virtual_bucket` is the bucket when the host names it, which SigV2 signs as part of the path.
    """
    if isinstance(authentication, SigV2):
        _verify_v2(authentication, request, secret, virtual_bucket)
    else:
        _verify_v4(authentication, request, secret)


def _verify_v4(given: SigV4, request: Request, secret: str) -> None:
    if given.algorithm != ALGORITHMS[0]:
        raise S3Fault("NotImplemented", f"{given.algorithm} signatures cannot be verified here; sign with SigV4")
    _refuse_unsigned_headers(given, request)
    canonical = _canonical_request(given, request)
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    to_sign = f"{ALGORITHMS[0]}\n{given.timestamp}\n{given.scope.text}\n{digest}"
    expected = hmac.new(_signing_key(given.scope, secret), to_sign.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.signature.encode()):
        raise _mismatch(given, to_sign, canonical)


def _refuse_unsigned_headers(given: SigV4, request: Request) -> None:
    sent = {name.lower() for name, _ in request.headers}
    unsigned = sorted(name for name in sent - set(given.signed_headers) if name.startswith("x-amz-"))
    if given.expires is None:
        unsigned = [name for name in unsigned if name != "x-amz-content-sha256"]
    if unsigned:
        text = "There were headers present in the request which were not signed"
        raise S3Fault("AccessDenied", text, HeadersNotSigned=", ".join(unsigned))


def _canonical_request(given: SigV4, request: Request) -> str:
    presigned = given.expires is not None
    payload = request.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD" if presigned else _EMPTY_HASH)
    headers = "".join(f"{name}:{_header(request, name)}\n" for name in given.signed_headers)
    path = quote(unquote_to_bytes(request.path.encode("latin-1")), safe="/-_.~") or "/"
    parts = (request.method, path, _canonical_query(request), headers, ";".join(given.signed_headers), payload)
    return "\n".join(parts)


def _header(request: Request, name: str) -> str:
    values = request.headers.get_all(name) or ([request.authority] if name == "host" else [])
    return ",".join(" ".join(value.split()) for value in values)


def _canonical_query(request: Request) -> str:
    pairs = (part.partition("=") for part in request.query_string.split("&") if part)
    encoded = sorted((_reencoded(name), _reencoded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded if name != "X-Amz-Signature")


def _reencoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ").encode("latin-1")), safe="-_.~")


def _signing_key(scope: Scope, secret: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


class ChunkChain:
    """The signatures of an aws-chunked body, each of which signs the one before it."""

    def __init__(self, seed: SigV4, secret: str) -> None:
        self._seed, self._key, self._previous = seed, _signing_key(seed.scope, secret), seed.signature

    def chunk(self, sha256: str, signature: str) -> None:
        """Checks one chunk by the hash of its data; raises SignatureDoesNotMatch."""
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{_EMPTY_HASH}\n{sha256}", signature)

    def trailer(self, lines: bytes, signature: str) -> None:
        """Checks the trailers, `name:value` with a line feed each; raises SignatureDoesNotMatch."""
        self._check("AWS4-HMAC-SHA256-TRAILER", hashlib.sha256(lines).hexdigest(), signature)

    def _check(self, kind: str, hashes: str, signature: str) -> None:
        text = f"{kind}\n{self._seed.timestamp}\n{self._seed.scope.text}\n{self._previous}\n{hashes}"
        expected = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise S3Fault("SignatureDoesNotMatch", StringToSign=text, SignatureProvided=signature)
        self._previous = signature


def _verify_v2(given: SigV2, request: Request, secret: str, virtual_bucket: str) -> None:
    bucket = f"/{virtual_bucket}" if virtual_bucket else ""
    to_sign = _v2_string(given, request, bucket + request.path)
    # boto3 sends a bucket's path as /b but signs /b/; other clients sign what they send.
    root = request.path.count("/") == 1 and not virtual_bucket and request.path != "/"
    accepted = [to_sign, _v2_string(given, request, request.path + "/")] if root else [to_sign]
    if not any(_signs_v2(secret, text, given.signature) for text in accepted):
        raise _mismatch(given, to_sign)


def _signs_v2(secret: str, to_sign: str, signature: str) -> bool:
    made = hmac.new(secret.encode(), to_sign.encode("latin-1"), hashlib.sha1).digest()
    return hmac.compare_digest(b64encode(made), signature.encode())


def _v2_string(given: SigV2, request: Request, resource: str) -> str:
    headers = request.headers
    date = given.expires or ("" if "x-amz-date" in headers else headers.get("date"))
    names = sorted({name.lower() for name, _ in headers if name.lower().startswith("x-amz-")})
    amz = "".join(f"{name}:{','.join(value.strip() for value in headers.get_all(name))}\n" for name in names)
    first = (request.method, headers.get("content-md5"), headers.get("content-type"), date)
    return "\n".join(first) + f"\n{amz}{resource}{_v2_query(request)}"


def _v2_query(request: Request) -> str:
    raw = (part.partition("=") for part in request.query_string.split("&") if part)
    pairs = sorted((name, equals, value) for name, equals, value in raw if name in _v2_parameters())
    signed = (
        name + equals + unquote_to_bytes(value.replace("+", " ")).decode("latin-1") for name, equals, value in pairs
    )
    text = "&".join(signed)
    return f"?{text}" if text else ""


def _mismatch(given: Authentication, to_sign: str, canonical: str = "") -> S3Fault:
    details: dict[str, str | int] = {
        "AWSAccessKeyId": given.access_key,
        "StringToSign": to_sign,
        "SignatureProvided": given.signature,
        "StringToSignBytes": _spaced_hex(to_sign),
    }
    if canonical:
        details |= {"CanonicalRequest": canonical, "CanonicalRequestBytes": _spaced_hex(canonical)}
    return S3Fault("SignatureDoesNotMatch", **details)


def _spaced_hex(text: str) -> str:
    return text.encode("latin-1").hex(" ")
