"""The sums that S3 knows, over streams: several at once, checked against what the client said, and joined for parts.

Texts and rules are those of recorded AWS answers. CRC32C and CRC64NVME are anycrc's, imported when first needed.
"""

from __future__ import annotations

import binascii
import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Literal, Protocol

from durable_replay.http import Headers
from durable_s3.errors import S3Fault

__all__ = [
    "Algorithm",
    "ChecksumType",
    "Checksummer",
    "Claim",
    "Digest",
    "check",
    "checksum_type",
    "claimed",
    "combined",
    "composite",
    "content_md5",
    "multipart_etag",
]

ChecksumType = Literal["COMPOSITE", "FULL_OBJECT"]


class Algorithm(StrEnum):
    """An algorithm by the name it has in headers' values and in XML."""

    CRC32 = "CRC32"
    CRC32C = "CRC32C"
    CRC64NVME = "CRC64NVME"
    SHA1 = "SHA1"
    SHA256 = "SHA256"

    @property
    def header(self) -> str:
        """The header and trailer that carry its sum."""
        return f"x-amz-checksum-{self.lower()}"

    @property
    def size(self) -> int:
        """The length of its sum in bytes."""
        return {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}[self.value]

    @property
    def is_crc(self) -> bool:
        """Whether sums of parts can be joined to the sum of the whole."""
        return self.startswith("CRC")


class Digest(Protocol):
    """What hashlib's objects can, and ours for CRCs too."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, size: int, step: Callable[[bytes, int], int]) -> None:
        self._size, self._step, self._sum = size, step, 0

    def update(self, data: bytes, /) -> None:
        self._sum = self._step(data, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(self._size, "big")


class _Model(Protocol):
    def calc(self, data: bytes, crc: int) -> int: ...

    def combine(self, crc1: int, crc2: int, len2: int, /) -> int: ...


def _model(algorithm: Algorithm) -> _Model:
    anycrc = import_module("anycrc")  # here, so that a server that never meets a CRC does not pay for it

    names = {Algorithm.CRC32: "CRC32", Algorithm.CRC32C: "CRC32C", Algorithm.CRC64NVME: "CRC64-NVME"}
    model: _Model = anycrc.Model(names[algorithm])
    return model


def _digest(algorithm: Algorithm) -> Digest:
    if algorithm is Algorithm.SHA1:
        return hashlib.sha1(usedforsecurity=False)
    if algorithm is Algorithm.SHA256:
        return hashlib.sha256()
    step = zlib.crc32 if algorithm is Algorithm.CRC32 else _model(algorithm).calc
    return _Crc(algorithm.size, step)


class Checksummer:
    """MD5 and any number of S3's sums over one stream."""

    def __init__(self, algorithms: Iterable[Algorithm] = ()) -> None:
        self._sums = {algorithm: _digest(algorithm) for algorithm in algorithms}
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def update(self, data: bytes) -> None:
        self.size += len(data)
        self._md5.update(data)
        for digest in self._sums.values():
            digest.update(data)

    @property
    def md5(self) -> bytes:
        """The 16 bytes of which an ETag is the hexadecimal form."""
        return self._md5.digest()

    def value(self, algorithm: Algorithm) -> str:
        """The sum so far in base64, as headers carry it. KeyError if it was not asked for."""
        return b64encode(self._sums[algorithm].digest()).decode()

    def hex(self, algorithm: Algorithm) -> str:
        """The sum so far in hexadecimal, as `x-amz-content-sha256` carries it."""
        return self._sums[algorithm].digest().hex()


@dataclass(frozen=True, slots=True)
class Claim:
    """The sum that a client says a body has; `value` is None while it is still to come in the trailer."""

    algorithm: Algorithm
    value: str | None


def claimed(headers: Headers) -> Claim | None:
    """The one sum that a request's headers give or announce; InvalidRequest when malformed or more than one."""
    given = [_named(name) for name, _ in headers if _carries_sum(name)]
    announced = [_named(name.strip()) for line in headers.get_all("x-amz-trailer") for name in line.split(",")]
    announced = [algorithm for algorithm in announced if algorithm]
    if len(given) + len(announced) > 1:
        raise _invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    algorithm = next(iter(given + announced), None)
    if algorithm is None:
        _refuse_bare_algorithm(headers.get("x-amz-sdk-checksum-algorithm"))
        return None
    return Claim(algorithm, well_formed(algorithm, headers.get(algorithm.header)) if given else None)


def _carries_sum(name: str) -> bool:
    lower = name.lower()
    return lower.startswith("x-amz-checksum-") and lower.removeprefix("x-amz-checksum-") not in (
        "mode",
        "algorithm",
        "type",
    )


def _named(header: str) -> Algorithm | None:
    suffix = header.lower().removeprefix("x-amz-checksum-").upper()
    if not header.lower().startswith("x-amz-checksum-"):
        return None
    return algorithm_named(suffix)


def algorithm_named(name: str) -> Algorithm:
    """The algorithm of this name; InvalidRequest in S3's words for any other."""
    try:
        return Algorithm(name.upper())
    except ValueError:
        known = ", ".join(Algorithm)
        text = f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{known}]"
        raise _invalid(text) from None


def _refuse_bare_algorithm(name: str) -> None:
    if name:
        algorithm_named(name)
        raise _invalid(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers "
            "were found."
        )


def well_formed(algorithm: Algorithm, value: str) -> str:
    """The value itself if it can be a sum of this algorithm; InvalidRequest otherwise."""
    if len(_decoded(value)) != algorithm.size:
        raise _invalid(f"Value for {algorithm.header} header is invalid.")
    return value


def check(algorithm: Algorithm, said: str, calculated: str) -> None:
    """BadDigest when a well-formed sum is not the body's, InvalidRequest when it is malformed."""
    if well_formed(algorithm, said) != calculated:
        raise S3Fault("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")


def content_md5(headers: Headers) -> bytes | None:
    """What Content-MD5 says, as 16 bytes; None when absent, InvalidDigest when malformed."""
    if "content-md5" not in headers:
        return None
    value = headers.get("content-md5")
    if len(digest := _decoded(value)) != 16:
        raise S3Fault("InvalidDigest", **{"Content-MD5": value})
    return digest


def check_md5(said: bytes | None, calculated: bytes) -> None:
    """BadDigest with both sums when Content-MD5 was given and is not the body's."""
    if said not in (None, calculated):
        expected, found = b64encode(said or b"").decode(), b64encode(calculated).decode()
        raise S3Fault("BadDigest", ExpectedDigest=expected, CalculatedDigest=found)


def checksum_type(algorithm: Algorithm, asked: str = "") -> ChecksumType:
    """How an upload's parts make its sum: as asked (`x-amz-checksum-type`) or the algorithm's own way."""
    usual: ChecksumType = "FULL_OBJECT" if algorithm is Algorithm.CRC64NVME else "COMPOSITE"
    if not asked or asked == usual:
        return usual
    if asked == "FULL_OBJECT" and algorithm.is_crc:
        return "FULL_OBJECT"
    if asked not in ("FULL_OBJECT", "COMPOSITE"):
        raise _invalid("Value for x-amz-checksum-type header is invalid.")
    raise _invalid(f"The {asked} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.")


def multipart_etag(part_etags: Sequence[str]) -> str:
    """The ETag of an upload, without quotes: MD5 over its parts' binary MD5s, and their number."""
    joined = b"".join(bytes.fromhex(etag) for etag in part_etags)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(part_etags)}"


def composite(algorithm: Algorithm, part_sums: Sequence[str]) -> str:
    """The COMPOSITE sum: the algorithm over its parts' binary sums, and their number."""
    digest = _digest(algorithm)
    digest.update(b"".join(b64decode(value) for value in part_sums))
    return f"{b64encode(digest.digest()).decode()}-{len(part_sums)}"


def combined(algorithm: Algorithm, parts: Iterable[tuple[str, int]]) -> str:
    """The FULL_OBJECT sum of a whole from its parts' CRCs and sizes, without reading a byte of them."""
    model, whole = _model(algorithm), 0
    for value, size in parts:
        whole = model.combine(whole, int.from_bytes(b64decode(value), "big"), size)
    return b64encode(whole.to_bytes(algorithm.size, "big")).decode()


def _decoded(value: str) -> bytes:
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _invalid(message: str) -> S3Fault:
    return S3Fault("InvalidRequest", message)
