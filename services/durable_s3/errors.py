"""What S3 answers when it refuses: codes, statuses and texts are data in `errors.json`, a fault adds its details.

Rule: an error's code decides its status; nobody writes a status by hand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from durable_replay.service.faults import Fault
from durable_s3.xml import Value, document

__all__ = ["S3Fault", "error_codes", "error_xml"]


@cache
def error_codes() -> Mapping[str, tuple[int, str]]:
    """Each code with its HTTP status and S3's usual message."""
    table: dict[str, tuple[int, str]] = {}
    raw: dict[str, list[int | str]] = json.loads(files(__package__).joinpath("errors.json").read_text("utf-8"))
    for code, (status, message) in raw.items():
        table[code] = (int(status), str(message))
    return table


class S3Fault(Fault):
    """A refusal in S3's own words. `details` become elements after the message, in the order given.

    >>> S3Fault("NoSuchKey", Key="cat.jpg").status
    404
    """

    def __init__(self, code: str, message: str | None = None, /, **details: str | int) -> None:
        self.code = code
        self.status, usual = error_codes()[code]
        self.message = usual if message is None else message
        super().__init__(f"{code}: {self.message}", **details)


def error_xml(fault: S3Fault, request_id: str, host_id: str, resource: str = "") -> bytes:
    """The error document. It has no namespace; `resource` is left out where empty, as most of AWS's answers do."""
    content: dict[str, Value] = {"Code": fault.code, "Message": fault.message, **_elements(fault.details)}
    if resource:
        content["Resource"] = resource
    return document("Error", {**content, "RequestId": request_id, "HostId": host_id}, namespace="")


def _elements(details: Mapping[str, object]) -> dict[str, Value]:
    return {name: value if isinstance(value, int) else str(value) for name, value in details.items()}
