"""How S3 pages: one rule for keys, uploads, parts and buckets.

Rule: entries and the prefixes they roll up into form one sorted sequence; a page is what follows its marker, at most so
many. So a marker that is a common prefix, or lies inside one, steps past all of it.

Keys are ordered by their UTF-8 bytes, which is the order of Python's str (code points), so str is compared directly.
"""

from __future__ import annotations

import binascii
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from durable_s3.errors import S3Fault

__all__ = [
    "BEGINNING",
    "Page",
    "Position",
    "after_key",
    "after_upload",
    "count_limit",
    "from_token",
    "key_page",
    "number_page",
    "to_token",
    "upload_page",
]

T = TypeVar("T")
LARGEST_PAGE = 1000
_LAST = "\U0010ffff"

Position = tuple[str, str]
"""A place in the sequence: a key or common prefix, and an upload id where there can be several of one key."""

BEGINNING: Position = ("", "")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page. `last` is the position of the last thing shown, where the next page goes on; None on an empty page."""

    items: tuple[T, ...]
    prefixes: tuple[str, ...]
    truncated: bool
    last: Position | None

    @property
    def count(self) -> int:
        """What ListObjectsV2 calls KeyCount: prefixes count as one each."""
        return len(self.items) + len(self.prefixes)


def after_key(marker: str) -> Position:
    """Where a listing goes on after `marker`, start-after, or a key marker without an upload id."""
    return (marker, _LAST) if marker else BEGINNING


def after_upload(key_marker: str, upload_id_marker: str) -> Position:
    """Where ListMultipartUploads goes on; without a key marker S3 ignores the other one."""
    return (key_marker, upload_id_marker) if key_marker and upload_id_marker else after_key(key_marker)


def key_page(
    entries: Iterable[tuple[str, T]],
    prefix: str,
    delimiter: str,
    after: Position = BEGINNING,
    limit: int = LARGEST_PAGE,
) -> Page[T]:
    """A page of (key, item) pairs, sorted by key. Reads only as far as needed to know whether more follows."""
    return upload_page((((key, ""), item) for key, item in entries), prefix, delimiter, after, limit)


def upload_page(
    entries: Iterable[tuple[Position, T]],
    prefix: str,
    delimiter: str,
    after: Position = BEGINNING,
    limit: int = LARGEST_PAGE,
) -> Page[T]:
    """A page of ((key, upload id), item) pairs, sorted by both. A limit of 0 gives an empty page, not truncated."""
    items: list[T] = []
    prefixes: list[str] = []
    last: Position | None = None
    for position, item in _following(_rolled_up(entries, prefix, delimiter), after) if limit else ():
        if len(items) + len(prefixes) == limit:
            return Page(tuple(items), tuple(prefixes), True, last)
        last = position
        if item is None:
            prefixes.append(position[0])
        else:
            items.append(item.value)
    return Page(tuple(items), tuple(prefixes), False, last)


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


def _rolled_up(
    entries: Iterable[tuple[Position, T]], prefix: str, delimiter: str
) -> Iterator[tuple[Position, _Item[T] | None]]:
    """The sequence of the rule: entries, and for each common prefix one position without an item."""
    common = None
    for position, item in entries:
        key = position[0]
        if not key.startswith(prefix):
            if key > prefix:
                return
            continue
        if common is not None and key.startswith(common):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield position, _Item(item)
        else:
            common = key[: end + len(delimiter)]
            yield (common, ""), None


def _following(
    sequence: Iterable[tuple[Position, _Item[T] | None]], after: Position
) -> Iterator[tuple[Position, _Item[T] | None]]:
    return (entry for entry in sequence if after == BEGINNING or entry[0] > after)


def number_page(entries: Iterable[tuple[int, T]], after: int, limit: int) -> Page[T]:
    """A page of (part number, item) pairs, sorted by number; `last` holds the number as text."""
    items: list[T] = []
    last: Position | None = None
    for number, item in entries if limit else ():
        if number <= after:
            continue
        if len(items) == limit:
            return Page(tuple(items), (), True, last)
        items.append(item)
        last = (str(number), "")
    return Page(tuple(items), (), False, last)


def count_limit(name: str, value: str, default: int = LARGEST_PAGE, most: int = LARGEST_PAGE) -> int:
    """The page size that a query asks for; more than `most` is cut to it, no number at all is InvalidArgument."""
    if not value:
        return default
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and int(digits) < 2**31):
        message = f"Provided {name} not an integer or within integer range"
        raise S3Fault("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
    if int(value) < 0:
        message = f"Argument {name} must be an integer between 0 and 2147483647"
        raise S3Fault("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
    return min(int(value), most)


def to_token(last: Position) -> str:
    """An opaque continuation token: a check sum and the key or prefix after which the next page begins."""
    data = last[0].encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(zlib.crc32(data).to_bytes(4, "big") + data).decode()


def from_token(token: str) -> Position:
    """Where a token goes on; InvalidArgument for one that was never given out, and for an empty one."""
    try:
        data = urlsafe_b64decode(token.encode("ascii"))
        key = data[4:].decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        data, key = b"", ""
    if not key or zlib.crc32(data[4:]).to_bytes(4, "big") != data[:4]:
        message = "The continuation token provided is incorrect"
        raise S3Fault("InvalidArgument", message, ArgumentName="continuation-token", ArgumentValue=token)
    return after_key(key)
