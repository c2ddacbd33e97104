"""Copies: of whole objects, and of ranges into parts. No byte is moved; a copy names the same pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl

from durable_replay.errors import NotEmulated
from durable_replay.service.api import Call, Document, Json, Key, Reply, Scope
from durable_s3 import lessons
from durable_s3.checksums import Algorithm, algorithm_named
from durable_s3.conditions import check_copy_source
from durable_s3.contents import Piece, as_json, content, cut, pieces
from durable_s3.errors import S3Fault
from durable_s3.names import check_key, decoded
from durable_s3.operation import COPIED, STORED, refuse_unmodelled, s3
from durable_s3.operations_objects import check_version, described, encryption, kept_headers
from durable_s3.ranges import copy_range, part_number
from durable_s3.resources import (
    BUCKET,
    OBJECT,
    PART,
    UPLOAD,
    existing_bucket,
    existing_object,
    existing_upload,
    iso,
    known,
    moment,
    number,
    table,
    text,
)
from durable_s3.storing import LARGEST, summed
from durable_s3.wire import fields_of
from durable_s3.xml import Value, document

__all__ = ["copy_object", "upload_part_copy"]

_CHANGES = ("x-amz-storage-class", "x-amz-website-redirect-location", "x-amz-server-side-encryption")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a copy comes from."""

    bucket: str
    key: str
    version: str | None = None


def _source(call: Call) -> _Source:
    """`x-amz-copy-source`: bucket and key, percent-encoded, with or without a slash before them."""
    value = fields_of(call.request).get("x-amz-copy-source")
    path, _, query = value.partition("?")
    if path.startswith("arn:"):
        raise S3Fault("NotImplemented", "Access points as copy sources are not emulated")
    bucket, _, key = decoded(path).removeprefix("/").partition("/")
    if not bucket or not key:
        text_ = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise S3Fault("InvalidArgument", text_, ArgumentName="x-amz-copy-source", ArgumentValue=value)
    return _Source(bucket, key, dict(parse_qsl(query, keep_blank_values=True)).get("versionId"))


def _read(call: Call) -> Iterable[Key]:
    source = _source(call)
    return [BUCKET.of(source.bucket), OBJECT.of(source.bucket, source.key)]


def _found(scope: Scope, call: Call) -> Document:
    """The source, when the conditions on it hold."""
    source = _source(call)
    found = existing_object(scope, OBJECT.of(source.bucket, source.key))
    check_version(call, found, source.version)
    known(found, "ETag", "LastModified")
    changed = moment(text(found, "LastModified"))
    check_copy_source(fields_of(call.request), text(found, "ETag"), changed, scope.now)
    return found


@s3(
    "CopyObject",
    reads=[BUCKET, _read],
    writes=[OBJECT],
    learns=lessons.object_copied,
    significant=STORED & COPIED,
)
def copy_object(scope: Scope, call: Call) -> Reply:
    """Bytes and, unless told to replace them, headers and metadata of another object."""
    existing_bucket(scope, call["Bucket"])
    check_key(call["Key"])
    refuse_unmodelled(call)
    found = _found(scope, call)
    if number(found, "Size") > LARGEST:
        raise S3Fault(
            "InvalidRequest",
            f"The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST}",
        )
    made = {"Key": call["Key"], "LastModified": iso(scope.now), **_kept(call, found), **_bytes(scope, call, found)}
    scope.put(OBJECT.key(call.params), made)
    result: dict[str, Value] = {"LastModified": text(made, "LastModified"), "ETag": f'"{text(made, "ETag")}"'}
    return Reply(200, document("CopyObjectResult", {**result, **_sums(made)}), kept_headers(made))


def _kept(call: Call, found: Document) -> Document:
    """Headers and metadata of the copy."""
    headers, source = fields_of(call.request), _source(call)
    directive = headers.get("x-amz-metadata-directive") or "COPY"
    if directive not in ("COPY", "REPLACE"):
        raise S3Fault("InvalidArgument", "Unknown metadata directive.", ArgumentName="x-amz-metadata-directive")
    told = described(call)
    if directive == "REPLACE":
        return told
    same = (source.bucket, source.key) == (call["Bucket"], call["Key"])
    if same and not any(name in headers for name in _CHANGES):
        raise S3Fault(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )
    known(found, "Headers", "Metadata")
    amz = {name: value for name, value in table(found, "Amz").items() if name == "x-amz-tagging-count"}
    kept: Document = {"Headers": found["Headers"], "Metadata": found["Metadata"]}
    return {**told, **kept, "Amz": cast("Json", {**encryption(call), **amz})}


def _bytes(scope: Scope, call: Call, found: Document) -> Document:
    """What the copy has of the source's bytes; ETag and sums of an upload are anew those of a whole."""
    asked = fields_of(call.request).get("x-amz-checksum-algorithm")
    sums = table(found, "Checksums")
    wanted = algorithm_named(asked) if asked else Algorithm(next(iter(sums), Algorithm.CRC64NVME))
    if wanted not in sums or "-" in sums[wanted] or "-" in text(found, "ETag"):
        if "Content" not in found and "-" not in text(found, "ETag"):
            return {"ETag": found["ETag"], "Size": found["Size"]}  # never recorded: a copy of what nobody knows
        parts = pieces(found)
        _, md5, value = summed(content(scope, parts).chunks(), wanted)
        return _summed(parts, number(found, "Size"), md5, wanted, value)
    document_: Document = {"ETag": found["ETag"], "Size": found["Size"], "Checksums": {wanted.value: sums[wanted]}}
    return {**document_, "ChecksumType": "FULL_OBJECT", **({"Content": found["Content"]} if "Content" in found else {})}


def _summed(parts: list[Piece], size: int, md5: str, algorithm: Algorithm, value: str) -> Document:
    return {
        "ETag": md5,
        "Size": size,
        "Content": as_json(parts),
        "Checksums": {algorithm.value: value},
        "ChecksumType": "FULL_OBJECT",
    }


def _sums(made: Document) -> dict[str, Value]:
    sums = table(made, "Checksums")
    shown: dict[str, Value] = {f"Checksum{name}": value for name, value in sums.items()}
    return {**shown, "ChecksumType": "FULL_OBJECT"} if sums else {}


@s3(
    "UploadPartCopy",
    reads=[BUCKET, UPLOAD, _read],
    writes=[PART],
    learns=lessons.part_copied,
    significant=COPIED,
)
def upload_part_copy(scope: Scope, call: Call) -> Reply:
    """A range of an object as a part."""
    upload = existing_upload(scope, call)
    wanted = part_number(call["PartNumber"])
    found = _found(scope, call)
    headers, parts, size = fields_of(call.request), pieces(found), number(found, "Size")
    if asked := headers.get("x-amz-copy-source-range"):
        range_ = copy_range(asked, size)
        parts, size = cut(parts, range_.start, range_.stop), range_.length
    if size > LARGEST:
        raise NotEmulated("a part of more than 5 GiB is not emulated")
    algorithm = Algorithm(text(upload, "Algorithm") or Algorithm.CRC64NVME)
    _, md5, value = summed(content(scope, parts).chunks(), algorithm)
    made: Document = {
        "PartNumber": wanted,
        "LastModified": iso(scope.now),
        "ETag": md5,
        "Size": size,
        "Content": as_json(parts),
        "Sums": {algorithm.value: value},
    }
    scope.put(PART.key({**call.params, "PartNumber": wanted}), made)
    shown: dict[str, Value] = {"LastModified": text(made, "LastModified"), "ETag": f'"{md5}"'}
    if text(upload, "Algorithm"):
        shown[f"Checksum{algorithm}"] = value
    return Reply(200, document("CopyPartResult", shown), kept_headers(upload))
