"""A file to import: opened within limits, looked into for its shape, and named in every complaint about it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from urllib.parse import urlsplit

from durable_replay.cassette.formats.plain import Plain, Unfit
from durable_replay.cassette.formats.shape import Shape, shape_of
from durable_replay.errors import CassetteError, LimitExceeded, UsageError
from durable_replay.http import Interaction

__all__ = ["Format", "Head", "Imported", "Item", "Source", "each", "located", "require_base"]

HEAD = 64 * 1024
INFLATED = 8 * 1024**3
"""Bytes that a compressed source may grow to; a smaller file than that is no bomb, only large."""
WHOLE = 256 * 1024 * 1024
"""Bytes of a source that must be read in one piece."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One interaction of a source. Its `started` is 0 where the source tells no time."""

    interaction: Interaction
    place: str
    """Where in the file: `entry 3, line 120`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a document; `line` counts from 1."""

    value: Plain
    line: int


class _Inflated:
    """A gzip file that ends with an error where it grows past the limit."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = gzip.GzipFile(fileobj=file)
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._size += len(data)
        if self._size > INFLATED:
            raise LimitExceeded(f"it inflates to more than {INFLATED:,} bytes")
        return data


@dataclass(frozen=True, slots=True)
class Head:
    """The first 64 KiB of a source, inflated, and what can be told of its structure."""

    path: Path
    data: bytes
    shape: Shape
    """Paths of keys to the scalar that stands there (None: a container)."""

    @property
    def kind(self) -> str:
        """`json`, `yaml` or `binary`."""
        return self.shape.kind

    def has(self, *path: str) -> bool:
        """Whether this path of keys occurs; `[]` is any element of a list."""
        return path in self.shape.paths

    def text(self, *path: str) -> str:
        """The scalar at this path, as it is written; empty where there is none."""
        return self.shape.paths.get(path) or ""


@dataclass(frozen=True)
class Source:
    """A file to read interactions from. `base` is the URL that a format without hosts is to be joined to."""

    path: Path
    base: str = ""

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's bytes, inflated where it is gzip. What goes wrong is raised with the file's name."""
        if "head" in self.__dict__ and len(self.head.data) < HEAD:  # that was all of it
            yield BytesIO(self.head.data)
            return
        try:
            with self.path.open("rb") as file:
                packed = file.peek(2).startswith(b"\x1f\x8b")
                yield cast(BinaryIO, _Inflated(file)) if packed else file
        except IsADirectoryError:
            raise UsageError(f"{self.path} is a directory where a file was expected. Name a file in it.") from None
        except (OSError, EOFError, zlib.error, LimitExceeded) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise CassetteError(f"{self.path} cannot be read: {said}. Look at the file, then import again.") from error

    def read(self) -> bytes:
        """All of it, up to 256 MiB."""
        with self.open() as file:
            data = file.read(WHOLE + 1)
        if len(data) > WHOLE:
            raise self.wrong(f"it has more than {WHOLE:,} bytes, and this format is read in one piece")
        return data

    @cached_property
    def head(self) -> Head:
        """What sniffing looks at."""
        with self.open() as file:
            data = file.read(HEAD)
        return Head(self.path, data, shape_of(data))

    def wrong(self, what: str, line: int | None = None, entry: int | None = None) -> CassetteError:
        """The error that names this file and the place in it; `what` is a clause without a full stop."""
        place = ", ".join(
            [*([f"entry {entry}"] if entry is not None else []), *([f"line {line}"] if line is not None else [])]
        )
        where = f"{self.path}, {place}" if place else str(self.path)
        return CassetteError(f"{where}: {what}. Nothing was imported.")


class Format(Protocol):
    """One tool's recordings."""

    name: str

    def sniff(self, head: Head) -> bool:
        """Whether a file that begins like this is of this format."""

    def read(self, source: Source) -> Iterator[Imported]:
        """Its interactions in order. Raises CassetteError or UsageError with file and place."""


def each(source: Source, items: Iterable[Item], made: Callable[[Plain], Interaction]) -> Iterator[Imported]:
    """`made` of every item; what it finds Unfit is raised as an error that names the item's place."""
    for number, item in enumerate(items, 1):
        try:
            interaction = made(item.value)
        except Unfit as error:
            raise source.wrong(str(error), item.line, number) from error
        yield Imported(interaction, f"entry {number}, line {item.line}")


def located(source: Source, found: Iterator[Imported]) -> Iterator[Imported]:
    """The same; what a reader raises without a place gets the file's name and the entry that was read last."""
    place = "the beginning"
    try:
        for imported in found:
            place = imported.place
            yield imported
    except (Unfit, LimitExceeded, UnicodeError) as error:
        raise source.wrong(f"after {place}: {error}") from error


def require_base(source: Source, default: str = "") -> str:
    """The URL that a source without hosts is joined to; UsageError where none is known."""
    base = source.base or default
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.netloc:
        said = f"'{base}' is no absolute URL" if base else "its requests name no host"
        raise UsageError(f"{source.path}: {said}. Give the service's address, such as https://api.example.com.")
    return base.rstrip("/")
