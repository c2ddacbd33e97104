"""Who signed a request, how, and whether it is in time. Nothing here knows a secret; `signatures` checks those.

::

    Authorization: AWS4-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…    SigV4, in headers
    ?X-Amz-Algorithm=…&X-Amz-Credential=…&X-Amz-Date=…&X-Amz-Expires=……         SigV4, presigned
    Authorization: AWS AKID:signature                                           SigV2, in headers
    ?AWSAccessKeyId=…&Signature=…&Expires=…                                     SigV2, presigned (boto3's default)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from durable_replay.http import Request
from durable_s3.errors import S3Fault

__all__ = ["Authentication", "Scope", "SigV2", "SigV4", "check_expiry", "check_time", "recognise"]

MOST_SKEW = timedelta(minutes=15)
LONGEST_EXPIRY = 604_800
ALGORITHMS = ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")
_PARAMETERS = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)
_MALFORMED_CREDENTIAL = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'


@dataclass(frozen=True, slots=True)
class Scope:
    """A credential's scope. `date` is YYYYMMDD; `region` is empty for SigV4A, which signs for several."""

    access_key: str
    date: str
    region: str
    service: str

    @property
    def text(self) -> str:
        """The scope as it is signed."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, slots=True)
class SigV4:
    """A SigV4 signature; `expires` is seconds of validity when presigned, else None. Header names are lower case."""

    algorithm: str
    scope: Scope
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    expires: int | None = None

    @property
    def access_key(self) -> str:
        """Who signed."""
        return self.scope.access_key


@dataclass(frozen=True, slots=True)
class SigV2:
    """A SigV2 signature; `expires` is seconds since the epoch, as sent, when presigned, else None."""

    access_key: str
    signature: str
    expires: str | None = None


Authentication = SigV4 | SigV2


def recognise(request: Request) -> Authentication | None:
    """The signature of a request; None when it is anonymous. Raises S3Fault for one that cannot be read."""
    query = dict(reversed(request.query))
    if "X-Amz-Algorithm" in query or "X-Amz-Credential" in query:
        return _presigned_v4(query)
    if "AWSAccessKeyId" in query or {"Signature", "Expires"} <= query.keys():
        return _presigned_v2(query)
    header = request.headers.get("authorization").strip()
    if not header:
        return None
    kind, _, rest = header.partition(" ")
    if kind in ALGORITHMS:
        return _header_v4(request, kind, rest)
    if kind == "AWS":
        return _header_v2(rest)
    # Only the scheme is echoed: what follows may be somebody's token for another service.
    raise S3Fault("InvalidArgument", "Unsupported Authorization Type", ArgumentName="Authorization", ArgumentValue=kind)


def _presigned_v4(query: Mapping[str, str]) -> SigV4:
    if not all(query.get(name) for name in _PARAMETERS):
        listed = f"{', '.join(_PARAMETERS[:-1])}, and {_PARAMETERS[-1]}"
        raise _bad_query(f"Query-string authentication version 4 requires the {listed} parameters.")
    if query["X-Amz-Algorithm"] not in ALGORITHMS:
        raise _bad_query('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"')
    scope = _scope(query["X-Amz-Credential"], query["X-Amz-Algorithm"])
    if scope is None:
        raise _bad_query(f"Error parsing the X-Amz-Credential parameter; {_MALFORMED_CREDENTIAL}")
    if not query["X-Amz-SignedHeaders"].isascii():
        raise _bad_query("Error parsing the X-Amz-SignedHeaders parameter.")
    timestamp = query["X-Amz-Date"]
    if _timestamp(timestamp) is None:
        raise _bad_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    return SigV4(
        query["X-Amz-Algorithm"],
        scope,
        tuple(query["X-Amz-SignedHeaders"].lower().split(";")),
        query["X-Amz-Signature"],
        timestamp,
        _expires(query["X-Amz-Expires"]),
    )


def _expires(value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise _bad_query("X-Amz-Expires should be a number")
    if int(value) <= 0:
        raise _bad_query("X-Amz-Expires must be non-negative" if int(value) else "X-Amz-Expires must be positive")
    if int(value) > LONGEST_EXPIRY:
        raise _bad_query(f"X-Amz-Expires must be less than a week (in seconds) that is {LONGEST_EXPIRY}")
    return int(value)


def _header_v4(request: Request, algorithm: str, rest: str) -> SigV4:
    # Some clients (s3cmd) put no space after the commas.
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not parts.get(name):
            raise _bad_header(f"the authorization header requires three components: {name} is missing.")
    scope = _scope(parts["Credential"], algorithm)
    if scope is None:
        raise _bad_header(_MALFORMED_CREDENTIAL)
    timestamp = request.headers.get("x-amz-date")
    if _timestamp(timestamp) is None:
        moment = _http_date(request.headers.get("date"))
        if moment is None:
            raise S3Fault("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
        timestamp = f"{moment:%Y%m%dT%H%M%SZ}"
    signed = tuple(parts["SignedHeaders"].lower().split(";"))
    return SigV4(algorithm, scope, signed, parts["Signature"], timestamp)


def _scope(credential: str, algorithm: str) -> Scope | None:
    width = 4 if algorithm == ALGORITHMS[0] else 3  # SigV4A leaves the region out
    key, *scope = credential.rsplit("/", width)
    if (
        not credential.isascii()
        or not key
        or len(scope) != width
        or scope[-1] != "aws4_request"
        or not re.fullmatch("[0-9]{8}", scope[0])
    ):
        return None
    region = scope[1] if width == 4 else ""
    return Scope(key, scope[0], region, scope[-2])


def _presigned_v2(query: Mapping[str, str]) -> SigV2:
    if not all(query.get(name) for name in ("AWSAccessKeyId", "Signature", "Expires")):
        text = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise S3Fault("AccessDenied", text)
    if not re.fullmatch("[0-9]{1,11}", query["Expires"]):
        raise S3Fault("AccessDenied", f"Invalid date (should be seconds since epoch): {query['Expires']}")
    return SigV2(query["AWSAccessKeyId"], query["Signature"], query["Expires"])


def _header_v2(rest: str) -> SigV2:
    key, colon, signature = rest.strip().rpartition(":")
    if not (key and colon and signature):
        text = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"
        raise S3Fault("InvalidArgument", text, ArgumentName="Authorization", ArgumentValue="AWS")
    return SigV2(key, signature)


def check_time(authentication: Authentication, request: Request, now: datetime) -> None:
    """Refuses what is expired, not yet valid, or more than 15 minutes away from `now` (aware).

    `now` is the clock that clients sign by, the wall clock, whatever time the session plays.
    """
    expires, signed_at = authentication.expires, _signed_at(authentication, request)
    if expires is None:
        if signed_at and abs(now - signed_at) > MOST_SKEW:
            raise _skewed(authentication, request, now)
    elif isinstance(expires, str):
        _check_expiry(datetime.fromtimestamp(int(expires), UTC), now, {})
    elif signed_at:
        if signed_at - now > MOST_SKEW:
            raise S3Fault("AccessDenied", "Request is not yet valid")
        _check_expiry(signed_at + timedelta(seconds=expires), now, {"X-Amz-Expires": expires})


def check_expiry(request: Request, now: datetime) -> None:
    """Refuses a presigned URL that has expired by `now`, the session's clock. Nothing else is looked at.

    A URL is signed by its client's wall clock, a session may play an earlier time: a URL from after `now` is then
    taken as fresh. So a URL expires where the session's clock is the present, or was set to a later time on purpose.
    """
    query = dict(reversed(request.query))
    if "X-Amz-Expires" in query and (signed_at := _timestamp(query.get("X-Amz-Date", ""))):
        seconds = _expires(query["X-Amz-Expires"])
        _check_expiry(signed_at + timedelta(seconds=seconds), now, {"X-Amz-Expires": seconds})
    elif "AWSAccessKeyId" in query and re.fullmatch("[0-9]{1,11}", query.get("Expires", "")):
        _check_expiry(datetime.fromtimestamp(int(query["Expires"]), UTC), now, {})


def _check_expiry(end: datetime, now: datetime, given: Mapping[str, int]) -> None:
    if now >= end:
        raise S3Fault("AccessDenied", "Request has expired", **given, Expires=_iso(end), ServerTime=_iso(now))


def _skewed(authentication: Authentication, request: Request, now: datetime) -> S3Fault:
    said = authentication.timestamp if isinstance(authentication, SigV4) else _v2_date(request)
    skew = int(MOST_SKEW.total_seconds() * 1000)
    return S3Fault("RequestTimeTooSkewed", RequestTime=said, ServerTime=_iso(now), MaxAllowedSkewMilliseconds=skew)


def _signed_at(authentication: Authentication, request: Request) -> datetime | None:
    if isinstance(authentication, SigV4):
        return _timestamp(authentication.timestamp)
    return _http_date(_v2_date(request))


def _v2_date(request: Request) -> str:
    return request.headers.get("x-amz-date") or request.headers.get("date")


def _timestamp(text: str) -> datetime | None:
    if not re.fullmatch("[0-9]{8}T[0-9]{6}Z", text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _iso(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _bad_query(message: str) -> S3Fault:
    return S3Fault("AuthorizationQueryParametersError", message)


def _bad_header(message: str) -> S3Fault:
    return S3Fault("AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}")
