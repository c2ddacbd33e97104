"""Amazon S3: buckets, objects and multipart uploads over XML, path and virtual-host addressing."""

from durable_replay.service.api import Service
from durable_s3.hosts import HOSTS
from durable_s3.operation import SIGNIFICANT
from durable_s3.resources import BUCKET, OBJECT, PART, UPLOAD
from durable_s3.routes import ROUTES
from durable_s3.wire import S3Codec

__all__ = ["service"]

service = Service(
    "s3",
    HOSTS,
    S3Codec(ROUTES),
    ROUTES,
    (BUCKET, OBJECT, UPLOAD, PART),
    significant=SIGNIFICANT,
    varies=("body.$.Error.RequestId[]", "body.$.Error.HostId[]", "header.x-amz-id-2", "header.x-amz-request-id"),
)
