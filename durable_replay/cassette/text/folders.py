"""A cassette's text as a folder: a file for each interaction, in the tape's order by name.

::

    cassette.txt                        hosts that were mapped to a service, and how many interactions there are
    0001-GET-rest-api-2-issue-P-7.txt   the text of one interaction, as writing.py or review.py has it
    0002-POST-rest-api-2-issue.txt

# Rule: a file's name follows from what is in it, so that none can be missing, be there twice, or stand for another
# without being found. What is no part of a cassette's text is neither read nor replaced.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

from durable_replay.cassette.care.building import Progress, counted, silent
from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.store import Cassette
from durable_replay.cassette.text.grammar import TITLE, request_line
from durable_replay.cassette.text.reading import BodySink, TextReader, is_text_file, opened
from durable_replay.cassette.text.review import reviewed
from durable_replay.cassette.text.writing import exact_text, head_lines
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Interaction

__all__ = ["HEAD", "FolderReader", "file_name", "is_text_folder", "write_folder"]

HEAD = "cassette.txt"
_NAME = re.compile(r"([0-9]{4,12})(?:-[A-Za-z0-9._-]{1,120})?\.txt")
_UNSAFE = re.compile(r"[^A-Za-z0-9._]+")
_LONGEST_METHOD, _LONGEST_PATH = 16, 80
_SHORTEST_NUMBER = 4

_Files = Iterable[tuple[str, Iterable[str]]]
"""Names with the pieces of their texts."""


def file_name(number: int, total: int, line: str) -> str:
    """`0007-GET-issue-P-7.txt`: the name for the interaction of this number and request line, on a tape of `total`.

    At most 120 characters of ASCII, which every file system keeps apart by the number alone.
    """
    method, _, url = line.partition(" ")
    path = unquote(url.partition("://")[2].partition("?")[0].partition("/")[2])
    digits = max(_SHORTEST_NUMBER, len(str(total)))
    words = (f"{number:0{digits}d}", _safe(method, _LONGEST_METHOD), _safe(path, _LONGEST_PATH))
    return f"{'-'.join(word for word in words if word)}.txt"


def _safe(text: str, longest: int) -> str:
    return _UNSAFE.sub("-", text).strip("-.")[:longest].rstrip("-.")


def is_text_folder(path: Path) -> bool:
    """Whether a folder is a cassette's text: it has the head, or a file of an interaction."""
    try:
        there = sorted(path.iterdir())
    except OSError:
        return False
    return any(is_text_file(each) for each in there if each.name == HEAD or _NAME.fullmatch(each.name))


# -- writing


def write_folder(folder: Path, cassette: Cassette, *, review: bool = False, on_progress: Progress = silent) -> int:
    """Write a cassette's text, exact or as it is reviewed, into a folder of its own; gives its bytes.

    The folder is made, or replaced when all that it holds is a cassette's text: whole, or not at all. Raises
    UsageError where it holds anything else, CassetteError.
    """
    target = folder.resolve()
    beside = target.parent / f".{target.name}.{os.getpid()}.new"
    try:
        _require_ours(folder, target)
        beside.mkdir()
        size = sum(_write(beside / name, pieces) for name, pieces in _files(cassette, review, on_progress))
        _put_in_place(beside, target)
    except OSError as error:
        raise CassetteError(f"{folder} cannot be written: {error.strerror}. Name another folder.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return size


def _require_ours(folder: Path, target: Path) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{folder} is a file; name a folder, or end its name without a slash")
    for path in sorted(target.iterdir()):
        if not (path.name == HEAD or _NAME.fullmatch(path.name)) or not is_text_file(path):
            raise UsageError(
                f"{folder} is not replaced, since {path.name} in it is no part of a cassette's text; "
                "name another folder, or an empty one"
            )


def _files(cassette: Cassette, review: bool, on_progress: Progress) -> _Files:
    total = len(cassette)
    yield HEAD, [*head_lines("review" if review else "exact", mapped_hosts(cassette)), f"interactions {total}\n"]
    interactions = counted(cassette.interactions(), total, on_progress)
    if not review:
        for interaction in interactions:
            yield file_name(interaction.number, total, request_line(interaction.request)), exact_text([interaction])
        return
    for number, text in enumerate(reviewed(interactions), 1):
        yield file_name(number, total, text.partition("\n")[0]), [f"{TITLE} review\n\n{text}\n"]


def _write(path: Path, pieces: Iterable[str]) -> int:
    with path.open("xb") as file:
        return sum(file.write(piece.encode("utf-8")) for piece in pieces)


def _put_in_place(beside: Path, target: Path) -> None:
    if not target.exists():
        beside.rename(target)
        return
    former = beside.with_suffix(".old")
    shutil.copymode(target, beside)
    target.rename(former)
    try:
        beside.rename(target)
    except OSError:
        former.rename(target)
        raise
    shutil.rmtree(former)


# -- reading


class FolderReader:
    """The interactions of a folder of exact text, in bounded memory. Raises CassetteError with file and place."""

    def __init__(self, folder: Path, new_body: Callable[[], BodySink]) -> None:
        """`new_body` makes where a large body goes."""
        self._folder = folder
        self._new_body = new_body
        names = self._listed()
        if HEAD not in names:
            raise self._wrong(HEAD, "is missing: it says how many interactions there are")
        with opened(folder / HEAD) as file:
            head = TextReader(folder / HEAD, file, new_body)
            if head.beside is None:
                raise head.wrong("here stands how many interactions are in the files beside it: 'interactions 41'")
            self._total = head.beside
        self.hosts = head.hosts
        """Hosts that were mapped to a service."""
        self._names = self._in_order(name for name in names if name != HEAD)

    def _listed(self) -> list[str]:
        try:
            return sorted(path.name for path in self._folder.iterdir())
        except OSError as error:
            raise CassetteError(f"{self._folder} cannot be read: {error.strerror}. Name another folder.") from error

    def _wrong(self, name: str, what: str) -> CassetteError:
        return CassetteError(f"{self._folder / name} {what}. Mend it, or export the cassette again.")

    def _in_order(self, names: Iterable[str]) -> list[str]:
        """Every number's one file."""
        files: dict[int, str] = {}
        for name in names:
            match = _NAME.fullmatch(name)
            if match is None or not (self._folder / name).is_file() or (self._folder / name).is_symlink():
                raise self._wrong(
                    name, f"is no interaction's file, as 0001-GET-items.txt is, and {HEAD} knows no other"
                )
            number = int(match[1])
            if number in files:
                raise self._wrong(name, f"has the number of {files[number]}")
            if not 1 <= number <= self._total:
                raise self._wrong(name, f"is beyond the {self._total:,} interactions that {HEAD} tells of")
            files[number] = name
        if len(files) < self._total:
            number = next(at for at in range(1, self._total + 1) if at not in files)
            raise self._wrong(file_name(number, self._total, "").removesuffix(".txt") + "-….txt", "is missing")
        return [files[number] for number in range(1, self._total + 1)]

    def __iter__(self) -> Iterator[Interaction]:
        for number, name in enumerate(self._names, 1):
            yield self._interaction(number, name)

    def _interaction(self, number: int, name: str) -> Interaction:
        path = self._folder / name
        with opened(path) as file:
            reader = TextReader(path, file, self._new_body)
            found = list(islice(reader, 2))
        if len(found) != 1 or reader.hosts:
            what = "names a host's service" if reader.hosts else "has no interaction or several"
            raise self._wrong(name, f"{what}; a file of a folder has one interaction and nothing else")
        interaction = found[0]
        line = request_line(interaction.request)
        meant = file_name(interaction.number, self._total, line)
        if interaction.number != number or meant != name:
            raise self._wrong(name, f"holds '#{interaction.number} {line[:100]}', whose file is named {meant}")
        return interaction
