"""A test that was written after the recording: it does what was recorded, and then something else.

Each answer is checked against what S3 must say; a wrong one raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from durable_replay.demo.script import main as as_recorded
from durable_replay.demo.tracing import s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Wrong(Exception):
    """An answer is not what S3 would have said."""


def main() -> None:
    """The recorded part, then an overwrite, a delete, a new object, and a look at all of it."""
    from botocore.exceptions import ClientError

    as_recorded()
    client = s3()
    _expect("the recorded dog", _text(client, "dog.txt"), "woof")
    client.put_object(Bucket="photos", Key="cat.txt", Body=b"purr")
    client.delete_object(Bucket="photos", Key="fox.txt")
    client.put_object(Bucket="photos", Key="owl.txt", Body=b"hoot")
    _expect("the cat, overwritten", _text(client, "cat.txt"), "purr")
    _expect("the dog, untouched", _text(client, "dog.txt"), "woof")
    _expect("the owl, new", _text(client, "owl.txt"), "hoot")
    try:
        client.get_object(Bucket="photos", Key="fox.txt")
    except ClientError as error:
        _expect("the fox, deleted", error.response["Error"]["Code"], "NoSuchKey")
    else:
        raise Wrong("the fox was deleted, and is still there")
    listed = client.list_objects_v2(Bucket="photos")
    sizes = {entry["Key"]: entry["Size"] for entry in listed["Contents"]}
    _expect("the listing", sizes, {"cat.txt": 4, "dog.txt": 4, "owl.txt": 4})
    _expect("its count", listed["KeyCount"], 3)


def _text(client: S3Client, key: str) -> str:
    return client.get_object(Bucket="photos", Key=key)["Body"].read().decode()


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise Wrong(f"{what}: {found!r} instead of {wanted!r}")
    print("checked", what)


if __name__ == "__main__":
    main()
