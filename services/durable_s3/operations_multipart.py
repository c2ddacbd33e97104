"""Multipart uploads: begun, filled, listed, completed or given up."""

from __future__ import annotations

import string
from collections.abc import Iterable
from itertools import pairwise
from typing import cast
from urllib.parse import quote

from durable_replay.service.api import Call, Document, Json, Key, Reply, Scope
from durable_replay.timeline.scope import Mint
from durable_s3 import lessons
from durable_s3.checksums import (
    Algorithm,
    algorithm_named,
    check,
    checksum_type,
    claimed,
    combined,
    composite,
    multipart_etag,
)
from durable_s3.conditions import check_write
from durable_s3.contents import Piece, as_json, content, pieces
from durable_s3.documents import CompletedPart, read_complete
from durable_s3.errors import S3Fault
from durable_s3.listing import after_upload, count_limit, number_page, upload_page
from durable_s3.names import check_key
from durable_s3.operation import BYTES, STORED, refuse_unmodelled, s3, sent_document
from durable_s3.operations_buckets import OWNER
from durable_s3.operations_listings import encoder
from durable_s3.operations_objects import described, kept_headers
from durable_s3.ranges import part_number
from durable_s3.resources import (
    BUCKET,
    OBJECT,
    PART,
    UPLOAD,
    existing_bucket,
    existing_upload,
    iso,
    known,
    number,
    table,
    text,
)
from durable_s3.storing import keep_payload, summed
from durable_s3.wire import fields_of
from durable_s3.xml import Value, document

__all__ = [
    "abort_multipart_upload",
    "complete_multipart_upload",
    "create_multipart_upload",
    "list_multipart_uploads",
    "list_parts",
    "upload_part",
]

SMALLEST_PART = 5 * 1024 * 1024
_ALPHABET = string.ascii_letters + string.digits + "._"


def _upload_id(mint: Mint) -> str:
    return "".join(mint.random.choices(_ALPHABET, k=128))


def _of_key(call: Call) -> Iterable[Key]:
    return [UPLOAD.of(call["Bucket"], call["Key"])]


def _parts_of(call: Call) -> Iterable[Key]:
    return [PART.of(call["Bucket"], call["Key"], call["UploadId"])]


@s3(
    "CreateMultipartUpload",
    reads=[BUCKET],
    writes=[_of_key],
    learns=lessons.upload_begun,
    significant=STORED,
)
def create_multipart_upload(scope: Scope, call: Call) -> Reply:
    """An upload id, and what the object will have."""
    existing_bucket(scope, call["Bucket"])
    check_key(call["Key"])
    refuse_unmodelled(call)
    made = described(call)
    headers = fields_of(call.request)
    fields: list[tuple[str, str]] = []
    if asked := headers.get("x-amz-checksum-algorithm"):
        algorithm = algorithm_named(asked)
        kind = checksum_type(algorithm, headers.get("x-amz-checksum-type"))
        made |= {"Algorithm": algorithm.value, "ChecksumType": kind}
        fields = [("x-amz-checksum-algorithm", algorithm.value), ("x-amz-checksum-type", kind)]
    identity = scope.mint(UPLOAD, call["Bucket"], call["Key"], form=_upload_id)
    made |= {"UploadId": identity, "Key": call["Key"], "Initiated": iso(scope.now)}
    scope.put(UPLOAD.of(call["Bucket"], call["Key"], identity), made)
    shown: dict[str, Value] = {"Bucket": call["Bucket"], "Key": call["Key"], "UploadId": identity}
    return Reply(200, document("InitiateMultipartUploadResult", shown), (*kept_headers(made), *fields))


@s3("UploadPart", reads=[BUCKET, UPLOAD], writes=[PART], learns=lessons.part_put, significant=BYTES)
def upload_part(scope: Scope, call: Call) -> Reply:
    """One part, in place of an earlier one of its number."""
    upload = existing_upload(scope, call)
    wanted = part_number(call["PartNumber"])
    algorithm = Algorithm(text(upload, "Algorithm") or Algorithm.CRC64NVME)
    said = claimed(fields_of(call.request))
    if said and text(upload, "Algorithm") and said.algorithm is not algorithm:
        expected, actual = algorithm.lower(), said.algorithm.lower()
        raise S3Fault(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}",
        )
    kept = keep_payload(scope, call, algorithm)
    made: Document = {
        "PartNumber": wanted,
        "LastModified": iso(scope.now),
        **kept.document(),
        "Sums": {algorithm.value: kept.sums[algorithm]},
    }
    scope.put(PART.key({**call.params, "PartNumber": wanted}), made)
    shown = kept.claimed or (algorithm if text(upload, "Algorithm") else None)
    sums = ((shown.header, kept.sums[shown]),) if shown else ()
    return Reply(200, None, (("ETag", f'"{kept.md5}"'), *kept_headers(upload), *sums))


# ---- completion


@s3(
    "CompleteMultipartUpload",
    reads=[BUCKET],
    writes=[OBJECT, UPLOAD, _parts_of],
    learns=lessons.upload_completed,
    example="<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>d077f2</ETag></Part></CompleteMultipartUpload>",
)
def complete_multipart_upload(scope: Scope, call: Call) -> Reply:
    """The object is there, made of the parts that the client lists. The same completion again is the same answer."""
    upload = existing_upload(scope, call, completed=True)
    # A sum among this request's headers is the object's, not the document's.
    listed = read_complete(sent_document(call))
    if "Completed" in upload:
        return _completed_before(call, upload, listed)
    chosen = _chosen(scope, call, upload, listed)
    current = scope.find(OBJECT.key(call.params))
    meanwhile = current is not None and text(current, "LastModified") > text(upload, "Initiated")
    etag = None if current is None else text(current, "ETag")
    check_write(fields_of(call.request), etag, call["Key"], changed_meanwhile=meanwhile)
    made = _assembled(scope, call, upload, listed, chosen)
    scope.put(OBJECT.key(call.params), made)
    for key, _ in scope.all(PART.of(call["Bucket"], call["Key"], call["UploadId"])):
        scope.delete(key)
    sums = {name: made[name] for name in ("ETag", "Checksums", "ChecksumType")}
    done: Document = {"Parts": _fingerprint(listed), **sums}
    scope.put(UPLOAD.key(call.params), {**upload, "Completed": done})
    return _completion(call, done, upload)


def _fingerprint(listed: tuple[CompletedPart, ...]) -> Json:
    return [[part.number, part.etag] for part in listed]


def _completed_before(call: Call, upload: Document, listed: tuple[CompletedPart, ...]) -> Reply:
    done = cast("Document", upload["Completed"])
    if done.get("Parts") != _fingerprint(listed):
        raise S3Fault("NoSuchUpload", UploadId=call["UploadId"])
    return _completion(call, done, upload)


def _completion(call: Call, done: Document, upload: Document) -> Reply:
    sums: dict[str, Value] = {f"Checksum{name}": value for name, value in table(done, "Checksums").items()}
    shown: dict[str, Value] = {
        "Location": _location(call),
        "Bucket": call["Bucket"],
        "Key": call["Key"],
        "ETag": f'"{text(done, "ETag")}"',
        **sums,
        "ChecksumType": text(done, "ChecksumType") if sums else None,
    }
    return Reply(200, document("CompleteMultipartUploadResult", shown), kept_headers(upload))


def _location(call: Call) -> str:
    request = call.request
    authority = request.headers.get("host") or request.authority
    return f"{request.scheme}://{authority}{request.path or '/' + quote(call['Key'])}"


def _chosen(scope: Scope, call: Call, upload: Document, listed: tuple[CompletedPart, ...]) -> list[Document]:
    """The stored parts that the client lists; InvalidPartOrder, InvalidPart, EntityTooSmall."""
    numbers = [part.number for part in listed]
    if any(one >= other for one, other in pairwise(numbers)):
        raise S3Fault("InvalidPartOrder", UploadId=call["UploadId"])
    chosen = [_stored_part(scope, call, upload, part) for part in listed]
    for part, stored in zip(listed[:-1], chosen[:-1], strict=True):
        if number(stored, "Size") < SMALLEST_PART:
            raise S3Fault(
                "EntityTooSmall",
                ProposedSize=number(stored, "Size"),
                MinSizeAllowed=SMALLEST_PART,
                PartNumber=part.number,
                ETag=part.etag,
            )
    _check_size(call, sum(number(stored, "Size") for stored in chosen))
    return chosen


def _stored_part(scope: Scope, call: Call, upload: Document, part: CompletedPart) -> Document:
    found = scope.find(PART.of(call["Bucket"], call["Key"], call["UploadId"], part.number))
    sums = {} if found is None else {**table(found, "Sums"), **table(found, "Checksums")}
    wrong = any(sums.get(algorithm, value) != value for algorithm, value in part.checksums.items())
    if found is None or text(found, "ETag") != part.etag or wrong:
        raise S3Fault("InvalidPart", UploadId=call["UploadId"], PartNumber=part.number, ETag=part.etag)
    if text(upload, "ChecksumType") == "COMPOSITE" and not part.checksums:
        name = text(upload, "Algorithm").lower()
        raise S3Fault(
            "InvalidRequest",
            f"The upload was created using a {name} checksum. The complete request must include the checksum for "
            f"each part. It was missing for part {part.number} in the request.",
        )
    return found


def _check_size(call: Call, size: int) -> None:
    said = fields_of(call.request).get("x-amz-mp-object-size")
    if said and said != str(size):
        raise S3Fault(
            "InvalidRequest", "The provided 'x-amz-mp-object-size' header value did not match what was computed."
        )


def _assembled(
    scope: Scope, call: Call, upload: Document, listed: tuple[CompletedPart, ...], chosen: list[Document]
) -> Document:
    """The object's document."""
    known(upload, "Headers", "Metadata", "Amz")
    joined: list[Piece] = [piece for stored in chosen for piece in pieces(stored)]
    sizes = [number(stored, "Size") for stored in chosen]
    algorithm = Algorithm(text(upload, "Algorithm") or Algorithm.CRC64NVME)
    kind = text(upload, "ChecksumType") or "FULL_OBJECT"
    value = _sum(scope, algorithm, kind, chosen)
    _check_claim(call, algorithm, kind, value)
    return {
        **{name: upload[name] for name in ("Headers", "Metadata", "StorageClass", "Amz") if name in upload},
        "Key": call["Key"],
        "ETag": multipart_etag([part.etag for part in listed]),
        "Size": sum(sizes),
        "LastModified": iso(scope.now),
        "Content": as_json(joined),
        "PartSizes": cast("Json", sizes),
        "Checksums": {algorithm.value: value},
        "ChecksumType": kind,
    }


def _sum(scope: Scope, algorithm: Algorithm, kind: str, chosen: list[Document]) -> str:
    sums = [_part_sum(scope, algorithm, stored) for stored in chosen]
    if kind == "COMPOSITE":
        return composite(algorithm, sums)
    return combined(algorithm, zip(sums, (number(stored, "Size") for stored in chosen), strict=True))


def _part_sum(scope: Scope, algorithm: Algorithm, stored: Document) -> str:
    """As it was summed when it came; a part that only a recorded answer shows is read for it."""
    sums = {**table(stored, "Sums"), **table(stored, "Checksums")}
    return sums.get(algorithm) or summed(content(scope, pieces(stored)).chunks(), algorithm)[2]


def _check_claim(call: Call, algorithm: Algorithm, kind: str, value: str) -> None:
    """The whole object's sum, where the client gives it with the completion."""
    said = fields_of(call.request).get(algorithm.header)
    if said and kind == "FULL_OBJECT":
        check(algorithm, said, value)


@s3("AbortMultipartUpload", reads=[BUCKET], writes=[UPLOAD, _parts_of], learns=lessons.upload_aborted)
def abort_multipart_upload(scope: Scope, call: Call) -> Reply:
    """The upload and its parts are gone."""
    existing_upload(scope, call)
    for key, _ in scope.all(PART.of(call["Bucket"], call["Key"], call["UploadId"])):
        scope.delete(key)
    scope.delete(UPLOAD.key(call.params))
    return Reply(204)


# ---- listings


@s3(
    "ListParts",
    reads=[BUCKET, UPLOAD, _parts_of],
    learns=lessons.parts,
    paging=("part-number-marker", "max-parts"),
)
def list_parts(scope: Scope, call: Call) -> Reply:
    """The parts so far, by number."""
    upload = existing_upload(scope, call)
    limit = count_limit("max-parts", call.query.get("max-parts", ""))
    after = count_limit("part-number-marker", call.query.get("part-number-marker", ""), 0, 10_000)
    page = number_page(_numbered(scope, call), after, limit)
    shown: dict[str, Value] = {
        "Bucket": call["Bucket"],
        "Key": call["Key"],
        "UploadId": call["UploadId"],
        "Initiator": {"ID": OWNER},
        "Owner": {"ID": OWNER},
        "StorageClass": text(upload, "StorageClass", "STANDARD"),
        "PartNumberMarker": after,
        "NextPartNumberMarker": page.last[0] if page.last else 0,
        "MaxParts": limit,
        "IsTruncated": page.truncated,
        "ChecksumAlgorithm": text(upload, "Algorithm") or None,
        "ChecksumType": text(upload, "ChecksumType") or None,
        "Part": [_shown_part(one, text(upload, "Algorithm")) for one in page.items],
    }
    return Reply(200, document("ListPartsResult", shown))


def _numbered(scope: Scope, call: Call) -> list[tuple[int, Document]]:
    rows = [(int(PART.values(key)[-1]), found) for key, found in scope.all(next(iter(_parts_of(call))))]
    return sorted(rows, key=lambda row: row[0])


def _shown_part(found: Document, algorithm: str) -> dict[str, Value]:
    known(found, "LastModified")
    return {
        "PartNumber": number(found, "PartNumber"),
        "LastModified": text(found, "LastModified"),
        "ETag": f'"{text(found, "ETag")}"',
        f"Checksum{algorithm}": {**table(found, "Sums"), **table(found, "Checksums")}.get(algorithm),
        "Size": number(found, "Size"),
    }


@s3(
    "ListMultipartUploads",
    reads=[BUCKET, lambda call: [UPLOAD.of(call["Bucket"])]],
    learns=lessons.uploads,
    paging=("key-marker", "upload-id-marker", "max-uploads"),
)
def list_multipart_uploads(scope: Scope, call: Call) -> Reply:
    """Uploads that are neither completed nor given up, by key and id."""
    existing_bucket(scope, call["Bucket"])
    query, encode = call.query, encoder(call)
    limit = count_limit("max-uploads", query.get("max-uploads", ""))
    open_ = [
        (UPLOAD.values(key)[1:], one) for key, one in scope.all(UPLOAD.of(call["Bucket"])) if "Completed" not in one
    ]
    entries = sorted((((key, identity), one) for (key, identity), one in open_), key=lambda entry: entry[0])
    marker = after_upload(query.get("key-marker", ""), query.get("upload-id-marker", ""))
    page = upload_page(entries, query.get("prefix", ""), query.get("delimiter", ""), marker, limit)
    last = page.last if page.truncated else None
    shown: dict[str, Value] = {
        "Bucket": call["Bucket"],
        "KeyMarker": encode(query.get("key-marker", "")),
        "UploadIdMarker": query.get("upload-id-marker", ""),
        "NextKeyMarker": encode(last[0]) if last else None,
        "NextUploadIdMarker": last[1] if last else None,
        "Prefix": encode(query["prefix"]) if query.get("prefix") else None,
        "Delimiter": encode(query["delimiter"]) if query.get("delimiter") else None,
        "EncodingType": query.get("encoding-type") or None,
        "MaxUploads": limit,
        "IsTruncated": page.truncated,
        "Upload": [_shown_upload(one, encode(text(one, "Key"))) for one in page.items],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }
    return Reply(200, document("ListMultipartUploadsResult", shown))


def _shown_upload(found: Document, key: str) -> dict[str, Value]:
    known(found, "Initiated")
    return {
        "Key": key,
        "UploadId": text(found, "UploadId"),
        "Initiator": {"ID": OWNER},
        "Owner": {"ID": OWNER},
        "StorageClass": text(found, "StorageClass", "STANDARD"),
        "Initiated": text(found, "Initiated"),
        "ChecksumAlgorithm": text(found, "Algorithm") or None,
        "ChecksumType": text(found, "ChecksumType") or None,
    }
