"""Buckets: made, found, listed and removed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from durable_replay.service.api import Call, Document, Key, Reply, Scope
from durable_s3 import lessons
from durable_s3.documents import location_constraint
from durable_s3.errors import S3Fault
from durable_s3.hosts import regions
from durable_s3.listing import after_key, count_limit, from_token, key_page, to_token
from durable_s3.names import check_bucket_name
from durable_s3.operation import STORED, read_document, refuse_unmodelled, s3
from durable_s3.resources import BUCKET, OBJECT, PART, UPLOAD, existing_bucket, iso, text
from durable_s3.xml import NAMESPACE, Value, document

__all__ = ["OWNER", "create_bucket", "delete_bucket", "get_bucket_location", "head_bucket", "list_buckets"]

OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
"""The canonical id of the one user that there is; AWS's documentation uses it in its examples."""
MOST_BUCKETS = 10_000


def _all_buckets(call: Call) -> Iterable[Key]:
    return [("bucket",)]


@s3("CreateBucket", writes=[BUCKET], learns=lessons.bucket_made, significant=STORED)
def create_bucket(scope: Scope, call: Call) -> Reply:
    """Made by its owner a second time: nothing happens in us-east-1, elsewhere it is refused."""
    name = call["Bucket"]
    check_bucket_name(name)
    refuse_unmodelled(call)
    asked = _region_asked(call)
    found = scope.find(BUCKET.of(name))
    if found is not None and (asked or text(found, "LocationConstraint")):
        raise S3Fault("BucketAlreadyOwnedByYou", BucketName=name)
    if found is None:
        made: Document = {"Name": name, "CreationDate": iso(scope.now), "LocationConstraint": asked}
        scope.put(BUCKET.of(name), {**made, "BornEmpty": True})  # so that all that is in it is known
    location = f"http://{name}.s3.amazonaws.com/" if asked else f"/{name}"
    return Reply(200, None, (("Location", location), ("x-amz-bucket-arn", f"arn:aws:s3:::{name}")))


def _region_asked(call: Call) -> str:
    asked = location_constraint(read_document(call)) or ""
    if asked == "us-east-1" or (asked not in ("", "EU") and asked not in regions()):
        raise S3Fault("InvalidLocationConstraint", LocationConstraint=asked)
    return asked


@s3("HeadBucket", reads=[BUCKET], learns=lessons.bucket_head)
def head_bucket(scope: Scope, call: Call) -> Reply:
    """Whether it is there, and in which region."""
    region = _region(existing_bucket(scope, call["Bucket"]))
    fields = (("x-amz-bucket-region", region), ("x-amz-access-point-alias", "false"))
    return Reply(200, None, (*fields, ("Content-Type", "application/xml")))


def _region(bucket: Document) -> str:
    place = text(bucket, "LocationConstraint")
    return {"": "us-east-1", "EU": "eu-west-1"}.get(place, place)


@s3("GetBucketLocation", reads=[BUCKET], learns=lessons.bucket_location)
def get_bucket_location(scope: Scope, call: Call) -> Reply:
    """The constraint that it was made with; nothing for us-east-1."""
    place = text(existing_bucket(scope, call["Bucket"]), "LocationConstraint")
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="{NAMESPACE}"'
    return Reply(200, (f"{head}>{place}</LocationConstraint>" if place else f"{head}/>").encode())


def _below(call: Call) -> Iterable[Key]:
    return [UPLOAD.of(call["Bucket"]), PART.of(call["Bucket"])]


@s3(
    "DeleteBucket",
    reads=[lambda call: [OBJECT.of(call["Bucket"])]],
    writes=[BUCKET, _below],
    learns=lessons.bucket_gone,
)
def delete_bucket(scope: Scope, call: Call) -> Reply:
    """Only an empty one; uploads that were never completed go with it."""
    existing_bucket(scope, call["Bucket"])
    if any(scope.all(OBJECT.of(call["Bucket"]))):
        raise S3Fault("BucketNotEmpty", BucketName=call["Bucket"])
    for prefix in _below(call):
        for key, _ in scope.all(prefix):
            scope.delete(key)
    scope.delete(BUCKET.key(call.params))
    return Reply(204)


@s3("ListBuckets", reads=[_all_buckets], learns=lessons.buckets, paging=("continuation-token", "max-buckets"))
def list_buckets(scope: Scope, call: Call) -> Reply:
    """By name; `max-buckets` and `continuation-token` page, `prefix` and `bucket-region` filter."""
    query = call.query
    found = {text(bucket, "Name"): bucket for key, bucket in scope.all(("bucket",)) if BUCKET.is_whole(key)}
    wanted = query.get("bucket-region", "")
    entries = [(name, one) for name, one in sorted(found.items()) if wanted in ("", _region(one))]
    after = from_token(query["continuation-token"]) if "continuation-token" in query else after_key("")
    limit = count_limit("max-buckets", query.get("max-buckets", ""), MOST_BUCKETS, MOST_BUCKETS)
    page = key_page(entries, query.get("prefix", ""), "", after, limit)
    content: dict[str, Value] = {
        "Owner": {"ID": OWNER},
        "Buckets": {"Bucket": [_shown(scope, one, regional=bool(query)) for one in page.items]},
        "ContinuationToken": to_token(page.last) if page.truncated and page.last else None,
        "Prefix": query.get("prefix"),
    }
    return Reply(200, document("ListAllMyBucketsResult", content))


def _shown(scope: Scope, bucket: Document, *, regional: bool) -> dict[str, Value]:
    # A bucket that the tape shows only through its objects is as old as the tape.
    made = text(bucket, "CreationDate") or iso(datetime.fromtimestamp(scope.world.session.tape.start, UTC))
    return {"Name": text(bucket, "Name"), "CreationDate": made, "BucketRegion": _region(bucket) if regional else None}
