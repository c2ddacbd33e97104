"""A corpus recorded, its recordings compared by the command of a user, and the findings held against the labels."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from durable_replay.cli import main
from tests.drift.corpus.cases import Case, Label

__all__ = ["Corpus", "Found", "Score", "diffed", "recorded"]

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 400


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, as the report in JSON has it."""

    method: str
    endpoint: str
    path: str
    kind: str
    severity: str
    text: str
    example: str

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}  {self.path}  {self.kind} ({self.severity}): {self.text}  {self.example}"


@dataclass(frozen=True)
class Score:
    """Which labels were found, and which findings say what a label says."""

    labels: tuple[Label, ...]
    findings: tuple[Found, ...]

    @cached_property
    def missed(self) -> list[Label]:
        """Changes that nobody was told of."""
        return [label for label in self.labels if not any(_fits(label, each) for each in self.findings)]

    @cached_property
    def false(self) -> list[Found]:
        """Findings that no user would call a change, or that only follow from another."""
        return [each for each in self.findings if not any(_fits(label, each) for label in self.labels)]

    @property
    def recall(self) -> float:
        """Labels found of all labels."""
        return 1 - len(self.missed) / len(self.labels)

    @property
    def precision(self) -> float:
        """Findings that are right of all findings; 1 where there is none."""
        return 1 - len(self.false) / len(self.findings) if self.findings else 1.0

    def __str__(self) -> str:
        return "\n".join(
            [
                f"recall {self.recall:.4f} of {len(self.labels)} labels, "
                f"precision {self.precision:.4f} of {len(self.findings)} findings",
                *(f"MISSED {label}" for label in self.missed),
                *(f"FALSE  {each}" for each in self.false),
            ]
        )


@dataclass(frozen=True, slots=True)
class Corpus:
    """The cases and the folder of their recordings: first, second and third of v1, and changed of v2."""

    cases: tuple[Case, ...]
    folder: Path

    @property
    def labels(self) -> tuple[Label, ...]:
        """All changes from v1 to v2."""
        return tuple(label for case in self.cases for label in case.labels)

    def cassette(self, name: str) -> Path:
        """The file of a recording."""
        return self.folder / f"{name}.cassette"

    def found(self, befores: Sequence[str], after: str) -> tuple[Found, ...]:
        """What the command says of these recordings."""
        return diffed([self.cassette(name) for name in befores], self.cassette(after))

    def score(self) -> Score:
        """v2 against both recordings of v1."""
        return Score(self.labels, self.found(["first", "second"], "changed"))


def recorded(data: Path, folder: Path) -> None:
    """Record the corpus of this folder through the real proxy, in a process of its own."""
    command = [sys.executable, "-m", "tests.drift.corpus.recording", str(data), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def diffed(befores: Sequence[Path], after: Path | None, *options: str) -> tuple[Found, ...]:
    """The findings of `durable-replay diff BEFORE AFTER --before BEFORE… --format json OPTIONS`; None: with --live."""
    first, *more = befores
    with TemporaryDirectory() as folder:
        output = Path(folder) / "report.json"
        arguments = ["diff", str(first), str(after or "--live"), "--format", "json", "--output", str(output)]
        arguments += [part for path in more for part in ("--before", str(path))]
        code = main([*arguments, *options])
        assert code in (0, 1), code
        told = json.loads(output.read_text("utf-8"))
    found = tuple(_findings(told["findings"]))
    assert code == any(each.severity == "breaking" for each in found)
    return found


def _findings(told: Iterable[dict[str, Any]]) -> Iterable[Found]:
    for each in told:
        examples = each["examples"]
        yield Found(
            method=each["endpoint"]["method"],
            endpoint=each["endpoint"]["path"],
            path=each["path"],
            kind=each["kind"],
            severity=each["severity"],
            text=each["text"],
            example=f"{examples[0]['before']} -> {examples[0]['after']}" if examples else "",
        )


def _fits(label: Label, found: Found) -> bool:
    return label.fits(found.method, found.endpoint, found.path, found.kind)
