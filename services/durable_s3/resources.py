"""The kinds of things in S3, and the shape of their documents.

==========  ===========================================================================================================
bucket      Name, CreationDate, LocationConstraint ("": us-east-1)
object      Key, ETag (no quotes), Size, LastModified, Headers (as S3 writes them), Metadata, StorageClass, Checksums,
            ChecksumType, Content (pieces), PartSizes (of an upload's parts)
upload      UploadId, Key, Initiated, what the object will have, Algorithm, ChecksumType; Completed once it is
part        PartNumber, ETag, Size, LastModified, Content, Checksums (as S3 showed them), Sums (as they came)
==========  ===========================================================================================================

Times are ISO 8601 in UTC. A piece is `[name, start, stop]`: bytes of a content that the store or the tape holds; an
object without `Content` is known to exist, and what it holds was never recorded.

The key of a folder (`("object", bucket, "a/")`) may hold a document too: the common `Prefixes` that a recorded listing
rolled up there, of which nothing but their existence is known.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import cast

from durable_replay.service.api import Call, Document, Key, Scope, kind
from durable_replay.service.faults import Unrecorded
from durable_s3.errors import S3Fault

__all__ = [
    "BUCKET",
    "OBJECT",
    "PART",
    "UPLOAD",
    "existing_bucket",
    "existing_object",
    "existing_upload",
    "http_date",
    "iso",
    "known",
    "moment",
    "number",
    "table",
    "text",
]

BUCKET = kind("bucket", "Bucket", identity="Name")
OBJECT = kind("object", "Bucket Key", identity="Key", split="/")
UPLOAD = kind("upload", "Bucket Key UploadId", identity="UploadId")
PART = kind("part", "Bucket Key UploadId PartNumber", identity="PartNumber")


def iso(when: datetime) -> str:
    """A time as S3's XML has it, in whole seconds."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def moment(stamp: str) -> datetime:
    """The reverse of `iso`."""
    return datetime.fromisoformat(stamp).astimezone(UTC)


def http_date(when: datetime) -> str:
    """A time as HTTP's headers have it."""
    return format_datetime(when.astimezone(UTC).replace(microsecond=0), usegmt=True)


def known(document: Document, *fields: str) -> None:
    """Raises Unrecorded when one of these fields of an existing thing was never recorded."""
    for field in fields:
        if field not in document:
            name = document.get("Key") or document.get("Name") or document.get("UploadId")
            raise Unrecorded(f"{name} exists, but its {field} was never recorded")


def text(document: Document, field: str, default: str = "") -> str:
    """A text field."""
    value = document.get(field)
    return default if value is None else str(value)


def number(document: Document, field: str) -> int:
    """A number field; Unrecorded where it is not known."""
    known(document, field)
    return int(cast("int", document[field]))


def table(document: Document, field: str) -> dict[str, str]:
    """A field of names and texts; empty where it is absent."""
    return dict(cast("dict[str, str]", document.get(field) or {}))


def existing_bucket(scope: Scope, name: str) -> Document:
    """The bucket; Missing."""
    return scope.get(BUCKET.of(name))


def existing_object(scope: Scope, key: Key) -> Document:
    """The object; Missing, for it or its bucket."""
    bucket, name = OBJECT.values(key)
    existing_bucket(scope, bucket)
    return {"Key": name, **scope.get(key)}


def existing_upload(scope: Scope, call: Call, *, completed: bool = False) -> Document:
    """The upload that the call names; Missing, NoSuchUpload. One that is `completed` is taken only on wish."""
    existing_bucket(scope, call["Bucket"])
    document = scope.get(UPLOAD.key(call.params))
    if "Completed" in document and not completed:
        raise S3Fault("NoSuchUpload", UploadId=call["UploadId"])
    return document
