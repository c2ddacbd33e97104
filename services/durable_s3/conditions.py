"""Whether a request is served at all: conditions on reads, writes and copy sources. Recorded AWS answers rule.

::

    read    If-Match, else If-Unmodified-Since          fails -> 412 PreconditionFailed
            If-None-Match, else If-Modified-Since       fails -> 304
    copy    the same four with x-amz-copy-source-       fails -> 412, all of them
    write   If-None-Match: *  on an existing key        412
            If-Match: "etag"  on another / absent one   412 / 404 NoSuchKey
            any other value, or both                    501 NotImplemented
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from durable_replay.http import Headers
from durable_s3.errors import S3Fault

__all__ = ["Verdict", "check_copy_source", "check_read", "check_write"]

COPY_SOURCE = "x-amz-copy-source-"


class Verdict(Enum):
    """What the conditions of a read allow; a failed If-Match is the fault PreconditionFailed instead."""

    SERVE = "serve"
    NOT_MODIFIED = "not modified"


def check_read(headers: Headers, etag: str, modified: datetime, now: datetime) -> Verdict:
    """The verdict on GET or HEAD of an object with this ETag (quoted or not) and these aware times."""
    if failed := _failed_demand(headers, "", etag, modified):
        raise _failed(failed)
    return Verdict.NOT_MODIFIED if _unchanged(headers, "", etag, modified, now) else Verdict.SERVE


def check_copy_source(headers: Headers, etag: str, modified: datetime, now: datetime) -> None:
    """Raises PreconditionFailed when the source of a copy is not as the client wants it."""
    failed = _failed_demand(headers, COPY_SOURCE, etag, modified)
    if failed := failed or _unchanged(headers, COPY_SOURCE, etag, modified, now):
        raise _failed(COPY_SOURCE + failed)


def check_write(headers: Headers, current_etag: str | None, key: str, changed_meanwhile: bool = False) -> None:
    """Raises when a put or completion may not replace what is there.

    `current_etag` is None when nothing is there (a delete marker counts as nothing); `changed_meanwhile` says that the
    object was written after a multipart upload began.
    """
    absent_only, wanted = headers.get("if-none-match").strip(), headers.get("if-match").strip()
    if absent_only and wanted:
        raise _unsupported("If-Match,If-None-Match", "Multiple conditional request headers present in the request")
    if absent_only not in ("", "*"):
        raise _refused_value("If-None-Match")
    if wanted == "*":
        raise _refused_value("If-Match")
    if changed_meanwhile and (absent_only or wanted):
        condition = "If-None-Match" if absent_only else "If-Match"
        raise S3Fault("ConditionalRequestConflict", Condition=condition, Key=key)
    if absent_only and current_etag is not None:
        raise _failed("If-None-Match")
    if wanted:
        _check_replaces(wanted, current_etag, key)


def _check_replaces(wanted: str, current_etag: str | None, key: str) -> None:
    if current_etag is None:
        raise S3Fault("NoSuchKey", Key=key)
    if not _matches(wanted, current_etag):
        raise _failed("If-Match")


def _failed_demand(headers: Headers, prefix: str, etag: str, modified: datetime) -> str:
    """The name of the If-Match or If-Unmodified-Since that does not hold, or nothing."""
    if wanted := headers.get(prefix + "if-match"):
        return "" if _matches(wanted, etag) else "If-Match"
    since = _date(headers.get(prefix + "if-unmodified-since"))
    return "If-Unmodified-Since" if since and _whole_seconds(modified) > since else ""


def _unchanged(headers: Headers, prefix: str, etag: str, modified: datetime, now: datetime) -> str:
    """The name of the condition by which the client has this object already, or nothing."""
    if known := headers.get(prefix + "if-none-match"):
        return "If-None-Match" if _matches(known, etag) else ""
    since = _date(headers.get(prefix + "if-modified-since"))
    # AWS ignores a date in the future, as RFC 9110 lets it [recorded].
    return "If-Modified-Since" if since and since <= now and _whole_seconds(modified) <= since else ""


def _matches(listed: str, etag: str) -> bool:
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in listed.split(","))
    return any(tag in ("*", etag.strip('"')) for tag in tags)


def _date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None  # RFC 9110: a condition that is no date is ignored


def _whole_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _failed(condition: str) -> S3Fault:
    return S3Fault("PreconditionFailed", Condition=condition)


def _refused_value(header: str) -> S3Fault:
    return _unsupported(header, f"We don't accept the provided value of {header} header for this API")


def _unsupported(header: str, message: str) -> S3Fault:
    return S3Fault("NotImplemented", Header=header, additionalMessage=message)
