"""One tape as several: by whatever names an interaction's part."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from durable_replay.cassette.care.building import Progress, build, counted, give_name, silent
from durable_replay.cassette.care.hosts import mapped_hosts
from durable_replay.cassette.store import Cassette
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Interaction

__all__ = ["PartOf", "by_host", "every", "split"]

PartOf = Callable[[Interaction], str]
"""Names the part that an interaction belongs to."""

MOST_PARTS = 1000
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def by_host(interaction: Interaction) -> str:
    """A part for each host, ports apart."""
    return interaction.request.authority


def every(count: int) -> PartOf:
    """Parts of this many interactions."""
    if count < 1:
        raise UsageError(f"a part of {count} interactions cannot be; name 1 or more")
    return lambda interaction: f"{(interaction.number - 1) // count + 1:04d}"


def split(source: Path, part_of: PartOf, folder: Path, on_progress: Progress = silent) -> dict[Path, int]:
    """Write each part into `folder` as a cassette of its own, all or none; gives files with their lengths.

    The source stays. Files are named `<source>-<part>.cassette`. Raises UsageError and CassetteError.
    """
    with Cassette.open(source) as cassette:
        parts = _parts(cassette, part_of, on_progress)
        files = _files(source, folder, list(parts))
        within = folder if folder.is_dir() else folder.parent
        beside = within / f".{source.name}.{os.getpid()}.parts"
        try:
            within.mkdir(parents=True, exist_ok=True)
            beside.mkdir()
            made = {files[name]: _write(cassette, beside / files[name].name, each) for name, each in parts.items()}
            _put_in_place(beside, folder, list(made))
        except OSError as error:
            raise CassetteError(f"{folder} cannot be written: {error.strerror}. Name another folder.") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return made


def _put_in_place(beside: Path, folder: Path, files: Sequence[Path]) -> None:
    if not folder.exists():
        beside.rename(folder)
        return
    done: list[Path] = []
    try:
        for path in files:
            give_name(beside / path.name, path)
            done.append(path)
    except BaseException:
        for path in done:
            path.unlink(missing_ok=True)
        raise


def _parts(cassette: Cassette, part_of: PartOf, on_progress: Progress) -> dict[str, list[int]]:
    parts: dict[str, list[int]] = {}
    for interaction in counted(cassette.interactions(), len(cassette), on_progress):
        parts.setdefault(part_of(interaction), []).append(interaction.number)
        if len(parts) > MOST_PARTS:
            raise UsageError(f"{cassette.path} would become more than {MOST_PARTS:,} files; split it another way")
    return parts


def _files(source: Path, folder: Path, names: Sequence[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    taken: set[str] = set()
    for name in names:
        safe = _UNSAFE.sub("-", name).strip("-.")[:100] or "other"
        number, unique = 1, safe
        while unique.lower() in taken:  # some file systems know no case
            number += 1
            unique = f"{safe}-{number}"
        taken.add(unique.lower())
        files[name] = folder / f"{source.stem}-{unique}.cassette"
    there = [path for path in files.values() if path.exists()]
    if there:
        raise CassetteError(f"{there[0]} is there already. Name another folder.")
    return files


def _write(cassette: Cassette, path: Path, numbers: Sequence[int]) -> int:
    hosts: set[str] = set()
    for number in numbers:
        request = cassette.interaction(number).request
        hosts |= {request.host, request.authority}
    mapped = _only(mapped_hosts(cassette), hosts)
    return build(path, lambda writer: map(cassette.interaction, numbers), mapped)


def _only(mapped: Mapping[str, str], hosts: set[str]) -> Mapping[str, str]:
    return {host: service for host, service in mapped.items() if host in hosts}
