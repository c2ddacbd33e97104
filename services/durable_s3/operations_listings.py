"""ListObjects, old and new.

S3 is consistent: a listing shows all that exists. An emulated one is therefore made of all that is known to exist,
which is what recorded listings and answers showed, with the session's own writes.

# Rule: a listing whose recording was cut short is not continued by guessing; beyond its end it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import cast

from durable_replay.service.api import Call, Document, Key, Reply, Scope
from durable_replay.service.faults import Unrecorded
from durable_s3 import lessons
from durable_s3.errors import S3Fault
from durable_s3.listing import Page, Position, after_key, count_limit, from_token, key_page, to_token
from durable_s3.operation import s3
from durable_s3.operations_buckets import OWNER
from durable_s3.resources import BUCKET, OBJECT, existing_bucket, known, number, table, text
from durable_s3.xml import Value, document, url_encoded

__all__ = ["encoder", "list_objects", "list_objects_v2"]


def _place(call: Call) -> Iterable[Key]:
    return [OBJECT.within(call.query.get("prefix", ""), call["Bucket"])]


def encoder(call: Call) -> Callable[[str], str]:
    """How the answer writes keys: as they are, or as `encoding-type=url` says; InvalidArgument for another."""
    asked = call.query.get("encoding-type", "")
    if asked not in ("", "url"):
        text_ = "Invalid Encoding Method specified in Request"
        raise S3Fault("InvalidArgument", text_, ArgumentName="encoding-type", ArgumentValue=asked)
    return url_encoded if asked else str


@s3("ListObjects", reads=[BUCKET, _place], learns=lessons.objects, paging=("marker", "max-keys"))
def list_objects(scope: Scope, call: Call) -> Reply:
    """The first version: markers are keys, and the next one is only told with a delimiter."""
    query, encode = call.query, encoder(call)
    limit = count_limit("max-keys", query.get("max-keys", ""))
    page = _page(scope, call, after_key(query.get("marker", "")), limit)
    delimiter = query.get("delimiter") or None
    goes_on = delimiter and page.truncated and page.last
    content: dict[str, Value] = {
        "Name": call["Bucket"],
        "Prefix": encode(query.get("prefix", "")),
        "Marker": encode(query.get("marker", "")),
        "NextMarker": encode(page.last[0]) if goes_on and page.last else None,
        "MaxKeys": limit,
        "Delimiter": encode(delimiter) if delimiter else None,
        "EncodingType": query.get("encoding-type") or None,
        "IsTruncated": page.truncated,
        **_shown(page, encode, owner=True),
    }
    return _answer(content)


@s3(
    "ListObjectsV2",
    reads=[BUCKET, _place],
    learns=lessons.objects,
    paging=("continuation-token", "max-keys"),
)
def list_objects_v2(scope: Scope, call: Call) -> Reply:
    """The second version: pages go on by opaque tokens."""
    query, encode = call.query, encoder(call)
    limit = count_limit("max-keys", query.get("max-keys", ""))
    token, start = query.get("continuation-token"), query.get("start-after", "")
    page = _page(scope, call, after_key(start) if token is None else from_token(token), limit)
    delimiter = query.get("delimiter") or None
    content: dict[str, Value] = {
        "Name": call["Bucket"],
        "Prefix": encode(query.get("prefix", "")),
        "ContinuationToken": token,
        "NextContinuationToken": to_token(page.last) if page.truncated and page.last else None,
        "StartAfter": encode(start) if start else None,
        "KeyCount": page.count,
        "MaxKeys": limit,
        "Delimiter": encode(delimiter) if delimiter else None,
        "EncodingType": query.get("encoding-type") or None,
        "IsTruncated": page.truncated,
        **_shown(page, encode, owner=query.get("fetch-owner") == "true"),
    }
    return _answer(content)


def _answer(content: dict[str, Value]) -> Reply:
    return Reply(200, document("ListBucketResult", content), (("x-amz-bucket-region", "us-east-1"),))


def _page(scope: Scope, call: Call, after: Position, limit: int) -> Page[Document]:
    # What was made empty in this session holds nothing but what was written since: no recorded page hides any of it.
    all_known = bool(existing_bucket(scope, call["Bucket"]).get("BornEmpty"))
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    entries = sorted(_entries(scope, call, prefix, delimiter, all_known=all_known), key=lambda entry: entry[0])
    page = key_page(entries, prefix, delimiter, after, limit)
    if not page.truncated and limit and not all_known and _was_cut_short(scope, call):
        raise Unrecorded(f"the listing of {call['Bucket']}/{prefix} was not recorded to its end")
    return page


def _entries(
    scope: Scope, call: Call, prefix: str, delimiter: str, *, all_known: bool
) -> Iterator[tuple[str, Document]]:
    """Objects by key; a folder that is known only as a recorded common prefix stands for what is in it."""
    for key, found in scope.all(OBJECT.within(prefix, call["Bucket"])):
        if OBJECT.is_whole(key):
            name = OBJECT.values(key)[1]
            yield name, {"Key": name, **found}
        elif not all_known:
            yield from ((folder, {}) for folder in _folders(found, prefix, delimiter))


def _folders(found: Document, prefix: str, delimiter: str) -> list[str]:
    folders = [str(one) for one in cast("list[str]", found.get("Prefixes") or []) if str(one).startswith(prefix)]
    if folders and not (delimiter and all(delimiter in folder[len(prefix) :] for folder in folders)):
        raise Unrecorded(f"what is below {folders[0]} was never listed")
    return folders


def _was_cut_short(scope: Scope, call: Call) -> bool:
    listed = scope.listed()
    if listed is None or scope.world.is_complete(OBJECT.within(call.query.get("prefix", ""), call["Bucket"])):
        return False
    return b"<IsTruncated>true<" in listed.response.body.read()


def _shown(page: Page[Document], encode: Callable[[str], str], *, owner: bool) -> dict[str, Value]:
    return {
        "Contents": [_entry(one, encode, owner=owner) for one in page.items],
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }


def _entry(found: Document, encode: Callable[[str], str], *, owner: bool) -> dict[str, Value]:
    known(found, "LastModified", "ETag")
    sums = table(found, "Checksums")
    return {
        "Key": encode(text(found, "Key")),
        "LastModified": text(found, "LastModified"),
        "ETag": f'"{text(found, "ETag")}"',
        "ChecksumAlgorithm": list(sums) or None,
        "ChecksumType": text(found, "ChecksumType", "FULL_OBJECT") if sums else None,
        "Size": number(found, "Size"),
        "Owner": {"ID": OWNER} if owner else None,
        "StorageClass": text(found, "StorageClass", "STANDARD"),
    }
