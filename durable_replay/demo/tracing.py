"""A boto3 client whose every answer leaves a line in a file: what was asked, and what the answer says of itself."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["s3"]


def s3() -> S3Client:
    """For the service at `DEMO_ENDPOINT`; the lines go to the file `DEMO_TRACE`."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=os.environ["DEMO_ENDPOINT"],
        region_name="us-east-1",
        aws_access_key_id="demo",
        aws_secret_access_key="demo",  # noqa: S106 - the service on loopback takes anything
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-parameter-build.s3", _asked)
    client.meta.events.register("after-call.s3", _answered)
    return client


def _asked(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    context["demo"] = "/".join(str(params[name]) for name in ("Bucket", "Key") if name in params)


def _answered(model: Any, http_response: Any, context: dict[str, Any], **_: object) -> None:
    headers = http_response.headers
    line = {
        "operation": model.name,
        "on": context.get("demo", ""),
        "status": http_response.status_code,
        "source": headers.get("x-durable-source", "the service itself"),
        "why": headers.get("x-durable-reason", ""),
    }
    with open(os.environ["DEMO_TRACE"], "a", encoding="utf-8") as file:  # noqa: PTH123 - as a user would write it
        file.write(json.dumps(line) + "\n")
