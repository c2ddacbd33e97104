"""What is kept with an object beside its bytes: the client's metadata and the headers that come back as they were sent.

Header text is latin-1, one character a byte; values are kept that way, so that a client's UTF-8 survives.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from durable_replay.http import Headers
from durable_s3.chunked import stored_content_encoding
from durable_s3.errors import S3Fault

__all__ = ["DEFAULT_CONTENT_TYPE", "Metadata", "overrides", "read_metadata"]

DEFAULT_CONTENT_TYPE = "binary/octet-stream"
MOST_USER_BYTES = 2048
USER_PREFIX = "x-amz-meta-"
SYSTEM_HEADERS = ("Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires")
REDIRECT = "x-amz-website-redirect-location"
STORAGE_CLASSES = frozenset(
    {
        "DEEP_ARCHIVE",
        "GLACIER",
        "GLACIER_IR",
        "INTELLIGENT_TIERING",
        "ONEZONE_IA",
        "REDUCED_REDUNDANCY",
        "STANDARD",
        "STANDARD_IA",
    }
)
OVERRIDES = {
    "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
    "response-content-language": "Content-Language",
    "response-content-type": "Content-Type",
    "response-expires": "Expires",
}


@dataclass(frozen=True, slots=True)
class Metadata:
    """An object's headers. `user` has names in lower case without `x-amz-meta-`, `system` names as S3 writes them."""

    user: Mapping[str, str]
    system: Mapping[str, str]
    storage_class: str = "STANDARD"

    def headers(self) -> tuple[tuple[str, str], ...]:
        """The fields of a GET or HEAD answer; S3 does not name the storage class STANDARD."""
        user = tuple((USER_PREFIX + name, _ascii(value)) for name, value in self.user.items())
        tier = () if self.storage_class == "STANDARD" else (("x-amz-storage-class", self.storage_class),)
        return (*self.system.items(), *user, *tier)


def read_metadata(headers: Headers) -> Metadata:
    """What a put, a multipart start or a replacing copy gives; MetadataTooLarge, InvalidStorageClass when refused."""
    system = {name: value for name in SYSTEM_HEADERS if (value := _system(headers, name))}
    if redirect := headers.get(REDIRECT):
        system[REDIRECT] = _checked_redirect(redirect)
    content_type = headers.get("content-type") or DEFAULT_CONTENT_TYPE
    return Metadata(_user(headers), {"Content-Type": content_type, **system}, _storage_class(headers))


def overrides(query: Mapping[str, str]) -> dict[str, str]:
    """The headers that `response-…` parameters of a GET replace, by name."""
    return {header: query[name] for name, header in OVERRIDES.items() if query.get(name)}


def _user(headers: Headers) -> dict[str, str]:
    user: dict[str, list[str]] = {}
    for name, value in headers:
        if name.lower().startswith(USER_PREFIX):
            user.setdefault(name.lower().removeprefix(USER_PREFIX), []).append(value.strip())
    joined = {name: ",".join(values) for name, values in user.items()}
    if (size := sum(len(name) + len(value) for name, value in joined.items())) > MOST_USER_BYTES:
        raise S3Fault("MetadataTooLarge", Size=size, MaxSizeAllowed=MOST_USER_BYTES)
    return joined


def _system(headers: Headers, name: str) -> str:
    value = ", ".join(headers.get_all(name))
    return stored_content_encoding(value) if name == "Content-Encoding" else value


def _checked_redirect(value: str) -> str:
    if not value.startswith(("/", "http://", "https://")):
        raise S3Fault("InvalidRedirectLocation")
    return value


def _storage_class(headers: Headers) -> str:
    name = headers.get("x-amz-storage-class") or "STANDARD"
    if name not in STORAGE_CLASSES:
        raise S3Fault("InvalidStorageClass", StorageClassRequested=name)
    return name


def _ascii(value: str) -> str:
    """RFC 2047 for what is not ASCII, as S3 answers it (as LocalStack does, which checks itself against AWS)."""
    if value.isascii():
        return value
    return f"=?UTF-8?B?{b64encode(value.encode('latin-1')).decode()}?="
