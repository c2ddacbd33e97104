"""Objects: put, read and removed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast
from urllib.parse import parse_qsl

from durable_replay.errors import NotEmulated
from durable_replay.service.api import Call, Document, Json, Key, Reply, Scope
from durable_s3 import lessons
from durable_s3.checksums import Algorithm
from durable_s3.conditions import Verdict, check_read, check_write
from durable_s3.contents import content, cut, pieces
from durable_s3.documents import read_delete
from durable_s3.errors import S3Fault
from durable_s3.listing import count_limit
from durable_s3.metadata import Metadata, overrides, read_metadata
from durable_s3.names import check_key
from durable_s3.operation import BYTES, STORED, read_document, refuse_unmodelled, s3, sent_document
from durable_s3.ranges import ByteRange, part_range, requested_range
from durable_s3.resources import (
    BUCKET,
    OBJECT,
    existing_bucket,
    existing_object,
    http_date,
    iso,
    known,
    moment,
    number,
    table,
    text,
)
from durable_s3.storing import keep_payload
from durable_s3.wire import fields_of
from durable_s3.xml import Value, document

__all__ = [
    "check_version",
    "delete_object",
    "delete_objects",
    "described",
    "encryption",
    "get_object",
    "get_object_attributes",
    "head_object",
    "kept_headers",
    "put_object",
    "sum_fields",
]

DEFAULT_ENCRYPTION = "AES256"
_ENCRYPTION = "x-amz-server-side-encryption"


# ---- what is kept


def described(call: Call) -> Document:
    """What a put, a copy that replaces, or the start of an upload says of the object to be."""
    headers = fields_of(call.request)
    metadata = read_metadata(headers)
    document: Document = {
        "Headers": cast("Json", dict(metadata.system)),
        "Metadata": cast("Json", dict(metadata.user)),
        "StorageClass": metadata.storage_class,
        "Amz": cast("Json", encryption(call)),
    }
    if tags := parse_qsl(headers.get("x-amz-tagging"), keep_blank_values=True):
        cast("dict[str, Json]", document["Amz"])["x-amz-tagging-count"] = str(len(tags))
    return document


def encryption(call: Call) -> dict[str, str]:
    """The fields of encryption that every answer about the object has: as asked, else AWS's default."""
    headers = fields_of(call.request)
    asked = {name.lower(): value for name, value in headers if name.lower().startswith(_ENCRYPTION)}
    return {_ENCRYPTION: DEFAULT_ENCRYPTION, **asked}


def kept_headers(document: Document) -> tuple[tuple[str, str], ...]:
    """The encryption of an object, as puts answer it."""
    return tuple((name, value) for name, value in table(document, "Amz").items() if name.startswith(_ENCRYPTION))


def sum_fields(document: Document) -> tuple[tuple[str, str], ...]:
    """The headers of an object's sums."""
    sums = table(document, "Checksums")
    fields = [(Algorithm(name).header, value) for name, value in sums.items()]
    return (*fields, ("x-amz-checksum-type", text(document, "ChecksumType", "FULL_OBJECT"))) if fields else ()


@s3("PutObject", reads=[BUCKET], writes=[OBJECT], learns=lessons.object_put, significant=STORED & BYTES)
def put_object(scope: Scope, call: Call) -> Reply:
    """The whole object, in place of what was there."""
    existing_bucket(scope, call["Bucket"])
    check_key(call["Key"])
    refuse_unmodelled(call)
    key, headers = OBJECT.key(call.params), fields_of(call.request)
    found = scope.find(key)
    check_write(headers, None if found is None else text(found, "ETag"), call["Key"])
    made = described(call)
    kept = keep_payload(scope, call)
    made |= {
        "Key": call["Key"],
        "LastModified": iso(scope.now),
        **kept.document(),
        "Checksums": cast("Json", kept.sums),
        "ChecksumType": "FULL_OBJECT",
    }
    scope.put(key, made)
    return Reply(200, None, (("ETag", f'"{kept.md5}"'), *kept_headers(made), *sum_fields(made)))


# ---- reading


def check_version(call: Call, found: Document, asked: str | None) -> None:
    """Raises for a version that this object is not; versions are not emulated."""
    if asked is None or asked == table(found, "Amz").get("x-amz-version-id", "null"):
        return
    if "x-amz-version-id" in table(found, "Amz"):
        raise NotEmulated("a version that was not recorded is not emulated")
    raise S3Fault("InvalidArgument", "Invalid version id specified", ArgumentName="versionId", ArgumentValue=asked)


@s3("GetObject", reads=[BUCKET, OBJECT], learns=lessons.object_read)
def get_object(scope: Scope, call: Call) -> Reply:
    """The object, or the range or part of it that is asked for, if conditions let it."""
    found = existing_object(scope, OBJECT.key(call.params))
    reply, wanted = _read(scope, call, found)
    if reply.status == 304:
        return reply
    parts = pieces(found)
    if wanted is not None:
        parts = cut(parts, wanted.start, wanted.stop)
    return Reply(reply.status, content(scope, parts), reply.headers)


@s3("HeadObject", reads=[BUCKET, OBJECT], learns=lessons.object_read)
def head_object(scope: Scope, call: Call) -> Reply:
    """What GetObject would say, without the content."""
    return _read(scope, call, existing_object(scope, OBJECT.key(call.params)))[0]


def _read(scope: Scope, call: Call, found: Document) -> tuple[Reply, ByteRange | None]:
    """The answer without its body, and the bytes that it is of."""
    check_version(call, found, call.query.get("versionId"))
    known(found, "ETag", "LastModified", "Headers")
    changed = moment(text(found, "LastModified"))
    same = (("ETag", f'"{text(found, "ETag")}"'), ("Last-Modified", http_date(changed)))
    if check_read(call.request.headers, text(found, "ETag"), changed, scope.now) is Verdict.NOT_MODIFIED:
        return Reply(304, None, same), None
    size = number(found, "Size")
    wanted = _wanted(call, found, size)
    length = size if wanted is None else wanted.length
    fields = [*same, ("Accept-Ranges", "bytes"), *_shown_headers(call, found), ("Content-Length", str(length))]
    status = 200
    if wanted is not None:
        status = 206
        fields.extend((("Content-Range", wanted.content_range),) if wanted.content_range else ())
    elif fields_of(call.request).get("x-amz-checksum-mode").upper() == "ENABLED":
        fields.extend(sum_fields(found))
    if "partNumber" in call.query and "PartSizes" in found:
        fields.append(("x-amz-mp-parts-count", str(len(_part_sizes(found)))))
    return Reply(status, None, tuple(fields)), wanted


def _part_sizes(found: Document) -> list[int]:
    return list(cast("list[int]", found.get("PartSizes") or []))


def _wanted(call: Call, found: Document, size: int) -> ByteRange | None:
    asked = call.header("range")
    if "partNumber" in call.query:
        if "-" in text(found, "ETag"):
            known(found, "PartSizes")
        return part_range(call.query["partNumber"], _part_sizes(found) or [size], bool(asked))
    return requested_range(asked, size) if asked else None


def _shown_headers(call: Call, found: Document) -> list[tuple[str, str]]:
    system = {**table(found, "Headers"), **overrides(call.query)}
    metadata = Metadata(table(found, "Metadata"), system, text(found, "StorageClass", "STANDARD"))
    return [*metadata.headers(), *table(found, "Amz").items()]


_ATTRIBUTES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")


@s3("GetObjectAttributes", reads=[BUCKET, OBJECT])
def get_object_attributes(scope: Scope, call: Call) -> Reply:
    """Those that `x-amz-object-attributes` names; the parts of an upload only by their number."""
    found = existing_object(scope, OBJECT.key(call.params))
    check_version(call, found, call.query.get("versionId"))
    listed = ",".join(fields_of(call.request).get_all("x-amz-object-attributes"))
    asked = [name.strip() for name in listed.split(",") if name.strip()]
    if not asked or not set(asked) <= set(_ATTRIBUTES):
        raise S3Fault("InvalidArgument", "Invalid attribute name specified.", ArgumentName="x-amz-object-attributes")
    count_limit("max-parts", fields_of(call.request).get("x-amz-max-parts"))
    content_: dict[str, Value] = {
        name: value for name in _ATTRIBUTES if name in asked for value in [_attribute(found, name)]
    }
    known(found, "LastModified")
    fields = (("Last-Modified", http_date(moment(text(found, "LastModified")))),)
    return Reply(200, document("GetObjectAttributesResponse", content_), fields)


def _attribute(found: Document, name: str) -> Value:
    if name == "ETag":
        return text(found, "ETag")
    if name == "ObjectSize":
        return number(found, "Size")
    if name == "StorageClass":
        return text(found, "StorageClass", "STANDARD")
    if name == "ObjectParts":
        return {"PartsCount": len(_part_sizes(found))} if "PartSizes" in found else None
    sums: dict[str, Value] = {f"Checksum{one}": value for one, value in table(found, "Checksums").items()}
    return {**sums, "ChecksumType": text(found, "ChecksumType", "FULL_OBJECT")} if sums else None


# ---- removing


@s3("DeleteObject", reads=[BUCKET], writes=[OBJECT], learns=lessons.object_gone)
def delete_object(scope: Scope, call: Call) -> Reply:
    """Gone, if it ever was there."""
    existing_bucket(scope, call["Bucket"])
    _remove(scope, call, OBJECT.key(call.params), call.query.get("versionId"), call.header("if-match"))
    return Reply(204)


def _remove(scope: Scope, call: Call, key: Key, version: str | None, wanted: str | None) -> None:
    found = scope.find(key)
    if found is not None:
        check_version(call, found, version)
        if wanted and wanted.strip() != "*" and wanted.strip().strip('"') != text(found, "ETag"):
            raise S3Fault("PreconditionFailed", Condition="If-Match")
    elif wanted:
        raise S3Fault("NoSuchKey", Key=OBJECT.values(key)[1])
    if found is not None or key in scope.assumed:  # what is known to be absent is not written
        scope.delete(key)


def _doomed(call: Call) -> Iterable[Key]:
    return [OBJECT.of(call["Bucket"], doomed.key) for doomed in read_delete(sent_document(call)).objects]


@s3(
    "DeleteObjects",
    reads=[BUCKET],
    writes=[_doomed],
    learns=lessons.objects_gone,
    example="<Delete><Object><Key>cat.jpg</Key></Object></Delete>",
)
def delete_objects(scope: Scope, call: Call) -> Reply:
    """Many at once; each is reported as deleted, whether it was there or not, unless the client wants it quiet."""
    existing_bucket(scope, call["Bucket"])
    headers = fields_of(call.request)
    sent = ("content-md5", "x-amz-sdk-checksum-algorithm", "x-amz-trailer")
    if not any(name in headers for name in sent) and not any(one.header in headers for one in Algorithm):
        raise S3Fault("InvalidRequest", "Missing required header for this request: Content-MD5")
    asked = read_delete(read_document(call))
    deleted: list[Value] = []
    failed: list[Value] = []
    for doomed in asked.objects:
        try:
            key = OBJECT.of(call["Bucket"], doomed.key)
            _remove(scope, call, key, doomed.version_id, doomed.etag)
            deleted.append({"Key": doomed.key, "VersionId": doomed.version_id})
        except S3Fault as fault:
            failed.append({"Key": doomed.key, "Code": fault.code, "Message": fault.message})
    return Reply(200, document("DeleteResult", {"Deleted": None if asked.quiet else deleted, "Error": failed}))
