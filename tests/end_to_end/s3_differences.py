"""What differs between two answers of S3, in one line each; and where moto is known to depart from AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path

from lxml import etree

from durable_replay.http import Response
from tests.end_to_end.s3_sides import Op, Seen

__all__ = ["Departure", "departures", "differences"]

HEADERS = (
    *("etag", "content-length", "content-type", "content-range", "accept-ranges", "cache-control", "expires"),
    *("content-disposition", "content-encoding", "content-language", "location", "x-amz-mp-parts-count"),
    *("x-amz-bucket-region", "x-amz-storage-class", "x-amz-version-id", "x-amz-delete-marker", "x-amz-checksum-*"),
    *("x-amz-meta-*", "x-amz-server-side-encryption", "x-amz-copy-source-version-id", "x-amz-tagging-count"),
)
"""The fields that clients rely on; Last-Modified is compared apart, as a time."""
OPAQUE = frozenset(
    {
        "RequestId",
        "HostId",
        "Owner",
        "Initiator",
        "NextContinuationToken",
        "ContinuationToken",
        "UploadId",
        "ID",
        "Location",
    }
    | {"NextUploadIdMarker", "UploadIdMarker"}
)
"""Elements whose text each server makes as it likes; that they are there is compared."""
TIMES = frozenset({"LastModified", "CreationDate", "Initiated"})
TOLERANCE = 120.0
"""Seconds between the two servers' clocks; a recorded answer keeps the time of the recording."""


@dataclass(frozen=True)
class Departure:
    """Where moto does not do as AWS does: a pattern of difference lines, and the source for what AWS does.

    `diverges`: one of them has written and the other not, so that their states differ from here on.
    """

    pattern: re.Pattern[str]
    source: str
    diverges: bool = False


@cache
def departures() -> tuple[Departure, ...]:
    rows = json.loads((Path(__file__).parent / "moto_departures.json").read_text("utf-8"))
    return tuple(
        Departure(re.compile(row["difference"], re.S), row["source"], row.get("diverges", False)) for row in rows
    )


def differences(op: Op, theirs: Seen, ours: Seen) -> Iterator[str]:
    """Lines such as `get_object 200 header etag: moto '"x"', ours ''`; a part that is read is `get_part`."""
    method = "get_part" if op.method == "get_object" and "PartNumber" in op.arguments else op.method
    for where, their, our in _compared(theirs.response, ours.response):
        if their != our:
            yield f"{method} {theirs.response.status} {where}: moto {their!r}, ours {our!r}"


def _compared(theirs: Response, ours: Response) -> Iterator[tuple[str, object, object]]:
    yield "status", theirs.status, ours.status
    if theirs.status != ours.status:
        yield "code", _code(theirs), _code(ours)
        return
    for name in _names(theirs) | _names(ours):
        yield f"header {name}", theirs.headers.get(name), ours.headers.get(name)
    yield "header last-modified", *_near(theirs.headers.get("last-modified"), ours.headers.get("last-modified"))
    if _is_xml(theirs) or _is_xml(ours):
        yield from _elements(_parsed(theirs), _parsed(ours))
    else:
        yield "body", _excerpt(theirs.body.read()), _excerpt(ours.body.read())


def _excerpt(data: bytes) -> bytes:
    return data if len(data) < 100 else data[:40] + f"… of {len(data)} #{hash(data)}".encode()


def _names(response: Response) -> set[str]:
    found = {name.lower() for name, _ in response.headers}
    heads = tuple(name[:-1] for name in HEADERS if name.endswith("*"))
    xml = _is_xml(response)  # its length says nothing: ids and dates are of other lengths
    return {name for name in found if name in HEADERS or name.startswith(heads)} - (
        {"content-length"} if xml else set()
    )


def _is_xml(response: Response) -> bool:
    return response.body.size < 10**6 and response.body.read().lstrip().startswith((b"<?xml", b"<Error", b"<List"))


def _code(response: Response) -> str:
    found = re.search(rb"<Code>(.*?)</Code>", response.body.read() if response.body.size < 10**6 else b"")
    return found[1].decode() if found else ""


Tree = Mapping[str, "list[Tree]"] | str


def _parsed(response: Response) -> dict[str, list[str]]:
    """The texts of leaves by path; elements that repeat are numbered where they hold others."""
    if not _is_xml(response):
        return {"text": [response.body.read().decode("latin-1")]}
    found: dict[str, list[str]] = {}
    root = etree.fromstring(response.body.read(), etree.XMLParser(resolve_entities=False))
    _collect(root, "", found)
    return {"root": [etree.QName(root).localname], **found}


def _collect(element: etree._Element, path: str, found: dict[str, list[str]]) -> None:
    counts: dict[str, int] = {}
    if etree.QName(element).localname in OPAQUE:
        found[path] = ["present"]
        return
    if not len(element) and path:
        found.setdefault(path, []).append(element.text or "")
    for child in element:
        name = etree.QName(child).localname
        counts[name] = counts.get(name, 0) + 1
        _collect(child, f"{path}/{name}".lstrip("/") + (f"[{counts[name]}]" if len(child) else ""), found)


def _elements(theirs: dict[str, list[str]], ours: dict[str, list[str]]) -> Iterator[tuple[str, object, object]]:
    for path in sorted(theirs.keys() | ours.keys()):
        their, our = theirs.get(path), ours.get(path)
        if path.rpartition("/")[2] in TIMES and their and our:
            yield f"body {path}", *_near(their[0], our[0])
        else:
            yield f"body {path}", their, our


def _near(theirs: str, ours: str) -> tuple[object, object]:
    if not theirs or not ours:
        return theirs, ours
    apart = abs((_time(theirs) - _time(ours)).total_seconds())
    return ("", "") if apart < TOLERANCE else (theirs, ours)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text[:1].isdigit() else parsedate_to_datetime(text)
