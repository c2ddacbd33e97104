"""Where a recording goes, by its mode, and the proof at its end.

======  ==============================================================================================================
once    into a cassette that does not exist or is empty; any other is refused before the first request
new     what is not on the tape yet is appended
all     this run replaces the tape, all at once, at its end
none    nothing is recorded
======  ==============================================================================================================
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from durable_replay.cassette.care.anew import refresh_command
from durable_replay.errors import CassetteError, UsageError
from durable_replay.http import Interaction
from durable_replay.recording.take import Ending, Item
from durable_replay.recording.tape import TapeWriter, interactions_in, request_key, request_keys, scan_tape
from durable_replay.recording.writer import Store, Writer
from durable_replay.redaction.keyfile import load_key
from durable_replay.redaction.redact import Masker, Redactor
from durable_replay.redaction.rules import DEFAULT, Rules
from durable_replay.redaction.scan import Finding

__all__ = ["MODES", "HostMap", "Mode", "Progress", "Recorded", "Recorder", "parse_map"]

Mode = Literal["once", "new", "all", "none"]
MODES: Sequence[str] = ("once", "new", "all", "none")


@dataclass(frozen=True, slots=True)
class HostMap:
    """This host (any port, where `port` is None) belongs to that service."""

    host: str
    port: int | None
    service: str

    @property
    def authority(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


def parse_map(text: str) -> HostMap:
    """`HOST[:PORT]=SERVICE`; an IPv6 host in brackets. Raises UsageError."""
    authority, equals, service = text.partition("=")
    host, colon, port = authority.rpartition(":") if not authority.endswith("]") else (authority, "", "")
    if not colon:
        host, port = authority, ""
    if not equals or not service or not host or (colon and not (port.isdigit() and 0 < int(port) < 65536)):
        raise UsageError(f"--map {text!r} is not HOST[:PORT]=SERVICE, as in --map minio.local:9000=s3")
    return HostMap(host.strip("[]").lower(), int(port) if port else None, service)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a recording has taken in so far; `bytes` counts bodies. `failure` says why nothing more is written."""

    interactions: int = 0
    bytes: int = 0
    hosts: frozenset[str] = frozenset()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that has ended: what was seen, how much was written, and secrets found (there should be none)."""

    seen: Progress
    written: int
    findings: tuple[Finding, ...] = ()


class Recorder:
    """One recording. `put` is called by the proxy's thread; `finish` once, at the end."""

    def __init__(self, path: Path, mode: Mode, maps: Sequence[HostMap], rules: Rules, key: bytes) -> None:
        self.path = path
        self.mode = mode
        self._target = path.with_name(f".{path.name}.{os.getpid()}.recording") if mode == "all" else path
        self._redactor = Redactor(key, rules)
        self._first = interactions_in(path) + 1 if mode == "new" else 1
        self._interactions = 0
        self._bytes = 0
        self._hosts: set[str] = set()
        self._writer = Writer(self._open(maps), self._redactor, _wanted(path, mode, rules))
        self.outcome: Recorded | None = None

    @classmethod
    def start(
        cls,
        path: Path,
        mode: str,
        maps: Iterable[HostMap] = (),
        rules: Rules = DEFAULT,
        key: bytes | None = None,
    ) -> Recorder:
        """Check the mode against the file, then begin. Raises UsageError or CassetteError; the file is untouched."""
        if mode not in MODES:
            raise UsageError(f"{mode!r} is no record mode; there are: {', '.join(MODES)}")
        _check(path, cast(Mode, mode))
        recorder = cls(path, cast(Mode, mode), tuple(maps), rules, key or load_key())
        if mode != "none":
            recorder._writer.start()
        return recorder

    def _open(self, maps: Sequence[HostMap]) -> Callable[[], Store]:
        def open_store() -> Store:
            tape = TapeWriter(self._target)
            tape.map_hosts({each.authority: each.service for each in maps})
            return tape

        return open_store

    @property
    def progress(self) -> Progress:
        return Progress(self._interactions, self._bytes, frozenset(self._hosts), self._writer.told)

    @property
    def failed(self) -> bool:
        """Whether writing has stopped; traffic goes on."""
        return self._writer.failure is not None

    def put(self, item: Item) -> None:
        """Take a piece of an exchange."""
        if isinstance(item, Ending) and item.interaction is not None:
            self._interactions += 1
            self._bytes += item.take.passed
            self._hosts.add(item.interaction.request.authority)
        if self.mode != "none":
            self._writer.put(item)

    def finish(self) -> Recorded:
        """Store everything, scan the file, and put it in its place.

        Raises CassetteError where writing failed, or, naming rules and places alone, where the scan found a secret.
        """
        if self.mode == "none":
            self.outcome = Recorded(self.progress, 0)
            return self.outcome
        try:
            self._writer.close()
        except CassetteError as wrong:
            raise CassetteError(self._failure(str(wrong))) from None
        findings = tuple(scan_tape(self._target, self._redactor.rules, self._redactor.known(), self._first))
        self.outcome = Recorded(self.progress, self._writer.written, findings)
        if findings:
            raise CassetteError(self._refusal(findings))
        if self.mode == "all":
            self._target.replace(self.path)
        return self.outcome

    def _failure(self, wrong: str) -> str:
        named = wrong if str(self._target) in wrong else f"{self._target}: {wrong}"
        old = f" The old tape {self.path} is untouched." if self.mode == "all" else ""
        return f"The recording is not whole. {named.rstrip('.')}.{old}"

    def _refusal(self, findings: Sequence[Finding]) -> str:
        shown = "; ".join(f"{finding.rule} in {finding.place}" for finding in findings[:5])
        more = f" and {len(findings) - 5} more" if len(findings) > 5 else ""
        return (
            f"{self._target} holds secrets that the rules did not take out: {shown}{more}. "
            "Do not share the file: delete it, add a rule under [redact] in durable.toml, and record again."
        )


def _check(path: Path, mode: Mode) -> None:
    """Refuse before the first request what would be refused at the last."""
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: there is no folder {path.parent}; make it first")
    if mode in ("new", "all"):
        interactions_in(path)  # a file that is no cassette is found now
    if mode == "once" and (count := interactions_in(path)):
        raise UsageError(
            f"{path} holds {count} interactions already, and mode once records only into a new cassette. "
            f"Replay it, add to it with --mode new, replace it with --mode all, or see first what changed: "
            f"{refresh_command(path)}"
        )


def _wanted(path: Path, mode: Mode, rules: Rules) -> Callable[[Interaction], bool]:
    """What belongs on the tape: with `new`, requests that had no recording when this run began."""
    if mode != "new":
        return lambda _: True
    mask = Masker(rules).text
    known = request_keys(path, mask)
    return lambda interaction: request_key(interaction.request, mask) not in known
