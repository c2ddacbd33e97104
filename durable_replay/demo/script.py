"""What a team's tests do with S3: a bucket with three objects, read back and listed. Prints all that it is told."""

from __future__ import annotations

from durable_replay.demo.tracing import s3


def main() -> None:
    """The same requests each time."""
    client = s3()
    client.create_bucket(Bucket="photos")
    for name, text in (("cat.txt", "meow"), ("dog.txt", "woof"), ("fox.txt", "???")):
        made = client.put_object(Bucket="photos", Key=name, Body=text.encode(), Metadata={"by": "demo"})
        print("put", name, made["ETag"])
    for name in ("cat.txt", "dog.txt", "fox.txt"):
        got = client.get_object(Bucket="photos", Key=name)
        print("get", name, got["Body"].read().decode(), got["ETag"], got["LastModified"].isoformat(), got["Metadata"])
    listed = client.list_objects_v2(Bucket="photos")
    for entry in listed["Contents"]:
        print("list", entry["Key"], entry["Size"], entry["ETag"], entry["LastModified"].isoformat())


if __name__ == "__main__":
    main()
