"""The tables of a cassette: the schema's one source.

# Rule: no program imports this; SQLModel takes longer to import than a replay to start. schema.sql is what it makes.

The registry is our own, so that these tables do not mix with those of a program that uses SQLModel itself.
"""

import sqlite3
from typing import ClassVar

from sqlalchemy import BLOB, Text, UniqueConstraint, create_engine
from sqlalchemy.orm import registry
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, SQLModel

__all__ = ["Body", "BodyChunk", "Frame", "Interaction", "Meta", "Table", "create_tables"]


class Table(SQLModel, registry=registry()):
    """Base of the tables below."""


class Meta(Table, table=True):
    """Facts on the file: `tape` is its length and identity (see reader.py), `origin 1` the host and port that rows name
    by this number, `dictionary 1` what messages have in common (a BLOB: see dictionary.py), `migration 1` the name and
    time (ISO 8601, UTC) of the first migration; a new file has had all."""

    __tablename__: ClassVar[str] = "meta"
    __table_args__: ClassVar[dict[str, bool]] = {"sqlite_with_rowid": False}
    key: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)


class Interaction(Table, table=True):
    """A recorded request and its response, at its place on the tape."""

    __tablename__: ClassVar[str] = "interaction"
    number: int = Field(primary_key=True)
    """From 1, without gaps."""
    origin: int
    """Of which host and port: see places.py."""
    request_body: int | None
    """The number of the body; NULL when it is empty."""
    request_size: int | None
    """Bytes; NULL where the body's row tells it."""
    response_body: int | None
    response_size: int | None
    started: float
    """Seconds since the epoch."""
    duration: float
    """Seconds."""
    frames: int
    """How many rows of `frame` belong to it."""
    packing: str = Field(sa_type=Text)
    """Of `head`: `raw`, `zstd`, or the number of a dictionary."""
    head: bytes = Field(sa_type=BLOB)
    """Four lines of JSON: [method, scheme, target, status, reason, HTTP's version, outcome, note], then the headers of
    request, response and trailers as lists of [name, value], as on the wire."""
    checksum: bytes = Field(sa_type=BLOB)
    """8 bytes over all of it and the frames, as they were before packing: see rows.py."""


class Frame(Table, table=True):
    """A WebSocket message."""

    __tablename__: ClassVar[str] = "frame"
    __table_args__: ClassVar[dict[str, bool]] = {"sqlite_with_rowid": False}
    interaction: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    """From 0."""
    from_client: int
    """1 or 0."""
    kind: str = Field(sa_type=Text)
    code: int | None
    at: float
    """Seconds after the start of the interaction."""
    packing: str = Field(sa_type=Text)
    """`raw` or `zstd`."""
    size: int
    data: bytes = Field(sa_type=BLOB)


class Body(Table, table=True):
    """A body's content, stored once."""

    __tablename__: ClassVar[str] = "body"
    id: int = Field(primary_key=True)
    """Follows from the digest: see places.py."""
    digest: bytes = Field(sa_type=BLOB)
    """The first 16 bytes of the sha256 of the content."""
    size: int
    packing: str = Field(sa_type=Text)
    """`raw`, `zstd`, the number of a dictionary, or `chunks` (in `body_chunk`; `data` is empty)."""
    data: bytes = Field(sa_type=BLOB)


class BodyChunk(Table, table=True):
    """A piece of a large body: 1 MiB of its content (the last piece less), as a zstd frame."""

    __tablename__: ClassVar[str] = "body_chunk"
    __table_args__: ClassVar[tuple[UniqueConstraint, ...]] = (UniqueConstraint("digest", "position"),)
    id: int = Field(primary_key=True)
    digest: bytes = Field(sa_type=BLOB)
    """Of the whole body."""
    position: int
    """From 0."""
    size: int
    checksum: bytes = Field(sa_type=BLOB)
    """Over place and frame: see bodies.py."""
    data: bytes = Field(sa_type=BLOB)


def create_tables(connection: sqlite3.Connection) -> None:
    """Make all tables in an empty database."""
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    Table.metadata.create_all(engine)
