"""Recordings that nobody needs: repeated ones, old ones, ones that no run has used.

# Rule: a repeated read is only taken off where nothing was written to its host since the first; else it may tell of
another state.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Literal, cast

from durable_replay.cassette.care.age import is_dated
from durable_replay.cassette.care.building import Progress, changing, counted, silent
from durable_replay.cassette.store import Cassette
from durable_replay.cassette.text.volatile import names
from durable_replay.errors import UsageError
from durable_replay.http import Headers, Interaction

__all__ = ["Pruned", "Reason", "Unneeded", "prune", "read_report"]

Reason = Literal["unused", "duplicate", "old"]
REPORT_LIMIT = 64 * 1024 * 1024
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Unneeded:
    """What to take off. `unused_in`: run reports, of which every one must say unused; `older_than` goes with `now`."""

    unused_in: tuple[Path, ...] = ()
    duplicates: bool = False
    older_than: timedelta | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pruned:
    """The interactions that were taken off, or would be, by number as it was before, and how many stay."""

    gone: Mapping[int, Reason] = field(default_factory=dict)
    left: int = 0

    def by_reason(self) -> dict[Reason, int]:
        """How many for which reason."""
        counts: dict[Reason, int] = {}
        for reason in self.gone.values():
            counts[reason] = counts.get(reason, 0) + 1
        return counts


def prune(path: Path, unneeded: Unneeded, *, dry_run: bool = False, on_progress: Progress = silent) -> Pruned:
    """Take interactions off a tape, all or none; with `dry_run` only tell which. Raises CassetteError, and
    UsageError for a report that is not of this tape."""
    with Cassette.open(path) as cassette:
        length = len(cassette)
        unused = _unused(cassette, unneeded.unused_in)
        oldest = _oldest(unneeded)
        repeats = _Repeats()
        gone: dict[int, Reason] = {}
        for interaction in counted(cassette.interactions(), length, on_progress):
            repeated = repeats.met(interaction)
            if interaction.number in unused:
                gone[interaction.number] = "unused"
            elif interaction.started < oldest and is_dated(interaction):
                gone[interaction.number] = "old"
            elif unneeded.duplicates and repeated:
                gone[interaction.number] = "duplicate"
    if gone and not dry_run:
        with changing(path) as writer:
            if len(writer) != length:
                raise UsageError(f"{path} was written to while it was looked through; prune it again")
            writer.delete(gone)
    return Pruned(gone, length - len(gone))


def _oldest(unneeded: Unneeded) -> float:
    if unneeded.older_than is None or unneeded.now is None:
        return 0.0
    return (unneeded.now - unneeded.older_than).timestamp()


# -- repeated reads


class _Repeats:
    """Remembers the reads of each host since it was last written to."""

    def __init__(self) -> None:
        self._seen: dict[str, set[bytes]] = {}

    def met(self, interaction: Interaction) -> bool:
        """Whether the same was asked and answered before."""
        host = interaction.request.authority
        if interaction.request.method not in _SAFE or interaction.frames:
            self._seen.pop(host, None)
            return False
        print_ = _print(interaction)
        known = self._seen.setdefault(host, set())
        if print_ in known:
            return True
        known.add(print_)
        return False


def _print(interaction: Interaction) -> bytes:
    """16 bytes over what was asked and answered, without times and ids of requests."""
    request, response = interaction.request, interaction.response
    digest = blake2b(digest_size=16)
    parts = (request.method, request.url, _lasting(request.headers), response.status, _lasting(response.headers))
    digest.update(ascii((*parts, interaction.outcome, request.body.size)).encode())
    for body in (request.body, response.body):
        for chunk in body.chunks():
            digest.update(chunk)
    return digest.digest()


def _lasting(headers: Headers) -> list[tuple[str, str]]:
    volatile = names().headers
    return [(name.lower(), value) for name, value in headers if name.lower() not in volatile]


# -- reports of runs


def _unused(cassette: Cassette, reports: Iterable[Path]) -> set[int]:
    found = [_checked(cassette, path, read_report(path)) for path in reports]
    return set.intersection(*found) if found else set()


def read_report(path: Path) -> Mapping[str, object]:
    """What `replay --format json` says at its end: the last line of the file that is such an object. UsageError."""
    try:
        with path.open("rb") as file:
            data = file.read(REPORT_LIMIT + 1)
        if len(data) > REPORT_LIMIT:
            raise UsageError(f"{path} has more than {REPORT_LIMIT:,} bytes, so it is no report of a run")
        for line in reversed(data.decode("utf-8").splitlines() or [""]):
            if line.startswith("{") and isinstance(found := json.loads(line), dict) and "never_used" in found:
                return cast("Mapping[str, object]", found)
        found = json.loads(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; name a report of a run") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(_no_report(path)) from error
    if not isinstance(found, dict) or "never_used" not in found:
        raise UsageError(_no_report(path))
    return cast("Mapping[str, object]", found)


def _no_report(path: Path) -> str:
    return f"{path} is no report of a run; write one by `durable-replay replay --format json … 2> {path}`"


def _checked(cassette: Cassette, path: Path, report: Mapping[str, object]) -> set[int]:
    """The numbers of the unused, when the report is of this tape."""
    numbers, shown = report.get("unused_numbers"), report.get("unused")
    if not _is_list_of(numbers, int) or not _is_list_of(shown, list):
        raise UsageError(_no_report(path))
    unused = set(cast("list[int]", numbers))
    if report.get("recordings") != len(cassette):
        raise UsageError(f"{path} is of a tape of {report.get('recordings')} recordings, {cassette.path} has another")
    if report.get("never_used") != len(unused) or not all(1 <= number <= len(cassette) for number in unused):
        raise UsageError(_no_report(path))
    for number, *named in cast("list[list[object]]", shown):
        if not isinstance(number, int) or number not in unused:
            raise UsageError(_no_report(path))
        request = cassette.interaction(number).request
        if named != [request.method, request.url]:
            raise UsageError(f"{path} is of another tape: its #{number} is {' '.join(map(str, named))}")
    return unused


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(each, kind) and each is not True for each in value)
