"""What a team's tests do with S3; prints all that it is told."""

import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

client = boto3.client(
    "s3",
    endpoint_url=os.environ["S3"],
    region_name="us-east-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
    config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
)
client.create_bucket(Bucket="photos")
for name in ("cat.txt", "dog.txt"):
    made = client.put_object(Bucket="photos", Key=name, Body=name.encode(), Metadata={"by": "script"})
    print(name, made["ETag"])
client.delete_object(Bucket="photos", Key="dog.txt")
try:
    client.get_object(Bucket="photos", Key="dog.txt")
except ClientError as error:
    print(error.response["Error"]["Code"])
upload = client.create_multipart_upload(Bucket="photos", Key="big.bin")["UploadId"]
part = client.upload_part(Bucket="photos", Key="big.bin", UploadId=upload, PartNumber=1, Body=b"0" * 1000)
client.complete_multipart_upload(
    Bucket="photos",
    Key="big.bin",
    UploadId=upload,
    MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
)
print(upload, len(client.get_object(Bucket="photos", Key="big.bin")["Body"].read()))
got = client.get_object(Bucket="photos", Key="cat.txt")
print(got["Body"].read().decode(), got["LastModified"], got["Metadata"])
for entry in client.list_objects_v2(Bucket="photos")["Contents"]:
    print(entry["Key"], entry["Size"], entry["LastModified"])

if os.environ.get("DEVIATE"):
    print("-- not as recorded")
    before = got["ETag"]
    client.put_object(Bucket="photos", Key="cat.txt", Body=b"purr")
    now = client.get_object(Bucket="photos", Key="cat.txt")
    print(now["Body"].read().decode(), now["ETag"] != before, now["Metadata"])
    client.copy_object(Bucket="photos", Key="copy.bin", CopySource="photos/big.bin")
    print(len(client.get_object(Bucket="photos", Key="copy.bin")["Body"].read()))
    client.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": "big.bin"}]})
    try:
        client.head_object(Bucket="photos", Key="big.bin")
    except ClientError as error:
        print(error.response["Error"]["Code"])
    print([(entry["Key"], entry["Size"]) for entry in client.list_objects_v2(Bucket="photos")["Contents"]])
    print(upload != client.create_multipart_upload(Bucket="photos", Key="big.bin")["UploadId"])
