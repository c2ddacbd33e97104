"""Calls of S3 that a client may make, as hypothesis strategies: few names, so that calls meet."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import md5
from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.end_to_end.s3_sides import Op, Ref

__all__ = ["BUCKETS", "operations", "put", "stories", "uploads_to_their_end"]

BUCKETS = ("first-bucket", "second-bucket")
KEYS = ("a.txt", "dir/b", "dir/sub/c", "dir/sub/d", "é +&%2F/~x", "z//slashes")
BODIES = (b"", b"hello", b"hello, a longer text\n", bytes(range(256)) * 20)
LARGE = Ref("bytes", 5 * 1024**2)  # the least that a part but the last may have
ETAGS = tuple(f'"{md5(body).hexdigest()}"' for body in BODIES[:3])
PAST, FUTURE = datetime(2001, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

buckets = st.sampled_from((*BUCKETS[:1] * 4, BUCKETS[1]))
keys = st.sampled_from(KEYS)
bodies = st.sampled_from(BODIES)
etags = st.sampled_from(ETAGS)
dates = st.sampled_from([PAST, FUTURE])
ranges = st.sampled_from(
    [
        "bytes=0-3",
        "bytes=2-",
        "bytes=-3",
        "bytes=3-1000000",
        "bytes=100000-",
        "bytes=0-0",
        "bytes=-0",
        "bytes=x",
        "bytes=3-1",
    ]
)
metadata = st.sampled_from([{}, {"colour": "blue"}, {"Colour": "red", "size": "10 m"}])
uploads = st.sampled_from([Ref("upload", -1), Ref("upload", -1), Ref("upload", 0)])
numbers = st.sampled_from([1, 2, 3])
prefixes = st.sampled_from(["", "dir/", "dir/s", "d", "no/", "é"])


def op(method: str, **required: st.SearchStrategy[Any]) -> st.SearchStrategy[Op]:
    """Calls with these arguments."""
    return st.fixed_dictionaries(required).map(lambda given: Op(method, given))


Arguments: TypeAlias = "dict[str, st.SearchStrategy[Any]]"
DESCRIBED: Arguments = {
    "Metadata": metadata,
    "ContentType": st.sampled_from(["text/plain", "application/json; charset=utf-8"]),
    "CacheControl": st.just("max-age=60"),
    "ContentDisposition": st.just('attachment; filename="x"'),
    "ContentEncoding": st.just("gzip"),
    "ContentLanguage": st.just("de"),
}
# No date in the future for If-Modified-Since: AWS ignores it [s3.md, rec], moto answers 304.
CONDITIONS: Arguments = {
    "IfMatch": etags,
    "IfNoneMatch": etags,
    "IfModifiedSince": st.just(PAST),
    "IfUnmodifiedSince": dates,
}
SOURCE_CONDITIONS: Arguments = {f"CopySource{name}": strategy for name, strategy in CONDITIONS.items()}
LISTED: Arguments = {
    "Prefix": prefixes,
    "Delimiter": st.sampled_from(["/", "s"]),
    "MaxKeys": st.sampled_from([0, 1, 2, 3, 1000]),
    "EncodingType": st.just("url"),
}
sources = st.fixed_dictionaries({"Bucket": buckets, "Key": keys})
ADDRESS: Arguments = {"Bucket": buckets, "Key": keys}


def few(optional: Arguments, most: int) -> st.SearchStrategy[dict[str, Any]]:
    """At most so many of these arguments."""
    names = st.lists(st.sampled_from(sorted(optional)), max_size=most, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: optional[name] for name in chosen}))


def with_few(
    method: str, optional: Arguments, most: int = 1, /, **required: st.SearchStrategy[Any]
) -> st.SearchStrategy[Op]:
    """Calls with these arguments and at most so many of the optional ones."""
    whole = st.tuples(st.fixed_dictionaries(required), few(optional, most))
    return whole.map(lambda given: Op(method, {**given[0], **given[1]}))


put = with_few(
    "put_object",
    {
        **DESCRIBED,
        "IfNoneMatch": st.just("*"),
        "IfMatch": etags,
        "ChecksumAlgorithm": st.sampled_from(["SHA256", "SHA1"]),
    },
    2,
    **ADDRESS,
    Body=bodies,
)
get = with_few(
    "get_object",
    {**CONDITIONS, "Range": ranges, "ResponseContentType": st.just("text/x"), "PartNumber": st.sampled_from([1, 2])},
    2,
    **ADDRESS,
).filter(lambda one: not {"Range", "PartNumber"} <= one.arguments.keys())  # 400 by AWS [s3.md, rec], not by moto
head = with_few("head_object", {**CONDITIONS, "Range": ranges}, 2, **ADDRESS)
copy = with_few(
    "copy_object",
    {**SOURCE_CONDITIONS, "MetadataDirective": st.sampled_from(["COPY", "REPLACE"]), **DESCRIBED},
    3,
    **ADDRESS,
    CopySource=sources,
)
listing = st.one_of(
    with_few("list_objects", {**LISTED, "Marker": keys}, 3, Bucket=buckets),
    with_few("list_objects_v2", {**LISTED, "StartAfter": keys, "FetchOwner": st.booleans()}, 3, Bucket=buckets),
    with_few("list_objects_v2", LISTED, 2, Bucket=buckets, ContinuationToken=st.just(Ref("token"))),
)
several = st.builds(
    lambda names, quiet: {"Objects": [{"Key": name} for name in names], **({"Quiet": True} if quiet else {})},
    st.lists(keys, min_size=1, max_size=3, unique=True),
    st.booleans(),
)
multipart = st.one_of(
    with_few("create_multipart_upload", DESCRIBED, 1, **ADDRESS),
    op(
        "upload_part",
        **ADDRESS,
        UploadId=uploads,
        PartNumber=numbers,
        Body=st.sampled_from((b"tail", b"another tail", LARGE)),
    ),
    with_few(
        "upload_part_copy",
        {"CopySourceRange": st.sampled_from(["bytes=0-1", "bytes=1-3"])},
        **ADDRESS,
        UploadId=uploads,
        PartNumber=numbers,
        CopySource=sources,
    ),
    with_few(
        "list_parts", {"MaxParts": st.sampled_from([1, 2]), "PartNumberMarker": st.just(1)}, **ADDRESS, UploadId=uploads
    ),
    op(
        "complete_multipart_upload",
        **ADDRESS,
        UploadId=uploads,
        MultipartUpload=st.sampled_from([Ref("parts"), Ref("parts"), Ref("parts", 1), Ref("parts", -1)]),
    ),
    op("abort_multipart_upload", **ADDRESS, UploadId=uploads),
    op("list_multipart_uploads", Bucket=buckets),
)
bucket_ops = st.one_of(
    op("create_bucket", Bucket=buckets),
    op("head_bucket", Bucket=buckets),
    op("delete_bucket", Bucket=buckets),
    op("list_buckets"),
    op("get_bucket_location", Bucket=buckets),
)
presigned = st.one_of(
    op("get_object_PRESIGNED", **ADDRESS), op("put_object_PRESIGNED", **ADDRESS, Body=st.sampled_from(BODIES[1:]))
)
operations = st.one_of(
    *[put] * 5,
    *[get] * 3,
    head,
    copy,
    copy,
    op("delete_object", **ADDRESS),
    op("delete_objects", Bucket=buckets, Delete=several),
    listing,
    listing,
    multipart,
    multipart,
    bucket_ops,
    presigned,
)


def _upload(address: dict[str, str], bodies: list[Any], more: dict[str, Any]) -> list[Op]:
    place = {**address, "UploadId": Ref("upload", -1)}
    parts = [
        Op("upload_part", {**place, "PartNumber": number, "Body": body}) for number, body in enumerate(bodies, start=1)
    ]
    end = Op("complete_multipart_upload", {**place, "MultipartUpload": Ref("parts")})
    return [Op("create_multipart_upload", {**address, **more}), *parts, Op("list_parts", place), end]


uploads_to_their_end = st.builds(
    _upload,
    st.fixed_dictionaries(ADDRESS),
    st.sampled_from([[b"tail"], [LARGE, b"tail"], [b"too small", b"tail"]]),
    few(DESCRIBED, 1),
)
stories = st.lists(st.one_of(*[operations.map(lambda one: [one])] * 6, uploads_to_their_end), max_size=8).map(
    lambda parts: [op for part in parts for op in part]
)
"""Several calls, in which some uploads come to their end."""
