"""A tape recorded anew beside its cassette, until somebody takes it.

::

    FILE                  the cassette; nobody writes to it, until `accept` puts another file in its place
    .FILE.refreshing      the recording under way; what a killed command left is removed by the next
    FILE.new              a recording that is whole, with a mark that says after which tape it is to come
    FILE.before           the former cassette, where it was asked for

# Rule: every step is one rename of a file that is whole and on disk. Who is killed between two of them leaves in FILE
# the former cassette or the new one, never none and never a part.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from durable_replay.cassette.care.building import alone, copied, remove, take_place
from durable_replay.cassette.care.hosts import add_mapped_hosts, mapped_hosts
from durable_replay.cassette.lock import WriterLock
from durable_replay.cassette.store import Cassette, CassetteWriter
from durable_replay.errors import CassetteError, UsageError

__all__ = ["Mark", "Refreshing", "refresh_command", "refreshing"]

_KEY = "refreshes"


def refresh_command(cassette: str | os.PathLike[str], rest: str = "-- CMD") -> str:
    """What to type to take this cassette's recordings anew; `rest` is what follows."""
    return f"durable-replay record --refresh {shlex.quote(str(cassette))} {rest}"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a recording taken anew knows of itself: the identity of the tape that it is to follow, and how the command
    ended that it was taken from."""

    follows: str
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Refreshing:
    """A cassette that is being recorded anew, by nobody else at the same time."""

    file: Path
    """Not a symbolic link: it is the file that is replaced, not a link to it."""
    identity: str
    """Of its tape, when this began."""
    length: int

    @property
    def staged(self) -> Path:
        """Where to record to."""
        return self.file.with_name(f".{self.file.name}.refreshing")

    @property
    def new(self) -> Path:
        """Where a whole recording is kept."""
        return self.file.with_name(f"{self.file.name}.new")

    @property
    def former(self) -> Path:
        """Where the former cassette is kept."""
        return self.file.with_name(f"{self.file.name}.before")

    def discard(self) -> None:
        """Forget what was recorded; the last one that was kept stays."""
        remove(self.staged)

    def mark(self, exit_code: int) -> None:
        """Say in the staged recording what it is of, and which hosts the cassette maps to services. Raises
        CassetteError."""
        with Cassette.open(self.file) as cassette:
            hosts = mapped_hosts(cassette)
        with closing(CassetteWriter.open(self.staged)) as writer, Cassette.open(self.staged) as staged:
            writer.set_meta(_KEY, json.dumps(asdict(Mark(self.identity, exit_code))))
            add_mapped_hosts(writer, {**hosts, **mapped_hosts(staged)})

    def publish(self) -> None:
        """The staged recording becomes the one that is kept, in place of an earlier one. Raises CassetteError."""
        self._require_ours()
        _renamed(self.staged, self.new)

    def _require_ours(self) -> None:
        """Raises UsageError where the name is taken by a file that no refresh has made."""
        if self.new.exists() and _mark_of(self.new) is None:
            raise UsageError(f"{self.new} is not of a `record --refresh`, and would be replaced; move it away first")

    def kept(self) -> Mark:
        """The mark of the recording that is kept. Raises UsageError where there is none that fits, CassetteError."""
        if not self.new.exists():
            raise UsageError(f"there is no {self.new} to accept; record it first: {refresh_command(self.file)}")
        mark = _mark_of(self.new)
        if mark is None:
            raise UsageError(f"{self.new} is not of a `record --refresh`; move it away, and record anew")
        self._require_follows(mark)
        return mark

    def _require_follows(self, mark: Mark) -> None:
        with Cassette.open(self.file) as cassette:
            identity = cassette.identity
        if mark.follows != identity:
            raise UsageError(
                f"{self.file} is not the tape any more that {self.new} was taken anew from; "
                f"record it once more: {refresh_command(self.file)}"
            )

    def accept(self, *, keep_former: bool) -> None:
        """The recording that is kept takes the cassette's place; who has the former open goes on with it.

        Raises CassetteError, and UsageError where the cassette was changed meanwhile; both files are then as they were.
        """
        with alone(self.file), alone(self.new):
            self.kept()
            if keep_former:
                self._keep_former()
            _on_disk(self.new)
            take_place(self.new, self.file)
            _on_disk(self.file.parent)

    def _keep_former(self) -> None:
        beside = self.file.with_name(f".{self.former.name}.new")
        remove(beside)
        try:
            copied(self.file, beside)
            beside.chmod(self.file.stat().st_mode & 0o777)
            _renamed(beside, self.former)
        finally:
            remove(beside)


@contextmanager
def refreshing(file: Path) -> Iterator[Refreshing]:
    """A cassette to be recorded anew within the block. What a killed command left unfinished is removed. Raises
    UsageError where there is nothing to take anew, CassetteError where another command is at it."""
    with Cassette.open(file) as cassette:
        tape = cassette.tape()
    if not tape.length:
        raise UsageError(f"{file} holds no interactions to take anew; record into it with -c {file}")
    real = file.resolve() if file.is_symlink() else file
    work = Refreshing(real, tape.identity, tape.length)
    lock = WriterLock(
        real.with_name(f".{real.name}.refresh"), taken=f"{file} is being recorded anew by another command already"
    )
    try:
        work._require_ours()
        work.discard()
        yield work
    finally:
        lock.release()


def _mark_of(path: Path) -> Mark | None:
    """None where the file is none of ours."""
    try:
        with Cassette.open(path) as cassette:
            text = cassette.meta(_KEY)
    except CassetteError:
        return None
    return _parsed(text or "")


def _parsed(text: str) -> Mark | None:
    try:
        found: Mapping[str, object] | object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    follows, exit_code = found.get("follows"), found.get("exit_code")
    return Mark(follows, exit_code) if isinstance(follows, str) and isinstance(exit_code, int) else None


def _renamed(one: Path, other: Path) -> None:
    """With its bytes on disk before, and its name after. Raises CassetteError."""
    try:
        _on_disk(one)
        one.replace(other)
        _on_disk(other.parent)
    except OSError as wrong:
        raise CassetteError(f"{other} cannot be written: {wrong.strerror}. Look at the disk and the folder.") from None


def _on_disk(path: Path) -> None:
    """Returns when the file's bytes, or the folder's names, survive the machine's end. Nobody here has it open."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():  # a system on which folders cannot be opened
            return
        raise
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
