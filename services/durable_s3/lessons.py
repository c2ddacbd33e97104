"""What recorded answers teach: each field that an answer shows, and nothing that it does not.

Every successful answer about an object shows that its bucket exists, so that a tape that begins after its bucket was
made can be continued. What replaces a thing (a put, a copy, a part, a completion) is a whole sighting, so that
nothing of the former thing is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import unquote_plus

from lxml import etree

from durable_replay.http import Headers, Response
from durable_replay.service.api import Call, Document, Json, Key, Sighting
from durable_replay.timeline.scope import content_name
from durable_s3.checksums import Algorithm
from durable_s3.documents import read_complete, read_delete
from durable_s3.metadata import REDIRECT, SYSTEM_HEADERS, USER_PREFIX
from durable_s3.operation import sent_document
from durable_s3.resources import BUCKET, OBJECT, PART, UPLOAD, iso

__all__ = ["Shown", "shown_xml"]

Shown = Iterable[Sighting]
_KEPT_AMZ = ("x-amz-server-side-encryption", "x-amz-version-id", "x-amz-tagging-count", "x-amz-expiration", REDIRECT)


def shown_xml(response: Response) -> etree._Element:
    """A recorded answer's document; ValueError for another root or none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    try:
        return etree.fromstring(response.body.read(), parser)
    except etree.XMLSyntaxError as wrong:
        raise ValueError(str(wrong)) from wrong


def _all(node: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in node if isinstance(child.tag, str) and etree.QName(child).localname == name]


def _one(node: etree._Element, name: str) -> str | None:
    found = _all(node, name)
    return None if not found else str(found[0].text or "")


def _bucket(call: Call) -> Sighting:
    return Sighting(BUCKET.key(call.params), {"Name": call["Bucket"]}, whole=False)


def absent(call: Call, response: Response, key: Key | None = None) -> list[Sighting]:
    """What a refusal shows: that the bucket, the upload or the key is not there."""
    if response.status != 404:
        return []
    code = (
        _one(shown_xml(response), "Code") if response.body else "NoSuchKey" if "Key" in call.params else "NoSuchBucket"
    )
    if code == "NoSuchBucket":
        return [Sighting(BUCKET.key(call.params), None)]
    if code == "NoSuchUpload" and "UploadId" in call.params:
        return [Sighting(UPLOAD.key(call.params), None)]
    named = "Key" in call.params and "UploadId" not in call.params
    if code == "NoSuchKey" and (key or named):
        bucket = [_bucket(call)] if response.body else []
        return [Sighting(key or OBJECT.key(call.params), None), *bucket]
    return []


# ---- buckets


def bucket_made(call: Call, response: Response) -> Shown:
    """CreateBucket."""
    return [_bucket(call)] if response.status == 200 else []


def bucket_head(call: Call, response: Response) -> Shown:
    """HeadBucket: it is there, and where."""
    if response.status != 200:
        return absent(call, response)
    region = response.headers.get("x-amz-bucket-region")
    document: Document = {"Name": call["Bucket"], **({"LocationConstraint": _constraint(region)} if region else {})}
    return [Sighting(BUCKET.key(call.params), document, whole=False)]


def _constraint(region: str) -> str:
    return "" if region == "us-east-1" else region


def bucket_location(call: Call, response: Response) -> Shown:
    """GetBucketLocation."""
    if response.status != 200:
        return absent(call, response)
    document: Document = {"Name": call["Bucket"], "LocationConstraint": str(shown_xml(response).text or "").strip()}
    return [Sighting(BUCKET.key(call.params), document, whole=False)]


def bucket_gone(call: Call, response: Response) -> Shown:
    """DeleteBucket."""
    gone = [Sighting(BUCKET.key(call.params), None)]
    return gone if response.status == 204 else absent(call, response)


def buckets(call: Call, response: Response) -> Shown:
    """ListBuckets."""
    if response.status != 200:
        return
    root = shown_xml(response)
    for parent in _all(root, "Buckets"):
        for node in _all(parent, "Bucket"):
            name = _one(node, "Name") or ""
            document: Document = {"Name": name}
            if made := _one(node, "CreationDate"):
                document["CreationDate"] = made
            if region := _one(node, "BucketRegion"):
                document["LocationConstraint"] = _constraint(region)
            yield Sighting(BUCKET.of(name), document, whole=False)
    partial = {"prefix", "bucket-region", "continuation-token"} & call.query.keys()
    if not partial and not _one(root, "ContinuationToken"):
        yield Sighting(("bucket",), {}, complete=True)


# ---- objects


def object_read(call: Call, response: Response) -> Shown:
    """GetObject and HeadObject."""
    if response.status not in (200, 206, 304):
        return absent(call, response)
    document = _described(call["Key"], response)
    if any(name.startswith("response-") for name in call.query):
        document.pop("Headers", None)  # the client chose some of them
    narrowed = "content-range" in response.headers or "partNumber" in call.query
    if response.status == 200 and call.request.method == "GET" and not narrowed:
        size = response.body.size
        document |= {"Size": size, "Content": [[content_name(response.body), 0, size]] if size else []}
    return [Sighting(OBJECT.key(call.params), document, whole=False), _bucket(call)]


def _described(key: str, response: Response) -> Document:
    """What the headers of a read show."""
    headers = response.headers
    document: Document = {"Key": key, "ETag": headers.get("etag").strip('"')}
    if modified := headers.get("last-modified"):
        document["LastModified"] = iso(parsedate_to_datetime(modified))
    if response.status != 304:
        document |= _stored(headers)
        if (size := _size(headers)) is not None and response.status == 206:
            document["Size"] = size
        elif response.status == 200 and headers.get("content-length").isdigit():
            document["Size"] = int(headers.get("content-length"))
    if response.status == 200:
        document |= _sums(headers)
    return document


def _stored(headers: Headers) -> Document:
    system: dict[str, Json] = {name: headers.get(name) for name in ("Content-Type", *SYSTEM_HEADERS) if name in headers}
    user: dict[str, Json] = {
        name.lower().removeprefix(USER_PREFIX): value for name, value in headers if name.lower().startswith(USER_PREFIX)
    }
    storage = headers.get("x-amz-storage-class") or "STANDARD"
    return {"Headers": system, "Metadata": user, "StorageClass": storage, "Amz": _amz(headers)}


def _amz(headers: Headers) -> dict[str, Json]:
    return {name.lower(): value for name, value in headers if name.lower().startswith(_KEPT_AMZ)}


def _size(headers: Headers) -> int | None:
    total = headers.get("content-range").rpartition("/")[2]
    return int(total) if total.isdigit() else None


def _sums(headers: Headers) -> Document:
    found: dict[str, Json] = {one.value: headers.get(one.header) for one in Algorithm if one.header in headers}
    if not found:
        return {}
    kind = headers.get("x-amz-checksum-type")
    return {"Checksums": found, **({"ChecksumType": kind} if kind else {})}


def object_put(call: Call, response: Response) -> Shown:
    """PutObject: what S3 made of it; what was sent is rehearsed."""
    if response.status != 200:
        return absent(call, response)
    document: Document = {"Key": call["Key"], **_sums(response.headers), **_encrypted(response.headers)}
    if etag := response.headers.get("etag"):
        document["ETag"] = etag.strip('"')
    return [Sighting(OBJECT.key(call.params), document), _bucket(call)]


def _encrypted(headers: Headers) -> Document:
    found = _amz(headers)
    return {"Amz": found} if found else {}


def object_copied(call: Call, response: Response) -> Shown:
    """CopyObject."""
    if response.status != 200:
        return []
    root = shown_xml(response)
    if etree.QName(root).localname == "Error":
        return []
    document: Document = {"Key": call["Key"], **_result(root), **_encrypted(response.headers)}
    return [Sighting(OBJECT.key(call.params), document), _bucket(call)]


def _result(root: etree._Element) -> Document:
    """ETag, LastModified and sums of a result element."""
    document: Document = {}
    if etag := _one(root, "ETag"):
        document["ETag"] = etag.strip('"')
    if modified := _one(root, "LastModified"):
        document["LastModified"] = modified
    sums: dict[str, Json] = {one.value: value for one in Algorithm if (value := _one(root, f"Checksum{one}"))}
    if sums:
        document["Checksums"] = sums
        if kind := _one(root, "ChecksumType"):
            document["ChecksumType"] = kind
    return document


def object_gone(call: Call, response: Response) -> Shown:
    """DeleteObject."""
    if response.status != 204:
        return absent(call, response)
    return [Sighting(OBJECT.key(call.params), None), _bucket(call)]


def objects_gone(call: Call, response: Response) -> Shown:
    """DeleteObjects: all that were asked for, but those that failed."""
    if response.status != 200:
        yield from absent(call, response)
        return
    failed = {_one(node, "Key") for node in _all(shown_xml(response), "Error")}
    for doomed in read_delete(sent_document(call)).objects:
        if doomed.key not in failed:
            yield Sighting(OBJECT.of(call["Bucket"], doomed.key), None)
    yield _bucket(call)


# ---- listings


def objects(call: Call, response: Response) -> Shown:
    """ListObjects and ListObjectsV2: each entry in part; all there is, where nothing was left out."""
    if response.status != 200:
        yield from absent(call, response)
        return
    root = shown_xml(response)
    plain = unquote_plus if _one(root, "EncodingType") == "url" else str
    for node in _all(root, "Contents"):
        key = plain(_one(node, "Key") or "")
        yield Sighting(OBJECT.of(call["Bucket"], key), _entry(key, node), whole=False)
    rolled = [plain(_one(node, "Prefix") or "") for node in _all(root, "CommonPrefixes")]
    for place in dict.fromkeys(OBJECT.within(prefix, call["Bucket"]) for prefix in rolled):
        here: list[Json] = [prefix for prefix in rolled if OBJECT.within(prefix, call["Bucket"]) == place]
        yield Sighting(place, {"Prefixes": here}, whole=False)
    prefix = call.query.get("prefix", "")
    begins = not {"marker", "continuation-token", "start-after"} & {name for name, value in call.query.items() if value}
    if begins and not rolled and prefix[-1:] in ("", "/") and _one(root, "IsTruncated") == "false":
        yield Sighting(OBJECT.within(prefix, call["Bucket"]), {}, complete=True)
    yield _bucket(call)


def _entry(key: str, node: etree._Element) -> Document:
    document: Document = {"Key": key, **_result(node)}
    if (size := _one(node, "Size")) is not None:
        document["Size"] = int(size)
    if storage := _one(node, "StorageClass"):
        document["StorageClass"] = storage
    return document


# ---- uploads


def upload_begun(call: Call, response: Response) -> Shown:
    """CreateMultipartUpload."""
    if response.status != 200:
        return absent(call, response)
    identity = _one(shown_xml(response), "UploadId") or ""
    document: Document = {"UploadId": identity, "Key": call["Key"], **_encrypted(response.headers)}
    return [Sighting(UPLOAD.of(call["Bucket"], call["Key"], identity), document), _bucket(call)]


def _upload(call: Call) -> Sighting:
    document: Document = {"UploadId": call["UploadId"], "Key": call["Key"]}
    return Sighting(UPLOAD.key(call.params), document, whole=False)


def part_put(call: Call, response: Response) -> Shown:
    """UploadPart."""
    if response.status != 200:
        return absent(call, response)
    document: Document = {"PartNumber": int(call["PartNumber"]), "ETag": response.headers.get("etag").strip('"')}
    sums = _sums(response.headers)
    return [Sighting(PART.key(call.params), {**document, **sums}), _upload(call), _bucket(call)]


def part_copied(call: Call, response: Response) -> Shown:
    """UploadPartCopy."""
    if response.status != 200:
        return absent(call, response)
    document: Document = {"PartNumber": int(call["PartNumber"]), **_result(shown_xml(response))}
    return [Sighting(PART.key(call.params), document), _upload(call), _bucket(call)]


def upload_completed(call: Call, response: Response) -> Shown:
    """CompleteMultipartUpload: the object is there, and the upload is one that was completed with these parts."""
    if response.status != 200:
        return absent(call, response)
    root = shown_xml(response)
    if etree.QName(root).localname == "Error":
        return []
    result = _result(root)
    parts: list[Json] = [[part.number, part.etag] for part in read_complete(sent_document(call))]
    document: Document = {"Key": call["Key"], **result, **_encrypted(response.headers)}
    done: Document = {"UploadId": call["UploadId"], "Key": call["Key"], "Completed": {"Parts": parts, **result}}
    return [
        Sighting(OBJECT.key(call.params), document),
        Sighting(UPLOAD.key(call.params), done, whole=False),
        _bucket(call),
    ]


def upload_aborted(call: Call, response: Response) -> Shown:
    """AbortMultipartUpload."""
    if response.status != 204:
        return absent(call, response)
    return [Sighting(UPLOAD.key(call.params), None), _bucket(call)]


def parts(call: Call, response: Response) -> Shown:
    """ListParts."""
    if response.status != 200:
        yield from absent(call, response)
        return
    root = shown_xml(response)
    for node in _all(root, "Part"):
        number = int(_one(node, "PartNumber") or 0)
        document: Document = {"PartNumber": number, "Size": int(_one(node, "Size") or 0), **_result(node)}
        key = PART.of(call["Bucket"], call["Key"], call["UploadId"], number)
        yield Sighting(key, document, whole=False)
    if not call.query.get("part-number-marker") and _one(root, "IsTruncated") == "false":
        yield Sighting(PART.of(call["Bucket"], call["Key"], call["UploadId"]), {}, complete=True)
    yield _upload(call)
    yield _bucket(call)


def uploads(call: Call, response: Response) -> Iterator[Sighting]:
    """ListMultipartUploads."""
    if response.status != 200:
        yield from absent(call, response)
        return
    root = shown_xml(response)
    plain = unquote_plus if _one(root, "EncodingType") == "url" else str
    for node in _all(root, "Upload"):
        key, identity = plain(_one(node, "Key") or ""), _one(node, "UploadId") or ""
        document: Document = {"UploadId": identity, "Key": key, "Initiated": _one(node, "Initiated") or ""}
        yield Sighting(UPLOAD.of(call["Bucket"], key, identity), document, whole=False)
    narrowed = {name for name in ("prefix", "delimiter", "key-marker", "upload-id-marker") if call.query.get(name)}
    if not narrowed and _one(root, "IsTruncated") == "false":
        yield Sighting(UPLOAD.of(call["Bucket"]), {}, complete=True)
    yield _bucket(call)
