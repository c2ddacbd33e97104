"""Amazon S3: buckets, objects and multipart uploads over XML, path and virtual-host addressing."""
