"""boto3 against $S3: signed requests and presigned URLs, by signatures of both kinds."""

from __future__ import annotations

import os

import boto3
import requests
from botocore.client import Config

for version in ("s3v4", "s3"):
    s3 = boto3.client(
        "s3", endpoint_url=os.environ["S3"], config=Config(signature_version=version), region_name="us-east-1"
    )
    bucket = f"signed-{version}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a b", Body=b"purr")
    print(s3.get_object(Bucket=bucket, Key="a b")["Body"].read())
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b"}, ExpiresIn=600)
    print(requests.get(url).text)
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "up"}, ExpiresIn=600)
    print(requests.put(put, data=b"by presigned PUT").status_code)
    print([(each["Key"], each["Size"]) for each in s3.list_objects_v2(Bucket=bucket)["Contents"]])
