"""Cassettes to text files and back."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from durable_replay.cassette.care.building import Progress, append_all, counted, silent
from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.cassette.text.folders import FolderReader, is_text_folder
from durable_replay.cassette.text.reading import TextReader, is_text_file, opened
from durable_replay.cassette.text.review import review_text
from durable_replay.cassette.text.writing import exact_text
from durable_replay.errors import CassetteError
from durable_replay.http import Interaction

__all__ = ["cassette_text", "import_text", "import_texts", "is_text", "write_whole"]


def cassette_text(cassette: Cassette, *, review: bool = False, on_progress: Progress = silent) -> Iterator[str]:
    """The text of a cassette in pieces: exact, or as it is reviewed. Raises CassetteError."""
    interactions = counted(cassette.interactions(), len(cassette), on_progress)
    return (review_text if review else exact_text)(interactions, mapped_hosts(cassette))


def write_whole(path: Path, pieces: Iterable[str]) -> int:
    """Write a text file that is either there whole or not at all; gives its bytes. Raises CassetteError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    size = 0
    try:
        with beside.open("wb") as file:
            for piece in pieces:
                size += file.write(piece.encode("utf-8"))
        beside.replace(path)
    except OSError as error:
        raise CassetteError(f"{path} cannot be written: {error.strerror}. Name another file.") from error
    finally:
        beside.unlink(missing_ok=True)
    return size


def is_text(path: Path) -> bool:
    """Whether a file or a folder is a cassette's text, by first lines."""
    return is_text_folder(path) if path.is_dir() else is_text_file(path)


def import_text(source: Path, target: Path, on_progress: Progress = silent) -> int:
    """See import_texts; one text, in a file or a folder."""
    return import_texts([source], target, on_progress)


def import_texts(sources: Sequence[Path], target: Path, on_progress: Progress = silent) -> int:
    """Append what exact texts, in files or folders, hold to a cassette, all or nothing, or make one of them.

    Gives how many interactions. The same text gives the same tape, by its identity. Raises CassetteError with
    file and line.
    """
    hosts: dict[str, str] = {}

    def read(writer: CassetteWriter) -> Iterator[Interaction]:
        for source in sources:
            if source.is_dir():
                folder = FolderReader(source, writer.new_body)
                hosts.update(folder.hosts)
                yield from folder
                continue
            with opened(source) as file:
                reader = TextReader(source, file, writer.new_body)
                hosts.update(reader.hosts)
                yield from reader

    return append_all(target, lambda writer: counted(read(writer), 0, on_progress), hosts)
