"""The XML documents that clients send: read safely, checked, and handed on as values.

Rule: no entity, no DTD, no network, no document over 8 MiB; whatever S3's schema would refuse is MalformedXML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from durable_s3.checksums import Algorithm
from durable_s3.errors import S3Fault

__all__ = ["CompletedPart", "DeleteRequest", "DoomedObject", "location_constraint", "read_complete", "read_delete"]

LARGEST = 8 * 1024 * 1024
MOST_KEYS = 1000
MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class DoomedObject:
    """One object of a multi-delete."""

    key: str
    version_id: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """A multi-delete; when `quiet`, only failures are answered."""

    objects: tuple[DoomedObject, ...]
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class CompletedPart:
    """A part as the client lists it on completion; the ETag is without quotes, checksums are base64."""

    number: int
    etag: str
    checksums: Mapping[Algorithm, str] = field(default_factory=dict)


def location_constraint(data: bytes) -> str | None:
    """The region that CreateBucket asks for; None when there is no body or no constraint in it."""
    return _text(_root(data, "CreateBucketConfiguration"), "LocationConstraint") if data.strip() else None


def read_delete(data: bytes) -> DeleteRequest:
    """DeleteObjects' body: 1 to 1,000 objects, each with a key."""
    root = _root(data, "Delete")
    objects = tuple(_doomed(node) for node in _children(root, "Object"))
    if not 1 <= len(objects) <= MOST_KEYS:
        raise S3Fault("MalformedXML")
    return DeleteRequest(objects, quiet=(_text(root, "Quiet") or "").strip().lower() == "true")


def read_complete(data: bytes) -> tuple[CompletedPart, ...]:
    """CompleteMultipartUpload's body, in the client's order; that the order is right is not checked here."""
    if not data.strip():
        raise S3Fault("InvalidRequest", "You must specify at least one part")
    parts = tuple(_completed(node) for node in _children(_root(data, "CompleteMultipartUpload"), "Part"))
    if not parts or len(parts) > MOST_PARTS:
        raise S3Fault("MalformedXML")
    return parts


def _doomed(node: etree._Element) -> DoomedObject:
    key = _text(node, "Key")
    if not key:
        raise S3Fault("MalformedXML")
    return DoomedObject(key, _text(node, "VersionId"), _unquoted(_text(node, "ETag")))


def _completed(node: etree._Element) -> CompletedPart:
    number, etag = _text(node, "PartNumber") or "", _unquoted(_text(node, "ETag"))
    if not (number.strip().isascii() and number.strip().isdigit() and len(number) < 10) or etag is None:
        raise S3Fault("MalformedXML")
    sums = ((algorithm, _text(node, f"Checksum{algorithm}")) for algorithm in Algorithm)
    return CompletedPart(int(number), etag, {algorithm: value for algorithm, value in sums if value})


def _root(data: bytes, name: str) -> etree._Element:
    if len(data) > LARGEST:
        raise S3Fault("MaxMessageLengthExceeded", MaxMessageLengthBytes=LARGEST)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as wrong:
        raise S3Fault("MalformedXML") from wrong
    if root.getroottree().docinfo.internalDTD is not None or _name(root) != name:
        raise S3Fault("MalformedXML")
    return root


def _name(node: etree._Element) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _children(node: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in node if _name(child) == name]


def _text(node: etree._Element, name: str) -> str | None:
    found = _children(node, name)
    return "".join(str(text) for text in found[0].itertext()) if found else None


def _unquoted(etag: str | None) -> str | None:
    return None if etag is None else etag.strip().strip('"')
