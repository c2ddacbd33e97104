"""What a browser does with a form that its server has signed: an upload by POST, in both of AWS's versions."""

import os

import boto3
import requests
from botocore.config import Config

for version in ("s3v4", "s3"):
    client = boto3.client(
        "s3",
        endpoint_url=os.environ["S3"],
        region_name="us-east-1",
        aws_access_key_id=f"test-{os.getpid()}",  # no two runs have the same credentials
        aws_secret_access_key=f"test-{os.getpid()}",
        aws_session_token=f"session-{os.getpid()}",
        config=Config(s3={"addressing_style": "path"}, signature_version=version, retries={"total_max_attempts": 1}),
    )
    client.create_bucket(Bucket="uploads")
    given = {"Content-Type": "text/plain", "success_action_status": "201"}
    form = client.generate_presigned_post(
        "uploads", "${filename}", given, [{name: value} for name, value in given.items()], ExpiresIn=600 + os.getpid()
    )
    names = {name.lower() for name in form["fields"]}
    for name, content in (("cat.txt", b"meow"), ("dog.bin", bytes(range(256)) * int(os.environ["TIMES"]))):
        answer = requests.post(form["url"], data=form["fields"], files={"file": (name, content)}, timeout=30)
        print(version, sorted(names), answer.status_code, answer.headers["x-amzn-requestid"])
if os.environ.get("DEVIATE"):
    answer = requests.post(form["url"], data=form["fields"], files={"file": ("cat.txt", b"purr")}, timeout=30)
    print(answer.status_code)
