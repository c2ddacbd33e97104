"""`durable-replay cassette scan` and `scrub`: the proof that no secret is on a tape, and the cure where one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from durable_replay.cli.counting import counting, indexed, there
from durable_replay.cli.options import File, Format, Shape
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import plain, say

if TYPE_CHECKING:
    from durable_replay.redaction.rules import Rules
    from durable_replay.redaction.scan import Finding

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    for command in (scan, scrub):
        example = f"Example: durable-replay cassette {command.__name__} s3.cassette"
        app.command(cls=QuickCommand, epilog=example)(command)


def scan(file: File, shape: Format = Shape.text) -> int:
    """Search a cassette for secrets: every byte of the file and of SQLite's files beside it, and all that is packed or
    encoded inside. Tells rule and place, never the value; exit code 1 where there is one."""
    findings = _found(there(file), _rules())
    if shape is Shape.json:
        plain({"cassette": str(file), "findings": [asdict(finding) for finding in findings]})
    else:
        _tell(file, findings)
    return 1 if findings else 0


def scrub(file: File, shape: Format = Shape.text) -> int:
    """Write a cassette anew under today's redaction rules, so that no byte of the old file is left, and scan it.

    Exit code 1 where the scan still finds a secret.
    """
    from durable_replay.cassette.care.scrubbing import scrub as scrubbed
    from durable_replay.redaction.keyfile import load_key
    from durable_replay.redaction.redact import Redactor

    rules = _rules()
    with counting("scrubbing") as progress:
        done = scrubbed(there(file), Redactor(load_key(), rules), progress)
    indexed(file)
    findings = _found(file, rules)
    if shape is Shape.json:
        plain({"cassette": str(file), **asdict(done), "findings": [asdict(finding) for finding in findings]})
    else:
        print(f"{file}: secrets were replaced in {len(done.changed):,} of {done.interactions:,} interactions")
        _tell(file, findings)
    return 1 if findings else 0


def _rules() -> Rules:
    from durable_replay.settings import Settings
    from durable_replay.tapes import redaction_rules

    return redaction_rules(Settings.load(Path.cwd()).redact)


def _found(file: Path, rules: Rules) -> list[Finding]:
    """What the raw bytes show, and then what is inside. A file that is damaged is searched as far as it can be read."""
    from durable_replay.cassette.store import Cassette
    from durable_replay.errors import CassetteError
    from durable_replay.redaction.scan import scan_file, scan_interactions

    found = scan_file(file, rules)
    try:
        with Cassette.open(file) as cassette:
            return list(dict.fromkeys((*found, *scan_interactions(cassette.interactions(), rules))))
    except CassetteError as wrong:
        if not found:
            raise
        say(f"durable-replay: {wrong}")
        return found


def _tell(file: Path, findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(f"{finding.rule}: {finding.place}")
    if findings:
        say(f"{file} holds {len(findings)} secrets. Replace them: durable-replay cassette scrub {file}")
    else:
        print(f"{file}: no secret found")
