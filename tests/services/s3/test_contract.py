"""What every service keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from durable_replay.service.api import Document
from durable_replay.service.contract import Contract
from durable_replay.testing import exchange
from durable_s3 import service

AWS = "https://s3.amazonaws.com"
READ = {
    "ETag": '"d077f244def8a70e5ea758bd8352fcd8"',
    "Content-Type": "image/jpeg",
    "Last-Modified": "Wed, 21 Jan 2026 10:00:00 GMT",
    "Content-Length": "3",
}


class TestContract(Contract):
    service = service
    ids: ClassVar[Mapping[str, str]] = {"Bucket": "no-such-bucket"}
    headers: ClassVar[Mapping[str, str]] = {"x-amz-copy-source": "no-such-bucket/key"}
    samples: ClassVar[Mapping[str, Document]] = {
        "bucket": {"Name": "photos"},
        "object": {"ETag": "d0", "Size": 0, "LastModified": "2026-01-21T10:00:00.000Z", "Headers": {}, "Content": []},
        "upload": {"Initiated": "2026-01-21T10:00:00.000Z", "Headers": {}, "Metadata": {}, "Amz": {}},
        "part": {"ETag": "d0", "Size": 0, "LastModified": "2026-01-21T10:00:00.000Z", "Content": []},
    }
    tapes = (
        (
            exchange("PUT", f"{AWS}/photos", 200, at=1.0),
            exchange("PUT", f"{AWS}/photos/cat", 200, send=b"cat", answer_headers={"ETag": READ["ETag"]}, at=2.0),
            exchange("GET", f"{AWS}/photos/cat", 200, b"cat", answer_headers=READ, at=3.0),
            exchange("DELETE", f"{AWS}/photos/cat", 204, at=4.0),
        ),
    )
