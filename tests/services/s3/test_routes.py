"""The table holds every operation that S3 has."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import botocore.session

from durable_replay.service.coverage import operations_table
from durable_s3 import service
from durable_s3.routes import EMULATED, ROUTES

# Answered by an older name of the same address, or for S3's Object Lambda alone, which has a host of its own.
ELSEWHERE = {
    "GetBucketLifecycle",
    "GetBucketNotification",
    "PutBucketLifecycle",
    "PutBucketNotification",
    "WriteGetObjectResponse",
}


def test_every_operation_of_botocore_is_in_the_table() -> None:
    model = botocore.session.get_session().get_service_model("s3")
    ours = {operation.name for operation in ROUTES.values()}
    assert set(model.operation_names) - ELSEWHERE - ours == set()
    assert ours - set(model.operation_names) == {"PostObject", "PreflightBucket", "PreflightObject"}


def test_what_is_emulated_does_something_and_what_is_not_says_so() -> None:
    assert all(operation.do is not None for operation in EMULATED.values())
    assert all(ROUTES[address].do is None for address in ROUTES if address not in EMULATED)


def test_the_readme_has_the_table_of_operations() -> None:
    readme = Path(str(files("durable_s3").joinpath("README.md"))).read_text("utf-8")
    assert operations_table(service) in readme, (
        "write the README's table anew: python -m durable_replay.service.coverage s3"
    )
