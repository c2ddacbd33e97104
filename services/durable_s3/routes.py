"""S3's table: address → operation. What is listed in `not_emulated.txt` S3 has and this emulator does not."""

from __future__ import annotations

from importlib.resources import files

from durable_replay.service.api import Operation
from durable_s3 import operations_buckets as buckets
from durable_s3 import operations_copy as copy
from durable_s3 import operations_listings as listings
from durable_s3 import operations_multipart as multipart
from durable_s3 import operations_objects as objects

__all__ = ["EMULATED", "ROUTES"]

EMULATED: dict[str, Operation] = {
    "GET    /": buckets.list_buckets,
    "PUT    /{Bucket}": buckets.create_bucket,
    "HEAD   /{Bucket}": buckets.head_bucket,
    "DELETE /{Bucket}": buckets.delete_bucket,
    "GET    /{Bucket}?location": buckets.get_bucket_location,
    "GET    /{Bucket}": listings.list_objects,
    "GET    /{Bucket}?list-type=2": listings.list_objects_v2,
    "POST   /{Bucket}?delete": objects.delete_objects,
    "PUT    /{Bucket}/{Key:path}": objects.put_object,
    "GET    /{Bucket}/{Key:path}": objects.get_object,
    "HEAD   /{Bucket}/{Key:path}": objects.head_object,
    "GET    /{Bucket}/{Key:path}?partNumber": objects.get_object,
    "HEAD   /{Bucket}/{Key:path}?partNumber": objects.head_object,
    "DELETE /{Bucket}/{Key:path}": objects.delete_object,
    "GET    /{Bucket}/{Key:path}?attributes": objects.get_object_attributes,
    "PUT    /{Bucket}/{Key:path} +x-amz-copy-source": copy.copy_object,
    "POST   /{Bucket}/{Key:path}?uploads": multipart.create_multipart_upload,
    "PUT    /{Bucket}/{Key:path}?partNumber={PartNumber}&uploadId={UploadId}": multipart.upload_part,
    "PUT    /{Bucket}/{Key:path}?partNumber={PartNumber}&uploadId={UploadId} +x-amz-copy-source": copy.upload_part_copy,
    "GET    /{Bucket}/{Key:path}?uploadId={UploadId}": multipart.list_parts,
    "POST   /{Bucket}/{Key:path}?uploadId={UploadId}": multipart.complete_multipart_upload,
    "DELETE /{Bucket}/{Key:path}?uploadId={UploadId}": multipart.abort_multipart_upload,
    "GET    /{Bucket}?uploads": multipart.list_multipart_uploads,
}


def _not_emulated() -> dict[str, Operation]:
    lines = files(__package__).joinpath("not_emulated.txt").read_text("ascii").splitlines()
    rows = (line.split(" ", 1) for line in lines if line)
    return {address: Operation(name, None) for name, address in rows}


ROUTES: dict[str, Operation] = {**EMULATED, **_not_emulated()}
