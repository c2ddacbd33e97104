"""Bucket and key names: where a request has them, and which of them S3 takes.

Rule: a path is percent-decoded once and never normalised; `//`, `.`, `..` and `+` are parts of a key.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv4Address
from urllib.parse import unquote_to_bytes

from durable_s3.errors import S3Fault

__all__ = ["check_bucket_name", "check_key", "decoded", "split"]

LONGEST_KEY = 1024
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_AWS_HOST = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:-accelerate)?(?:-fips)?(?:[.-]dualstack)?"
    r"(?:[.-](?:[a-z]{2}(?:-[a-z]+)+-[0-9]|external-1))?\.amazonaws\.com(?:\.cn)?"
)


def split(host: str, raw_path: str, base_hosts: Collection[str] = ("localhost",)) -> tuple[str, str]:
    """The bucket and the key that a request addresses, either of them empty when it does not.

    Virtual-host style when `host` (lower case, no port) is `BUCKET.` before one of AWS's endpoints or before one of
    `base_hosts`; path style for every other host. `raw_path` is as sent.
    """
    bucket, path = _bucket_of(host, base_hosts), raw_path.removeprefix("/")
    if bucket:
        return bucket, decoded(path)
    name, _, key = path.partition("/")
    if not name and key:
        raise S3Fault("InvalidBucketName", BucketName="")
    return decoded(name), decoded(key)


def _bucket_of(host: str, base_hosts: Collection[str]) -> str:
    if host in base_hosts:
        return ""
    if found := _AWS_HOST.fullmatch(host):
        return found["bucket"] or ""
    bases = [base for base in base_hosts if host.endswith(f".{base}")]
    return host.removesuffix(f".{max(bases, key=len)}") if bases else ""


def decoded(raw: str) -> str:
    """Percent-decoded text; InvalidURI when the bytes are no UTF-8. `raw` is latin-1, as in a request's target."""
    try:
        return unquote_to_bytes(raw.encode("latin-1")).decode("utf-8")
    except UnicodeError:
        raise S3Fault("InvalidURI", URI=raw) from None


def check_bucket_name(name: str) -> None:
    """Raises InvalidBucketName where AWS does today for a new general-purpose bucket."""
    bad = (
        not _BUCKET.fullmatch(name)
        or ".." in name
        or name.startswith(_RESERVED_PREFIXES)
        or name.endswith(_RESERVED_SUFFIXES)
        or _is_ip_address(name)
    )
    if bad:
        raise S3Fault("InvalidBucketName", BucketName=name)


def _is_ip_address(name: str) -> bool:
    try:
        return bool(IPv4Address(name))
    except ValueError:
        return False


def check_key(key: str) -> None:
    """Raises KeyTooLongError over 1,024 bytes of UTF-8."""
    if (size := len(key.encode("utf-8", "surrogatepass"))) > LONGEST_KEY:
        raise S3Fault("KeyTooLongError", Size=size, MaxSizeAllowed=LONGEST_KEY)
